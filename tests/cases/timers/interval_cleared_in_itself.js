// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// stdout: once
const id = setInterval(() => { clearInterval(id); console.log('once') }, 0);
undefined;
