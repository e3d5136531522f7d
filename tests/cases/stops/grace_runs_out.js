// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms --grace 100ms
// outcome: deadline
// stop.mode: soft or hard
// used.wall_us: >= 200000
// stdout: told
curfew.signal.onabort = () => console.log('told');
while (!curfew.signal.aborted);
console.log('told');
for (;;);
