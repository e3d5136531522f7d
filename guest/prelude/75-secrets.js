// SPDX-License-Identifier: Apache-2.0
// The `secrets` object: what the host was told to let the program have, asked for by name.

const secrets = {
	get(name) {
		return secret(toText(name));
	},
};
defineProperty(secrets, Symbol.toStringTag, { __proto__: null, value: 'secrets' });
freeze(secrets);
