// SPDX-License-Identifier: Apache-2.0
// The state of the machine: the line at the top of the page, and the view with charts.

import { getStats } from './api.js';
import { find, make, makeSvg, setAttribute, setText } from './dom.js';
import { formatBytes, formatCount, formatDuration, wordOf } from './format.js';

const EVERY = 2000;
const SAMPLES = 61;

const formatRate = rate => (rate >= 100 ? formatCount(Math.round(rate)) : rate.toFixed(1));

function labelOf(buckets, index) {
	const { le } = buckets[index];
	return le === null ? `> ${formatDuration(buckets[index - 1].le)}` : `≤ ${formatDuration(le)}`;
}

/** The bucket that contains the median. */
function findMedian(buckets) {
	const total = buckets.reduce((sum, { count }) => sum + count, 0);
	let seen = 0;
	const index = buckets.findIndex(({ count }) => (seen += count) * 2 >= total);
	return total === 0 ? '–' : labelOf(buckets, index);
}

/** Requests the figures repeatedly while the page is visible. */
export class Machine {
	constructor() {
		this.rates = [];
		this.timer = null;
		this.turn = 0;
		document.addEventListener('visibilitychange', () => document.hidden || this.refresh());
	}

	/** Requests the figures now, and then every two seconds. The answer to an earlier request is dropped. */
	async refresh() {
		clearTimeout(this.timer);
		const turn = ++this.turn;
		try {
			const stats = await getStats();
			if (turn !== this.turn) return;
			this.rates = [...this.rates, stats.runs_per_second].slice(-SAMPLES);
			this.#showPulse(stats);
			this.#showFacts(stats);
			this.#showRates();
			this.#showLatency(stats.stop_latency_us);
			this.#showOutcomes(stats.outcomes);
		} catch (error) {
			if (turn !== this.turn) return;
			find('pulse').dataset.state = 'lost';
			setText(find('pulse'), error.status ? error.message : 'no connection to the server');
		}
		if (!document.hidden) this.timer = setTimeout(() => this.refresh(), EVERY);
	}

	#showPulse(stats) {
		find('pulse').dataset.state = 'good';
		const { runs_per_second: rate, running, queued } = stats;
		setText(find('pulse'), `${formatRate(rate)} runs/s · ${running} running · ${queued} queued`);
	}

	/** A value is null if it belongs to the whole server, and this token may not read it. */
	#showFacts(stats) {
		const { workers, memory, store } = stats;
		const groups = [
			[
				'machine-now',
				[
					['Running', `${stats.running} of ${stats.concurrency}`],
					['Queued', String(stats.queued)],
					['Scheduled', String(stats.scheduled)],
					workers && ['Workers busy', `${workers.busy} of ${workers.total}`],
					['Runs per second', formatRate(stats.runs_per_second)],
				],
			],
			[
				'machine-since',
				[
					['Up for', formatDuration(Math.floor(stats.uptime_us / 1e6) * 1e6)],
					['Runs', formatCount(stats.runs_total)],
					['Median wait in the queue', findMedian(stats.queue_wait_us)],
					['Median lateness of a stop', findMedian(stats.stop_latency_us)],
					workers && ['Workers replaced', formatCount(workers.restarts)],
				],
			],
			[
				'machine-memory',
				[
					memory && ['Guest memories in use', String(memory.regions_in_use)],
					memory && ['Kept for the next runs', String(memory.regions_pooled)],
					memory && ['What those hold', formatBytes(memory.resident_bytes)],
					store && ['Database', formatBytes(store.bytes)],
					store && ['Event streams open', String(stats.open_streams)],
				],
			],
		];
		for (const [id, facts] of groups) {
			const shown = facts.filter(Boolean);
			find(id).parentElement.hidden = shown.length === 0;
			find(id).replaceChildren(
				...shown.map(([name, value]) =>
					make('div', { class: 'tile' }, make('dt', { text: name }), make('dd', { text: value })),
				),
			);
		}
		find('machine-own').hidden = stats.scope !== 'token';
	}

	#showRates() {
		const most = Math.max(1, ...this.rates);
		const step = 600 / (SAMPLES - 1);
		const first = SAMPLES - this.rates.length;
		const points = this.rates.map(
			(rate, index) => `${((first + index) * step).toFixed(1)},${(96 - (rate / most) * 90).toFixed(1)}`,
		);
		const seconds = (Math.max(1, this.rates.length - 1) * EVERY) / 1000;
		const text = `now ${formatRate(this.rates.at(-1))}, most ${formatRate(Math.max(...this.rates))} in the last ${seconds} s`;
		const chart = makeSvg(
			'svg',
			{ viewBox: '0 0 600 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': text },
			makeSvg('line', { x1: 0, y1: 96, x2: 600, y2: 96, class: 'axis' }),
			makeSvg('polyline', { points: points.join(' '), class: 'line' }),
		);
		const span = ((SAMPLES - 1) * EVERY) / 1000;
		find('rate-chart').replaceChildren(
			make(
				'div',
				{ class: 'chart-box' },
				make('span', { class: 'axis-y', text: formatRate(most) }),
				make('span', { class: 'axis-y axis-zero', text: '0' }),
				chart,
			),
			make(
				'p',
				{ class: 'axis-x', 'aria-hidden': 'true' },
				make('span', { text: `${formatDuration(span * 1e6)} ago` }),
				make('span', { text: 'now' }),
			),
			make('p', { class: 'chart-text', text }),
		);
	}

	#showLatency(buckets) {
		const rows = buckets.map(({ count }, index) => [labelOf(buckets, index), count]);
		// From the first to the last bucket with a count.
		const first = rows.findIndex(([, count]) => count > 0),
			last = rows.findLastIndex(([, count]) => count > 0);
		showBars(find('latency-chart'), rows.slice(Math.max(0, first - 1), last + 2), 'No run has been stopped yet.');
	}

	#showOutcomes(outcomes) {
		const rows = Object.entries(outcomes)
			.filter(([, count]) => count > 0)
			.sort(([, a], [, b]) => b - a);
		showBars(
			find('outcome-chart'),
			rows.map(([name, count]) => [wordOf(name), count]),
			'No run has ended yet.',
		);
	}
}

function makeBar() {
	const bar = make('span', { class: 'bar', 'aria-hidden': 'true' }, make('span', { class: 'fill' }));
	return make(
		'div',
		{ class: 'meter' },
		make('dt', { class: 'label' }),
		make('dd', {}, bar, make('span', { class: 'value' })),
	);
}

/** Shows rows of a name, a bar and a number. */
function showBars(box, rows, none) {
	const total = rows.reduce((sum, [, count]) => sum + count, 0);
	if (total === 0) return box.replaceChildren(make('p', { class: 'empty', text: none }));
	const most = Math.max(...rows.map(([, count]) => count));
	if (box.firstChild?.tagName !== 'DL' || box.firstChild.childElementCount !== rows.length)
		box.replaceChildren(make('dl', {}, ...rows.map(makeBar)));
	rows.forEach(([label, count], index) => {
		const row = box.firstChild.children[index];
		setText(row.querySelector('.label'), label);
		setText(row.querySelector('.value'), `${formatCount(count)} (${Math.round((count / total) * 100)} %)`);
		row.querySelector('.fill').style.setProperty('--share', (count / most).toFixed(4));
		setAttribute(row, 'data-count', count);
	});
}
