// SPDX-License-Identifier: Apache-2.0
// The `secrets` object: the secrets that the host grants the program, by name.

const secrets = {
	get(name) {
		return secret(toText(name));
	},
};
defineProperty(secrets, Symbol.toStringTag, { __proto__: null, value: 'secrets' });
freeze(secrets);
