// expect: deadline
// SPDX-License-Identifier: Apache-2.0
new Function('for (;;) try { new Function("for(;;);")() } catch {}')()
