// SPDX-License-Identifier: Apache-2.0
// Tests the client against the server that CURFEW_SERVER names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, Problem } from 'curfew';

const ADD = '(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))';
const client = new Client(process.env.CURFEW_SERVER);

test('a run is submitted and waited for', async () => {
	const report = await client.run({ source: 'export default (a, b) => a + b', params: [40, 2] });
	assert.deepEqual([report.outcome, report.value], ['ok', 42]);
	assert.equal((await client.run({ source: 'for (;;);', limits: { timeout: '100ms' } })).outcome, 'deadline');
	assert.equal((await client.run('6 * 7')).value, 42);
});

test('a run is followed and cancelled', async () => {
	const id = await client.submit({ source: 'curfew.progress(1); for (;;);', limits: { timeout: '10m' } });
	const kinds = [];
	for await (const event of client.events(id)) {
		kinds.push(event.kind);
		if (event.kind === 'progress') {
			assert.equal(event.data, 1);
			const report = await client.cancel(id);
			assert.ok(report === undefined || report.outcome === 'cancelled');
		}
	}
	assert.equal(kinds.at(-1), 'report');
	assert.equal((await client.get(id)).state, 'done');
	assert.equal((await client.cancel(id)).outcome, 'cancelled');
});

test('the same key never runs twice', async () => {
	const first = await client.submit('1', { idempotencyKey: 'once, in Node' });
	assert.equal(await client.submit('1', { idempotencyKey: 'once, in Node' }), first);
});

test('programs are stored', async () => {
	const stored = await client.putProgram('add-node', ADD, { language: 'wat' });
	assert.equal(stored.kind, 'module');
	assert.equal((await client.getProgram('add-node')).sha256, stored.sha256);
	assert.equal((await client.run({ program: 'add-node', call: 'add', params: [1, 2] })).value, 3);
	assert.ok((await client.programs()).some(program => program.name === 'add-node'));
	await client.deleteProgram('add-node');
	assert.equal(typeof (await client.stats()), 'object');
	assert.deepEqual(
		(await client.nodes()).map(node => node.state),
		['active'],
	);
	await assert.rejects(client.getProgram('add-node'), error => error instanceof Problem && error.status === 404);
});

test('runs are listed over pages', async () => {
	const wanted = [];
	for (let i = 0; i < 5; i++) wanted.push(await client.submit(String(i)));
	for (const id of wanted) await client.wait(id);
	const seen = new Set();
	for await (const run of client.runs({ limit: 2, state: 'done' })) seen.add(run.id);
	assert.ok(wanted.every(id => seen.has(id)));
});

test('a refusal names the field', async () => {
	await assert.rejects(
		client.submit({ source: '1', limits: { timeout: 'soon' } }),
		error => error instanceof Problem && error.pointer.includes('timeout'),
	);
	await assert.rejects(client.submit({}), TypeError);
	await assert.rejects(client.submit({ source: '1', program: 'add-node' }), TypeError);
	assert.throws(() => new Client('127.0.0.1:7433'), TypeError);
	await assert.rejects(new Client('http://127.0.0.1:1', { retries: 0 }).get('x'));
});
