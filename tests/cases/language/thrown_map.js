// SPDX-License-Identifier: Apache-2.0
// A thrown value whose content is not in JSON is described as the console shows it.
// outcome: threw
// error.name: Map
// error.message: Map(1) { 'a' => [ /b/g, Set(1) { 2 } ] }
// error.properties: null
throw new Map([['a', [/b/g, new Set([2])]]]);
