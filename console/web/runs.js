// SPDX-License-Identifier: Apache-2.0
// The runs that this page shows. Each is updated by the server's events until its report arrives. A browser opens few
// connections to one host, so all its tabs together open at most four streams of events. Further runs are polled once a
// second.

import { followRun, getRun, getServerTime, listRuns, cancelRun, startRun } from './api.js';
import { keep, recall } from './dom.js';

const OPEN_STATES = ['scheduled', 'queued', 'running', 'stopping'];
const STREAMS = 4;
const KEPT = 24;
const SHOWN_OUTPUT = 200_000;

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

/** Takes one of the slots for a stream. Returns a function that releases it, or null if there is none. */
async function takeStream() {
	if (!navigator.locks) return () => {};
	for (let number = 0; number < STREAMS; number++) {
		const release = await new Promise((resolve, reject) => {
			navigator.locks
				.request(`curfew-stream-${number}`, { ifAvailable: true }, lock => {
					if (!lock) return resolve(null);
					return new Promise(giveBack => resolve(giveBack));
				})
				.catch(reject);
		});
		if (release) return release;
	}
	return null;
}

/** One run as this page knows it. Dispatches 'change' whenever it has changed. */
export class Run extends EventTarget {
	/** @param {string} id */
	constructor(id) {
		super();
		this.id = id;
		this.state = null; // unknown until the server sends it
		this.isCancelling = false;
		this.isStreamed = false;
		this.name = '';
		this.language = null;
		this.source = null;
		this.createdAt = Date.now();
		this.startsAt = null;
		this.startedAt = null;
		this.seenOutcome = null;
		this.limits = {};
		this.used = null;
		this.output = [];
		this.outputLength = 0;
		this.isOutputCut = false;
		this.progress = undefined;
		this.partial = null;
		this.schedule = null; // the schedule that started it
		this.webhook = null; // the webhook of its end, and its state when the server last sent it
		this.report = null;
		this.isLost = false;
		this.problem = null;
	}

	get isOpen() {
		return this.state !== 'done';
	}

	/** Its name, or the end of its id. */
	get title() {
		return this.name || `Run …${this.id.slice(-6)}`;
	}

	get outcome() {
		return this.report?.outcome ?? this.seenOutcome;
	}

	/** How long it has been running, in microseconds. */
	get elapsed() {
		if (this.report) return this.report.used.wall_us;
		return this.startedAt === null ? 0 : Math.max(0, (getServerTime() - this.startedAt) * 1000);
	}

	changed() {
		this.dispatchEvent(new Event('change'));
	}

	/** Applies the server's data about the run. A run has ended when it has a report, and stays so. */
	absorb(data) {
		if (this.isOpen && OPEN_STATES.includes(data.state)) this.state = this.isCancelling ? 'stopping' : data.state;
		this.name ||= data.program ?? '';
		this.language ??= data.lang ?? null;
		this.createdAt = data.created_ms ?? this.createdAt;
		this.startsAt = data.due_ms ?? this.startsAt;
		this.startedAt = data.started_ms ?? this.startedAt;
		this.limits = data.limits ?? this.limits;
		this.used = data.used ?? this.used;
		this.partial = data.checkpoint ?? this.partial;
		this.schedule = data.schedule ?? this.schedule;
		this.webhook = data.webhook ?? this.webhook;
		if (data.report) this.finish(data.report);
		this.changed();
	}

	addOutput(stream, text) {
		this.outputLength += text.length;
		const last = this.output.at(-1);
		if (last?.stream === stream && last.text.length < 4096) last.text += text;
		else this.output.push({ stream, text });
		let length = this.output.reduce((sum, part) => sum + part.text.length, 0);
		while (length > SHOWN_OUTPUT && this.output.length > 1) {
			length -= this.output.shift().text.length;
			this.isOutputCut = true;
		}
	}

	/** The end of a run for which the server has no report. */
	finishWithout(data) {
		this.state = 'done';
		this.seenOutcome = data.outcome ?? null;
		this.problem = 'the server has no report of it';
	}

	finish(report) {
		this.report = report;
		this.state = 'done';
		this.limits = report.limits;
		this.used = report.used;
		this.partial = report.partial;
		// If the events were not received, the output comes from the report, one stream after the other.
		if (this.outputLength < report.stdout.length + report.stderr.length) {
			this.output = [];
			this.outputLength = 0;
			this.isOutputCut = false;
			for (const stream of ['stdout', 'stderr']) {
				if (report[stream]) this.addOutput(stream, report[stream]);
			}
		}
	}
}

/** Like absorb, for a response that would contain the report. */
function absorbWhole(run, data) {
	run.absorb(data);
	if (data.state === 'done' && !data.report && run.isOpen) run.finishWithout(data);
}

/**
 * All runs of the page. Dispatches 'add' and 'remove' (detail: the run) and 'end' (detail: the run that ended while
 * watched).
 */
