// SPDX-License-Identifier: Apache-2.0
// The next method of an iterator.
// args: --timeout 80ms
// outcome: deadline
// frames: next symbol_iterator.js:7:* | <anonymous> symbol_iterator.js:9:*
const endless = { [Symbol.iterator]() { return this },
	next() { for (;;); },
};
for (const x of endless);
