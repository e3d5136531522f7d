// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// partial: {"done":[1,2]}
curfew.checkpoint({ done: [1] });
curfew.checkpoint({ done: [1, 2] });
for (;;);
