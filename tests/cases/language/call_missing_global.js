// SPDX-License-Identifier: Apache-2.0
// args: --call absent
// outcome: bad_program
1;
