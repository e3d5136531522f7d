// SPDX-License-Identifier: Apache-2.0
// Each step of an expression that fails has the position that it has in Node.
// outcome: ok
// value: []
const o = { foo: {}, n: null, num: 1, sym: Symbol('s'), big: 1n, fn() {}, arr: [] }, k = 'x', u = undefined;
class Private {
	#p = 1;
	static read(x) {
		return x.y.#p;
	}
	static write(x) {
		x.y.#p = 1;
	}
}
const wrong = [];
function expect(place, action) {
	try {
		action();
	} catch (error) {
		const at = /:(\d+:\d+)\)?$/m.exec(error.stack.slice(error.stack.indexOf('\n    at ')))[1];
		if (at !== place) wrong.push(`${at}, not ${place}: ${action}`);
		return;
	}
	wrong.push(`did not throw: ${action}`);
}
expect('27:12', () => {
	o.foo.bar.baz;
});
expect('30:12', () => {
	o.foo.bar.baz.qux();
});
expect('33:8', () => {
	o.foo.bar();
});
expect('36:16', () => {
	o.foo.bar.baz = 1 + 2;
});
expect('39:15', () => {
	o.foo.bar[k] = o.foo;
});
expect('42:11', () => {
	o.foo.bar[k].y;
});
expect('45:11', () => {
	o.foo.bar[o.num];
});
expect('48:10', () => {
	o.foo[k][o.num];
});
expect('51:11', () => {
	o.arr[0].x();
});
expect('54:10', () => {
	o.arr[0]();
});
expect('57:6', () => {
	o[k]();
});
expect('60:8', () => {
	o.fn()[k];
});
expect('63:8', () => {
	o.fn()();
});
expect('66:9', () => {
	(o.num)();
});
expect('69:13', () => {
	(() => 1)()();
});
expect('73:3', () => {
	(() => {
		undefined();
	})();
});
expect('77:4', () => {
	1 + o.big;
});
expect('80:8', () => {
	o.num * o.big - o.num;
});
expect('83:2', () => {
	-o.sym;
});
expect('86:2', () => {
	~o.sym;
});
expect('89:8', () => {
	o.big ** -o.big;
});
expect('92:8', () => {
	o.big < o.sym;
});
expect('95:4', () => {
	k in o.num;
});
expect('98:4', () => {
	o instanceof o.num;
});
expect('101:9', () => {
	`a ${o.sym} b`;
});
expect('104:2', () => {
	new o.num();
});
expect('107:16', () => {
	new o.foo.bar.Baz(o.num);
});
expect('110:2', () => {
	new o.num;
});
expect('113:8', () => {
	[...o.num];
});
expect('116:7', () => {
	o.foo`a`;
});
expect('119:11', () => {
	o.foo.bar`a`;
});
expect('122:10', () => {
	o.fn`a`.b;
});
expect('125:4', () => {
	u.foo;
});
expect('128:2', () => {
	u(o.num);
});
expect('131:9', () => {
	o.foo?.bar();
});
expect('134:14', () => {
	o.num ? o.n.a : 2;
});
expect('137:22', () => {
	({ a: o.num, b: o.n.x });
});
expect('140:16', () => {
	if (o.foo.bar.baz) return 1;
});
expect('143:23', () => {
	new (class extends o.num {})();
});
expect('146:4', () => {
	k = o.num;
});
expect('149:4', () => {
	k += o.num;
});
expect('152:18', () => {
	o.foo.x ||= o.n.y;
});
expect('155:24', () => {
	'use strict'; o.num.x = o.foo;
});
expect('160:4', () => {
	return o.foo
		.bar
		.baz();
});
expect('9:14', () => {
	Private.read(o);
});
expect('12:10', () => {
	Private.write(o);
});
export default wrong;
