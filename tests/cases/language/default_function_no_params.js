// SPDX-License-Identifier: Apache-2.0
// outcome: ok
// value: [0,null]
export default function (a) { return [arguments.length, a ?? null] }
