// SPDX-License-Identifier: Apache-2.0
const { Buffer } = require('buffer');

const blob = async (stream) => {
	const pieces = [];
	for await (const piece of stream)
		pieces.push(piece);
	return new Blob(pieces);
};
const arrayBuffer = async (stream) => (await blob(stream)).arrayBuffer();
const text = async (stream) => {
	const decoder = new TextDecoder();
	let all = '';
	for await (const piece of stream)
		all += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true });
	return all + decoder.decode();
};
module.exports = { arrayBuffer, blob, buffer: async (stream) => Buffer.from(await arrayBuffer(stream)), json: async (stream) => JSON.parse(await text(stream)), text };
