// SPDX-License-Identifier: Apache-2.0
const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: stop, setImmediate: soon, clearImmediate: unsoon } = binding.timers;
const { aborted, needs } = require('internal/errors');

const needOptions = (options = {}) => {
	needs.object(options, 'options');
	needs.signal(options.signal, 'options.signal');
	if (options.ref !== undefined)
		needs.boolean(options.ref, 'options.ref');
	return options;
};
const settle = (start, end) => async (value, options) => {
	const { signal } = needOptions(options);
	if (signal?.aborted)
		throw aborted(signal.reason);
	return new Promise((resolve, reject) => {
		const fail = () => {
			end(timer);
			reject(aborted(signal.reason));
		};
		const timer = start(() => {
			signal?.removeEventListener('abort', fail);
			resolve(value);
		});
		signal?.addEventListener('abort', fail, { once: true });
	});
};
async function setTimeoutPromise(delay, value, options) {
	if (delay !== undefined)
		needs.number(delay, 'delay');
	return settle((done) => set(done, delay), clear)(value, options);
}
async function* setIntervalPromise(delay, value, options) {
	if (delay !== undefined)
		needs.number(delay, 'delay');
	const { signal } = needOptions(options);
	if (signal?.aborted)
		throw aborted(signal.reason);
	let due = 0, wake;
	const tell = () => wake?.(), timer = repeat(() => {
		due++;
		tell();
	}, delay);
	signal?.addEventListener('abort', tell, { once: true });
	try {
		for (;;) {
			if (due === 0 && !signal?.aborted)
				await new Promise((resolve) => { wake = resolve; });
			for (; due > 0; due--)
				yield value;
			if (signal?.aborted)
				throw aborted(signal.reason);
		}
	} finally {
		stop(timer);
		signal?.removeEventListener('abort', tell);
	}
}
const immediate = settle(soon, unsoon);
module.exports = { setTimeout: setTimeoutPromise, setImmediate: immediate, setInterval: setIntervalPromise,
	scheduler: { wait: (delay, options) => setTimeoutPromise(delay, undefined, options), yield: () => immediate() } };
