// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [0,1e+21,5e-324,1.7976931348623157e+308,null,9007199254740992]
[-0, 1e21, 5e-324, Number.MAX_VALUE, Infinity, 2 ** 53 + 1];
