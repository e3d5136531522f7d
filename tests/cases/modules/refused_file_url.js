// SPDX-License-Identifier: Apache-2.0
// If an import is not possible, the program does not load.
// outcome: bad_program
// error.message~: only relative
import 'file:///etc/passwd';
