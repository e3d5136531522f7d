// SPDX-License-Identifier: Apache-2.0
// A function is named by the variable that it is assigned to.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: inner arrow_names.js:7:* | outer arrow_names.js:9:* | <anonymous> arrow_names.js:10:1
const inner = () => {
	for (;;);
};
const outer = () => inner();
outer();
