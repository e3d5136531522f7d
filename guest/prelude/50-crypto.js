// SPDX-License-Identifier: Apache-2.0
// Random numbers, which are the part of Web Crypto without keys (84-subtle.js has the rest), and the name of the
// platform.

const POOL_BYTES = 256;
const UUID_BYTES = 16;
const MAX_RANDOM_BYTES = 65536;

// Asking the host is a counted host call, so small requests share one. The pool must be empty in an image, because two
// runs that start from it must not draw the same numbers.
const poolBuffer = new ArrayBuffer(POOL_BYTES);
const pool = new Uint8Array(poolBuffer);
let poolUsed = POOL_BYTES;

// Fresh random bytes, as a view that is valid until the next call.
function takeRandom(count) {
	if (POOL_BYTES - poolUsed < count) {
		random(pool);
		poolUsed = 0;
	}
	poolUsed += count;
	return new Uint8Array(poolBuffer, poolUsed - count, count);
}

const hexPairs = [];
for (let i = 0; i < 256; i++) hexPairs.push((i + 256).toString(16).slice(1));

function newUuid() {
	const bytes = takeRandom(UUID_BYTES);
	bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4
	bytes[8] = (bytes[8] & 0x3f) | 0x80; // the variant of RFC 9562
	let text = '';
	for (let i = 0; i < UUID_BYTES; i++) {
		text += hexPairs[bytes[i]];
		if (i === 3 || i === 5 || i === 7 || i === 9) text += '-';
	}
	return text;
}

class Crypto {
	#crypto = true;
	#subtle;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
	}

	get subtle() {
		this.#crypto;
		return (this.#subtle ??= new SubtleCrypto(construct));
	}

	getRandomValues(array) {
		this.#crypto;
		needArguments('getRandomValues', 1, arguments.length);
		const kind = classOf(array);
		const tag = kind === undefined ? undefined : typedArrayTag(array);
		if (tag === undefined && kind !== 'DataView')
			throw new TypeError('The argument of getRandomValues is not an ArrayBufferView');
		if (tag === undefined || startsWith(tag, 'Float'))
			throw new DOMException('The argument of getRandomValues is not an array of integers', 'TypeMismatchError');
		const bytes = bytesOf(array);
		const count = typedArrayLength(bytes);
		if (count > MAX_RANDOM_BYTES)
			throw new DOMException(
				'getRandomValues fills at most ' + MAX_RANDOM_BYTES + ' bytes at once',
				'QuotaExceededError',
			);
		if (count > POOL_BYTES / 4) random(bytes);
		else if (count > 0) typedArraySet(bytes, takeRandom(count));
		return array;
	}

	randomUUID() {
		this.#crypto;
		return newUuid();
	}
}
finishInterface(Crypto, 'Crypto');

const languages = freeze(['en-US']);

class Navigator {
	#navigator = true;

	constructor() {
		if (arguments[0] !== construct) throw new TypeError('Illegal constructor');
	}

	get userAgent() {
		this.#navigator;
		return 'Curfew';
	}
	get hardwareConcurrency() {
		this.#navigator;
		return 1;
	}
	get language() {
		this.#navigator;
		return 'en-US';
	}
	get languages() {
		this.#navigator;
		return languages;
	}
	get platform() {
		this.#navigator;
		return 'linux';
	}
}
finishInterface(Navigator, 'Navigator');
