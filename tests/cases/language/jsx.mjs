// SPDX-License-Identifier: Apache-2.0
// outcome: bad_program
// error.message: Unexpected token '<' (JSX has to be compiled first, for example by esbuild)
export const view = <p>text</p>;
