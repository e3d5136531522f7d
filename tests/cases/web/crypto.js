// SPDX-License-Identifier: Apache-2.0
// crypto.getRandomValues, crypto.randomUUID, performance and navigator.
// outcome: ok
function same(actual, expected, what) {
	if (JSON.stringify(actual) !== JSON.stringify(expected))
		throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
function throws(action, name, what) {
	try {
		action();
	} catch (error) {
		same(error.name, name, what);
		return;
	}
	throw new Error(`${what}: nothing thrown`);
}
const array = new Uint8Array(32);
same(crypto.getRandomValues(array) === array, true, 'the same array');
same(array.some((byte) => byte !== 0), true, 'filled');
for (const Type of [Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array,
	BigUint64Array])
	same(crypto.getRandomValues(new Type(64)).some((item) => item != 0), true, Type.name);
const part = new Uint8Array(300);
crypto.getRandomValues(part.subarray(100, 200));
same([part.subarray(0, 100).every((b) => b === 0), part.subarray(100, 200).some((b) => b !== 0),
	part.subarray(200).every((b) => b === 0)],
	[true, true, true], 'only the view');
same(crypto.getRandomValues(new Uint8Array(0)).length, 0, 'empty');
same(crypto.getRandomValues(new Uint8Array(65536)).length, 65536, 'as much as allowed');
throws(() => crypto.getRandomValues(new Uint8Array(65537)), 'QuotaExceededError', 'more than allowed');
throws(() => crypto.getRandomValues(new Float32Array(1)), 'TypeMismatchError', 'floats');
throws(() => crypto.getRandomValues(new DataView(new ArrayBuffer(1))), 'TypeMismatchError', 'a DataView');
throws(() => crypto.getRandomValues([1]), 'TypeError', 'a list');
throws(() => crypto.getRandomValues(), 'TypeError', 'nothing');
throws(() => crypto.getRandomValues.call({}, array), 'TypeError', 'brand');
throws(() => new Crypto(), 'TypeError', 'no constructor');

// One host call provides bytes for many: 1000 calls are allowed by default.
const ids = new Set();
for (let i = 0; i < 5000; i++)
	ids.add(crypto.randomUUID());
same(ids.size, 5000, 'all different');
for (const id of ids) {
	if (!/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))
		throw new Error(`not a version 4 UUID: ${id}`);
}
same(typeof crypto.subtle.digest, 'function', 'subtle');

const now = performance.now();
same(now >= 0 && now < 60000, true, 'performance.now is the time of the run');
same(performance.now() >= now, true, 'it does not go back');
same(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000, true, 'timeOrigin');
same(performance.timeOrigin, performance.timeOrigin, 'timeOrigin stays');
same(performance.toJSON(), { timeOrigin: performance.timeOrigin }, 'toJSON');
throws(() => performance.now.call({}), 'TypeError', 'brand of performance');
same(new Event('x').timeStamp >= now, true, 'events have that time');
same([navigator.userAgent, `${crypto}`, `${performance}`, `${navigator}`],
	['Curfew', '[object Crypto]', '[object Performance]', '[object Navigator]'], 'names');
