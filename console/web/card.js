// SPDX-License-Identifier: Apache-2.0
// The card of one run: its state, the time left, its usage, its output, and how it ended.

import {
	describeState,
	formatBytes,
	formatCount,
	formatDuration,
	formatJson,
	formatProgress,
	formatSeconds,
	formatTime,
	showHidden,
} from './format.js';
import { getServerTime } from './api.js';
import { make, makeIcon, setAttribute, setText } from './dom.js';

// use: [key in used, key in limits]. While a run is in progress, only some are known.
const METERS = [
	{ key: 'elapsed', label: 'Elapsed', limit: 'timeout_us', used: 'wall_us', format: formatDuration },
	{ key: 'cpu', label: 'CPU', limit: 'cpu_us', used: 'cpu_us', format: formatDuration },
	{ key: 'memory', label: 'Memory', limit: 'memory_bytes', used: 'memory_peak_bytes', format: formatBytes },
	{ key: 'fuel', label: 'Fuel', limit: 'fuel', used: 'fuel', format: formatCount },
	{ key: 'loops', label: 'Loops', limit: 'loops', used: 'loops', format: formatCount },
	{ key: 'output', label: 'Output', limit: 'output_bytes', used: 'output_bytes', format: formatBytes },
];

const MODES = {
	cooperative: 'ended by itself',
	soft: 'soft stop',
	hard: 'hard stop',
	process: 'process ended',
};

class Meter {
	constructor({ label }) {
		this.label = label;
		this.fill = make('span', { class: 'fill' });
		this.bar = make('div', { class: 'bar', role: 'meter', 'aria-label': label, 'aria-valuemin': 0 }, this.fill);
		this.value = make('span', { class: 'value' });
		this.element = make('div', { class: 'meter' }, make('span', { class: 'label', text: label }), this.bar, this.value);
	}

	/** used, limit: numbers or null (unknown; unlimited). If neither is known or limited, the row is hidden. */
	show(used, limit, format) {
		const seen = used === null ? '–' : format(used);
		const text = limit !== null ? `${seen} of ${format(limit)}` : seen;
		this.element.hidden = limit === null && !used;
		const share = used === null || !limit ? 0 : Math.min(1, used / limit);
		setText(this.value, text);
		this.fill.style.setProperty('--share', share.toFixed(4));
		setAttribute(this.bar, 'aria-valuenow', Math.round(share * 100));
		setAttribute(this.bar, 'aria-valuemax', 100);
		setAttribute(this.bar, 'aria-valuetext', text);
		this.bar.classList.toggle('unlimited', limit === null);
		this.bar.classList.toggle('full', share >= 1);
	}
}

/** @param {import('./runs.js').Run} run */
function tellTime(run) {
	const { report, limits } = run;
	if (report) return tellEnd(report);
	if (!run.isOpen || run.state === null) return '';
	if (run.state === 'scheduled' && run.startsAt !== null)
		return `starts in ${formatSeconds((run.startsAt - getServerTime()) * 1000)}`;
	if (run.state === 'scheduled') return 'waits for its time';
	if (run.state === 'queued') return 'waits for a worker';
	if (limits.timeout_us === null) return `running for ${formatSeconds(run.elapsed)}, no deadline`;
	if (limits.timeout_us === undefined) return '';
	const left = limits.timeout_us - run.elapsed;
	if (left <= 0 && limits.grace_us && -left < limits.grace_us)
		return `deadline passed, ${formatSeconds(limits.grace_us + left)} of grace left`;
	if (left <= 0) return 'deadline passed';
	return `${formatSeconds(left)} left of ${formatDuration(limits.timeout_us)}`;
}

function tellEnd({ outcome, stop, used, exit_code: code }) {
	const after = `${outcome === 'ok' ? 'in' : 'after'} ${formatDuration(used.wall_us)}`;
	if (!stop) return outcome === 'exited' && code !== undefined ? `with code ${code} ${after}` : after;
	return `${after} · ${formatDuration(stop.latency_us)} late · ${MODES[stop.mode] ?? stop.mode}`;
}

/** Whether a frame is a known line of the program itself, neither native nor of an import. */
export function isOwnFrame(report, frame) {
	return !frame.native && frame.line > 0 && frame.file === report.program.name;
}

