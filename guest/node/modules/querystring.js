// SPDX-License-Identifier: Apache-2.0
const querystring = require('../node_modules/querystring-es3/index.js');

module.exports = Object.assign(querystring, { escape: encodeURIComponent, unescape: (text) => {
	try {
		return decodeURIComponent(text);
	} catch {
		return unescape(text);
	}
} });
