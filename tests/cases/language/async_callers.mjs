// SPDX-License-Identifier: Apache-2.0
// An error in a job names the functions that wait for what follows from it, through then, Promise.all and the platform.
// outcome: ok
// value: []
const later = () => new Promise((resolve) => setTimeout(resolve, 1));
async function inThen() { await Promise.resolve().then(() => { throw new Error('x'); }); }
async function inSecondThen() { await later().then(() => 1).then(() => JSON.parse('{')).finally(() => {}); }
async function inBody() { await new Response('<html>').json(); }
async function inFetch() { await fetch('x:'); }
async function inAll() { await Promise.all([1, later(), inBody()]); }
async function inAny() { await Promise.allSettled([later().then(() => { seen.push(new Error().stack); })]); }
async function inRace() { await Promise.race([inThen()]); }
async function inLateThen() { await later().then(() => { throw new Error('y'); }); }
async function returned() { return inLateThen(); }
async function caller() { await returned(); }
async function outside() { await later(); queueMicrotask(() => { seen.push(new Error().stack); }); await later(); }
const wrong = [], seen = [];
const check = (stack, ...names) => {
	const found = stack.split('\n').slice(1).join('\n');
	let at = 0;
	for (const name of names) {
		const next = found.indexOf(name, at);
		if (next < 0) wrong.push([name, stack]);
		at = Math.max(next, at);
	}
	if (/prelude|<anonymous>/.test(found.replaceAll(/at (fetch|json|parse) \(curfew:prelude.*/g, ''))) wrong.push(stack);
};
for (const [run, ...names] of [[inThen, 'async inThen'], [inSecondThen, 'async inSecondThen'], [inBody, 'async inBody'], [inFetch, 'at inFetch'], [inAll, 'async inBody', 'async inAll'],
	[inRace, 'async inThen', 'async inRace'], [caller, 'async inLateThen', 'async caller']]) {
	try { await run(); wrong.push(run.name); } catch (error) { check(error.stack, ...names, 'async_callers.mjs:30'); }
}
await inAny();
await outside();
check(seen[0], 'async inAny');
if (seen[1].includes('at async ')) wrong.push(seen[1]);
export default wrong;
