// SPDX-License-Identifier: Apache-2.0
module.exports = Object.assign(Object.create(console), { Console: class Console { constructor() { return console; } } });
for (const name of Object.keys(console))
	module.exports[name] = console[name];
