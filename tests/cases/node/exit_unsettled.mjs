// SPDX-License-Identifier: Apache-2.0
// The event exit comes at the end of a program that waits for nothing, with 13.
// args: --node
// outcome: unsettled
// stdout: exit 0
process.on('exit', (code) => console.log('exit', code));
await new Promise(() => {});
