// SPDX-License-Identifier: Apache-2.0
// args: --fuel 20M
// outcome: fuel
// frames: indexOf native | <anonymous> fuel_in_builtin.js:5:*
[].indexOf.call({ length: 2 ** 53 - 1 }, 1);
