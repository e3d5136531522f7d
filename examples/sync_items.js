// SPDX-License-Identifier: Apache-2.0
// Syncs 1,000 items, which takes longer than there is time for. Each step is kept with a checkpoint; when the time is up the
// signal says so, and the program ends by itself within the grace:
//   curfew run --json --timeout 500ms --grace 50ms --host-calls 10k examples/sync_items.js

const of = 1000;

// Stands for a slow service.
const send = (item) => new Promise((done) => setTimeout(done, 1 + item % 3));

async function sync() {
	let synced = 0;
	while (synced < of && !curfew.signal.aborted) {
		await send(synced);
		synced++;
		curfew.checkpoint({ synced, of });
	}
	return { synced, of, finished: synced === of };
}

sync();
