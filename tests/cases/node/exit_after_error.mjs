// SPDX-License-Identifier: Apache-2.0
// The event exit comes after an uncaught error, too. What it does changes nothing of the outcome.
// args: --node
// outcome: threw
// error.name: RangeError
// error.message: late
// stdout: exit 1 1
process.on('exit', (code) => {
	console.log('exit', code, process.exitCode);
	process.exit(7);
});
process.on('exit', () => console.log('never'));
setTimeout(() => { throw new RangeError('late'); }, 1);
