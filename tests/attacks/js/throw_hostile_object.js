// expect: threw deadline
// SPDX-License-Identifier: Apache-2.0
throw { toString() { for (;;); }, toJSON() { for (;;); }, get name() { for (;;); } }
