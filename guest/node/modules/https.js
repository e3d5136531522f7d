// SPDX-License-Identifier: Apache-2.0
const http = require('http');
const { clientFor, serverFor } = http[Symbol.for('curfew.http.for')];

class Agent extends http.Agent {
	constructor(options) {
		super(options);
		Object.assign(this, { defaultPort: 443, protocol: 'https:' });
	}
}
module.exports = { ...clientFor('https:'), ...serverFor('https'), Agent, globalAgent: new Agent({ keepAlive: true }) };
