// expect: unsettled
// SPDX-License-Identifier: Apache-2.0
await { then() {} }; export {}
