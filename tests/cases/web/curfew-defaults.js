// SPDX-License-Identifier: Apache-2.0
// The members of curfew if nothing was given.
// args: --timeout unlimited --memory 32MiB
// outcome: ok
// value: [[], null, null, 33554432, true]
[curfew.params, curfew.user, curfew.limits.timeout_us, curfew.limits.memory_bytes, curfew.remaining() === Infinity];
