// SPDX-License-Identifier: Apache-2.0
// A function to be called that is missing is named, with the names that are there.
// args: --call mian
// outcome: bad_program
// error.message: there is no exported function 'mian' to call; exported are default, main, x
export const x = 1;
export function main() {}
export default { other() {} };
