// SPDX-License-Identifier: Apache-2.0
// However a for await is left, its iterator has ended before the program goes on; one whose value rejects is closed too.
// outcome: ok
// value: ["cleaned","thrown at 0","cleaned","TypeError","cleaned","TypeError","cleaned","TypeError","|","inner","inner","primitive","inner","outer","|","first","passed","into","first","passed","given","first","passed","first","passed",0,"|","closed","rejected","closed","a value","closed","constructor","closed","delegated","|","0,0,0","closed","0,1,2,3,caught,4,5,6,7"]
const seen = [];
const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
async function* source(name = 'cleaned') {
	try {
		for (let i = 0; i < 3; i++) yield i;
	} finally {
		await sleep(5);
		seen.push(name);
	}
}
try { for await (const x of source()) throw new Error(`thrown at ${x}`); } catch (error) { seen.push(error.message); }
try { for await (const { a: { b } } of source()) seen.push(b); } catch (error) { seen.push(error.name); }
try { for await (const [x] of source()) seen.push(x); } catch (error) { seen.push(error.name); }
try { for await (null.x of source()) seen.push('assigned'); } catch (error) { seen.push(error.name); }
seen.push('|');
outer: for await (const x of source('outer')) {
	try {
		for await (const y of source('inner')) {
			if (x === 0) continue outer;
			if (x === 1) throw 'primitive';
			break outer;
		}
	} catch (error) { seen.push(error); }
}
seen.push('|');
async function* passes() {
	try {
		for await (const x of source('first')) yield x;
	} finally { seen.push('passed'); }
}
const failing = passes();
await failing.next();
await failing.throw(new Error('into')).catch((error) => seen.push(error.message));
const returned = passes();
await returned.next();
seen.push((await returned.return('given')).value);
try { for await (const x of passes()) { for await (const y of passes()) throw x + y; } } catch (error) { seen.push(error); }
seen.push('|');
const sync = (value) => ({
	next() { return { value, done: false }; },
	return() { seen.push('closed'); return {}; },
	[Symbol.iterator]() { return this; },
});
try { for await (const x of sync(Promise.reject(new Error('rejected')))) seen.push('never'); } catch (error) { seen.push(error.message); }
try { for await (const x of sync({ get constructor() { throw new Error('no promise'); }, then: 5 })) throw new Error('a value'); } catch (error) { seen.push(error.message); }
const broken = Promise.resolve(1);
Object.defineProperty(broken, 'constructor', { get() { throw new Error('constructor'); } });
try { for await (const x of sync(broken)) seen.push('never'); } catch (error) { seen.push(error.message); }
async function* delegates() { yield* sync(Promise.reject(new Error('delegated'))); }
await delegates().next().catch((error) => seen.push(error.message));
seen.push('|');
const args = [];
let left = 2;
for await (const x of { next() { args.push(arguments.length); return { done: !left-- }; }, [Symbol.asyncIterator]() { return this; } });
seen.push(args.join());
const order = [];
const promise = (async () => { try { for await (const x of sync(1)) throw 1; } catch { order.push('caught'); } })();
for (let i = 0; i < 8; i++) await order.push(i);
await promise;
seen.push(order.join());
export default seen;
