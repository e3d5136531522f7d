// SPDX-License-Identifier: Apache-2.0
// What every object inherits is no export.
// args: --call toString
// outcome: bad_program
export default 1;
