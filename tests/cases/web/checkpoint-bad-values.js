// SPDX-License-Identifier: Apache-2.0
// A value that has no JSON, or whose conversion throws, is an error in the program. The previous value is kept.
// args: --output 2KiB
// outcome: ok
// partial: {"kept":1}
// value: true
const same = (seen, expected, what) => { if (seen !== expected) throw new Error(`${what}: ${seen}, not ${expected}`); };
const cyclic = { list: [] };
cyclic.list.push({ cyclic });
let deep = 1;
for (let i = 0; i < 10000; i++) deep = [deep];
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const fail = () => { throw new SyntaxError('mine'); };
const bad = {
	cyclic: [cyclic, TypeError], bigint: [1n, TypeError], bigintInside: [{ a: [1n] }, TypeError], bigintObject: [Object(1n), TypeError],
	function: [() => 1, TypeError], symbol: [Symbol('s'), TypeError], undefined: [undefined, TypeError],
	vanishing: [{ toJSON() {} }, TypeError], toJSON: [{ toJSON: fail }, SyntaxError], toJSONGetter: [{ get toJSON() { return fail(); } }, SyntaxError],
	getter: [{ a: 1, get b() { return fail(); } }, SyntaxError], trap: [new Proxy({}, { ownKeys: fail }), SyntaxError],
	revoked: [revoked.proxy, TypeError], text: ['x'.repeat(2047), RangeError], list: [new Array(2000).fill(1), RangeError],
	escapes: ['\u0001'.repeat(400), RangeError], wide: ['\u20ac'.repeat(700), RangeError],
};
curfew.checkpoint({ kept: 1 });
for (const send of ['checkpoint', 'progress']) {
	for (const [what, [value, expected]] of Object.entries(bad)) {
		let error = null;
		try { curfew[send](value); } catch (caught) { error = caught; }
		same(error?.constructor, expected, `${send} of ${what}`);
		same(error.message.length > 0, true, `the message of ${what}`);
	}
	// It is too deep for the stack. A program may catch that like its own error.
	let error = null;
	try { curfew[send](deep); } catch (caught) { error = caught; }
	same(error instanceof Error, true, `${send} of something deep`);
	same(curfew[send]('x'.repeat(2046)), undefined, 'just enough');
	curfew.checkpoint({ kept: 1 });
}
true;
