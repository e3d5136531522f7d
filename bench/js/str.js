// SPDX-License-Identifier: Apache-2.0
// Strings: building one by concatenation, matching it with a regular expression, splitting and joining.
function run() {
	let s = '';
	for (let i = 0; i < 200000; i++) s += String.fromCharCode(97 + i % 26);
	let c = 0;
	for (const w of s.match(/[aeiou][^aeiou]+/g)) c += w.length;
	return c + s.split('e').join('--').length;
}
run();
