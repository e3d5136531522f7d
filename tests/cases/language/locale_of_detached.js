// SPDX-License-Identifier: Apache-2.0
// A typed array whose buffer is detached or too short has no text. One that gets too short meanwhile has empty places.
// outcome: ok
// value: ["TypeError","TypeError","TypeError","1,,,"]
function nameOf(list) {
	try {
		return Uint8Array.prototype.toLocaleString.call(list);
	} catch (error) {
		return error.name;
	}
}
const detached = new Uint8Array(4);
detached.buffer.transfer();
const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
const cut = new Uint8Array(buffer, 4, 4);
const shrinking = new Uint8Array(buffer, 0, 4).fill(1);
const texts = [nameOf(detached), nameOf([1])];
buffer.resize(4);
texts.push(nameOf(cut));
const toLocaleString = Number.prototype.toLocaleString;
Number.prototype.toLocaleString = function () {
	buffer.resize(0);
	return toLocaleString.call(this);
};
texts.push(nameOf(shrinking));
texts;
