// SPDX-License-Identifier: Apache-2.0
// outcome: threw
// error.name: Uint8Array
// error.message: Uint8Array(3) [ 1, 2, 3 ]
// error.properties: null
throw new Uint8Array([1, 2, 3]);
