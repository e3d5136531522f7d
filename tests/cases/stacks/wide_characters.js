// SPDX-License-Identifier: Apache-2.0
// Characters that take several bytes.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: spin wide_characters.js:6:* | <anonymous> wide_characters.js:6:*
const s = 'äöü€😀'; function spin() { for (;;); } spin();
