// SPDX-License-Identifier: Apache-2.0
// A returned value is noted, too. A place that only a getter gives has no name.
// outcome: ok
// value: {"a b":{"got":{}}}
// value_note: the value has an Error at ["a b"].(?), which JSON shows as {}
const error = new Error('lost');
export default {
	'a b': {
		get got() {
			return error;
		},
	},
};
