// SPDX-License-Identifier: Apache-2.0
// A client of curfew serve (docs/openapi.json of the project). It needs nothing but Node.
'use strict';

const { setTimeout: sleep } = require('node:timers/promises');

/** Statuses after which the request is repeated: the server is starting or full, or this client asks too often. */
const AGAIN = new Set([429, 503]);

/** A request that the server refused, with the fields of problem+json. */
class Problem extends Error {
	constructor(status, problem) {
		const title = problem.title ?? `HTTP ${status}`;
		super(problem.detail ? `${title}: ${problem.detail}` : title);
		this.name = 'Problem';
		this.status = status;
		this.problem = problem;
		this.pointer = problem.pointer; // JSON pointer of the invalid field
	}
}

async function readProblem(response) {
	try {
		const problem = await response.json();
		return problem !== null && typeof problem === 'object' ? problem : {};
	} catch {
		return {};
	}
}

const path = (...parts) => '/v1/' + parts.map(encodeURIComponent).join('/');

/** The events of a stream in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html. */
async function* readEvents(body) {
	let id,
		kind = 'message',
		data = [],
		rest = '';
	const decoder = new TextDecoder();
	for await (const chunk of body) {
		const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
		rest = lines.pop();
		for (const raw of lines) {
			const line = raw.replace(/\r$/, '');
			if (line === '') {
				if (data.length > 0) yield { id, kind, data: JSON.parse(data.join('\n')) };
				kind = 'message';
				data = [];
				continue;
			}
			const colon = line.indexOf(':');
			const name = colon < 0 ? line : line.slice(0, colon),
				value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
			if (name === 'data') data.push(value);
			else if (name === 'event') kind = value;
			else if (name === 'id') id = value;
		}
	}
}

/** A server at a URL. Options: token, timeout (the maximum silence in milliseconds), retries. */
class Client {
	#url;
	#token;
	#timeout;
	#retries;

