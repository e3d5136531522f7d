// SPDX-License-Identifier: Apache-2.0
// args: --timeout 60s
// outcome: ok
// value: [-1,"1.234,5"]
// If the stack overflows while Intl is loaded, the next use loads it again.
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
	// Even the outermost use() may overflow.
}
use();
