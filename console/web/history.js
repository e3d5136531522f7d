// SPDX-License-Identifier: Apache-2.0
// The history: the runs that the server keeps, filtered, one page at a time.

import { listRuns } from './api.js';
import { find, make, makeIcon, setText } from './dom.js';
import { describeState, formatBytes, formatDuration, formatTime, outcomeNames, wordOf } from './format.js';

const PAGE = 25;
const COLUMNS = ['State', 'Program', 'Made', 'Elapsed', 'CPU', 'Memory', 'Late', ''];

/** The view of the history. */
export class History {
	/** @param {{open: (data: object) => void}} actions */
	constructor(actions) {
		this.actions = actions;
		this.pages = [null];
		this.state = find('filter-state');
		this.outcome = find('filter-outcome');
		this.program = find('filter-program');
		this.outcome.append(...outcomeNames.map(name => make('option', { value: name, text: wordOf(name) })));
		find('filters').addEventListener('submit', event => event.preventDefault());
		for (const control of [this.state, this.outcome]) control.addEventListener('change', () => this.#restart());
		this.program.addEventListener('input', () => {
			clearTimeout(this.typing);
			this.typing = setTimeout(() => this.#restart(), 300);
		});
		find('history-newer').addEventListener('click', () => {
			this.pages.pop();
			this.load();
		});
		find('history-older').addEventListener('click', () => {
			this.pages.push(this.next);
			this.load();
		});
		find('history-refresh').addEventListener('click', () => this.load());
	}

	#restart() {
		this.pages = [null];
		this.load();
	}

	/** Requests the page that is shown. */
	async load() {
		const turn = (this.turn = (this.turn ?? 0) + 1);
		try {
			const answer = await listRuns({
				state: this.state.value,
				outcome: this.outcome.value,
				program: this.program.value.trim(),
				limit: PAGE,
				after: this.pages.at(-1),
			});
			if (turn === this.turn) this.#show(answer);
		} catch (error) {
			this.#say(error.message);
		}
	}

	#say(text) {
		setText(find('history-status'), text);
	}

	#show({ runs, next }) {
		this.next = next;
		find('history-newer').disabled = this.pages.length === 1;
		find('history-older').disabled = next === null;
		const count = `${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`;
		this.#say(runs.length === 0 ? 'No run is like that.' : `${count}, page ${this.pages.length}`);
		// The roles are explicit, because at phone width rows become blocks, which removes the roles of a table.
		const head = make(
			'thead',
			{ role: 'rowgroup' },
			make(
				'tr',
				{ role: 'row' },
				...COLUMNS.map(text =>
					make(
						'th',
						{ role: 'columnheader', scope: 'col' },
						text || make('span', { class: 'hidden-text', text: 'Actions' }),
					),
				),
			),
		);
		const body = make('tbody', { role: 'rowgroup' }, ...runs.map(run => this.#makeRow(run)));
		find('history-table').replaceChildren(head, body);
	}

	#makeRow(run) {
		const { tone, icon, word } = describeState(run.state, run.outcome ?? run.report?.outcome);
		const used = run.report?.used ?? run.used;
		const wall = used?.wall_us ?? (run.started_ms && run.ended_ms ? (run.ended_ms - run.started_ms) * 1000 : null);
		const late = run.report?.stop?.latency_us ?? run.stop_latency_us;
		const cells = [
			make('span', { class: 'badge', data: { tone } }, makeIcon(icon), word),
			run.program || `Run …${run.id.slice(-6)}`,
			run.created_ms ? formatTime(run.created_ms) : '–',
			wall ? formatDuration(wall) : '–',
			used?.cpu_us ? formatDuration(used.cpu_us) : '–',
			used?.memory_peak_bytes ? formatBytes(used.memory_peak_bytes) : '–',
			late === undefined || late === null ? '–' : formatDuration(late),
			make(
				'button',
				{ type: 'button', class: 'quiet', onclick: () => this.actions.open(run) },
				'Open',
				make('span', { class: 'hidden-text', text: ` run ${run.id}` }),
			),
		];
		return make(
			'tr',
			{ role: 'row', data: { id: run.id } },
			...cells.map((cell, index) => make('td', { role: 'cell', data: { label: COLUMNS[index] } }, cell)),
		);
	}
}
