// SPDX-License-Identifier: Apache-2.0
// The text of an .env file as an object. A later line replaces an earlier one.
module.exports = function parseEnv(content) {
	require('internal/errors').needs.text(content, 'content');
	const values = {};
	const line = /^[ \t]*(?:export[ \t]+)?([^=\s#][^=\n]*?)[ \t]*=[ \t]*(?:"((?:[^"])*)"|'([^']*)'|`([^`]*)`|([^#\n]*))?.*$/gm;
	for (const [, name, double, single, back, plain] of content.replace(/\r\n?/g, '\n').matchAll(line))
		values[name] = double !== undefined ? double.replace(/\\n/g, '\n') : single ?? back ?? (plain ?? '').trim();
	return values;
};
