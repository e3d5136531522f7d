// SPDX-License-Identifier: Apache-2.0
// Standard input and output as streams of bytes. Input is read one chunk at a time, on demand.

const INPUT = 3,
	INPUT_TAKE = 1,
	INPUT_CHUNK = 1,
	INPUT_FAILED = 3;

function openInput() {
	let id, wanted;
	const settle = () => {
		const { resolve } = wanted;
		wanted = undefined;
		holdProgram(-1);
		resolve(undefined);
	};
	const onEvent = (kind, bytes, last) => {
		if (kind === INPUT_CHUNK) enqueueBytes(s.controller, bytes);
		else if (kind === INPUT_FAILED)
			failController(s.controller, new TypeError('Standard input cannot be read: ' + textOf(bytes)));
		else endSource(s.controller);
		if (last) id = 0;
		if (wanted) settle();
	};
	const pull = () => {
		wanted = newPromise();
		const { promise } = wanted;
		holdProgram(1);
		id ??= beginOperation(INPUT, '', onEvent);
		sendOperation(id, INPUT_TAKE);
		return promise;
	};
	const cancel = () => {
		if (id) endOperation(id);
		id = 0;
		if (wanted) settle();
	};
	const s = newByteSource(pull, cancel);
	return streamOf(s);
}

// Accepts strings and bytes. A write passes everything to the host before it returns: nothing is buffered here.
function openOutput(stream, name) {
	const writeTo = chunk => {
		if (typeof chunk === 'string') return write(stream, chunk);
		const bytes = bytesOf(chunk);
		if (!bytes) throw new TypeError('What is written to ' + name + ' is neither a string nor bytes');
		writeBytes(stream, bytes);
		return undefined;
	};
	return writableOf(newSink(ignore, writeTo, ignore, ignore, 1, undefined));
}
