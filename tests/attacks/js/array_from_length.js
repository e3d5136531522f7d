// expect: threw
// SPDX-License-Identifier: Apache-2.0
Array.from({ length: 2 ** 53 })
