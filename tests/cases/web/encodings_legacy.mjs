// SPDX-License-Identifier: Apache-2.0
// TextDecoder with the legacy encodings, compared with the output of another program (Python), and with the standard's errors.
// outcome: ok
// value: "done"
const same = (actual, expected, what) => {
	if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};
const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const decode = (label, hex, options) => new TextDecoder(label, options).decode(bytes(hex));
const written = [
	['shift_jis', '82b182f182c982bf82cd814190a28a45814920b6c5208abf8e9a', 'こんにちは、世界！ ｶﾅ 漢字'],
	['euc-jp', 'a4b3a4f3a4cba4c1a4cfa1a2c0a4b3a6a1aa208eb68ec520b4c1bbfa', 'こんにちは、世界！ ｶﾅ 漢字'],
	['iso-2022-jp', '1b244224332473244b2441244f2122402433261b284220616263201b244234413b7a1b2842', 'こんにちは、世界 abc 漢字'],
	['euc-kr', 'bec8b3e7c7cfbcbcbfe420bcbcb0e8208c63b9e6b0a2c7cf', '안녕하세요 세계 똠방각하'],
	['gbk', 'c4e3bac3a3accac0bde7', '你好，世界'],
	['gb18030', 'c4e3bac320953282362081308b37208130893820a2e3', '你好 𠀀 ÿ ß €'],
	['big5', 'a741a66ea141a540acc9', '你好，世界'],
	['windows-1250', '50f8ed6c699a209e6c759d6f75e86bfd206bf9f22080', 'Příliš žluťoučký kůň €'],
	['windows-1251', 'd1fae5f8fc20e5f9b820fdf2e8f520ecffe3eae8f520f4f0e0edf6f3e7f1eae8f520e1f3ebeeea2088', 'Съешь ещё этих мягких французских булок €'],
	['windows-1252', '6e61ef766520636166e9209720938094', 'naïve café — “€”'],
	['windows-1253', 'cee5f3eae5f0dce6f920f4e7ed', 'Ξεσκεπάζω την'],
	['windows-1254', '50696a616d616cfd206861737461207961f0fd7a20fe6f66f67265', 'Pijamalı hasta yağız şoföre'],
	['windows-1255', 'e3e220f1f7f8ef', 'דג סקרן'],
	['windows-1256', 'd5f6dd20cef3e1def320cef3e6cff6', 'صِف خَلقَ خَودِ'],
	['windows-1257', 'c16c696e6b64616d61206665636874756f746f6a6f20f070616761', 'Įlinkdama fechtuotojo špaga'],
	['windows-1258', '5469ea6e67', 'Tiêng'],
	['koi8-r', 'f3dfc5dbd820c5dda320dcd4c9c8', 'Съешь ещё этих'],
	['koi8-u', 'f6c5c2d2c1cbd5c0d4d820c6a6cccfd3cfc6c920ad', 'Жебракують філософи ґ'],
	['ibm866', '91eaa5e8ec20a5e9f120ede2a8e520b0b1b2', 'Съешь ещё этих ░▒▓'],
	['macintosh', 'd26e61957665d3206361668e20b0', '“naïve” café ∞'],
	['x-mac-cyrillic', '91fae5f8fc20e5f9de', 'Съешь ещё'],
	['windows-874', 'e0bbe7b9c1b9d8c9c2eccad8b4bbc3d0e0cac3d4b0', 'เป็นมนุษย์สุดประเสริฐ'],
	['iso-8859-2', '50f8ed6c69b920be6c75bb6f75e86bfd', 'Příliš žluťoučký'],
	['iso-8859-3', 'c67520766920f86f6a6173', 'Ĉu vi ĝojas'],
	['iso-8859-4', 'abba72f3ba6e6973', 'Ģērķēnis'],
	['iso-8859-5', 'c1ead5e8ec20d5e9f1', 'Съешь ещё'],
	['iso-8859-6', 'd5e120cee4e2', 'صف خلق'],
	['iso-8859-7', 'cee5f3eae5f0dce6f9', 'Ξεσκεπάζω'],
	['iso-8859-8', 'e3e220f1f7f8ef', 'דג סקרן'],
	['iso-8859-8-i', 'e3e220f1f7f8ef', 'דג סקרן'],
	['iso-8859-10', 'def372f0757220e120666572f0', 'Þórður á ferð'],
	['iso-8859-13', 'c16c696e6b64616d6120f070616761', 'Įlinkdama špaga'],
	['iso-8859-14', 'd0796e656220fe20a1', 'Ŵyneb ŷ Ḃ'],
	['iso-8859-15', 'a420bc7576726520b86c7574', '€ Œuvre žlut'],
	['iso-8859-16', 'de6172e320a420a5bab5', 'Țară € „ș”'],
];
for (const [label, hex, text] of written) {
	same(decode(label, hex, { fatal: true }), text, label);
	same(new TextDecoder(label).encoding, label, 'the name');
	// One byte at a time, and a stream of them.
	const decoder = new TextDecoder(label);
	let parts = '';
	for (const byte of bytes(hex)) parts += decoder.decode(Uint8Array.of(byte), { stream: true });
	same(parts + decoder.decode(), text, label + ' bytewise');
	const stream = new ReadableStream({ start(c) { for (const byte of bytes(hex)) c.enqueue(Uint8Array.of(byte)); c.close(); } });
	let streamed = '';
	for await (const part of stream.pipeThrough(new TextDecoderStream(label))) streamed += part;
	same(streamed, text, label + ' streamed');
}

