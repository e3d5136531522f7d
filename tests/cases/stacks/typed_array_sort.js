// SPDX-License-Identifier: Apache-2.0
// A callback of a typed array.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: compare typed_array_sort.js:7:* | sort native | <anonymous> typed_array_sort.js:9:*
function compare() {
	for (;;);
}
new Uint8Array([3, 2, 1]).sort(compare);