/** The card of a run. `element` is inserted into the page. */
export class RunCard {
	/**
	 * @param {import('./runs.js').Run} run
	 * @param {{cancel: Function, dismiss: Function, show: Function}} actions each is given the run; show also a frame,
	 * or null
	 */
	constructor(run, actions) {
		this.run = run;
		this.actions = actions;
		this.meters = METERS.map(meter => ({ ...meter, view: new Meter(meter) }));
		this.#build();
		run.addEventListener('change', () => this.#schedule());
		this.refresh();
	}

	#build() {
		const { run, actions } = this;
		this.badge = make('span', { class: 'badge' });
		this.title = make('h3', { id: `run-${run.id}` });
		this.clock = make('time', { class: 'clock' });
		this.time = make('p', { class: 'time' });
		this.cancelButton = makeButton('cancel', () => actions.cancel(run), makeIcon('stop'), 'Cancel');
		this.showButton = makeButton('quiet', () => actions.show(run, null), 'Show code');
		this.dismissButton = makeButton('quiet icon-only', () => actions.dismiss(run), makeIcon('cross'));
		setAttribute(this.dismissButton, 'aria-label', 'Take off the page');
		this.note = make('p', { class: 'note', hidden: true });
		this.progress = make('p', { class: 'progress', hidden: true });
		this.output = make('pre', {
			class: 'output',
			role: 'log',
			'aria-live': 'off',
			'aria-label': 'Output',
			tabindex: 0,
		});
		this.details = make('div', { class: 'results' });
		this.element = make(
			'article',
			{
				class: 'card',
				tabindex: 0,
				'aria-labelledby': this.title.id,
				data: { id: run.id },
				onkeydown: event => {
					if (event.key === 'Escape' && run.isOpen) {
						event.preventDefault();
						actions.cancel(run);
					}
				},
			},
			make(
				'header',
				{},
				this.badge,
				this.title,
				make('div', { class: 'actions' }, this.cancelButton, this.showButton, this.dismissButton),
			),
			make('div', { class: 'when' }, this.time, this.clock),
			this.note,
			make('div', { class: 'meters' }, ...this.meters.map(({ view }) => view.element)),
			this.progress,
			this.output,
			this.details,
		);
		this.shownOutput = 0;
	}

	// Many events may arrive between two frames of the display.
	#schedule() {
		if (this.isScheduled) return;
		this.isScheduled = true;
		setTimeout(() => {
			this.isScheduled = false;
			this.refresh();
		}, 40);
	}

	/** Shows the current state. */
	refresh() {
		const { run } = this;
		const { tone, icon, word } = describeState(run.state, run.outcome);
		setAttribute(this.element, 'data-state', run.state);
		setAttribute(this.element, 'data-outcome', run.outcome);
		setAttribute(this.element, 'data-tone', tone);
		if (this.badge.textContent !== word) this.badge.replaceChildren(makeIcon(icon), word);
		setText(this.title, run.title);
		setAttribute(this.title, 'title', run.id);
		setText(this.clock, formatTime(run.createdAt));
		setAttribute(this.clock, 'datetime', new Date(run.createdAt).toISOString());
		// A second cancel ends the grace. The focus moves to the card before its button is removed.
		const isOver = !run.isOpen || (run.state === 'stopping' && !run.limits.grace_us);
		if (isOver && document.activeElement === this.cancelButton) this.element.focus();
		this.cancelButton.hidden = !run.isOpen;
		this.cancelButton.disabled = isOver;
		setText(this.cancelButton.lastChild, run.state === 'stopping' && !isOver ? 'Stop now' : 'Cancel');
		this.showButton.hidden = run.source === null;
		this.dismissButton.hidden = run.isOpen;
		this.#showNote();
		this.tick();
		this.#showOutput();
		this.#showResults();
	}

	/** Updates the time and the bars. It is called repeatedly while the run is in progress. */
	tick() {
		const { run } = this;
		setText(this.time, tellTime(run));
		for (const { key, limit, used, format, view } of this.meters) {
			view.show(this.#find(key, used), run.limits[limit] ?? null, format);
		}
	}

	/** The usage, or null. Shortly after its start a run has none. */
	#find(key, used) {
		const { run } = this;
		if (key === 'elapsed') return run.elapsed;
		const value = run.used?.[used] ?? null;
		if (key === 'output') return Math.max(value ?? 0, run.report ? 0 : run.outputLength);
		return run.isOpen ? value || null : value;
	}

	#showNote() {
		const { run } = this;
		const tripped = run.report?.tripped.length > 1 ? `limits exceeded: ${run.report.tripped.join(', ')}` : null;
		const text = run.problem ?? (run.isLost ? 'connection lost, trying again' : tripped);
		this.note.hidden = !text;
		setText(this.note, text ?? '');
		const hasProgress = run.progress !== undefined && run.isOpen;
		this.progress.hidden = !hasProgress;
		setText(this.progress, hasProgress ? `Progress: ${formatProgress(run.progress)}` : '');
	}

	#showOutput() {
		const { run } = this;
		const signature = `${run.outputLength} ${run.output.length} ${run.isOutputCut} ${run.report?.output_truncated}`;
		this.output.hidden = run.outputLength === 0;
		if (this.outputSignature === signature) return;
		this.outputSignature = signature;
		const isAtEnd = this.output.scrollTop + this.output.clientHeight >= this.output.scrollHeight - 8;
		const parts = run.output.map(({ stream, text }) => make('span', { class: stream, text: showHidden(text) }));
		if (run.isOutputCut) parts.unshift(make('span', { class: 'remark', text: '… the beginning is not shown\n' }));
		if (run.report?.output_truncated)
			parts.push(make('span', { class: 'remark', text: '\n… cut at the output limit' }));
		this.output.replaceChildren(...parts);
		if (isAtEnd) this.output.scrollTop = this.output.scrollHeight;
	}

	#showResults() {
		const { run } = this;
		const signature = JSON.stringify([run.partial, run.report !== null, run.source !== null]);
		if (this.resultSignature === signature) return;
		this.resultSignature = signature;
		const { report } = run;
		const parts = [];
		if (report?.error) parts.push(this.#makeError(report));
		if (report?.outcome === 'ok' || (report && report.value !== null)) parts.push(makeValue('Value', report.value));
		if (run.partial !== null) parts.push(makeValue(report ? 'Partial result' : 'Partial result so far', run.partial));
		if (report) parts.push(makeFacts(run));
		this.details.replaceChildren(...parts);
	}

	#makeFrame(frame) {
		const place = frame.line ? `${frame.file}:${frame.line}:${frame.column}` : (frame.file ?? '(native)');
		const text = `${frame.function ?? '<anonymous>'} ${place}`;
		const canShow = isOwnFrame(this.run.report, frame) && this.run.source !== null;
		return make('li', {}, canShow ? makeButton('frame', () => this.actions.show(this.run, frame), text) : text);
	}

	#makeError({ error, outcome }) {
		// For a stop, the error's name is the outcome, which is shown already.
		const head = [error.name === outcome ? null : error.name, error.message].filter(Boolean).join(': ');
		const frames = error.stack.map(frame => this.#makeFrame(frame));
		return make(
			'section',
			{ class: 'error' },
			make('h4', { text: showHidden(head) || 'Stopped' }),
			frames.length > 0 ? make('ol', { class: 'stack', 'aria-label': 'Stack, innermost first' }, ...frames) : null,
		);
	}
}