	constructor(url = 'http://127.0.0.1:7433', { token, timeout = 30000, retries = 3 } = {}) {
		let parsed;
		try {
			parsed = new URL(url);
		} catch {
			// the error is thrown below
		}
		if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username)
			throw new TypeError(`${url} is not the URL of a server: http://HOST:PORT`);
		this.#url = String(url).replace(/\/+$/, '');
		this.#token = token;
		this.#timeout = timeout;
		this.#retries = retries;
	}

	async #send(method, where, { body, headers = {}, signal } = {}) {
		const sent = this.#token === undefined ? headers : { ...headers, Authorization: `Bearer ${this.#token}` };
		const response = await fetch(this.#url + where, { method, body, headers: sent, signal, redirect: 'error' });
		if (response.status >= 400) throw new Problem(response.status, await readProblem(response));
		return response;
	}

	/** The JSON of the answer. A request that is safe to repeat is repeated if that may help. */
	async #ask(method, where, { safe = true, ...options } = {}) {
		for (let attempt = 0; ; attempt++) {
			try {
				const response = await this.#send(method, where, { ...options, signal: AbortSignal.timeout(this.#timeout) });
				const text = await response.text();
				return text === '' ? undefined : JSON.parse(text);
			} catch (error) {
				if (!safe || attempt === this.#retries || (error instanceof Problem && !AGAIN.has(error.status))) throw error;
			}
			await sleep(Math.min(100 * 2 ** attempt, 5000));
		}
	}

	/**
	 * Submits a run and returns its id. The submission is that of the API: {source, lang} or {program}, call, params,
	 * limits, user, delay... A source may be bytes. Options: idempotencyKey. With a key the request is repeated if that
	 * may help, and never runs twice.
	 */
	async submit(submission, { idempotencyKey } = {}) {
		const body = typeof submission === 'string' ? { source: submission } : { ...submission };
		if ((body.source === undefined) === (body.program === undefined))
			throw new TypeError('give either a source or the name of a stored program');
		if (body.source instanceof Uint8Array) {
			const bytes = Buffer.from(body.source);
			const isWasm = bytes.subarray(0, 4).equals(Buffer.from('\0asm'));
			body.source = bytes.toString(isWasm ? 'base64' : 'utf8');
			if (isWasm) body.lang = 'wasm';
		}
		const headers = {
			'Content-Type': 'application/json',
			...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
		};
		return (
			await this.#ask('POST', path('runs'), { body: JSON.stringify(body), headers, safe: idempotencyKey !== undefined })
		).id;
	}

	/** Submits a run and waits for its report. */
	async run(submission, options) {
		return this.wait(await this.submit(submission, options));
	}

	/** A run: id, state, report (null until it has ended)... */
	get(id) {
		return this.#ask('GET', path('runs', id));
	}

	/** Runs, newest first, page by page. The filters are state, program, outcome, and limit (of a page). */
	async *runs(filters = {}) {
		for (let after; ; ) {
			const query = new URLSearchParams({ ...filters, ...(after === undefined ? {} : { after }) });
			const page = await this.#ask('GET', `${path('runs')}?${query}`);
			yield* page.runs;
			after = page.next ?? undefined;
			if (after === undefined) return;
		}
	}

	/** Waits for the report of a run, also across a restart of the server. */
	async wait(id) {
		for await (const event of this.events(id)) if (event.kind === 'report') return event.data;
		return (await this.get(id)).report;
	}

	/** Cancels a run. Returns its report, even if it had ended before, or undefined while it is stopping. */
	async cancel(id) {
		const answer = await this.#ask('DELETE', path('runs', id));
		return answer?.schema === undefined ? undefined : answer;
	}

	/**
	 * A run's events, {id, kind, data}, from the first one (or the one after lastEventId) to its report. A broken
	 * stream is resumed.
	 */
	async *events(id, { lastEventId } = {}) {
		for (let failures = 0; ; ) {
			try {
				const headers = {
					Accept: 'text/event-stream',
					...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }),
				};
				const response = await this.#send('GET', path('runs', id) + '/events', { headers });
				if (response.status === 204) return;
				for await (const event of readEvents(response.body)) {
					failures = 0;
					lastEventId = event.id ?? lastEventId;
					yield event;
					if (event.kind === 'report') return;
				}
			} catch (error) {
				if (failures >= this.#retries || (error instanceof Problem && !AGAIN.has(error.status))) throw error;
			}
			failures++;
			await sleep(Math.min(100 * 2 ** failures, 5000));
		}
	}

	/**
	 * Stores a program. Returns name, sha256, kind, exports. Storing the same bytes again changes nothing. Options:
	 * language.
	 */
	putProgram(name, source, { language } = {}) {
		const body = typeof source === 'string' ? Buffer.from(source) : source;
		language ??= Buffer.from(body.subarray(0, 4)).equals(Buffer.from('\0asm')) ? 'wasm' : 'js';
		const type = { wasm: 'application/wasm', js: 'text/javascript', mjs: 'text/javascript' }[language] ?? 'text/plain';
		return this.#ask('PUT', `${path('programs', name)}?lang=${encodeURIComponent(language)}`, {
			body,
			headers: { 'Content-Type': type },
		});
	}

	/** All stored programs. */
	async programs() {
		return (await this.#ask('GET', path('programs'))).programs;
	}

	/** A stored program. Throws a Problem with status 404 if there is none. */
	getProgram(name) {
		return this.#ask('GET', path('programs', name));
	}

	/** Removes a stored program. Runs that were accepted continue. */
	async deleteProgram(name) {
		await this.#ask('DELETE', path('programs', name));
	}

	/** The servers that share the database of this one. Needs the scope admin. */
	async nodes() {
		return (await this.#ask('GET', path('nodes'))).nodes;
	}

	/** Figures of the server. */
	stats() {
		return this.#ask('GET', path('stats'));
	}
}

module.exports = { Client, Problem };
