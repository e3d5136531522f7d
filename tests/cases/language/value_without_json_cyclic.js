// SPDX-License-Identifier: Apache-2.0
// What has no JSON is null.
// outcome: ok
// value: null
const a = []; a.push(a); a;
