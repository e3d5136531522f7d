// SPDX-License-Identifier: Apache-2.0
// Cost of a call: keeping an object with 1 KiB of JSON, a list of records, as the partial result.
const record = (id) => ({ id, name: 'item number ' + id, url: 'https://example.com/items/' + id, state: 'synced', size: 1000 + id });
const object = { synced: 10, of: 40, state: 'running', items: Array.from({ length: 10 }, (_, id) => record(id)) };
function run(n) {
	let last;
	for (let i = 0; i < n; i++) last = curfew.checkpoint(object);
	return n;
}
run(100000);
