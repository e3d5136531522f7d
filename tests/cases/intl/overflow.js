// SPDX-License-Identifier: Apache-2.0
// args: --timeout 60s
// outcome: ok
// value: [-1,"1.234,5"]
// Where the stack ends while Intl is loaded, it is loaded when it is used again.
const use = () => ['a'.localeCompare('b'), new Intl.NumberFormat('de').format(1234.5)];
function deep() {
	try {
		deep();
	} catch {
		use();
	}
}
try {
	deep();
} catch {
	// As near to the end as it comes.
}
use();
