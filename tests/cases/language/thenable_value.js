// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: {"b":1}
({ then: undefined, b: 1 });
