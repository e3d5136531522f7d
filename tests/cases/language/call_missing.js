// SPDX-License-Identifier: Apache-2.0
// args: --call absent
// outcome: bad_program
// error.message~: absent|name to be called
export const present = () => 1;
