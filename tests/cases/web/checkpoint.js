// SPDX-License-Identifier: Apache-2.0
// The last checkpoint is kept if the program fails, even if it replaced the functions that checkpoints use.
// outcome: threw
// error.name: Error
// error.message: failed
// partial: {"step":2,"list":[1,"é"]}
JSON.stringify = () => '"forged"';
Function.prototype.call = Function.prototype.apply = () => { throw new Error('hijacked'); };
Array.prototype[Symbol.iterator] = Array.prototype.push = Function.prototype.call;
curfew.checkpoint({ step: 1 });
curfew.checkpoint({ step: 2, list: JSON.parse('[1,"é"]') });
throw new Error('failed');
