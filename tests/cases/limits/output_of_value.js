// SPDX-License-Identifier: Apache-2.0
// args: --output 10
// outcome: output
// value: null
// output_truncated: true
'x'.repeat(100);
