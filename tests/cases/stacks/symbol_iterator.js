// SPDX-License-Identifier: Apache-2.0
// The next method of an iterator.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: next symbol_iterator.js:7:* | <anonymous> symbol_iterator.js:9:*
const endless = { [Symbol.iterator]() { return this },
	next() { for (;;); },
};
for (const x of endless);
