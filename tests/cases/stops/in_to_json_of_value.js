// SPDX-License-Identifier: Apache-2.0
// Reading the value is part of the run.
// args: --timeout 400ms
// outcome: deadline
// frames: toJSON in_to_json_of_value.js:6:*
({ toJSON() { for (;;); } });
