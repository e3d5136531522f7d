// SPDX-License-Identifier: Apache-2.0
const http = require('http');
const { absentFrom } = require('../http_names.mjs');

class Agent extends http.Agent {
	constructor(options) {
		super(options);
		Object.assign(this, { defaultPort: 443, protocol: 'https:' });
	}
}
module.exports = absentFrom('https', { ...http[Symbol.for('curfew.http.clientFor')]('https:'), Agent, globalAgent: new Agent({ keepAlive: true }) });
