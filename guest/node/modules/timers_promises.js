// SPDX-License-Identifier: Apache-2.0
const { setTimeout: set, clearTimeout: clear, setInterval: repeat, clearInterval: stop, setImmediate: soon } = binding.timers;

const settle = (start, end) => (value, options) => new Promise((resolve, reject) => {
	const signal = options?.signal;
	const fail = () => reject(Object.assign(new Error('The operation was aborted'), { name: 'AbortError', code: 'ABORT_ERR', cause: signal.reason }));
	if (signal?.aborted)
		return fail();
	const timer = start(() => resolve(value));
	signal?.addEventListener('abort', () => {
		end(timer);
		fail();
	}, { once: true });
});
const setTimeoutPromise = (delay, value, options) => settle((done) => set(done, delay), clear)(value, options);
async function* setIntervalPromise(delay, value) {
	let due = 0, wake;
	const timer = repeat(() => {
		due++;
		wake?.();
	}, delay);
	try {
		for (;;) {
			if (due === 0)
				await new Promise((resolve) => { wake = resolve; });
			due--;
			yield value;
		}
	} finally {
		stop(timer);
	}
}
module.exports = { setTimeout: setTimeoutPromise, setImmediate: settle((done) => soon(done), binding.timers.clearImmediate), setInterval: setIntervalPromise,
	scheduler: { wait: (delay, options) => setTimeoutPromise(delay, undefined, options), yield: () => settle((done) => soon(done), binding.timers.clearImmediate)() } };
