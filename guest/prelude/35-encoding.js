// SPDX-License-Identifier: Apache-2.0
// TextEncoder and TextDecoder of the Encoding Standard, and base64. The bytes are handled in C.

	const base64Functions = {
		atob(data) {
			needArguments('atob', 1, arguments.length);
			return decodeBase64(data);
		},
		btoa(data) {
			needArguments('btoa', 1, arguments.length);
			return encodeBase64(data);
		},
	};

	class TextEncoder {
		#encoder = true;
		get encoding() {
			this.#encoder;
			return 'utf-8';
		}
		encode(input = '') {
			this.#encoder;
			return utf8Encode(toText(input));
		}
		encodeInto(source, destination) {
			this.#encoder;
			needArguments('encodeInto', 2, arguments.length);
			source = toText(source);
			if (classOf(destination) !== 'Uint8Array')
				throw new TypeError('The second argument of encodeInto is not a Uint8Array');
			return utf8EncodeInto(source, bytesOf(destination));
		}
	}
	finishInterface(TextEncoder, 'TextEncoder');

	// Label -> [number for the C side, name]. The number is that of enum encoding in web.c.
	const encodings = new Map();
	const addEncoding = (number, name, labels) => {
		for (const label of [name, ...labels.split(' ')])
			encodings.set(label, { __proto__: null, number, name });
	};
	addEncoding(0, 'utf-8', 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 x-unicode20utf8');
	addEncoding(1, 'utf-16le', 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16');
	addEncoding(2, 'utf-16be', 'unicodefffe');
	addEncoding(3, 'windows-1252', 'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 ' +
		'iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii x-cp1252');

	// Labels are compared without the ASCII white space around them, and white space of Unicode is not that.
	function trimAscii(text) {
		let start = 0, end = text.length;
		while (start < end && isAsciiSpace(codeUnit(text, start)))
			start++;
		while (end > start && isAsciiSpace(codeUnit(text, end - 1)))
			end--;
		return slice(text, start, end);
	}
	const isAsciiSpace = (c) => c === 9 || c === 10 || c === 12 || c === 13 || c === 32;

	const DECODE_FATAL = 1, DECODE_IGNORE_BOM = 2, DECODE_STREAM = 4;

	let isTextDecoder, decodeWith;

	class TextDecoder {
		#encoding;
		#fatal;
		#ignoreBom;
		#state = new Uint8Array(8);

		constructor(label = 'utf-8', options = undefined) {
			label = toText(label);
			const found = label.length <= 64 ? mapGet(encodings, lowerCase(trimAscii(label))) : undefined;
			if (!found)
				throw new RangeError('The encoding label is not supported: ' + slice(label, 0, 64));
			options = toDictionary(options, 'The second argument of TextDecoder');
			this.#encoding = found;
			this.#fatal = !!options.fatal;
			this.#ignoreBom = !!options.ignoreBOM;
		}

		get encoding() { return this.#encoding.name; }
		get fatal() { return this.#fatal; }
		get ignoreBOM() { return this.#ignoreBom; }

		decode(input = undefined, options = undefined) {
			this.#encoding;
			if (input !== undefined && !bytesOf(input))
				throw new TypeError('The first argument of decode is neither an ArrayBuffer nor a view of one');
			return this.#decode(input, !!toDictionary(options, 'The second argument of decode').stream);
		}

		#decode(input, stream) {
			const { number } = this.#encoding;
			const bytes = input === undefined ? new Uint8Array(0) : bytesOf(input);
			const flags = (this.#fatal ? DECODE_FATAL : 0) | (this.#ignoreBom ? DECODE_IGNORE_BOM : 0) |
				(stream ? DECODE_STREAM : 0);
			const text = decode(number, bytes, flags, this.#state);
			if (text === null)
				throw new TypeError('The data is not valid ' + this.#encoding.name);
			return text;
		}

		static {
			isTextDecoder = (value) => isObject(value) && #encoding in value;
			decodeWith = (decoder, input, stream) => decoder.#decode(input, stream);
		}
	}
	finishInterface(TextDecoder, 'TextDecoder');
