// SPDX-License-Identifier: Apache-2.0
// Properties that every object inherits are no exports.
// args: --call toString
// outcome: bad_program
export default 1;
