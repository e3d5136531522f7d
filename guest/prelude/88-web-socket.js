// SPDX-License-Identifier: Apache-2.0
// WebSocket: the guest implements the protocol of RFC 6455 on top of an exchange that the server has agreed to upgrade.
// So the same hosts are allowed as for fetch, and a connection is one host call.

const WS_CONNECTING = 0,
	WS_OPEN = 1,
	WS_CLOSING = 2,
	WS_CLOSED = 3;
const FRAME_MORE = 0,
	FRAME_TEXT = 1,
	FRAME_BYTES = 2,
	FRAME_CLOSE = 8,
	FRAME_PING = 9,
	FRAME_PONG = 10;
const CLOSE_NORMAL = 1000,
	CLOSE_NO_CODE = 1005,
	CLOSE_LOST = 1006;
const WS_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const CONTROL_BYTES_MAX = 125;
// How long a server may take to answer a close frame, and to close the connection after both.
const CLOSING_MS = 3000,
	CLOSED_MS = 1000;

let isCloseEvent;

class CloseEvent extends Event {
	#wasClean;
	#code;
	#reason;

	constructor(type, init = undefined) {
		needArguments('CloseEvent', 1, arguments.length);
		super(type, init);
		const { code, reason, wasClean } = toDictionary(init, 'The second argument of CloseEvent');
		this.#code = code === undefined ? 0 : +code & 0xffff;
		this.#reason = reason === undefined ? '' : toScalarString(reason);
		this.#wasClean = !!wasClean;
	}

	get wasClean() {
		return this.#wasClean;
	}
	get code() {
		return this.#code;
	}
	get reason() {
		return this.#reason;
	}

	static {
		isCloseEvent = value => #code in value;
	}
}
finishInterface(CloseEvent, 'CloseEvent');

// ---- Sending: frames are sent one after the other, in chunks that the host accepts one at a time ----

function frameOf(kind, payload) {
	const length = typedArrayLength(payload),
		wide = length > 0xffff,
		head = wide ? 14 : length > CONTROL_BYTES_MAX ? 8 : 6;
	const frame = new Uint8Array(head + length);
	frame[0] = 0x80 | kind;
	frame[1] = 0x80 | (wide ? 127 : head === 8 ? 126 : length);
	for (let i = head - 5, rest = length; head > 6 && i >= 2; i--, rest = floor(rest / 256)) frame[i] = rest % 256;
	typedArraySet(frame, takeRandom(4), head - 4);
	typedArraySet(frame, payload, head);
	maskBytes(frame, head);
	return frame;
}

const newFrame = (kind, payload) => ({
	__proto__: null,
	bytes: frameOf(kind, payload),
	at: 0,
	counted: kind < FRAME_CLOSE ? typedArrayLength(payload) : 0,
});

function sendFrame(w, kind, payload) {
	push(w.frames, newFrame(kind, payload));
	if (!w.sending) sendNext(w);
}

// The frame that is sent next. If several pings arrived meanwhile, only the last one is answered (RFC 6455, 5.5.3), so a
// server cannot make the program keep more than that.
function nextFrame(w) {
	if (w.pong !== null) {
		const frame = newFrame(FRAME_PONG, w.pong);
		w.pong = null;
		return frame;
	}
	if (w.next === w.frames.length) {
		w.frames = [];
		w.next = 0;
		return null;
	}
	const frame = w.frames[w.next];
	w.frames[w.next++] = null;
	return frame;
}

function sendNext(w) {
	const frame = w.frame ?? nextFrame(w);
	w.sending = frame !== null;
	if (frame === null) return;
	const size = min(CHUNK_BYTES, typedArrayLength(frame.bytes) - frame.at);
	sendOperation(w.id, FETCH_BODY, viewBytes(frame.bytes, frame.at, frame.at + size));
	frame.at += size;
	w.frame = frame.at === typedArrayLength(frame.bytes) ? null : frame;
	if (w.frame === null) w.buffered -= frame.counted;
}

