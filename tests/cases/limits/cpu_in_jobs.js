// SPDX-License-Identifier: Apache-2.0
// args: --cpu 80ms
// outcome: cpu
(async () => { for (;;) await null })();
