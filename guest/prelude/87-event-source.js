// SPDX-License-Identifier: Apache-2.0
// EventSource of the HTML Standard, on top of fetch, with the same allow list and the same limits. Each connection is a
// host call.

const SOURCE_CONNECTING = 0,
	SOURCE_OPEN = 1,
	SOURCE_CLOSED = 2;
const RECONNECTION_MS = 3000;
// A server whose connections bring no event is asked again after this much more each time, so that it cannot use up the
// host calls of a run by asking for no delay.
const IDLE_MS = 100;

const fireAtSource = (source, type) => {
	dispatch(source.object, new Event(type));
};

// A connection that the host refuses is shown even if the program does not listen, as it is the host who can allow it.
function fireFailure(object, error) {
	const { message } = error;
	if (includes(message, NOT_ALLOWED) && !hasListeners(object, 'error')) print(STDERR, inspect(error));
	dispatch(object, new ErrorEvent('error', { __proto__: null, message, error }));
}

function connectSource(source) {
	const headers = [
		['accept', 'text/event-stream'],
		['cache-control', 'no-cache'],
	];
	if (source.lastId !== '') push(headers, ['last-event-id', latinOfText(source.lastId)]);
	const list = new Headers();
	for (let i = 0; i < headers.length; i++) headersAppend(list, headers[i][0], headers[i][1]);
	const r = requestState(new Request(source.url, { __proto__: null, headers: list, cache: 'no-store' }));
	source.fetch = newFetch(
		r,
		response => openSource(source, response),
		error => loseSource(source, error),
	);
	source.fetch.trace = source.trace;
	try {
		startExchange(source.fetch);
	} catch (error) {
		failSource(source, error);
	}
}

// A text as the bytes of a header, in UTF-8.
function latinOfText(text) {
	const bytes = utf8Encode(text),
		chars = [];
	for (let i = 0; i < typedArrayLength(bytes); i++) push(chars, fromCharCode(bytes[i]));
	return join(chars, '');
}

// Ends the connection. Nothing waits for it any more.
const dropConnection = source => failFetch(source.fetch, domError('AbortError', 'The EventSource is closed'));

// Fails for good: there is no further attempt.
function failSource(source, error) {
	if (source.state === SOURCE_CLOSED) return;
	source.state = SOURCE_CLOSED;
	fireFailure(source.object, error);
}

// The connection ended. Another attempt follows after a while, unless it cannot succeed.
function loseSource(source, error) {
	if (source.state === SOURCE_CLOSED) return;
	if (error && includes(error.message, NOT_ALLOWED)) return failSource(source, error);
	source.state = SOURCE_CONNECTING;
	source.timer = setTimer(
		() => {
			source.timer = 0;
			connectSource(source);
		},
		max(source.delay, min(source.idle++ * IDLE_MS, RECONNECTION_MS)),
		false,
		[],
	);
	fireFailure(source.object, error ?? errorAt('EventSource of ' + source.url + ': the connection ended', source.trace));
}

function openSource(source, response) {
	const { status, headers, body, url } = responseState(response),
		mime = parseMimeType(headersGet(headers, 'content-type') ?? '');
	if (status !== 200 || !mime || mime.essence !== 'text/event-stream') {
		failSource(
			source,
			errorAt('EventSource of ' + source.url + ': the answer is not a stream of events: ' + status, source.trace),
		);
		return dropConnection(source);
	}
	source.origin = originOf(urlParse(url, undefined));
	source.state = SOURCE_OPEN;
	fireAtSource(source, 'open');
	readSource(source, body.s);
}

function readSource(source, s) {
	const parser = {
		__proto__: null,
		decoder: new TextDecoder(),
		text: '',
		start: 0, // of the line that is being read
		seen: 0, // how far the text was searched for its end
		data: '',
		type: '',
		id: source.lastId,
	};
	const reader = acquireReader(s);
	// Each event is passed on in a task of its own, so that the program's jobs and timers come between two of them.
	const parse = () => {
		if (source.state === SOURCE_CLOSED) return;
		if (parseEvents(source, parser)) queueTask(parse);
		else readFrom(reader, request);
	};
	const request = {
		__proto__: null,
		chunk: bytes => {
			if (source.state === SOURCE_CLOSED) return;
			parser.text += decodeWith(parser.decoder, bytes, true);
			parse();
		},
		close: () => loseSource(source, undefined),
		error: error => loseSource(source, error),
	};
	readFrom(reader, request);
}

