// SPDX-License-Identifier: Apache-2.0
// args: -- one "two words"
// outcome: ok
// value: ["one","two words"]
curfew.params;
