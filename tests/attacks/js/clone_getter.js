// expect: deadline
// SPDX-License-Identifier: Apache-2.0
structuredClone({ get a() { for (;;); } })
