// SPDX-License-Identifier: Apache-2.0
// What the machine is doing: the line at the top of the page, and the view with charts.

import { getStats } from './api.js';
import { find, make, makeSvg, setAttribute, setText } from './dom.js';
import { formatBytes, formatCount, formatDuration, wordOf } from './format.js';

const EVERY = 2000;
const SAMPLES = 60;

const formatRate = (rate) => rate >= 100 ? formatCount(Math.round(rate)) : rate.toFixed(1);

/** Asks for the figures again and again while the page is seen. */
export class Machine {
	constructor() {
		this.rates = [];
		this.timer = null;
		document.addEventListener('visibilitychange', () => document.hidden || this.refresh());
	}

	/** Asks now, and from then on every two seconds. */
	async refresh() {
		clearTimeout(this.timer);
		try {
			const stats = await getStats();
			this.rates = [...this.rates, stats.runs_per_second].slice(-SAMPLES);
			this.#showPulse(stats);
			this.#showFacts(stats);
			this.#showRates();
			this.#showHistogram(stats.stop_latency_us);
			this.#showOutcomes(stats.outcomes ?? {});
		} catch (error) {
			find('pulse').dataset.state = 'lost';
			setText(find('pulse'), error.status ? error.message : 'no connection to the server');
		}
		if (!document.hidden)
			this.timer = setTimeout(() => this.refresh(), EVERY);
	}

	#showPulse(stats) {
		find('pulse').dataset.state = 'good';
		setText(find('pulse'), `${formatRate(stats.runs_per_second)} runs/s · ${stats.running} running · ${stats.queued} queued`);
	}

	#showFacts(stats) {
		const { workers } = stats;
		const facts = [
			['Runs per second', formatRate(stats.runs_per_second)],
			['Running', String(stats.running)],
			['Queued', String(stats.queued)],
			['Scheduled', String(stats.scheduled ?? 0)],
			['Workers', workers === undefined ? null : typeof workers === 'number' ? String(workers) : `${workers.busy} of ${workers.total} busy`],
			['Runs so far', stats.runs_total === undefined ? null : formatCount(stats.runs_total)],
			['Memory', stats.memory_bytes === undefined ? null : formatBytes(stats.memory_bytes)],
			['Up for', stats.uptime_us === undefined ? null : formatDuration(stats.uptime_us)],
		].filter(([, value]) => value !== null);
		find('machine-facts').replaceChildren(...facts.map(([name, value]) =>
			make('div', { class: 'tile' }, make('dt', { text: name }), make('dd', { text: value }))));
	}

	#showRates() {
		const most = Math.max(1, ...this.rates);
		const step = 600 / (SAMPLES - 1);
		const points = this.rates.map((rate, index) => `${((SAMPLES - this.rates.length + index) * step).toFixed(1)},${(96 - (rate / most) * 90).toFixed(1)}`);
		const text = `now ${formatRate(this.rates.at(-1))}, most ${formatRate(Math.max(...this.rates))} in the last ${Math.max(1, this.rates.length - 1) * EVERY / 1000} s`;
		const chart = makeSvg('svg', { viewBox: '0 0 600 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': text },
			makeSvg('line', { x1: 0, y1: 96, x2: 600, y2: 96, class: 'axis' }), makeSvg('polyline', { points: points.join(' '), class: 'line' }));
		find('rate-chart').replaceChildren(chart, make('p', { class: 'chart-text', text }));
	}

	#showHistogram(buckets) {
		const rows = (buckets ?? []).map(({ le, count }, index) => {
			const from = index > 0 ? buckets[index - 1].le : 0;
			const label = le === null ? `over ${formatDuration(from)}` : `to ${formatDuration(le)}`;
			return [label, count];
		});
		showBars(find('latency-chart'), rows, 'No run has been stopped yet.');
	}

	#showOutcomes(outcomes) {
		const rows = Object.entries(outcomes).filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
		showBars(find('outcome-chart'), rows.map(([name, count]) => [wordOf(name), count]), 'No run has ended yet.');
	}
}

/** Rows of a name, a bar and a number. */
function showBars(box, rows, none) {
	const total = rows.reduce((sum, [, count]) => sum + count, 0);
	if (total === 0)
		return box.replaceChildren(make('p', { class: 'empty', text: none }));
	const most = Math.max(...rows.map(([, count]) => count));
	if (box.firstChild?.tagName !== 'DL' || box.firstChild.childElementCount !== rows.length)
		box.replaceChildren(make('dl', {}, ...rows.map(() => make('div', { class: 'meter' }, make('dt', { class: 'label' }), make('dd', {}, make('span', { class: 'bar', 'aria-hidden': 'true' }, make('span', { class: 'fill' })), make('span', { class: 'value' }))))));
	rows.forEach(([label, count], index) => {
		const row = box.firstChild.children[index];
		setText(row.querySelector('.label'), label);
		setText(row.querySelector('.value'), `${formatCount(count)} (${Math.round(count / total * 100)} %)`);
		row.querySelector('.fill').style.setProperty('--share', (count / most).toFixed(4));
		setAttribute(row, 'data-count', count);
	});
}
