// SPDX-License-Identifier: Apache-2.0
// args: --loops 5000
// outcome: loops
// used.loops: 5000
(async () => { for (;;) await null })();
