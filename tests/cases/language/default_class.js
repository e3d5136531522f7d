// SPDX-License-Identifier: Apache-2.0
// A class cannot be called without new.
// outcome: threw
// error.name: TypeError
export default class {}
