// SPDX-License-Identifier: Apache-2.0
// outcome: bad_program
// error.name: SyntaxError
// error.message: Invalid regular expression: /(/: Unterminated group
// frames: <anonymous> regexp_that_does_not_parse.mjs:7:18
export const a = 1;
export const b = /(/;
