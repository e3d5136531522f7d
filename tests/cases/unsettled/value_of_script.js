// SPDX-License-Identifier: Apache-2.0
// A script whose value is a promise waits for it. No await shows where.
// outcome: unsettled
// frames:
// value: null
new Promise(() => {})
