// SPDX-License-Identifier: Apache-2.0
// Uncaught errors are events of process, if the program listens.
// args: --node
// outcome: ok
// value: [["rejection","a",true],["exception","b","uncaughtException"],["handled",true],["still here"]]
const seen = [];
process.on('unhandledRejection', (reason, promise) => {
	seen.push(['rejection', reason.message, promise instanceof Promise]);
	setTimeout(() => promise.catch(() => {}), 1);
});
process.on('rejectionHandled', (promise) => seen.push(['handled', promise instanceof Promise]));
process.once('uncaughtException', (error, origin) => seen.push(['exception', error.message, origin]));
Promise.reject(new Error('a'));
setTimeout(() => { throw new Error('b'); }, 0);
export default new Promise((resolve) => process.on('rejectionHandled', () => setTimeout(() => {
	seen.push(['still here']);
	resolve(seen);
}, 1)));
