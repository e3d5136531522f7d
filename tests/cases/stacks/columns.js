// SPDX-License-Identifier: Apache-2.0
// Columns count characters, even if the parser goes back: arrow functions, templates, line comments.
// outcome: threw
// frames: bang columns.js:6:70 | f columns.js:7:24 | g columns.js:8:26 | <anonymous> columns.js:9:16
/* ä
ö */ const ü = `€${((a, b) => `😀${a}`)(1)}`; function bang() { throw new Error(ü); }
const f = (x = 'ö') => bang(x);
/* ß */ const g = (a) => f(a);
const h = '🙂'; g(h);