// Labels.
for (const [label, name] of [['latin2', 'iso-8859-2'], [' \tSJIS\n', 'shift_jis'], ['gb2312', 'gbk'], ['ks_c_5601-1987', 'euc-kr'], ['latin5', 'windows-1254'],
	['big5-hkscs', 'big5'], ['tis-620', 'windows-874'], ['visual', 'iso-8859-8'], ['logical', 'iso-8859-8-i'], ['csISO2022JP', 'iso-2022-jp'], ['x-user-defined', 'x-user-defined']])
	same(new TextDecoder(label).encoding, name, label);
for (const label of ['', 'utf-7', 'utf-32', 'replacement', 'hz-gb-2312', 'iso-2022-kr', 'iso-2022-cn', 'x-gbk2', '\u00a0utf-8']) {
	try { new TextDecoder(label); } catch (error) { same(error.name, 'RangeError', label); continue; }
	throw new Error(`a decoder of ${label}`);
}

// Invalid sequences, as in the standard: one replacement for each error, and no ASCII is swallowed.
const R = '\ufffd';
for (const [label, hex, text] of [
	['shift_jis', '81', R], ['shift_jis', '8122', R + '"'], ['shift_jis', 'a0fdfeff', R.repeat(4)], ['shift_jis', '80', '\x80'], ['shift_jis', '5c7e', '\\~'], ['shift_jis', 'f040', '\ue000'], ['shift_jis', '8180', '\u00f7'],
	['euc-jp', '8f', R], ['euc-jp', '8fa1', R], ['euc-jp', '8fa122', R + '"'], ['euc-jp', '8e22', R + '"'], ['euc-jp', '8eb1', '\uff71'], ['euc-jp', '8fb0a1', '\u4e02'], ['euc-jp', 'a1a1ff', '\u3000' + R],
	['euc-kr', '8122', R + '"'], ['euc-kr', '80ff', R + R], ['euc-kr', 'c7', R],
	['gbk', '80', '\u20ac'], ['gbk', 'ff', R], ['gb18030', '8122', R + '"'], ['gb18030', '8130', R], ['gb18030', '813081', R], ['gb18030', '81308130', '\x80'], ['gb18030', '8130ff', R + '0' + R], ['gb18030', '81308122', R + '0' + R + '"'],
	['gb18030', '90308130', '\u{10000}'], ['gb18030', 'e3329a35', '\u{10ffff}'], ['gb18030', 'e3329a36', R], ['gb18030', '8431a439', '\uffff'], ['gb18030', '8135f437', '\ue7c7'], ['gb18030', 'a8bc', '\u1e3f'],
	['big5', '8862', '\u00ca\u0304'], ['big5', '88a5', '\u00ea\u030c'], ['big5', '8122', R + '"'], ['big5', '81', R], ['big5', '80ff', R + R],
	['iso-2022-jp', '1b2442242200', '\u3042' + R], ['iso-2022-jp', '1b', R], ['iso-2022-jp', '1b28', R + '('], ['iso-2022-jp', '1b284a5c7e', '\u00a5\u203e'], ['iso-2022-jp', '1b284931', '\uff71'], ['iso-2022-jp', '1b28421b2842', R], ['iso-2022-jp', '0e0f80', R.repeat(3)], ['iso-2022-jp', '1b2442241b284241', R + 'A'],
	['iso-8859-6', 'a1a4', R + '\u00a4'], ['windows-1253', 'aa', R], ['windows-1252', '8190', '\x81\x90'], ['x-user-defined', '7f80ff', '\x7f\uf780\uf7ff'], ['windows-874', 'db', R], ['ibm866', 'ff00', '\u00a0\0'],
]) {
	same(decode(label, hex), text, `${label} of ${hex}`);
	if (text.includes(R)) {
		let failed = false;
		try { decode(label, hex, { fatal: true }); } catch (error) { failed = error instanceof TypeError; }
		same(failed, true, `${label} of ${hex}, fatal`);
	}
	let parts = '';
	const decoder = new TextDecoder(label);
	for (const byte of bytes(hex)) parts += decoder.decode(Uint8Array.of(byte), { stream: true });
	same(parts + decoder.decode(), text, `${label} of ${hex}, bytewise`);
}
// Only UTF-8 and UTF-16 have a byte order mark.
same([decode('gb18030', '8431953341'), decode('utf-8', 'efbbbf41'), decode('utf-16be', 'feff0041')], ['\ufeffA', 'A', 'A'], 'marks');
// A decoder starts again after its end.
const again = new TextDecoder('iso-2022-jp');
same([again.decode(bytes('1b24422422')), again.decode(bytes('2422'))], ['\u3042', '$"'], 'anew');
// Every sequence of two bytes has a result.
for (const label of ['big5', 'euc-jp', 'euc-kr', 'gb18030', 'iso-2022-jp', 'shift_jis']) {
	const pairs = new Uint8Array(131072);
	for (let i = 0; i < 65536; i++) { pairs[2 * i] = i >> 8; pairs[2 * i + 1] = i; }
	const count = new TextDecoder(label).decode(pairs).length;
	if (count < 65536 || count > 131072) throw new Error(`${label}: ${count}`);
}
export default 'done';
