// SPDX-License-Identifier: Apache-2.0
// Waits for what never comes: the stop shows where, though nothing was running.
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function download(name) {
	await sleep(10);
	if (name === 'c')
		await sleep(1e9);
	return name.length;
}

async function sum(names) {
	let total = 0;
	for (const name of names)
		total += await download(name);
	return total;
}

export default await sum(['a', 'b', 'c']);
