// SPDX-License-Identifier: Apache-2.0
export const direct = eval("import('./util.js')");
export const indirect = (0, eval)("import('./util.js')");
export const made = new Function("return import('./util.js')")();
export const nested = eval("[1].map(() => eval(`import('./util.js')`))[0]");
