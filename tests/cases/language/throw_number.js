// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Uncaught
// error.message: 42
throw 42;
