// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Uncaught
// error.message: [Function: refuse]
function refuse() {}
throw refuse;
