// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Uncaught
// error.message: 10n
throw 10n;
