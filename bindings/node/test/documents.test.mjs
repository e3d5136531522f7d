// SPDX-License-Identifier: Apache-2.0
// The code of the README and the examples prints what is documented, and the types match the package.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('.', import.meta.url);
const node = (...words) => spawnSync(process.execPath, words, { encoding: 'utf8', timeout: 300000, cwd: here });
const EXAMPLES = {
	first: '42\ndeadline at line 1\n',
	host_function: "[ 'apples' ]\n",
	cancel: 'cancelled\n',
	partial_results: 'begun\ndeadline cooperative { done: true, finished: false } true\n',
	many_at_once: '499500\n',
	notebook: 'null\n3\n[ 10, 20, 30 ]\n',
};

test('the README', () => {
	const blocks = [...readFileSync(new URL('README.md', here), 'utf8').matchAll(/^```js\n(.*?)^```/gms)].map(
		match => match[1],
	);
	assert.ok(blocks.length > 7);
	const code = blocks.join('\n');
	const done = node('--input-type=module', '-e', code);
	assert.deepEqual(
		[done.stdout.trimEnd().split('\n'), done.stderr],
		[[...code.matchAll(/\/\/ -> (.*)$/gm)].map(match => match[1]), ''],
	);
});

test('every example is tried', () => {
	assert.deepEqual(
		readdirSync(new URL('examples', here)).sort(),
		Object.keys(EXAMPLES)
			.map(name => `${name}.mjs`)
			.sort(),
	);
});

for (const [name, expected] of Object.entries(EXAMPLES))
	test(`example ${name}`, () => {
		const done = node(`examples/${name}.mjs`);
		assert.deepEqual([done.stdout, done.stderr, done.status], [expected, '', 0]);
	});

test('the types', () => {
	const done = node(
		'node_modules/typescript/bin/tsc',
		'--noEmit',
		'--strict',
		'--module',
		'nodenext',
		'--lib',
		'es2023,dom',
		'types.mts',
	);
	assert.deepEqual([done.stdout, done.status], ['', 0]);
});
