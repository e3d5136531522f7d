// SPDX-License-Identifier: Apache-2.0
// The speed of the web platform's computations, in Curfew and in Node: MB/s of input, and the ms of the first use of
// streams, of crypto.subtle and of each part of Intl.
const MEGABYTE = 1 << 20;

// Text with about as much redundancy as JSON.
function someText(bytes) {
	const words = ['"name":', '"value":', 'alpha', 'beta', 'gamma', '{"id":', '},', '[1,2,3]', 'true', 'null'], parts = [];
	let length = 0, state = 1;
	while (length < bytes) {
		state = (state * 1103515245 + 12345) & 0x7fffffff;
		const word = words[(state >> 8) % 10] + ((state >> 12) % 1000);
		parts.push(word);
		length += word.length;
	}
	return new TextEncoder().encode(parts.join('').slice(0, bytes));
}

async function through(stream, bytes) {
	const writer = stream.writable.getWriter(), reader = stream.readable.getReader(), pieces = [];
	const written = (async () => {
		for (let at = 0; at < bytes.length; at += 65536)
			await writer.write(bytes.subarray(at, at + 65536));
		await writer.close();
	})();
	for (let piece; !(piece = await reader.read()).done;)
		pieces.push(piece.value);
	await written;
	return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

// The best of many short measurements: other work on the machine disturbs only some of them.
async function speed(bytes, action) {
	let best = 0;
	for (let i = 0; i < 100; i++) {
		const from = performance.now();
		await action();
		best = Math.max(best, bytes.length / MEGABYTE / ((performance.now() - from) / 1000));
	}
	return best;
}

export default async (what) => {
	if (what !== 'speeds') {
		const uses = {
			streams: () => new ReadableStream({ start: (controller) => controller.enqueue(1) }).getReader().read(),
			'crypto.subtle': () => crypto.subtle.digest('SHA-256', new Uint8Array(1)),
			DateTimeFormat: () => new Intl.DateTimeFormat('en-US').format(0),
			NumberFormat: () => new Intl.NumberFormat('en-US').format(1),
			RelativeTimeFormat: () => new Intl.RelativeTimeFormat('en').format(1, 'day'),
			PluralRules: () => new Intl.PluralRules('en').select(1),
			Segmenter: () => [...new Intl.Segmenter('en').segment('a b')].length,
			Words: () => [...new Intl.Segmenter('en', { granularity: 'word' }).segment('a b')].length,
			Collator: () => new Intl.Collator('en').compare('a', 'b'),
		};
		const from = performance.now();
		await uses[what]();
		return performance.now() - from;
	}
	const text = someText(MEGABYTE / 8), packed = await through(new CompressionStream('gzip'), text);
	const key = await crypto.subtle.importKey('raw', new Uint8Array(32), 'AES-GCM', false, ['encrypt']), iv = new Uint8Array(12);
	return {
		gzip: await speed(text, () => through(new CompressionStream('gzip'), text)),
		gunzip: await speed(text, () => through(new DecompressionStream('gzip'), packed)),
		'SHA-256': await speed(text, () => crypto.subtle.digest('SHA-256', text)),
		'SHA-512': await speed(text, () => crypto.subtle.digest('SHA-512', text)),
		'AES-GCM': await speed(text, () => crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, text)),
	};
};
