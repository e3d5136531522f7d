// SPDX-License-Identifier: Apache-2.0
// The getter of `aborted` is native for the run's own signal, and correct for any other.
// outcome: ok
// value: ["get aborted",0,true,true,false,true,false,true,"TypeError","TypeError",true,false]
const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted');
const controller = new AbortController(), before = controller.signal.aborted;
const follower = AbortSignal.any([controller.signal, curfew.signal]), followerBefore = follower.aborted;
controller.abort();
const nameOf = (action) => {
	try {
		return action();
	} catch (error) {
		return error.name;
	}
};
[get.name, get.length, set === undefined && enumerable, configurable, before, controller.signal.aborted, followerBefore, follower.aborted,
	nameOf(() => get.call({})), nameOf(() => get.call(undefined)), Object.isFrozen(curfew) && Object.getOwnPropertyDescriptor(curfew, 'signal').value === curfew.signal,
	get.call(curfew.signal)];