// Reads the text until it has passed on an event (true), or to its end. Lines end with CR, LF or both. After a CR at the
// end, a LF may follow in the next piece.
function parseEvents(source, parser) {
	const { text } = parser;
	for (let i = parser.seen; i < text.length; i++) {
		const c = text[i];
		if (c !== '\n' && c !== '\r') continue;
		if (c === '\r' && i + 1 === text.length) break;
		const line = slice(text, parser.start, i);
		if (c === '\r' && text[i + 1] === '\n') i++;
		parser.seen = parser.start = i + 1;
		if (parseEventLine(source, parser, line)) return true;
	}
	parser.text = slice(text, parser.start);
	parser.seen = max(0, parser.text.length - 1);
	parser.start = 0;
	return false;
}

// Whether the line passed on an event.
function parseEventLine(source, parser, line) {
	if (line === '') return dispatchSourceEvent(source, parser);
	const colon = indexOf(line, ':');
	if (colon === 0) return false;
	const field = colon < 0 ? line : slice(line, 0, colon);
	let value = colon < 0 ? '' : slice(line, colon + 1);
	if (value[0] === ' ') value = slice(value, 1);
	if (field === 'data') parser.data += value + '\n';
	else if (field === 'event') parser.type = value;
	else if (field === 'id' && indexOf(value, '\0') < 0) parser.id = value;
	else if (field === 'retry' && isDigits(value)) source.delay = min(toInteger(value, 10), 0x7fffffff);
	return false;
}

function isDigits(text) {
	for (let i = 0; i < text.length; i++) {
		if (codeUnit(text, i) < 48 || codeUnit(text, i) > 57) return false;
	}
	return text !== '';
}

function dispatchSourceEvent(source, parser) {
	const { data, type } = parser;
	source.lastId = parser.id;
	parser.data = parser.type = '';
	if (data === '') return false;
	source.idle = 0;
	dispatch(
		source.object,
		new MessageEvent(type || 'message', {
			__proto__: null,
			data: slice(data, 0, data.length - 1),
			origin: source.origin,
			lastEventId: source.lastId,
		}),
	);
	return true;
}

const sourceEvents = ['open', 'message', 'error'];

class EventSource extends EventTarget {
	#source;
	#withCredentials;
	#handlers = newHandlers(sourceEvents);

	constructor(url, options = undefined) {
		needArguments('EventSource', 1, arguments.length);
		super();
		url = toScalarString(url);
		this.#withCredentials = !!toDictionary(options, 'The second argument of EventSource').withCredentials;
		const parts = urlParse(url, undefined);
		if (!parts) throw new DOMException('The URL of EventSource is not valid: ' + slice(url, 0, 200), 'SyntaxError');
		this.#source = {
			__proto__: null,
			object: this,
			url: parts[HREF],
			state: SOURCE_CONNECTING,
			lastId: '',
			delay: RECONNECTION_MS,
			idle: 0, // connections since the last event
			fetch: null,
			timer: 0,
			origin: '',
			trace: traceOf(new Error()),
		};
		const scheme = readPart(parts, PROTOCOL);
		// Like every later failure, this one is reported after the program could add its listeners.
		if (scheme !== 'http:' && scheme !== 'https:')
			queueTask(() => {
				const { url, trace } = this.#source;
				failSource(this.#source, errorAt('EventSource of ' + url + ': only http and https can be fetched', trace));
			});
		else connectSource(this.#source);
	}

	get url() {
		return this.#source.url;
	}
	get withCredentials() {
		return this.#withCredentials;
	}
	get readyState() {
		return this.#source.state;
	}

	close() {
		const source = this.#source;
		if (source.state === SOURCE_CLOSED) return;
		source.state = SOURCE_CLOSED;
		if (source.timer) clearTimer(source.timer);
		if (source.fetch) dropConnection(source);
	}

	static {
		addHandlers(EventSource, sourceEvents, source => source.#handlers);
	}
}
finishInterface(EventSource, 'EventSource');
defineConstants(EventSource, { CONNECTING: SOURCE_CONNECTING, OPEN: SOURCE_OPEN, CLOSED: SOURCE_CLOSED });
