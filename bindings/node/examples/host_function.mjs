// SPDX-License-Identifier: Apache-2.0
// Gives a program a host function.
import * as curfew from 'curfew';

const stock = { apples: 3, pears: 0 };
const program = curfew.program('export default (names) => names.filter((name) => host.inStock(name) > 0)', {
	functions: { inStock: name => stock[name] ?? 0 },
});
console.log((await program.run({ params: [['apples', 'pears', 'plums']] })).value);
