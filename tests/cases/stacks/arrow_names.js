// SPDX-License-Identifier: Apache-2.0
// Functions are named by what they are assigned to.
// args: --timeout 80ms
// outcome: deadline
// frames: inner arrow_names.js:7:* | outer arrow_names.js:9:* | <anonymous> arrow_names.js:10:1
const inner = () => {
	for (;;);
};
const outer = () => inner();
outer();
