// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: ["5","","a5b","a","b","","5","b","2024","new","","TypeError","l"]
/(\d)(x)?/.test('a5b');
const seen = [RegExp.$1, RegExp.$2, RegExp.input, RegExp['$`'], RegExp["$'"], RegExp.lastParen, RegExp.lastMatch];
'abc'.replace(/(b)/g, 'x'); seen.push(RegExp.$1);
'on 2024-01'.match(/(\d+)-(\d+)/); seen.push(RegExp.$1);
RegExp.input = 'new'; seen.push(RegExp.$_);
/none/.test('x'); /()/.exec('y'); seen.push(RegExp.$9);
try { Reflect.get(RegExp, '$1', {}) } catch (error) { seen.push(error.name) }
/(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)/.exec('abcdefghijkl'); seen.push(RegExp['$+']);
seen;
