// SPDX-License-Identifier: Apache-2.0
// Text is not evaluated.
// outcome: threw
// error.name: TypeError
setTimeout('console.log("evaluated")', 1);
