// SPDX-License-Identifier: Apache-2.0
// args: --call present
// outcome: bad_program
export const present = 1;
