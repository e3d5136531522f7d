// SPDX-License-Identifier: Apache-2.0
// Characters that take several bytes.
// args: --timeout 80ms
// outcome: deadline
// frames: spin wide_characters.js:6:* | <anonymous> wide_characters.js:6:*
const s = 'äöü€😀'; function spin() { for (;;); } spin();
