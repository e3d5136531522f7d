// SPDX-License-Identifier: Apache-2.0
// Only a collection detects that nothing can settle it, because function and promise refer to each other.
// outcome: unsettled
// frames: inner collected.mjs:11:* | <anonymous> collected.mjs:19:*
// Timers keep the program running meanwhile.
const garbage = [];

async function inner() {
	const cycle = { promise: new Promise(() => {}) };
	cycle.self = cycle;
	await cycle.promise;
}

let rounds = 0;
const timer = setInterval(() => {
	for (let n = 0; n < 20000; n++) garbage[n % 100] = { n, list: new Array(20).fill(n) };
	if (++rounds > 20) clearInterval(timer);
}, 1);
await inner();