function sendClose(w, code, reason) {
	if (w.closeSent) return;
	w.closeSent = true;
	sendFrame(
		w,
		FRAME_CLOSE,
		code === CLOSE_NO_CODE ? noBytes : joinBytes([bytesOfList([code >> 8, code & 0xff]), utf8Encode(reason)]),
	);
}

// ---- Receiving ----

function fireAtSocket(w, event) {
	dispatch(w.object, event);
}

// Ends the connection. If it failed, `failure` says why.
function finishSocket(w, failure) {
	if (w.state === WS_CLOSED) return;
	w.state = WS_CLOSED;
	endOperation(w.id);
	holdProgram(-1);
	if (w.timer) clearTimer(w.timer);
	const clean = failure === undefined && w.closeReceived && w.closeSent;
	queueTask(() => {
		w.told = true;
		if (failure !== undefined) fireFailure(w.object, errorAt('WebSocket to ' + w.url + ': ' + failure, w.trace));
		fireAtSocket(
			w,
			new CloseEvent('close', {
				__proto__: null,
				wasClean: clean,
				code: w.closeReceived ? w.code : CLOSE_LOST,
				reason: w.reason,
			}),
		);
	});
}

// Fails because the server violates the protocol.
function failSocket(w, why) {
	finishSocket(w, 'the server does not keep to the protocol: ' + why);
}

// Waits for the server only so long.
function giveUpAfter(w, ms) {
	if (w.timer) clearTimer(w.timer);
	w.timer = setTimer(() => finishSocket(w, undefined), ms, false, []);
}

// All has been sent. If both ends have sent a close frame, the server must now close the connection.
function endSocket(w) {
	if (w.sending || !w.closeSent || w.ended) return;
	if (!w.closeReceived) return giveUpAfter(w, CLOSING_MS);
	w.ended = true;
	sendOperation(w.id, FETCH_BODY_END);
}

const isCloseCode = code =>
	(code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999);

function takeClose(w, payload) {
	const length = typedArrayLength(payload);
	w.code = length >= 2 ? payload[0] * 256 + payload[1] : CLOSE_NO_CODE;
	const reason =
		length > 2 ? decode(0, viewBytes(payload, 2, length), DECODE_FATAL | DECODE_IGNORE_BOM, new Uint8Array(8)) : '';
	if (length === 1 || (length >= 2 && !isCloseCode(w.code))) return failSocket(w, 'a close code');
	if (reason === null) return failSocket(w, 'text that is not UTF-8');
	w.reason = reason;
	w.closeReceived = true;
	if (w.state === WS_OPEN) w.state = WS_CLOSING;
	giveUpAfter(w, CLOSED_MS);
	sendClose(w, w.code, '');
	endSocket(w);
	return undefined;
}

// Whether the program received it.
function takeMessage(w, kind, payload) {
	if (w.state !== WS_OPEN) return false;
	let data;
	if (kind === FRAME_TEXT) {
		data = decode(0, payload, DECODE_FATAL | DECODE_IGNORE_BOM, new Uint8Array(8));
		if (data === null) {
			failSocket(w, 'text that is not UTF-8');
			return false;
		}
	} else {
		const bytes = copyOfBytes(payload);
		data = w.binaryType === 'blob' ? newBlob(bytes, '') : typedArrayBuffer(bytes);
	}
	fireAtSocket(w, new MessageEvent('message', { __proto__: null, data, origin: w.origin }));
	return true;
}

// Appends a part to the message, in a buffer that doubles: many small parts take little more than their bytes.
function addPart(w, payload) {
	const end = w.messageBytes + typedArrayLength(payload);
	if (end > typedArrayLength(w.message)) {
		const larger = new Uint8Array(max(end, 2 * w.messageBytes));
		typedArraySet(larger, viewBytes(w.message, 0, w.messageBytes));
		w.message = larger;
	}
	typedArraySet(w.message, payload, w.messageBytes);
	w.messageBytes = end;
}

