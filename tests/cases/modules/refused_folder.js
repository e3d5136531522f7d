// SPDX-License-Identifier: Apache-2.0
// An import that is not possible is a program that does not load.
// outcome: bad_program
// error.message~: not a JavaScript file
import './lib';
