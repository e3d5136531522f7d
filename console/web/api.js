// SPDX-License-Identifier: Apache-2.0
// The server's HTTP interface. Every request goes to the origin of the page, with a content type and with the access
// token, if the user entered one. The token is kept for this tab only.

import { keep, recall } from './dom.js';

// The server's messages about tokens are written for programmers. These are for the users of the page.
const TOKEN_WORDS = {
	none: 'The server wants an access token. Whoever runs it makes one with “curfew token create”.',
	refused: 'The server does not take this token: it is mistyped, has expired or was revoked.',
	forbidden: 'This token is not allowed to do that.',
};

function tellToken(status, problem) {
	if (status === 401) return getToken() ? TOKEN_WORDS.refused : TOKEN_WORDS.none;
	const isScope = status === 403 && getToken() && /scope/.test(problem.detail ?? '');
	return isScope ? TOKEN_WORDS.forbidden : null;
}

/** An error response. `pointer` names the invalid field, if the server sent it. */
export class ApiError extends Error {
	constructor(status, problem) {
		super(tellToken(status, problem) ?? problem.detail ?? problem.title ?? `the server answered ${status}`);
		this.name = 'ApiError';
		this.status = status;
		this.pointer = problem.pointer ?? problem.errors?.[0]?.pointer ?? null;
	}
}

/** Dispatches 'unauthorized' when the server requires a token, or another one. */
export const access = new EventTarget();

/** @returns {string} the token of this tab, or '' */
export function getToken() {
	return recall('token') ?? '';
}

/** @param {string} token '' removes it */
export function setToken(token) {
	keep('token', token || null);
}

async function readProblem(response) {
	try {
		return (await response.json()) ?? {};
	} catch {
		return {};
	}
}

let ahead = 0;

/** The server's clock may differ. Its header has whole seconds, so that small differences are ignored. */
function noteTime(date) {
	const difference = date ? Date.parse(date) + 500 - Date.now() : 0;
	ahead = Math.abs(difference) > 2000 ? difference : 0;
}

/** @returns {number} the time on the server, in ms since 1970 */
export function getServerTime() {
	return Date.now() + ahead;
}

async function send(method, path, { body, type = 'application/json', headers = {}, signal } = {}) {
	const token = getToken();
	const all = { ...headers };
	if (token) all.Authorization = `Bearer ${token}`;
	if (body !== undefined) all['Content-Type'] = type;
	const response = await fetch(path, {
		method,
		headers: all,
		body,
		signal,
		cache: 'no-store',
		credentials: 'omit',
		redirect: 'error',
		referrerPolicy: 'no-referrer',
	});
	noteTime(response.headers.get('Date'));
	// The response to a request with an earlier token says nothing about the current token.
	if (response.status === 401 && token === getToken()) access.dispatchEvent(new Event('unauthorized'));
	if (!response.ok) throw new ApiError(response.status, await readProblem(response));
	return response;
}

async function ask(method, path, options) {
	const response = await send(method, path, options);
	return response.status === 204 ? null : response.json();
}

function query(values) {
	const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '');
	return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}

const runPath = id => `/v1/runs/${encodeURIComponent(id)}`;
const programPath = name => `/v1/programs/${encodeURIComponent(name)}`;

/**
 * @param {object} request program, or source and lang; limits; call, params, user, delay, wait
 * @returns {Promise<object>} {id}, or with wait the report
 */
export function startRun(request) {
	const key = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
	return ask('POST', '/v1/runs', { body: JSON.stringify(request), headers: { 'Idempotency-Key': key } });
}

/** @param {string} id */
export function getRun(id) {
	return ask('GET', runPath(id));
}

/** Cancels a run. The response arrives when the run has ended. */
export function cancelRun(id) {
	return ask('DELETE', runPath(id));
}

/**
 * @param {{state?: string, program?: string, outcome?: string, limit?: number, after?: string}} filter
 * @returns {Promise<{runs: object[], next: string|null}>} newest first
 */
export async function listRuns(filter) {
	const answer = await ask('GET', `/v1/runs${query(filter)}`);
	return { runs: answer.runs, next: answer.next ?? null };
}

/** @returns {Promise<object[]>} */
export async function listPrograms() {
	return (await ask('GET', '/v1/programs')).programs;
}

/**
 * Stores a program under a name.
 * @param {string} name
 * @param {Blob|string} bytes
 * @param {string|null} lang js, mjs, ts, mts, wasm, wat or tar; null: the server looks at the bytes
 */
export function putProgram(name, bytes, lang) {
	const path = programPath(name) + (lang ? `?lang=${lang}` : '');
	return ask('PUT', path, { body: bytes, type: 'application/octet-stream' });
}

/** @param {string} name */
export function deleteProgram(name) {
	return ask('DELETE', programPath(name));
}

/** @returns {Promise<{state: string, calibration: object|null}>} how much fuel corresponds to a millisecond */
export function getCalibration() {
	return ask('GET', '/v1/calibration');
}

/** Starts a measurement. */
export function measureCalibration() {
	return ask('POST', '/v1/calibration');
}

/** @returns {Promise<object>} the state of the machine */
export function getStats() {
	return ask('GET', '/v1/stats');
}

/** @returns {Promise<string>} the figures for Prometheus */
export async function getMetrics() {
	return (await send('GET', '/metrics')).text();
}

// ---- Events ---------------------------------------------------------------------------------------------------------

const pause = (ms, signal) =>
	new Promise(resolve => {
		const timer = setTimeout(resolve, ms);
		signal.addEventListener(
			'abort',
			() => {
				clearTimeout(timer);
				resolve();
			},
			{ once: true },
		);
	});

function parseEvent(block) {
	const event = { id: null, name: 'message', data: [] };
	for (const line of block.split('\n')) {
		const colon = line.indexOf(':');
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
		if (field === 'id') event.id = value;
		else if (field === 'event') event.name = value;
		else if (field === 'data') event.data.push(value);
	}
	return event.data.length > 0 ? { ...event, data: JSON.parse(event.data.join('\n')) } : null;
}

async function* readEvents(response) {
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = '';
	try {
		for (;;) {
			const { value, done } = await reader.read();
			if (done) return;
			text = (text + value).replaceAll('\r\n', '\n');
			const blocks = text.split('\n\n');
			text = blocks.pop();
			for (const block of blocks) {
				const event = parseEvent(block);
				if (event) yield event;
			}
		}
	} finally {
		reader.cancel().catch(() => {});
	}
}

/**
 * The events of a run, in order, each once. A lost connection is restored from the last event, with increasing delays.
 * It ends with the report, when the signal is aborted, or when the server has no more events.
 */
export async function* followRun(id, signal, tell) {
	let last = null,
		wait = 250;
	while (!signal.aborted) {
		try {
			const headers = { Accept: 'text/event-stream', ...(last !== null && { 'Last-Event-ID': last }) };
			const response = await send('GET', `${runPath(id)}/events`, { headers, signal });
			tell(true);
			// There are no events after the last one.
			if (response.status === 204) return;
			for await (const event of readEvents(response)) {
				wait = 250;
				last = event.id ?? last;
				yield event;
				if (event.name === 'report') return;
			}
		} catch (error) {
			if (signal.aborted) return;
			if (error instanceof ApiError && error.status < 500 && error.status !== 429) throw error;
		}
		tell(false);
		await pause(wait * (0.75 + Math.random() / 2), signal);
		wait = Math.min(wait * 2, 8000);
	}
}