// Whether the program received a message.
function takeFrame(w, first, payload) {
	const kind = first & 0x0f,
		isLast = (first & 0x80) !== 0;
	if (kind === FRAME_CLOSE) {
		takeClose(w, payload);
	} else if (kind === FRAME_PING) {
		if (w.closeSent) return false;
		w.pong = copyOfBytes(payload);
		if (!w.sending) sendNext(w);
	} else if (kind !== FRAME_PONG) {
		return takePart(w, kind, isLast, payload);
	}
	return false;
}

function takePart(w, kind, isLast, payload) {
	if ((kind === FRAME_MORE) !== (w.message !== null)) {
		failSocket(w, 'parts of a message');
		return false;
	}
	if (kind !== FRAME_MORE) w.kind = kind;
	if (isLast && w.message === null) return takeMessage(w, kind, payload);
	w.message ??= noBytes;
	addPart(w, payload);
	if (!isLast) return false;
	const whole = viewBytes(w.message, 0, w.messageBytes);
	w.message = null;
	w.messageBytes = 0;
	return takeMessage(w, w.kind, whole);
}

// The length of the next frame with its header. undefined: it is not known yet, or the frame is invalid.
function frameLength(w, at) {
	const { input } = w,
		left = typedArrayLength(input) - at;
	if (left < 2) return undefined;
	const first = input[at],
		kind = first & 0x0f,
		short = input[at + 1] & 0x7f,
		isControl = kind >= FRAME_CLOSE;
	const isKnown = kind <= FRAME_BYTES || (kind >= FRAME_CLOSE && kind <= FRAME_PONG);
	if (
		(first & 0x70) !== 0 ||
		input[at + 1] >= 0x80 ||
		!isKnown ||
		(isControl && (short > CONTROL_BYTES_MAX || (first & 0x80) === 0))
	) {
		failSocket(w, 'a frame');
		return undefined;
	}
	w.head = short === 127 ? 10 : short === 126 ? 4 : 2;
	if (left < w.head) return undefined;
	let length = short < 126 ? short : 0;
	for (let i = 2; i < w.head; i++) length = length * 256 + input[at + i];
	if (length > 9007199254740991) {
		failSocket(w, 'a length');
		return undefined;
	}
	return w.head + length;
}

// The bytes that arrived are joined only when they are enough for a frame. After a close frame they mean nothing.
function takeInput(w, bytes) {
	if (w.closeReceived) return askForMore(w);
	push(w.arrived, bytes);
	w.arrivedBytes += typedArrayLength(bytes);
	if (w.arrivedBytes < w.needed) return askForMore(w);
	w.input = joinBytes(w.arrived);
	w.at = w.needed = 0;
	return takeFrames(w);
}

function askForMore(w) {
	if (w.state !== WS_CLOSED) sendOperation(w.id, FETCH_TAKE);
}

// Takes the frames that are complete. What follows a message is taken in a task of its own, so that the program's jobs
// and timers come between two messages.
function takeFrames(w) {
	let length;
	w.taking = false;
	while (w.state !== WS_CLOSED && !w.closeReceived && (length = frameLength(w, w.at)) !== undefined) {
		const { at, input } = w;
		if (typedArrayLength(input) - at < length) {
			w.needed = length;
			break;
		}
		w.at += length;
		if (takeFrame(w, input[at], viewBytes(input, at + w.head, at + length))) {
			w.taking = true;
			return queueTask(() => guardSocket(w, () => takeFrames(w)));
		}
	}
	const rest = viewBytes(w.input, w.at, typedArrayLength(w.input));
	w.arrived = w.closeReceived ? [] : [copyOfBytes(rest)];
	w.arrivedBytes = typedArrayLength(rest);
	w.input = noBytes;
	return w.end ? finishSocket(w, w.end.failure) : askForMore(w);
}

// Invalid data from a server fails only its own socket, nothing else of the program.
function guardSocket(w, action) {
	try {
		action();
	} catch (error) {
		finishSocket(w, error.message);
	}
}

function acceptOf(key) {
	const hash = digest(0, utf8Encode(key + WS_GUID)),
		chars = [];
	for (let i = 0; i < typedArrayLength(hash); i++) push(chars, fromCharCode(hash[i]));
	return encodeBase64(join(chars, ''));
}

