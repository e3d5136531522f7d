// SPDX-License-Identifier: Apache-2.0
// An endless checkpoint is stopped like any loop, and the previous one is kept.
// args: --timeout 400ms
// outcome: deadline
// partial: {"step":1}
// frames: toJSON partial_kept_in_to_json.js:8:* | ...
curfew.checkpoint({ step: 1 });
curfew.checkpoint({ step: 2, toJSON() { for (;;); } });
