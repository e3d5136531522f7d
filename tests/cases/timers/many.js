// SPDX-License-Identifier: Apache-2.0
// Clearing and unreferencing one of many timers needs no search among all of them.
// args: --timers 1M --memory 512MiB --cpu 20s --timeout 2m
// outcome: ok
// value: [100000,99999,33333,true]
const count = 200000;
const timers = [];
const fired = [];
for (let i = 0; i < count; i++) timers.push(setTimeout(() => fired.push(i), 1 + (i % 7)));
for (let i = count - 1; i >= 0; i--) timers[i].unref().ref();
// Each other one, in an order that is neither that of their times nor that of their ids.
for (let i = 0; i < count / 2; i++) clearTimeout(timers[2 * ((i * 7919) % (count / 2))]);
new Promise(resolve => setTimeout(resolve, 50)).then(() => {
	const again = [];
	for (let i = 0; i < 99999; i++) again.push(setInterval(() => again.push(-1), 100000));
	let cleared = 0;
	for (const timer of again) if (Number(timer) % 3 === 0) { clearInterval(timer); cleared++; }
	for (const timer of again) clearInterval(timer);
	return [fired.length, again.length, cleared, fired.every(i => i % 2 === 1)];
});