function makeButton(kind, onclick, ...children) {
	return make('button', { type: 'button', class: kind, onclick }, ...children);
}

function makeValue(title, value) {
	return make(
		'section',
		{ class: 'value-box' },
		make('h4', { text: title }),
		make('pre', { tabindex: 0, 'aria-label': title, text: formatJson(value) }),
	);
}

function tellWebhook({ url, state, attempts, status, problem }) {
	const words = { waiting: 'not told yet', delivered: 'told', given_up: 'given up' };
	const last = problem ?? (status ? `answered ${status}` : null);
	return [
		showHidden(url),
		words[state] ?? state,
		attempts > 1 ? `${attempts} attempts` : null,
		last && showHidden(last),
	]
		.filter(Boolean)
		.join(' · ');
}

function makeFacts({ id, schedule, webhook, report: { used, engine, program } }) {
	const phases = ['load', 'compile', 'start', 'run'].map(name => `${name} ${formatDuration(used[`${name}_us`] ?? 0)}`);
	const facts = [
		['Run', id],
		...(schedule ? [['Schedule', schedule]] : []),
		...(webhook ? [['Webhook', tellWebhook(webhook)]] : []),
		['Program', `${program.kind ?? '?'} ${program.sha256?.slice(0, 12) ?? ''}`],
		['Time', phases.join(' · ')],
		['Stack', used.stack_peak_bytes ? formatBytes(used.stack_peak_bytes) : '–'],
		['Calls out', `${used.host_calls ?? 0}, timers ${used.timers_peak ?? 0}`],
		['Curfew', engine.curfew],
	];
	return make(
		'details',
		{ class: 'facts' },
		make('summary', { text: 'More' }),
		make('dl', {}, ...facts.flatMap(([name, value]) => [make('dt', { text: name }), make('dd', { text: value })])),
	);
}

/** The text for a run that has ended. */
export function tellResult(run) {
	const { word } = describeState(run.state, run.outcome);
	return `${run.title}: ${word} ${run.report ? tellEnd(run.report) : ''}`;
}
