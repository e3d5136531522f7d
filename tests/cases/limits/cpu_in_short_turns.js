// SPDX-License-Identifier: Apache-2.0
// CPU time adds up over many short turns.
// args: --cpu 60ms
// outcome: cpu
setInterval(() => { for (let i = 0; i < 2e5; i++); }, 1);
