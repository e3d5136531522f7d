// SPDX-License-Identifier: Apache-2.0
// A conversion of a key.
// args: --cpu 80ms --timeout 60s
// outcome: cpu
// frames: toString to_string_of_key.js:6:* | <anonymous> to_string_of_key.js:7:*
const key = { toString() { for (;;); } };
({})[key];
