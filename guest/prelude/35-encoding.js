// SPDX-License-Identifier: Apache-2.0
// TextEncoder and TextDecoder of the Encoding Standard, and base64. C code processes the bytes.

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

// Label -> [number, name]. The numbers are those of enum encoding in web.c and of decoders.h.
const encodings = new Map();
const addEncoding = (number, name, labels) => {
	for (const label of (name + ' ' + labels).split(' ')) encodings.set(label, { __proto__: null, number, name });
};
addEncoding(0, 'utf-8', 'utf8 unicode20utf8 unicode11utf8 x-unicode20utf8 unicode-1-1-utf-8');
addEncoding(1, 'utf-16le', 'ucs-2 utf-16 unicode csunicode unicodefeff iso-10646-ucs-2');
addEncoding(2, 'utf-16be', 'unicodefffe');
addEncoding(
	3,
	'windows-1252',
	'l1 cp819 ascii latin1 cp1252 ibm819 iso88591 x-cp1252 us-ascii iso8859-1 iso-ir-100 iso-8859-1 ' +
		'iso_8859-1 csisolatin1 ansi_x3.4-1968 iso_8859-1:1987',
);
addEncoding(4, 'ibm866', '866 cp866 csibm866');
addEncoding(5, 'iso-8859-2', 'l2 latin2 iso88592 iso8859-2 iso-ir-101 iso_8859-2 csisolatin2 iso_8859-2:1987');
addEncoding(6, 'iso-8859-3', 'l3 latin3 iso88593 iso8859-3 iso_8859-3 iso-ir-109 csisolatin3 iso_8859-3:1988');
addEncoding(7, 'iso-8859-4', 'l4 latin4 iso88594 iso8859-4 iso-ir-110 iso_8859-4 csisolatin4 iso_8859-4:1988');
addEncoding(8, 'iso-8859-5', 'iso88595 cyrillic iso8859-5 iso-ir-144 iso_8859-5 iso_8859-5:1988 csisolatincyrillic');
addEncoding(
	9,
	'iso-8859-6',
	'arabic ecma-114 iso88596 asmo-708 iso8859-6 iso_8859-6 iso-ir-127 csiso88596e csiso88596i ' +
		'iso-8859-6-e iso-8859-6-i iso_8859-6:1987 csisolatinarabic',
);
addEncoding(
	10,
	'iso-8859-7',
	'greek greek8 iso88597 ecma-118 elot_928 iso8859-7 iso-ir-126 iso_8859-7 sun_eu_greek iso_8859-7:1987 ' +
		'csisolatingreek',
);
addEncoding(
	11,
	'iso-8859-8',
	'visual hebrew iso88598 iso8859-8 iso_8859-8 iso-ir-138 csiso88598e iso-8859-8-e iso_8859-8:1988 ' +
		'csisolatinhebrew',
);
addEncoding(11, 'iso-8859-8-i', 'logical csiso88598i');
addEncoding(12, 'iso-8859-10', 'l6 latin6 iso885910 iso8859-10 iso-ir-157 csisolatin6');
addEncoding(13, 'iso-8859-13', 'iso885913 iso8859-13');
addEncoding(14, 'iso-8859-14', 'iso885914 iso8859-14');
addEncoding(15, 'iso-8859-15', 'l9 iso885915 iso8859-15 iso_8859-15 csisolatin9');
addEncoding(16, 'iso-8859-16', '');
addEncoding(17, 'koi8-r', 'koi koi8 koi8_r cskoi8r');
addEncoding(18, 'koi8-u', 'koi8-ru');
addEncoding(19, 'macintosh', 'mac csmacintosh x-mac-roman');
addEncoding(20, 'windows-874', 'tis-620 dos-874 iso885911 iso8859-11 iso-8859-11');
addEncoding(21, 'windows-1250', 'cp1250 x-cp1250');
addEncoding(22, 'windows-1251', 'cp1251 x-cp1251');
addEncoding(23, 'windows-1253', 'cp1253 x-cp1253');
addEncoding(
	24,
	'windows-1254',
	'l5 cp1254 latin5 x-cp1254 iso88599 iso8859-9 iso-ir-148 iso-8859-9 iso_8859-9 csisolatin5 ' + 'iso_8859-9:1989',
);
addEncoding(25, 'windows-1255', 'cp1255 x-cp1255');
addEncoding(26, 'windows-1256', 'cp1256 x-cp1256');
addEncoding(27, 'windows-1257', 'cp1257 x-cp1257');
addEncoding(28, 'windows-1258', 'cp1258 x-cp1258');
addEncoding(29, 'x-mac-cyrillic', 'x-mac-ukrainian');
addEncoding(30, 'big5', 'csbig5 cn-big5 x-x-big5 big5-hkscs');
addEncoding(31, 'euc-jp', 'x-euc-jp cseucpkdfmtjapanese');
addEncoding(
	32,
	'euc-kr',
	'korean ksc5601 cseuckr ksc_5601 iso-ir-149 windows-949 csksc56011987 ks_c_5601-1987 ks_c_5601-1989',
);
addEncoding(33, 'gbk', 'x-gbk gb2312 gb_2312 chinese csgb2312 iso-ir-58 gb_2312-80 csiso58gb231280');
addEncoding(33, 'gb18030', '');
addEncoding(34, 'iso-2022-jp', 'csiso2022jp');
addEncoding(35, 'shift_jis', 'sjis ms932 x-sjis ms_kanji shift-jis csshiftjis windows-31j');
addEncoding(36, 'x-user-defined', '');
encodings.delete('');

