// SPDX-License-Identifier: Apache-2.0
// An error that was created elsewhere leaves an async generator through its finally, like from a failing stream. The outermost frame of a job
// is no function of the program.
// args: --node
// outcome: ok
// value: ["x","finally","broken","broken","y"]
import { Readable } from 'node:stream';
const seen = [];
async function* wait(source) {
	let wake, error;
	source.fail = (reason) => {
		error = reason;
		wake();
	};
	try {
		await new Promise((resolve) => wake = resolve);
		throw error;
	} finally {
		seen.push('finally');
	}
}
const source = {};
Promise.resolve().then(() => Promise.resolve()).then(() => source.fail(new Error('x')));
const first = await wait(source).next().catch((error) => error.message);
seen.unshift(first);
const broken = () => new Readable({ read() { this.destroy(new Error('broken')); } });
try { for await (const chunk of broken()) seen.push(chunk); } catch (error) { seen.push(error.message); }
seen.push(await broken().toArray().catch((error) => error.message));
async function* tried() { try { yield; } catch (error) { throw error; } finally { await null; } }
const it = tried();
await it.next();
seen.push(await it.throw(new Error('y')).catch((error) => error.message));
export default seen;
