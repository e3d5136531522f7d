// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Uncaught
// error.message: -0
throw -0;