function hasToken(text, wanted) {
	return listHas(splitList(lowerCase(text ?? '')), wanted);
}

function takeAnswer(w, bytes) {
	const text = textOf(bytes),
		headers = readHeaders(text, indexOf(text, '\n') + 1);
	const protocol = headersGet(headers, 'sec-websocket-protocol');
	if (toInteger(text) !== 101)
		return finishSocket(w, 'the server answered ' + slice(text, 0, indexOf(text, '\n')) + ' and does not agree to it');
	if (
		!hasToken(headersGet(headers, 'upgrade'), 'websocket') ||
		!hasToken(headersGet(headers, 'connection'), 'upgrade') ||
		headersGet(headers, 'sec-websocket-accept') !== acceptOf(w.key) ||
		headersGet(headers, 'sec-websocket-extensions') !== null ||
		(protocol === null ? w.protocols.length > 0 : !listHas(w.protocols, protocol))
	)
		return finishSocket(w, 'the server does not agree to it');
	w.protocol = protocol ?? '';
	if (w.state === WS_CONNECTING) w.state = WS_OPEN;
	sendOperation(w.id, FETCH_TAKE);
	fireAtSocket(w, new Event('open'));
	return undefined;
}

function takeSocketEvent(w, kind, bytes, last) {
	if (w.state === WS_CLOSED) return;
	if (last) {
		const closed = w.state === WS_CONNECTING ? 'the server closed the connection' : undefined;
		const failure = kind === FETCH_END ? closed : reasonOf(w, textOf(bytes));
		if (w.taking) w.end = { __proto__: null, failure };
		else finishSocket(w, failure);
	} else if (kind === FETCH_HEAD) {
		takeAnswer(w, bytes);
	} else if (kind === FETCH_CHUNK) {
		takeInput(w, bytes);
	} else if (kind === FETCH_SENT) {
		sendNext(w);
		endSocket(w);
	}
}

const reasonOf = (w, reason) =>
	reason !== NOT_ALLOWED
		? reason
		: reason + ' (--allow-fetch ' + readPart(urlParse(w.url, undefined), HOST) + ' would let it)';

function connectSocket(w, url) {
	let request = 'GET\n' + url + '\n^\nsec-websocket-version:13\nsec-websocket-key:' + w.key + '\n';
	if (w.protocols.length > 0) request += 'sec-websocket-protocol:' + join(w.protocols, ', ') + '\n';
	w.id = beginOperation(FETCH, request, (kind, bytes, last) =>
		guardSocket(w, () => takeSocketEvent(w, kind, bytes, last)),
	);
	holdProgram(1);
}

// ---- The interface ----

const badSocket = message => new DOMException(message, 'SyntaxError');

// The URL as an HTTP URL, which the host understands, and as the program sees it.
function toSocketUrl(text) {
	const parts = urlParse(text, undefined);
	const scheme = parts ? readPart(parts, PROTOCOL) : '';
	if (scheme !== 'ws:' && scheme !== 'wss:' && scheme !== 'http:' && scheme !== 'https:')
		throw badSocket('The URL of WebSocket is not one of ws or wss: ' + slice(text, 0, 200));
	if (indexOf(parts[HREF], '#') >= 0) throw badSocket('The URL of WebSocket has a fragment');
	if (readPart(parts, USERNAME) !== '' || readPart(parts, PASSWORD) !== '')
		throw badSocket('The URL of WebSocket has a user or password');
	const rest = slice(parts[HREF], scheme.length),
		isSecure = scheme === 'wss:' || scheme === 'https:';
	return { __proto__: null, shown: (isSecure ? 'wss:' : 'ws:') + rest, asked: (isSecure ? 'https:' : 'http:') + rest };
}

function toProtocols(value) {
	const list = value === undefined ? [] : isObject(value) ? toSequence(value, 'The protocols of WebSocket') : [value],
		protocols = [];
	for (let i = 0; i < list.length; i++) {
		const protocol = toText(list[i]);
		if (!isToken(protocol) || listHas(protocols, protocol))
			throw badSocket('The protocols of WebSocket are not different tokens');
		push(protocols, protocol);
	}
	return protocols;
}

