// SPDX-License-Identifier: Apache-2.0
// The messages of errors are those of V8 (Node 22), which programs print and compare.
// outcome: ok
// stdout: TypeError: Cannot read properties of undefined (reading 'x')
// stdout: TypeError: Cannot read properties of null (reading '0')
// stdout: TypeError: Cannot set properties of undefined (setting 'x')
// stdout: TypeError: Cannot read properties of undefined (reading 'Symbol.iterator')
// stdout: TypeError: Cannot read properties of undefined (reading 'y')
// stdout: TypeError: o.a b is not a function
// stdout: TypeError: a[0].b is not a function
// stdout: TypeError: a[0] is not a function
// stdout: TypeError: o is not a constructor
// stdout: TypeError: 5 is not a function
// stdout: TypeError: Assignment to constant variable.
// stdout: ReferenceError: Cannot access 'later' before initialization
// stdout: TypeError: 5 is not iterable
// stdout: TypeError: Iterator value 1 is not an entry object
// stdout: TypeError: number 5 is not iterable (cannot read property Symbol(Symbol.iterator))
// stdout: TypeError: Iterator value 1 is not an entry object
// stdout: TypeError: Object.defineProperty called on non-object
// stdout: TypeError: Cannot add property z, object is not extensible
// stdout: TypeError: Cannot delete property 'a' of #<Object>
// stdout: TypeError: Cannot assign to read only property 'a' of object '#<Object>'
// stdout: TypeError: Cannot assign to read only property 'length' of string 'abc'
// stdout: TypeError: Cannot set property a of #<Object> which has only a getter
// stdout: TypeError: #<Object> is not extensible
// stdout: TypeError: Right-hand side of 'instanceof' is not an object
// stdout: TypeError: Right-hand side of 'instanceof' is not callable
// stdout: TypeError: Function has non-object prototype 'undefined' in instanceof check
// stdout: TypeError: Cannot use 'in' operator to search for 'a' in b
// stdout: TypeError: Cannot use 'in' operator to search for '1' in undefined
// stdout: TypeError: Cannot use 'in' operator to search for 'x' in Symbol(k)
// stdout: TypeError: Symbol(...) is not a function
// stdout: TypeError: Promise resolver Symbol(p) is not a function
// stdout: TypeError: Cannot convert a Symbol value to a string
// stdout: TypeError: Cannot convert a Symbol value to a number
// stdout: TypeError: Cannot mix BigInt and other types, use explicit conversions
// stdout: TypeError: Cannot convert a BigInt value to a number
// stdout: TypeError: Cannot convert a BigInt value to a number
// stdout: SyntaxError: Cannot convert x to a BigInt
// stdout: RangeError: The number 1.5 cannot be converted to a BigInt because it is not an integer
// stdout: TypeError: Cannot convert undefined to a BigInt
// stdout: RangeError: Division by zero
// stdout: RangeError: Invalid count value: -1
// stdout: RangeError: toFixed() digits argument must be between 0 and 100
// stdout: RangeError: toExponential() argument must be between 0 and 100
// stdout: RangeError: toPrecision() argument must be between 1 and 100
// stdout: RangeError: Invalid array length
// stdout: RangeError: Invalid array length
// stdout: RangeError: The normalization form should be one of NFC, NFD, NFKC, NFKD.
// stdout: RangeError: Invalid time value
// stdout: URIError: URI malformed
// stdout: URIError: URI malformed
// stdout: SyntaxError: Invalid regular expression: /(/: Unterminated group
// stdout: SyntaxError: Invalid regular expression: /[b-a]/u: Range out of order in character class
// stdout: SyntaxError: Invalid regular expression: /a**/: Nothing to repeat
// stdout: SyntaxError: Invalid regular expression: /a)/: Unmatched ')'
// stdout: SyntaxError: Invalid flags supplied to RegExp constructor 'zz'
// stdout: TypeError: String.prototype.matchAll called with a non-global RegExp argument
// stdout: TypeError: String.prototype.replaceAll called with a non-global RegExp argument
// stdout: TypeError: Reduce of empty array with no initial value
// stdout: TypeError: 5 is not a function
// stdout: TypeError: f is not a function
// stdout: TypeError: The comparison function must be either a function or undefined
// stdout: TypeError: Promise resolver undefined is not a function
// stdout: TypeError: Constructor Map requires 'new'
// stdout: TypeError: Class constructor A cannot be invoked without 'new'
// stdout: TypeError: Class extends value undefined is not a constructor or null
// stdout: ReferenceError: Must call super constructor in derived class before accessing 'this' or returning from derived constructor
// stdout: TypeError: Cannot read private member #p from an object whose class did not declare it
// stdout: TypeError: Cannot write private member #p to an object whose class did not declare it
// stdout: SyntaxError: Unexpected identifier 'b'
// stdout: SyntaxError: Unexpected end of input
// stdout: SyntaxError: Unexpected end of input
// stdout: SyntaxError: Unexpected token '}'
// stdout: SyntaxError: missing ) after argument list
// stdout: SyntaxError: Illegal return statement
// stdout: SyntaxError: await is only valid in async functions and the top level bodies of modules
// stdout: SyntaxError: Missing initializer in const declaration
// stdout: SyntaxError: Illegal break statement
// stdout: SyntaxError: Invalid left-hand side in assignment
// stdout: SyntaxError: Invalid or unexpected token
// stdout: TypeError: Do not know how to serialize a BigInt
// stdout: TypeError: Converting circular structure to JSON
// stdout:     --> starting at object with constructor 'Object'
// stdout:     --- property 'c' closes the circle
// stdout: TypeError: Converting circular structure to JSON
// stdout:     --> starting at object with constructor 'Object'
// stdout:     |     property 'a' -> object with constructor 'Object'
// stdout:     |     property 'b' -> object with constructor 'Array'
// stdout:     |     index 1 -> object with constructor 'Object'
// stdout:     --- property 'top' closes the circle
// stdout: TypeError: Converting circular structure to JSON
// stdout:     --> starting at object with constructor 'Array'
// stdout:     |     index 0 -> object with constructor 'Array'
// stdout:     --- index 0 closes the circle
// stdout: RangeError: Offset is outside the bounds of the DataView
// stdout: TypeError: Cannot convert object to primitive value
// stdout: TypeError: Invalid value used as weak map key
// stdout: TypeError: Invalid value used in weak set
// stdout: TypeError: x is not a symbol
// stdout: DataCloneError: () => {} could not be cloned.
// stdout: DataCloneError: Symbol(s) could not be cloned.
// stdout: TypeError: Invalid URL
// stdout: TypeError: The "callback" argument must be of type function. Received type string ('x')
// stdout: function push() { [native code] }
// stdout: TypeError: Cannot read properties of null (reading 'k')
// stdout: TypeError: Cannot read properties of undefined (reading 'k')
// stdout: TypeError: Cannot read properties of null (reading 'k')
// stdout: TypeError: Cannot set properties of null (setting 'k')
// stdout: TypeError: Cannot create proxy with a non-object as target or handler
// stdout: SyntaxError: Unexpected end of JSON input
// stdout: SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)
// stdout: SyntaxError: Unexpected end of JSON input
// stdout: SyntaxError: Expected double-quoted property name in JSON at position 7 (line 1 column 8)
// stdout: SyntaxError: Unexpected token ']', "[1,]" is not valid JSON
// stdout: SyntaxError: Expected ',' or ']' after array element in JSON at position 2 (line 1 column 3)
// stdout: SyntaxError: Expected ':' after property name in JSON at position 5 (line 1 column 6)
// stdout: SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)
// stdout: SyntaxError: Unexpected end of JSON input
// stdout: SyntaxError: Unexpected token '}', "{"a": tru}" is not valid JSON
// stdout: SyntaxError: "undefined" is not valid JSON
// stdout: SyntaxError: "[object Object]" is not valid JSON
// stdout: SyntaxError: Unexpected token 'h', "hello" is not valid JSON
// stdout: SyntaxError: Unexpected non-whitespace character after JSON at position 8 (line 1 column 9)
// stdout: SyntaxError: Unterminated string in JSON at position 4 (line 1 column 5)
// stdout: SyntaxError: Bad control character in string literal in JSON at position 2 (line 1 column 3)
// stdout: SyntaxError: Unexpected number in JSON at position 1 (line 1 column 2)
// stdout: SyntaxError: Unterminated fractional number in JSON at position 2 (line 1 column 3)
// stdout: SyntaxError: No number after minus sign in JSON at position 1 (line 1 column 2)
// stdout: SyntaxError: Bad escaped character in JSON at position 2 (line 1 column 3)
// stdout: SyntaxError: Expected ',' or ']' after array element in JSON at position 3 (line 1 column 4)
// stdout: SyntaxError: Unexpected token '<', "<!DOCTYPE "... is not valid JSON
// stdout: SyntaxError: Unexpected token 'q', ..."1,1,1,1,1,q,2,2,2,2,"... is not valid JSON
// stdout: SyntaxError: Unexpected token ',', ..."[null, nul, 12345678"... is not valid JSON
// stdout: SyntaxError: Unexpected token 'é', "é" is not valid JSON
// stdout: SyntaxError: Expected ',' or '}' after property value in JSON at position 10 (line 1 column 11)
// stdout: SyntaxError: Unexpected token 'x', ..."6,7,8,9,1,x]" is not valid JSON
// stdout: SyntaxError: Unexpected non-whitespace character after JSON at position 7 (line 1 column 8)
'use strict';
const o = {}, a = [1], c = 1, frozen = Object.freeze({ a: 1 }), getter = { get a() { return 1; } };
const ring = {}, deep = { a: { b: [1, {}] } }, list = [[]];
ring.c = ring;
deep.a.b[1].top = deep;
list[0].push(list);
class Private {
	#p;
	static read(x) { return x.#p; }
	static write(x) { x.#p = 1; }
}
const said = (action) => {
	try {
		console.log(action());
	} catch (error) {
		console.log(`${error.name}: ${error.message}`);
	}
};
said(() => undefined.x);
said(() => null[0]);
said(() => undefined.x = 1);
said(() => undefined[Symbol.iterator.description]);
said(() => o.x.y);
said(() => o['a b']());
said(() => a[0].b());
said(() => a[0]());
said(() => new o());
said(() => 5());
said(() => { c = 2; });
said(() => { later; let later = 1; });
said(() => [...5]);
said(() => new Map([1]));
said(() => new Set(5));
said(() => Object.fromEntries([1]));
said(() => Object.defineProperty(1, 'a', {}));
said(() => frozen.z = 1);
said(() => delete frozen.a);
said(() => frozen.a = 2);
said(() => 'abc'.length = 1);
said(() => getter.a = 2);
said(() => Object.setPrototypeOf(frozen, {}));
said(() => null instanceof null);
said(() => 1 instanceof o);
said(() => o instanceof (() => {}));
said(() => 'a' in 'b');
said(() => 1 in undefined);
said(() => 'x' in Symbol('k'));
said(() => Symbol('s')());
said(() => new Promise(Symbol('p')));
said(() => Symbol() + '');
said(() => Symbol() + 1);
said(() => 1n + 1);
said(() => +1n);
said(() => Math.max(1n));
said(() => BigInt('x'));
said(() => BigInt(1.5));
said(() => BigInt(undefined));
said(() => 1n / 0n);
said(() => 'x'.repeat(-1));
said(() => (1).toFixed(101));
said(() => (1).toExponential(-1));
said(() => (1).toPrecision(0));
said(() => new Array(-1));
said(() => a.length = -1);
said(() => 'a'.normalize('x'));
said(() => new Date(NaN).toISOString());
said(() => decodeURIComponent('%'));
said(() => encodeURIComponent('\ud800'));
said(() => new RegExp('('));
said(() => new RegExp('[b-a]', 'u'));
said(() => new RegExp('a**'));
said(() => new RegExp('a)'));
said(() => new RegExp('a', 'zz'));
said(() => 'x'.matchAll(/a/));
said(() => 'x'.replaceAll(/a/, ''));
said(() => [].reduce((x) => x));
said(() => [1].forEach(5));
said(() => [1].map('f'));
said(() => [3, 1].sort(5));
said(() => new Promise());
said(() => Map());
said(() => (class A {})());
said(() => { class B extends undefined {}; });
said(() => new (class extends Object { constructor() { this.x; } })());
said(() => Private.read({}));
said(() => Private.write({}));
said(() => eval('a b'));
said(() => eval('1 +'));
said(() => eval('('));
said(() => eval('}'));
said(() => eval('f(1, 2'));
said(() => eval('return 1'));
said(() => eval('await f()'));
said(() => eval('const x'));
said(() => eval('break'));
said(() => eval('1 = 2'));
said(() => eval('"abc'));
said(() => JSON.stringify(1n));
said(() => JSON.stringify(ring));
said(() => JSON.stringify(deep));
said(() => JSON.stringify(list));
said(() => new DataView(new ArrayBuffer(1)).getInt32(0));
said(() => ({ __proto__: null }) + '');
said(() => new WeakMap().set(1, 1));
said(() => new WeakSet().add(1));
said(() => Symbol.keyFor('x'));
said(() => structuredClone(() => {}));
said(() => structuredClone(Symbol('s')));
said(() => new URL('no address'));
said(() => setTimeout('x'));
said(() => String([].push));
const key = 'k';
said(() => null[key]++);
said(() => { undefined[key] += 1; });
said(() => { null[key] ??= 1; });
said(() => { [null[key]] = [1]; });
said(() => new Proxy({}, null));
for (const text of ['', '{', '{"a":', '{"a":1,}', '[1,]', '[1', '{"a" 1}', '{\'a\':1}', 'tru', '{"a": tru}', 'undefined', '[object Object]', 'hello', '{"a":1} x', '"abc', '"a\nb"', '01', '1.', '-', '"\\q"', '[1 2]', '<!DOCTYPE html><html></html>', '[1,1,1,1,1,1,1,q,2,2,2,2,2,2,2]', '[null, nul, 1234567890]', 'é', '{"é": "ü" q}', '[1,2,3,4,5,6,7,8,9,1,x]', '{"a":1}}'])
	said(() => JSON.parse(text));
