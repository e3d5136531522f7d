// SPDX-License-Identifier: Apache-2.0
// Marks and measures.
// outcome: ok
// value: ["a","mark",5,0,{"x":1},"m","measure",5,10,15,2,1,0,"TypeError","SyntaxError","TypeError"]
const caught = (action) => { try { action(); return 'none'; } catch (error) { return error.name; } };
const detail = { x: 1 };
const a = performance.mark('a', { startTime: 5, detail });
performance.mark('b', { startTime: 15 });
const m = performance.measure('m', 'a', 'b');
const by = performance.measure('n', { start: 'a', duration: 15 });
const counts = [performance.getEntriesByType('mark').length, performance.getEntriesByName('m', 'measure').length];
performance.clearMarks();
performance.clearMeasures('m');
const left = performance.getEntriesByType('mark').length;
[a.name, a.entryType, a.startTime, a.duration, a.detail !== detail && a.detail, m.name, m.entryType, m.startTime, m.duration, by.duration, ...counts, left,
	caught(() => performance.mark()), caught(() => performance.measure('z', 'gone')), caught(() => performance.measure('z', { start: 1, end: 2, duration: 3 }))];
