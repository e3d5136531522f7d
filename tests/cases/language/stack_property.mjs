// SPDX-License-Identifier: Apache-2.0
// A stack begins with the name and the message, and includes async callers.
// outcome: ok
// value: true
async function inner() { await null; throw new RangeError('deep'); }
async function middle() { await inner(); }
const outer = async () => await middle();
let seen;
try { await outer() } catch (error) { seen = error.stack.split('\n') }
class Mine extends Error { constructor(m) { super(m); this.name = 'Mine'; Error.captureStackTrace(this, Mine) } }
const here = () => new Mine('text').stack.split('\n');
export default seen[0] === 'RangeError: deep' && /^    at inner \(stack_property.mjs:5:44\)$/.test(seen[1]) &&
	/^    at async middle \(.*:6:27\)$/.test(seen[2]) && /^    at async outer /.test(seen[3]) && seen.length === 6 &&
	here()[0] === 'Mine: text' && /^    at here /.test(here()[1]) && new Error().stack.startsWith('Error\n    at ');