// Labels are compared without the ASCII white space around them. Unicode's other white space is kept.
function trimAscii(text) {
	let start = 0,
		end = text.length;
	while (start < end && isAsciiSpace(codeUnit(text, start))) start++;
	while (end > start && isAsciiSpace(codeUnit(text, end - 1))) end--;
	return slice(text, start, end);
}

// The items of a list in a header, between commas.
function splitList(text) {
	const items = [];
	for (let start = 0, end; start <= text.length; start = end + 1) {
		end = indexOf(text, ',', start);
		if (end < 0) end = text.length;
		push(items, trimAscii(slice(text, start, end)));
	}
	return items;
}
const isAsciiSpace = c => c === 9 || c === 10 || c === 12 || c === 13 || c === 32;

const DECODE_FATAL = 1,
	DECODE_IGNORE_BOM = 2,
	DECODE_STREAM = 4;

let isTextDecoder, decodeWith;

class TextDecoder {
	#encoding;
	#fatal;
	#ignoreBom;
	#state = new Uint8Array(8);

	constructor(label = 'utf-8', options = undefined) {
		label = toText(label);
		const name = trimAscii(label);
		const found = name.length <= 64 ? mapGet(encodings, lowerCase(name)) : undefined;
		if (!found) throw new RangeError('The encoding label is not supported: ' + slice(label, 0, 64));
		options = toDictionary(options, 'The second argument of TextDecoder');
		this.#encoding = found;
		this.#fatal = !!options.fatal;
		this.#ignoreBom = !!options.ignoreBOM;
	}

	get encoding() {
		return this.#encoding.name;
	}
	get fatal() {
		return this.#fatal;
	}
	get ignoreBOM() {
		return this.#ignoreBom;
	}

	decode(input = undefined, options = undefined) {
		this.#encoding;
		if (input !== undefined && !bytesOf(input))
			throw new TypeError('The first argument of decode is neither an ArrayBuffer nor a view of one');
		return this.#decode(input, !!toDictionary(options, 'The second argument of decode').stream);
	}

	#decode(input, stream) {
		const { number } = this.#encoding;
		const bytes = input === undefined ? new Uint8Array(0) : bytesOf(input);
		const flags =
			(this.#fatal ? DECODE_FATAL : 0) | (this.#ignoreBom ? DECODE_IGNORE_BOM : 0) | (stream ? DECODE_STREAM : 0);
		const text = decode(number, bytes, flags, this.#state);
		if (text === null) throw new TypeError('The data is not valid ' + this.#encoding.name);
		return text;
	}

	static {
		isTextDecoder = value => isObject(value) && #encoding in value;
		decodeWith = (decoder, input, stream) => decoder.#decode(input, stream);
	}
}
finishInterface(TextDecoder, 'TextDecoder');
