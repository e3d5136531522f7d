// SPDX-License-Identifier: Apache-2.0
// A clone of much plain data is stopped in time.
// args: --timeout 200ms --memory 256MiB
// outcome: deadline
// tripped: deadline
const much = JSON.parse('[' + '{"a":{},"b":[[]]},'.repeat(50000) + '0]');
for (;;)
	structuredClone(much);
