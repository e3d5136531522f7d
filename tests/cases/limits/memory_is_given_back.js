// SPDX-License-Identifier: Apache-2.0
// args: --memory 24MiB
// outcome: ok
// value: "done"
for (let i = 0; i < 200; i++) new Uint8Array(4_000_000)[0] = 1;
'done';
