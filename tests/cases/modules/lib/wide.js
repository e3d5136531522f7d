// SPDX-License-Identifier: Apache-2.0
/* ä */ export function fail(key) { const text = '€😀'; throw new Error(text); }
export function spin() { const text = 'äöü'; for (;;); }
