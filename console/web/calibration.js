// SPDX-License-Identifier: Apache-2.0
// Calibration: how much fuel corresponds to a millisecond, as the server measures and stores it. Below that are some
// programs that run with and without a fuel limit that they never reach, to measure the cost of metering.

import { getCalibration, measureCalibration, startRun } from './api.js';
import { announce, find, make, setText } from './dom.js';
import { formatCount, formatDuration } from './format.js';

const PROGRAMS = [
	{ name: 'Arithmetic', source: 'let a = 1; for (let i = 0; i < 1e6; i++) a = (a * 31 + i) | 0; a' },
	{ name: 'Calls', source: 'const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2); fib(22)' },
	{
		name: 'Objects',
		source: 'let last = null; for (let i = 0; i < 2e5; i++) last = { i, next: i % 100 ? last : null }; last.i',
	},
	{
		name: 'Strings and JSON',
		source:
			'let n = 0; for (let i = 0; i < 1e4; i++) n += JSON.stringify(JSON.parse(`{"a":[${i},2],"b":"text"}`)).length; n',
	},
	{
		name: 'Regular expressions',
		source:
			'const text = "key=value; ".repeat(200); let n = 0;' +
			'for (let i = 0; i < 100; i++) n += text.match(/(\\w+)=(\\w+)/g).length; n',
	},
];
const KINDS = {
	integer: 'WebAssembly, integers',
	float: 'WebAssembly, floating point',
	memory: 'WebAssembly, memory',
	calls: 'WebAssembly, calls',
	javascript: 'JavaScript',
};
const KIND_COLUMNS = ['Kind', 'Fuel per ms', 'Fuel in 250 ms'];
const ASK_EVERY = 500;
const COLUMNS = ['Program', 'Fuel per ms', 'Loops per ms', 'Time', 'With fuel', 'Cost of metering'];
const LIMITS = { timeout: '20s' };

/** The usage of the fastest of three runs. */
async function runBest({ source }, limits) {
	let best = null;
	for (let turn = 0; turn < 3; turn++) {
		const { outcome, error, used } = await startRun({
			lang: 'js',
			source,
			limits: { ...LIMITS, ...limits },
			wait: true,
		});
		if (outcome !== 'ok') throw new Error(`the program ended with ${outcome}${error ? `: ${error.message}` : ''}`);
		if (!best || used.run_us < best.run_us) best = used;
	}
	return best;
}

async function measure(program) {
	return { plain: await runBest(program, {}), metered: await runBest(program, { fuel: '1000G' }) };
}

function describe({ name }, { plain, metered }) {
	const perMs = (count, { run_us: us }) => formatCount(Math.round(count / (us / 1000)));
	return [
		name,
		perMs(metered.fuel, metered),
		perMs(plain.loops, plain),
		formatDuration(plain.run_us),
		formatDuration(metered.run_us),
		`× ${(metered.run_us / plain.run_us).toFixed(2)}`,
	];
}

const makeHead = columns =>
	make(
		'thead',
		{ role: 'rowgroup' },
		make('tr', { role: 'row' }, ...columns.map(text => make('th', { role: 'columnheader', scope: 'col', text }))),
	);

const makeRow = (columns, cells) =>
	make(
		'tr',
		{ role: 'row' },
		...cells.map((text, column) => make('td', { role: 'cell', data: { label: columns[column] }, text })),
	);

function showCalibration({ state, calibration }) {
	const table = find('calibration-table');
	const texts = {
		unknown: 'Not measured on this machine yet.',
		measuring: 'Measuring, at the lowest priority…',
		failed: 'It could not be measured.',
		known: '',
	};
	table.hidden = !calibration;
	find('calibrate').disabled = state === 'measuring';
	if (calibration) {
		const { fuel_per_ms: fuel, webassembly_fuel_per_ms: mean, machine, engine } = calibration;
		const rows = [
			...Object.entries(KINDS).map(([kind, name]) => [name, fuel[kind]]),
			['WebAssembly, all (geometric mean)', mean],
		];
		table.replaceChildren(
			makeHead(KIND_COLUMNS),
			make(
				'tbody',
				{ role: 'rowgroup' },
				...rows.map(([name, perMs]) => makeRow(KIND_COLUMNS, [name, formatCount(perMs), formatCount(250 * perMs)])),
			),
		);
		texts.known = `${machine.cpu}, ${machine.cores} cores, Curfew ${engine.curfew}.`;
	}
	setText(find('calibration-status'), texts[state]);
}

/** Shows the calibration, and asks again while it is being measured. */
export async function loadCalibration() {
	try {
		const seen = await getCalibration();
		showCalibration(seen);
		if (seen.state === 'measuring') setTimeout(loadCalibration, ASK_EVERY);
	} catch (error) {
		setText(find('calibration-status'), error.message);
		find('calibrate').disabled = false;
	}
}

async function calibrate() {
	try {
		showCalibration(await measureCalibration());
		setTimeout(loadCalibration, ASK_EVERY);
	} catch (error) {
		setText(find('calibration-status'), error.message);
	}
}

async function measureMetering() {
	const button = find('measure-metering'),
		table = find('metering-table'),
		status = find('metering-status');
	const body = make('tbody', { role: 'rowgroup' });
	button.disabled = true;
	table.hidden = false;
	table.replaceChildren(makeHead(COLUMNS), body);
	try {
		for (const [index, program] of PROGRAMS.entries()) {
			setText(status, `Running ${program.name} (${index + 1} of ${PROGRAMS.length})`);
			body.append(makeRow(COLUMNS, describe(program, await measure(program))));
		}
		setText(status, 'Done. Other work on the machine at the same time makes the figures worse.');
		announce('All programs were run');
	} catch (error) {
		setText(status, error.message);
	}
	button.disabled = false;
}

/** Connects the buttons of the calibration. */
export function setUpCalibration() {
	find('calibrate').addEventListener('click', calibrate);
	find('measure-metering').addEventListener('click', measureMetering);
}
