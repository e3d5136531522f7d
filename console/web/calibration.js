// SPDX-License-Identifier: Apache-2.0
// Calibration: fixed programs of several kinds are run with a fuel limit that none of them reaches, and once without;
// the table says how much fuel a millisecond burns, and what metering costs.

import { startRun } from './api.js';
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
		source: 'let n = 0; for (let i = 0; i < 1e4; i++) n += JSON.stringify(JSON.parse(`{"a":[${i},2],"b":"text"}`)).length; n',
	},
	{
		name: 'Regular expressions',
		source: 'const text = "key=value; ".repeat(200); let n = 0;'
			+ 'for (let i = 0; i < 100; i++) n += text.match(/(\\w+)=(\\w+)/g).length; n',
	},
];
const COLUMNS = ['Program', 'Fuel per ms', 'Loops per ms', 'Time', 'With fuel', 'Cost of metering'];
const LIMITS = { timeout: '20s' };

/** What the quickest of three runs used. */
async function runBest({ source }, limits) {
	let best = null;
	for (let turn = 0; turn < 3; turn++) {
		const { outcome, error, used } = await startRun({
			lang: 'js', source, limits: { ...LIMITS, ...limits }, wait: true,
		});
		if (outcome !== 'ok')
			throw new Error(`the program ended with ${outcome}${error ? `: ${error.message}` : ''}`);
		if (!best || used.run_us < best.run_us)
			best = used;
	}
	return best;
}

async function measure(program) {
	return { plain: await runBest(program, {}), metered: await runBest(program, { fuel: '1000G' }) };
}

function describe({ name }, { plain, metered }) {
	const perMs = (count, { run_us: us }) => formatCount(Math.round(count / (us / 1000)));
	return [
		name, perMs(metered.fuel, metered), perMs(plain.loops, plain),
		formatDuration(plain.run_us), formatDuration(metered.run_us), `× ${(metered.run_us / plain.run_us).toFixed(2)}`,
	];
}

const makeHead = () => make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' },
	...COLUMNS.map((text) => make('th', { role: 'columnheader', scope: 'col', text }))));

const makeRow = (cells) => make('tr', { role: 'row' },
	...cells.map((text, column) => make('td', { role: 'cell', data: { label: COLUMNS[column] }, text })));

/** Makes the button of the calibration work. */
export function setUpCalibration() {
	const button = find('calibrate'), table = find('calibration-table'), status = find('calibration-status');
	button.addEventListener('click', async () => {
		button.disabled = true;
		table.hidden = false;
		const body = make('tbody', { role: 'rowgroup' });
		table.replaceChildren(makeHead(), body);
		try {
			for (const [index, program] of PROGRAMS.entries()) {
				setText(status, `Running ${program.name} (${index + 1} of ${PROGRAMS.length})`);
				body.append(makeRow(describe(program, await measure(program))));
			}
			setText(status, 'Done. Other work on the machine at the same time makes the figures worse.');
			announce('Calibration is done');
		} catch (error) {
			setText(status, error.message);
		}
		button.disabled = false;
	});
}
