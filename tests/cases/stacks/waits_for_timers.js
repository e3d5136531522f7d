// SPDX-License-Identifier: Apache-2.0
// No function waits, so there is no stack.
// args: --timeout 400ms
// outcome: deadline
// frames:
setTimeout(() => {}, 1e8);
