// SPDX-License-Identifier: Apache-2.0
// The same error from import() can be caught.
// outcome: ok
// value: ["../run outside","./lib/absent.js no such file","/etc/passwd only relative","./lib/outside.js outside","./lib/far.js outside"]
const seen = [];
for (const name of ['../run', './lib/absent.js', '/etc/passwd', './lib/outside.js', './lib/far.js']) {
	try {
		await import(name);
	} catch (error) {
		seen.push(`${name} ${/outside|no such file|only relative/.exec(error.message)}`);
	}
}
export default seen;
