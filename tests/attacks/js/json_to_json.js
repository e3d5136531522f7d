// expect: deadline
// SPDX-License-Identifier: Apache-2.0
JSON.stringify({ a: [{ toJSON() { for (;;); } }] })