export class Runs extends EventTarget {
	constructor() {
		super();
		this.all = new Map();
		this.dismissed = new Set(recall('dismissed') ?? []);
	}

	#tell(name, run) {
		this.dispatchEvent(new CustomEvent(name, { detail: run }));
	}

	#remember() {
		const kept = [...this.all.values()].slice(-KEPT);
		keep(
			'runs',
			kept.map(({ id, name, source, language }) => ({ id, name, source, language })),
		);
	}

	/** Adds the run with this id, and watches it. */
	add(id, known = {}) {
		const old = this.all.get(id);
		if (old) return old;
		const run = Object.assign(new Run(id), known);
		this.all.set(id, run);
		for (const other of [...this.all.values()].slice(0, Math.max(0, this.all.size - KEPT))) {
			if (!other.isOpen) this.remove(other);
		}
		this.#remember();
		this.#tell('add', run);
		this.#watch(run);
		return run;
	}

	/** Removes a run from the page. The server keeps it. */
	remove(run) {
		this.all.delete(run.id);
		this.dismissed.add(run.id);
		keep('dismissed', [...this.dismissed].slice(-200));
		this.#remember();
		this.#tell('remove', run);
	}

	/**
	 * Starts a run and watches it.
	 * @param {object} request as api.startRun
	 * @param {object} known name and source, for the card
	 * @returns {Promise<Run>}
	 */
	async start(request, known) {
		const { id } = await startRun(request);
		const found = this.all.get(id);
		if (!found) return this.add(id, known);
		// discover() was faster than the answer, and did not know the program.
		Object.assign(found, known);
		this.#remember();
		found.changed();
		return found;
	}

	/** @param {Run} run */
	async cancel(run) {
		if (!run.isOpen) return;
		run.isCancelling = true;
		run.state = 'stopping';
		run.changed();
		try {
			const answer = await cancelRun(run.id);
			this.#end(run, () => (answer.schema ? run.finish(answer) : run.absorb(answer)));
		} catch (error) {
			run.isCancelling = false;
			run.problem = `could not be cancelled: ${error.message}`;
		}
		run.changed();
	}

	#end(run, finish) {
		const wasOpen = run.isOpen;
		finish();
		run.isLost = false;
		if (wasOpen && !run.isOpen) this.#tell('end', run);
	}

	async #watch(run) {
		try {
			absorbWhole(run, await getRun(run.id));
			while (run.isOpen && this.all.has(run.id)) {
				const release = await takeStream();
				if (release) await this.#stream(run).finally(release);
				if (run.isOpen) await this.#look(run);
			}
		} catch (error) {
			run.problem = error.message;
			run.isLost = true;
		}
		run.changed();
	}

	async #look(run) {
		await sleep(1000);
		if (!this.all.has(run.id)) return;
		try {
			const answer = await getRun(run.id);
			this.#end(run, () => absorbWhole(run, answer));
			run.isLost = false;
		} catch (error) {
			if (error.status !== undefined && error.status < 500) throw error;
			run.isLost = true;
		}
		run.changed();
	}

	async #stream(run) {
		const stop = new AbortController();
		const onRemove = event => event.detail === run && stop.abort();
		this.addEventListener('remove', onRemove);
		// The stream begins with the first event.
		run.output = [];
		run.outputLength = 0;
		const tell = isConnected => {
			run.isLost = !isConnected;
			run.isStreamed = isConnected;
			run.changed();
		};
		// Its usage is not sent as events, so poll it.
		const timer = setInterval(() => {
			if (run.state === 'running' && !document.hidden)
				getRun(run.id).then(
					({ used }) => run.isOpen && used && run.absorb({ used }),
					() => {},
				);
		}, 1000);
		try {
			for await (const event of followRun(run.id, stop.signal, tell)) {
				this.#take(run, event);
				run.changed();
			}
		} finally {
			clearInterval(timer);
			run.isStreamed = false;
			this.removeEventListener('remove', onRemove);
		}
	}

	#take(run, { name, data }) {
		if (name === 'state') run.absorb(data);
		else if (name === 'output') run.addOutput(data.stream, data.text);
		else if (name === 'progress') run.progress = data;
		else if (name === 'checkpoint') run.partial = data;
		else if (name === 'report') this.#end(run, () => run.finish(data));
	}

	/** Shows the runs that the page showed before a reload, and all runs in progress on the server. */
	async resume() {
		for (const { id, ...known } of recall('runs') ?? []) this.add(id, known);
		const lists = await Promise.all(OPEN_STATES.map(state => listRuns({ state, limit: 12 })));
		for (const data of lists.flatMap(list => list.runs).reverse()) this.add(data.id).absorb(data);
	}

	/** Finds runs that others started. Streamed data is newer than the list. */
	async discover() {
		const { runs } = await listRuns({ limit: 12 });
		for (const data of runs.reverse()) {
			if (data.state !== 'done' && !this.dismissed.has(data.id) && !this.all.get(data.id)?.isStreamed)
				this.add(data.id).absorb(data);
		}
	}
}
