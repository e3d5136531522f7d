// SPDX-License-Identifier: Apache-2.0
// Programs to begin with, and the one that the two demonstrations run.

const TEN_SECONDS = `// Computes for ten seconds, and keeps what it has so far: a deadline or
// a cancel in between loses nothing.
const until = performance.now() + 10_000;
let found = 0, next = 2, told = 0;

function isPrime(n) {
	for (let d = 2; d * d <= n; d++)
		if (n % d === 0) return false;
	return true;
}

while (performance.now() < until) {
	if (isPrime(next)) found++;
	next++;
	const second = 10 - Math.ceil((until - performance.now()) / 1000);
	if (second > told) {
		told = second;
		console.log(\`\${second} s: \${found} primes below \${next}\`);
		curfew.checkpoint({ found, below: next });
		curfew.progress(second / 10);
	}
}
({ found, below: next });
`;

/**
 * In the order of the list; `lang` is what the server is told.
 * @type {{id: string, name: string, lang: string, source: string}[]}
 */
export const examples = [
	{
		id: 'hello',
		name: 'Hello',
		lang: 'js',
		source: `// The last value is the result; console.log goes to the output.
const squares = Array.from({ length: 10 }, (_, n) => n * n);
console.log('squares:', squares.join(' '));

({ sum: squares.reduce((a, b) => a + b), limits: curfew.limits });
`,
	},
	{ id: 'ten', name: 'Ten seconds of work', lang: 'js', source: TEN_SECONDS },
	{
		id: 'microtasks',
		name: 'Microtasks without end',
		lang: 'js',
		source: `// Never comes back to the event loop, and catches whatever it can.
let turns = 0;

function again() {
	try {
		turns++;
		if (turns % 100_000 === 0) curfew.checkpoint({ turns });
	} finally {
		Promise.resolve().then(again);
	}
}

console.log('spinning');
again();
`,
	},
	{
		id: 'hostile',
		name: 'Hides from its time limit',
		lang: 'js',
		source: `// One call into the engine that takes hours, inside a catch that
// swallows everything.
function search() {
	return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 'x');
}

for (;;) {
	try {
		search();
	} catch {
		// Not today.
	}
}
`,
	},
	{
		id: 'grace',
		name: 'Finishes within a grace',
		lang: 'js',
		source: `// Set Grace to 500ms: told that time is up, it ends by itself.
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function sync() {
	let synced = 0;
	while (synced < 1000 && !curfew.signal.aborted) {
		await wait(10);
		synced++;
		curfew.checkpoint({ synced });
		if (synced % 50 === 0) console.log('synced', synced);
	}
	return { synced, reason: curfew.signal.reason?.name ?? 'all done' };
}

sync();
`,
	},
	{
		id: 'memory',
		name: 'Wants all the memory',
		lang: 'js',
		source: `const kept = [];
for (;;) {
	kept.push(new Uint8Array(1 << 20).fill(7));
	console.log(kept.length, 'MiB');
}
`,
	},
	{
		id: 'throws',
		name: 'Throws',
		lang: 'js',
		source: `function parse(text) {
	return JSON.parse(text);
}

function load() {
	console.error('reading the settings');
	return parse('{"limit": }');
}

load();
`,
	},
	{
		id: 'wat',
		name: 'WebAssembly: sum',
		lang: 'wat',
		source: `;; Call "sum" (below, under Call) with parameters such as [1000000].
(module
  (func (export "sum") (param $n i64) (result i64)
    (local $total i64)
    (loop $next
      (local.set $total (i64.add (local.get $total) (local.get $n)))
      (local.set $n (i64.sub (local.get $n) (i64.const 1)))
      (br_if $next (i64.gt_s (local.get $n) (i64.const 0))))
    (local.get $total)))
`,
	},
	{
		id: 'wat-loop',
		name: 'WebAssembly: a loop without end',
		lang: 'wat',
		source: `(module
  (func $spin (export "spin")
    (loop $again
      (br $again)))
  (start $spin))
`,
	},
];

/** What Schedule and Both run: ten seconds of work. */
export const tenSeconds = examples.find(example => example.id === 'ten');
