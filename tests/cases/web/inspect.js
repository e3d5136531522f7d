// SPDX-License-Identifier: Apache-2.0
// The format of values on the console is that of Node, except where engines differ.
// outcome: ok
// stdout: {}
// stdout: []
// stdout: {
// stdout:   a: 1,
// stdout:   b: 'x',
// stdout:   c: null,
// stdout:   d: undefined,
// stdout:   e: true,
// stdout:   f: 1n,
// stdout:   g: Symbol(q),
// stdout:   h: -0
// stdout: }
// stdout: [ 1, 2, 3 ]
// stdout: [ 'a', 'b' ]
// stdout: { a: { b: { c: [Object] } } }
// stdout: { a: [ [ [Array] ] ] }
// stdout: { a: { b: { c: [] } } }
// stdout: { a: { b: { c: {} } } }
// stdout: { a: { b: { c: [Map] } } }
// stdout: { a: { b: { c: [Foo] } } }
// stdout: Foo { a: 1 }
// stdout: Bar { a: 1 }
// stdout: [class Foo]
// stdout: [class Bar extends Foo] { s: 2 }
// stdout: [class (anonymous)]
// stdout: [Function (anonymous)]
// stdout: [Function: f]
// stdout: [Function (anonymous)]
// stdout: [AsyncFunction (anonymous)]
// stdout: [GeneratorFunction: g]
// stdout: [AsyncGeneratorFunction: ag]
// stdout: [Function: f] { a: 1 }
// stdout: Map(2) { 'a' => 1, { x: 1 } => [ 2 ] }
// stdout: Set(3) { 1, 'a', { b: 1 } }
// stdout: Map(0) {}
// stdout: Set(0) {}
// stdout: 1970-01-01T00:00:00.000Z
// stdout: Invalid Date
// stdout: /ab+c/gi
// stdout: Uint8Array(3) [ 1, 2, 3 ]
// stdout: Float64Array(2) [ 0, 0 ]
// stdout: BigInt64Array(1) [ 0n ]
// stdout: ArrayBuffer { [Uint8Contents]: <00 00 00 00>, byteLength: 4 }
// stdout: DataView {
// stdout:   byteLength: 2,
// stdout:   byteOffset: 0,
// stdout:   buffer: ArrayBuffer { [Uint8Contents]: <00 00>, byteLength: 2 }
// stdout: }
// stdout: Promise { 1 }
// stdout: Promise { { a: 1 } }
// stdout: Promise { <pending> }
// stdout: Promise { <rejected> 3 }
// stdout: WeakMap { <items unknown> }
// stdout: WeakSet { <items unknown> }
// stdout: Symbol(a)
// stdout: Symbol()
// stdout: 1n
// stdout: -0
// stdout: str
// stdout: <ref *1> { name: 'c', list: [ 1, [Circular *1] ], self: [Circular *1] }
// stdout: [
// stdout:   <ref *1> {
// stdout:     name: 'c',
// stdout:     list: [ 1, [Circular *1] ],
// stdout:     self: [Circular *1]
// stdout:   }
// stdout: ]
// stdout: { a: [Getter] }
// stdout: { a: [Setter] }
// stdout: { a: [Getter/Setter] }
// stdout: [Object: null prototype] {}
// stdout: [Object: null prototype] { a: 1 }
// stdout: {}
// stdout: Foo {}
// stdout: { '1': 3, 'a-b': 2, '$x': 4, 'é': 1, [Symbol(k)]: 1 }
// stdout: [ <1 empty item>, 1, <2 empty items>, 2 ]
// stdout: [ undefined, null ]
// stdout: [ 1, 2, x: 1 ]
// stdout: [
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
// stdout:   7, 7, 7, 7,
// stdout:   ... 100 more items
// stdout: ]
// stdout: [
// stdout:     0,   3,   6,   9,  12,  15,  18,  21,  24,  27,  30,  33,
// stdout:    36,  39,  42,  45,  48,  51,  54,  57,  60,  63,  66,  69,
// stdout:    72,  75,  78,  81,  84,  87,  90,  93,  96,  99, 102, 105,
// stdout:   108, 111, 114, 117, 120, 123, 126, 129, 132, 135, 138, 141,
// stdout:   144, 147, 150, 153, 156, 159, 162, 165, 168, 171, 174, 177,
// stdout:   180, 183, 186, 189, 192, 195, 198, 201, 204, 207, 210, 213,
// stdout:   216, 219, 222, 225, 228, 231, 234, 237, 240, 243, 246, 249,
// stdout:   252, 255, 258, 261, 264, 267, 270, 273, 276, 279, 282, 285,
// stdout:   288, 291, 294, 297,
// stdout:   ... 20 more items
// stdout: ]
// stdout: [
// stdout:   'item0',  'item1',  'item2',
// stdout:   'item3',  'item4',  'item5',
// stdout:   'item6',  'item7',  'item8',
// stdout:   'item9',  'item10', 'item11',
// stdout:   'item12', 'item13', 'item14',
// stdout:   'item15', 'item16', 'item17',
// stdout:   'item18', 'item19', 'item20',
// stdout:   'item21', 'item22', 'item23',
// stdout:   'item24', 'item25', 'item26',
// stdout:   'item27', 'item28', 'item29'
// stdout: ]
// stdout: [
// stdout:   { i: 0 }, { i: 1 },
// stdout:   { i: 2 }, { i: 3 },
// stdout:   { i: 4 }, { i: 5 },
// stdout:   { i: 6 }, { i: 7 },
// stdout:   { i: 8 }, { i: 9 }
// stdout: ]
// stdout: a
// stdout: b
// stdout: { s: "a\nb'c" }
// stdout: { s: "it's" }
// stdout: { s: `it's "q"` }
// stdout: { s: '\x01\x7F😀\ud800' }
// stdout: {
// stdout:   s: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'
// stdout: }
// stdout: {
// stdout:   a: 'aaaaaaaaaaaaaaaaaaaaaaaaa',
// stdout:   b: 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',
// stdout:   c: 'cccccccccccccccccccccc',
// stdout:   d: 1
// stdout: }
// stdout: {
// stdout:   users: [
// stdout:     { name: 'Ann', tags: [Array], addr: [Object] },
// stdout:     { name: 'Bob', tags: [], addr: null }
// stdout:   ],
// stdout:   total: 2,
// stdout:   next: null
// stdout: }
// stdout: [Number: 3]
// stdout: [String: 'abc']
// stdout: [Boolean: false]
// stdout: [BigInt: 1n]
// stdout: [Symbol: Symbol(z)]
// stdout: [Number: 1] { a: 1 }
// stdout: { a: 1 }
// stdout: [ 1, 2 ]
// stdout: [Function: f]
// stdout: [Arguments] { '0': 1, '1': 2 }
// stdout: [ 1970-01-01T00:00:00.000Z ]
// stdout: {
// stdout:   d: 1970-01-01T00:00:00.000Z,
// stdout:   r: /x/,
// stdout:   f: [Function: f],
// stdout:   g: [Function: g],
// stdout:   k: [class K]
// stdout: }
// stdout: Object [Math] {}
// stdout: Object [JSON] {}
// stdout: [ 'a' ]
// stdout: Object [Generator] {}
// stdout: Map(1) { { a: { b: [Object] } } => 1 }
// stdout: [ [ 1, [ 2, [Array] ] ] ]
// stdout: { a: 1, b: { c: 2, d: { e: 3, f: {} } } }
// stdout: [
// stdout:      1.5, 2.25, -3,
// stdout:   100000,    7,  8,
// stdout:        9,   10
// stdout: ]
// stdout: [
// stdout:   'a',       'bb',
// stdout:   'ccc',     'dddd',
// stdout:   'eeeee',   'ffffff',
// stdout:   'ggggggg'
// stdout: ]
// stdout: [ true, false, null, undefined, 1, 'x', {} ]
// stdout: [ [ 1, 2, [ 3, 4 ] ], [ 5, 6 ] ]
// stdout: {
// stdout:   x: [
// stdout:     { a: 1, b: 2 },
// stdout:     { a: 3, b: 4 },
// stdout:     { a: 5, b: 6 },
// stdout:     { a: 7, b: 8 },
// stdout:     { a: 9, b: 10 },
// stdout:     { a: 11, b: 12 },
// stdout:     { a: 13, b: 14 }
// stdout:   ]
// stdout: }
// stdout: {}
// stdout: { a: {} }
// stdout: { a: [] }
// stdout: [ <3 empty items> ]
// stdout: M(1) [Map] { 1 => 2 }
// stdout: S2(0) [Set] {}
// stdout: E2(2) [Uint8Array] [ 0, 0 ]
// stdout: { a: 1, [Symbol(Symbol.toStringTag)]: 'Tag' }
// stdout: T [TT] {}
// stdout: { undefined: 1, null: 2, '': 3 }
// stdout: { a: [Function: a], b: [class A extends Foo] }
// stdout: [ [Function: foo] ]
// stdout: -1.5e+300
// stdout: [ -0, 0 ]
// stdout: NaN
// stdout: [ NaN, Infinity ]
// stdout: {
// stdout:   a: 'multi\n' +
// stdout:     'line string that is quite long to be split across lines I think it is more than eighty chars'
// stdout: }
// stdout: [
// stdout:   '日本0', '日本1',
// stdout:   '日本2', '日本3',
// stdout:   '日本4', '日本5',
// stdout:   '日本6'
// stdout: ]
// stdout: [
// stdout:   'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
// stdout:   'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy',
// stdout:   'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz'
// stdout: ]
// stdout: Set(110) {
// stdout:   0,
// stdout:   1,
// stdout:   2,
// stdout:   3,
// stdout:   4,
// stdout:   5,
// stdout:   6,
// stdout:   7,
// stdout:   8,
// stdout:   9,
// stdout:   10,
// stdout:   11,
// stdout:   12,
// stdout:   13,
// stdout:   14,
// stdout:   15,
// stdout:   16,
// stdout:   17,
// stdout:   18,
// stdout:   19,
// stdout:   20,
// stdout:   21,
// stdout:   22,
// stdout:   23,
// stdout:   24,
// stdout:   25,
// stdout:   26,
// stdout:   27,
// stdout:   28,
// stdout:   29,
// stdout:   30,
// stdout:   31,
// stdout:   32,
// stdout:   33,
// stdout:   34,
// stdout:   35,
// stdout:   36,
// stdout:   37,
// stdout:   38,
// stdout:   39,
// stdout:   40,
// stdout:   41,
// stdout:   42,
// stdout:   43,
// stdout:   44,
// stdout:   45,
// stdout:   46,
// stdout:   47,
// stdout:   48,
// stdout:   49,
// stdout:   50,
// stdout:   51,
// stdout:   52,
// stdout:   53,
// stdout:   54,
// stdout:   55,
// stdout:   56,
// stdout:   57,
// stdout:   58,
// stdout:   59,
// stdout:   60,
// stdout:   61,
// stdout:   62,
// stdout:   63,
// stdout:   64,
// stdout:   65,
// stdout:   66,
// stdout:   67,
// stdout:   68,
// stdout:   69,
// stdout:   70,
// stdout:   71,
// stdout:   72,
// stdout:   73,
// stdout:   74,
// stdout:   75,
// stdout:   76,
// stdout:   77,
// stdout:   78,
// stdout:   79,
// stdout:   80,
// stdout:   81,
// stdout:   82,
// stdout:   83,
// stdout:   84,
// stdout:   85,
// stdout:   86,
// stdout:   87,
// stdout:   88,
// stdout:   89,
// stdout:   90,
// stdout:   91,
// stdout:   92,
// stdout:   93,
// stdout:   94,
// stdout:   95,
// stdout:   96,
// stdout:   97,
// stdout:   98,
// stdout:   99,
// stdout:   ... 10 more items
// stdout: }
// stdout: Map(30) {
// stdout:   0 => 0,
// stdout:   1 => 1,
// stdout:   2 => 2,
// stdout:   3 => 3,
// stdout:   4 => 4,
// stdout:   5 => 5,
// stdout:   6 => 6,
// stdout:   7 => 7,
// stdout:   8 => 8,
// stdout:   9 => 9,
// stdout:   10 => 10,
// stdout:   11 => 11,
// stdout:   12 => 12,
// stdout:   13 => 13,
// stdout:   14 => 14,
// stdout:   15 => 15,
// stdout:   16 => 16,
// stdout:   17 => 17,
// stdout:   18 => 18,
// stdout:   19 => 19,
// stdout:   20 => 20,
// stdout:   21 => 21,
// stdout:   22 => 22,
// stdout:   23 => 23,
// stdout:   24 => 24,
// stdout:   25 => 25,
// stdout:   26 => 26,
// stdout:   27 => 27,
// stdout:   28 => 28,
// stdout:   29 => 29
// stdout: }
// stdout: { a: 1, toString: [Function: toString] }
// stdout: [ [] ]
// stdout: [ {} ]
// stdout: [ [], [] ]
// stdout: { m: Map(1) { 'k' => { v: [Array] } } }
// stdout: [ <5 empty items> ]
// stdout: [ 1, <1 empty item>, 3 ]
// stdout: [ <1 empty item> ]
// stdout: [ <1000000 empty items> ]
// stdout: [ <2 empty items>, 1 ]
// stdout: [ { a: { b: [Object] } } ] { in: { a: { b: [Object] } } } [ [ [class Bar extends Foo] { s: 2 } ] ]
class Foo { constructor(){ this.a=1; } get x(){return 1} }
class Bar extends Foo { #p=1; static s=2 }
const circ={name:'c', list:[1]}; circ.self=circ; circ.list.push(circ);
const cases=[
 {}, [], {a:1,b:'x',c:null,d:undefined,e:true,f:1n,g:Symbol('q'),h:-0}, [1,2,3], ['a','b'],
 {a:{b:{c:{d:1}}}}, {a:[[[[1]]]]}, {a:{b:{c:[]}}}, {a:{b:{c:{}}}}, {a:{b:{c:new Map([[1,2]])}}}, {a:{b:{c:new Foo}}},
 new Foo, new Bar, Foo, Bar, class{}, function(){}, function f(){}, ()=>{}, async()=>{}, function*g(){},
	async function*ag(){},
 Object.assign(function f(){}, {a:1}), new Map([['a',1],[{x:1},[2]]]), new Set([1,'a',{b:1}]), new Map, new Set,
 new Date(0), new Date(NaN), /ab+c/gi, new Uint8Array([1,2,3]), new Float64Array(2), new BigInt64Array(1),
	new ArrayBuffer(4), new DataView(new ArrayBuffer(2)),
 Promise.resolve(1), Promise.resolve({a:1}), new Promise(()=>{}),
	(()=>{const p=Promise.reject(3);p.catch(()=>{});return p})(),
 new WeakMap, new WeakSet, Symbol('a'), Symbol(), 1n, -0, 'str', circ, [circ],
 {get a(){return 1}}, {set a(v){}}, {get a(){return 1}, set a(v){}},
 Object.create(null), Object.assign(Object.create(null),{a:1}), Object.create({}), Object.create(Foo.prototype),
 {[Symbol('k')]:1, 'a-b':2, '1':3, $x:4, 'é':1}, [ , 1, , , 2], [undefined,null], Object.assign([1,2],{x:1}),
 Array(200).fill(7), Array.from({length:120},(_, i)=>i*3), Array.from({length:30},(_, i)=>'item'+i),
	Array.from({length:10},(_, i)=>({i})),
 'a\nb', {s:'a\nb\'c'}, {s:"it's"}, {s:"it's \"q\""}, {s:'\x01\x7f\u{1F600}\ud800'}, {s:'x'.repeat(200)},
 {a:'aaaaaaaaaaaaaaaaaaaaaaaaa',b:'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',c:'cccccccccccccccccccccc',d:1},
 {users:[{name:'Ann',tags:['a','b'],addr:{city:'X',zip:{code:1}}},{name:'Bob',tags:[],addr:null}], total:2, next:null},
 new Number(3), new String('abc'), new Boolean(false), Object(1n), Object(Symbol('z')),
	Object.assign(new Number(1),{a:1}),
 new Proxy({a:1},{}), new Proxy([1,2],{}), new Proxy(function f(){},{}), (function(){return arguments})(1,2),
 [new Date(0)], {d:new Date(0), r:/x/, f(){} , g:()=>1, k:class K{}}, globalThis.Math, JSON, Reflect.ownKeys({a:1}),
 (function*(){})(), new Map([[{a:{b:{c:1}}},1]]), [[1,[2,[3,[4]]]]], {a:1,b:{c:2,d:{e:3,f:{}}}},
 [1.5,2.25,-3,100000,7,8,9,10], ['a','bb','ccc','dddd','eeeee','ffffff','ggggggg'],
	[true,false,null,undefined,1,'x',{}],
 [[1,2,[3,4]],[5,6]], {x:[{a:1,b:2},{a:3,b:4},{a:5,b:6},{a:7,b:8},{a:9,b:10},{a:11,b:12},{a:13,b:14}]},
 Object.defineProperty({}, 'hid', {value:1}), {a:{}} , {a:[]}, new (class extends Array{})(3),
	new (class M extends Map{})([[1,2]]), new (class S2 extends Set{}),
 new (class E2 extends Uint8Array{})(2), {[Symbol.toStringTag]:'Tag',a:1},
	new (class T{get [Symbol.toStringTag](){return 'TT'}}),
 {undefined:1,null:2,'':3}, {a:function(){}, b:class A extends Foo{}}, [function foo(){}], -1.5e300, [ -0, 0 ], NaN,
	[NaN, Infinity],
 {'a':'multi\nline string that is quite long to be split across lines I think it is more than eighty chars'},
 Array.from({length:7},(_, i)=>'日本'+i), [ 'x'.repeat(30), 'y'.repeat(30), 'z'.repeat(30) ],
	new Set(Array.from({length:110},(_, i)=>i)), new Map(Array.from({length:30},(_, i)=>[i,i])),
 {a:1, toString(){return 'TS'}}, [[]], [{}], [[],[]], {m:new Map([['k',{v:[1,2,{z:1}]}]])}, Array(5), [1,,3], [,],
	Array(1e6), Object.assign(Array(3),{2:1}),
];
for (const value of cases)
	console.log(value);
console.log([cases[5]], { in: cases[7] }, [[cases[14]]]);
