// SPDX-License-Identifier: Apache-2.0
// A toJSON method in JSON.stringify.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: toJSON json_to_json.js:6:* | stringify native | <anonymous> json_to_json.js:7:*
const o = { a: [{ toJSON() { for (;;); } }] };
JSON.stringify(o);
