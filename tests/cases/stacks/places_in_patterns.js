// SPDX-License-Identifier: Apache-2.0
// A pattern or a field of a class over several lines has the line in which it fails.
// outcome: ok
// value: ["16:6","23:7","28:3","35:16","41:9","48:12","54:6","61:14","68:11","74:6","80:12","86:6"]
const places = [];
function place(action) {
	try {
		action();
	} catch (error) {
		places.push(/:(\d+:\d+)\)?$/m.exec(error.stack)[1]);
	}
}
place(() => {
	const {
		a,
		b: { c },
	} = {};
});
place(() => {
	const {
		a,
	} = { a: 1 },
		d = nothing.e;
});
place(() => {
	const [
		a,
		[b],
	] = [1, 2];
});
place(() => {
	const {
		a,
		b: { c },
	} = undefined.d;
});
place(() => {
	const {
		a,
		b =
			null.c,
	} = {};
});
place(() => {
	const given = {};
	const [
		a =
			given.b.c,
	] = [];
});
place(() => {
	const f = ({
		a,
		b: { c },
	}) => c;
	f({});
});
place(() => {
	class A {
		a = 1;
		b = this.c.d;
	}
	new A();
});
place(() => {
	class A {
		static #a =
			this.b.c;
	}
});
place(() => {
	for (const {
		a,
		b: { c },
	} of [{}]);
});
place(() => {
	for (const {
		a,
	} of null.items);
});
place(() => {
	let a, b;
	({
		a,
		b: { a },
	} = {});
});
places;
