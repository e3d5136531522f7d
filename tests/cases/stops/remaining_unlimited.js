// SPDX-License-Identifier: Apache-2.0
// args: --timeout unlimited
// outcome: ok
// value: true
curfew.remaining() === Infinity;