const socketEvents = ['open', 'message', 'error', 'close'];

class WebSocket extends EventTarget {
	#w;
	#handlers = newHandlers(socketEvents);

	constructor(url, protocols = undefined) {
		needArguments('WebSocket', 1, arguments.length);
		super();
		const { shown, asked } = toSocketUrl(toScalarString(url)),
			list = toProtocols(protocols);
		const parts = urlParse(shown, undefined);
		const key = new Uint8Array(16),
			chars = [];
		typedArraySet(key, takeRandom(16));
		for (let i = 0; i < 16; i++) push(chars, fromCharCode(key[i]));
		const w = (this.#w = {
			__proto__: null,
			object: this,
			url: shown,
			origin: originOf(parts),
			protocols: list,
			protocol: '',
			key: encodeBase64(join(chars, '')),
			id: 0,
			state: WS_CONNECTING,
			told: false, // the program knows of the end
			binaryType: 'blob',
			buffered: 0,
			frames: [],
			next: 0,
			frame: null,
			pong: null,
			sending: false,
			closeSent: false,
			closeReceived: false,
			code: CLOSE_LOST,
			reason: '',
			arrived: [],
			arrivedBytes: 0,
			needed: 0,
			input: noBytes,
			at: 0,
			head: 0,
			taking: false,
			end: null,
			ended: false,
			message: null,
			messageBytes: 0,
			kind: 0,
			timer: 0,
			trace: traceOf(new Error()),
		});
		connectSocket(w, asked);
	}

	get url() {
		return this.#w.url;
	}
	get readyState() {
		const { state, told } = this.#w;
		return state === WS_CLOSED && !told ? WS_CLOSING : state;
	}
	get bufferedAmount() {
		return this.#w.buffered;
	}
	get extensions() {
		return this.#w && '';
	}
	get protocol() {
		return this.#w.protocol;
	}
	get binaryType() {
		return this.#w.binaryType;
	}
	set binaryType(value) {
		const type = toText(value);
		if (type === 'blob' || type === 'arraybuffer') this.#w.binaryType = type;
	}

	send(data) {
		const w = this.#w;
		needArguments('send', 1, arguments.length);
		const given = isBlob(data) ? blobBytes(data) : isObject(data) ? bytesOf(data) : undefined;
		const payload = given ?? utf8Encode(toText(data));
		if (w.state === WS_CONNECTING) throw new DOMException('The WebSocket is not connected yet', 'InvalidStateError');
		w.buffered += typedArrayLength(payload);
		if (w.state === WS_OPEN) sendFrame(w, given ? FRAME_BYTES : FRAME_TEXT, payload);
	}

	close(code = undefined, reason = undefined) {
		const w = this.#w;
		if (code !== undefined) {
			code = max(0, min(0xffff, round(+code) || 0));
			if (code !== CLOSE_NORMAL && (code < 3000 || code > 4999))
				throw new DOMException('The code is neither 1000 nor 3000 to 4999: ' + code, 'InvalidAccessError');
		}
		const text = reason === undefined ? '' : toScalarString(reason);
		if (typedArrayLength(utf8Encode(text)) > CONTROL_BYTES_MAX - 2)
			throw badSocket('The reason has more than 123 bytes');
		if (w.state === WS_CONNECTING) {
			finishSocket(w, 'it was closed before it was connected');
		} else if (w.state === WS_OPEN) {
			w.state = WS_CLOSING;
			sendClose(w, code ?? (reason === undefined ? CLOSE_NO_CODE : CLOSE_NORMAL), text);
		}
	}

	static {
		addHandlers(WebSocket, socketEvents, socket => socket.#handlers);
	}
}
finishInterface(WebSocket, 'WebSocket');
defineConstants(WebSocket, { CONNECTING: WS_CONNECTING, OPEN: WS_OPEN, CLOSING: WS_CLOSING, CLOSED: WS_CLOSED });
