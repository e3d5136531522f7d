// SPDX-License-Identifier: Apache-2.0
// Calibration: fixed programs of several kinds are run with a fuel limit that none of them reaches, and once without;
// the table says how much fuel a millisecond burns, and what metering costs.

import { startRun } from './api.js';
import { announce, find, make, setText } from './dom.js';
import { formatCount, formatDuration } from './format.js';

const PROGRAMS = [
	{ name: 'Arithmetic', lang: 'js', source: 'let a = 1; for (let i = 0; i < 1e6; i++) a = (a * 31 + i) | 0; a' },
	{ name: 'Calls', lang: 'js', source: 'const fib = (n) => n < 2 ? n : fib(n - 1) + fib(n - 2); fib(22)' },
	{ name: 'Objects', lang: 'js', source: 'let last = null; for (let i = 0; i < 2e5; i++) last = { i, next: i % 100 ? last : null }; last.i' },
	{ name: 'Strings and JSON', lang: 'js', source: 'let n = 0; for (let i = 0; i < 1e4; i++) n += JSON.stringify(JSON.parse(`{"a":[${i},2,3],"b":"text"}`)).length; n' },
	{ name: 'Regular expressions', lang: 'js', source: 'let n = 0; const text = "key=value; ".repeat(200); for (let i = 0; i < 100; i++) n += text.match(/(\\w+)=(\\w+)/g).length; n' },
];
const COLUMNS = ['Program', 'Fuel per ms', 'Loops per ms', 'Time', 'With fuel', 'Cost of metering'];
const LIMITS = { timeout: '20s' };

/** What the quickest of three runs used. */
async function runBest({ lang, source }, limits) {
	let best = null;
	for (let turn = 0; turn < 3; turn++) {
		const { outcome, error, used } = await startRun({ lang, source, limits: { ...LIMITS, ...limits }, wait: true });
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
	return [
		name, formatCount(Math.round(metered.fuel / (metered.run_us / 1000))), formatCount(Math.round(plain.loops / (plain.run_us / 1000))),
		formatDuration(plain.run_us), formatDuration(metered.run_us), `× ${(metered.run_us / plain.run_us).toFixed(2)}`,
	];
}

/** Makes the button of the calibration work. */
export function setUpCalibration() {
	const button = find('calibrate'), table = find('calibration-table'), status = find('calibration-status');
	button.addEventListener('click', async () => {
		button.disabled = true;
		table.hidden = false;
		const body = make('tbody', { role: 'rowgroup' });
		table.replaceChildren(make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...COLUMNS.map((text) => make('th', { role: 'columnheader', scope: 'col', text })))), body);
		try {
			for (const [index, program] of PROGRAMS.entries()) {
				setText(status, `Running ${program.name} (${index + 1} of ${PROGRAMS.length})`);
				const cells = describe(program, await measure(program));
				body.append(make('tr', { role: 'row' }, ...cells.map((text, column) => make('td', { role: 'cell', data: { label: COLUMNS[column] }, text }))));
			}
			setText(status, 'Done. Other work on the machine at the same time makes the figures worse.');
			announce('Calibration is done');
		} catch (error) {
			setText(status, error.message);
		}
		button.disabled = false;
	});
}
