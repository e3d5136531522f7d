// SPDX-License-Identifier: Apache-2.0
// beforeExit is emitted each time nothing is left to do; what a listener begins is done before exit.
// args: --node
// outcome: exited
// exit: 4
// stdout: before 0
// stdout: timer
// stdout: before 3
// stdout: tick
// stdout: exit 4
let count = 0;
process.on('beforeExit', (code) => {
	if (++count > 2)
		return;
	console.log('before', code);
	if (count === 1)
		setTimeout(() => { console.log('timer'); process.exitCode = 3; }, 1);
	else
		process.nextTick(() => { console.log('tick'); process.exitCode = 4; });
});
process.on('exit', (code) => console.log('exit', code));
