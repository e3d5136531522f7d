// SPDX-License-Identifier: Apache-2.0
// Formats numbers with units, and has the names, colours and symbols of states and outcomes.

/**
 * @param {number} microseconds
 * @returns {string} with a unit that fits
 */
export function formatDuration(microseconds) {
	if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
	if (microseconds < 1e6) return `${trim(microseconds / 1000)} ms`;
	if (microseconds < 60e6) return `${trim(microseconds / 1e6)} s`;
	const seconds = Math.round(microseconds / 1e6);
	const parts = [
		[3600, 'h'],
		[60, 'min'],
		[1, 's'],
	].map(([size, unit], index, all) => [Math.floor((index ? seconds % all[index - 1][0] : seconds) / size), unit]);
	return parts
		.filter(([count]) => count > 0)
		.map(([count, unit]) => `${count} ${unit}`)
		.join(' ');
}

/** Seconds with one digit, whose width does not change while it counts. */
export function formatSeconds(microseconds) {
	const seconds = Math.max(0, microseconds) / 1e6;
	return seconds < 100 ? `${seconds.toFixed(1)} s` : formatDuration(Math.round(seconds) * 1e6);
}

/**
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
	const units = ['B', 'KiB', 'MiB', 'GiB'];
	let unit = 0;
	for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
	return `${trim(bytes)} ${units[unit]}`;
}

/**
 * @param {number} count
 * @returns {string}
 */
export function formatCount(count) {
	const steps = [
		[1e12, ' T'],
		[1e9, ' G'],
		[1e6, ' M'],
		[1e4, ' k', 1e3],
	];
	const [from, unit, size = from] = steps.find(([least]) => count >= least) ?? [0, '', 1];
	return unit ? trim(count / size) + unit : trim(count);
}

/** A program's text with the characters escaped that would hide or reverse the text around them. */
export function showHidden(text) {
	return text.replace(
		/[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
		character => `⟨U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
	);
}

/** Formats a number from 0 to 1 as a percentage, and anything else as JSON. */
export function formatProgress(progress) {
	const isShare = typeof progress === 'number' && progress >= 0 && progress <= 1;
	return isShare ? `${Math.round(progress * 100)} %` : formatJson(progress);
}

function trim(number) {
	const digits = number >= 100 || Number.isInteger(number) ? 0 : number >= 10 ? 1 : 2;
	return number.toFixed(digits);
}

/** @param {number} time in ms since 1970 */
export function formatTime(time) {
	const date = new Date(time);
	const isToday = date.toDateString() === new Date().toDateString();
	const clock = date.toLocaleTimeString([], {
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit',
		hourCycle: 'h23',
	});
	return isToday ? clock : `${date.toLocaleDateString([], { month: 'short', day: 'numeric' })} ${clock}`;
}

/**
 * Any JSON value as text, indented if it does not fit a line.
 * @param {any} value
 * @returns {string}
 */
export function formatJson(value) {
	const line = JSON.stringify(value);
	return showHidden(line.length <= 72 ? line : JSON.stringify(value, null, 2));
}

// tone: the colour; icon: the symbol; word: the text for both.
const STATES = {
	scheduled: { tone: 'idle', icon: 'clock', word: 'Scheduled' },
	queued: { tone: 'idle', icon: 'clock', word: 'Queued' },
	running: { tone: 'green', icon: 'play', word: 'Running' },
	stopping: { tone: 'green', icon: 'play', word: 'Stopping' },
};

const OUTCOMES = {
	ok: { tone: 'blue', icon: 'check', word: 'Completed' },
	cancelled: { tone: 'red', icon: 'stop', word: 'Cancelled' },
	deadline: { tone: 'orange', icon: 'clock', word: 'Deadline' },
	threw: { tone: 'other', icon: 'alert', word: 'Threw' },
	trapped: { tone: 'other', icon: 'alert', word: 'Trapped' },
	exited: { tone: 'other', icon: 'alert', word: 'Exited' },
	bad_program: { tone: 'other', icon: 'alert', word: 'Bad program' },
	fuel: { tone: 'other', icon: 'limit', word: 'Fuel used up' },
	loops: { tone: 'other', icon: 'limit', word: 'Loop limit' },
	host_calls: { tone: 'other', icon: 'limit', word: 'Host call limit' },
	timers: { tone: 'other', icon: 'limit', word: 'Timer limit' },
	memory: { tone: 'other', icon: 'limit', word: 'Memory limit' },
	stack: { tone: 'other', icon: 'limit', word: 'Stack limit' },
	cpu: { tone: 'other', icon: 'limit', word: 'CPU limit' },
	output: { tone: 'other', icon: 'limit', word: 'Output limit' },
	crashed: { tone: 'other', icon: 'alert', word: 'Crashed' },
	unsettled: { tone: 'other', icon: 'alert', word: 'Awaits nothing' },
	internal: { tone: 'other', icon: 'alert', word: 'Internal error' },
};

/** The names of all outcomes. */
export const outcomeNames = Object.keys(OUTCOMES);

/**
 * @param {string} outcome
 * @returns {string}
 */
export function wordOf(outcome) {
	return OUTCOMES[outcome]?.word ?? outcome;
}

/** How to show a run in this state and, when it has ended, with this outcome. */
export function describeState(state, outcome) {
	if (state === null) return { tone: 'idle', icon: 'clock', word: 'Sent' };
	if (state !== 'done') return STATES[state] ?? { tone: 'idle', icon: 'clock', word: state };
	return OUTCOMES[outcome] ?? { tone: 'other', icon: 'alert', word: outcome ?? 'Done' };
}
