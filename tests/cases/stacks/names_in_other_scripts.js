// SPDX-License-Identifier: Apache-2.0
// args: --timeout 400ms
// outcome: deadline
// frames: läuft-😀 names_in_other_scripts.js:5:* | <anonymous> names_in_other_scripts.js:6:*
const f = { ['läuft-😀']() { for (;;); } };
f['läuft-😀']();
