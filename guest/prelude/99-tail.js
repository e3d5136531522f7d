// SPDX-License-Identifier: Apache-2.0
// The functions that the guest calls:
// abort(kind): the run loop calls it when the deadline has passed (1) or the run was cancelled (2).
// awaitsAbort(): whether the program would be notified of that.
// event(id, kind, last, bytes): for each event of an operation.
// functions(list): before a program that has host functions.
// again(): before each further call of a session.
// describe(error) and refuseValue(reason, place): see 62-errors.js.
// uncaught(error) and rejected(promise): whether the program handled it; handled(promise): see 47-messages.js.

	function beginAgain() {
		renewRunSignal();
		showRunSignal(curfew);
		runLimits = runParams = runEnv = undefined;
		runStreams = {};
		mapClear(operationHandlers);
	}

	return { __proto__: null, abort: abortRun, awaitsAbort, event: onOperationEvent, functions: exposeHost,
		again: beginAgain, describe: describeError, refuseValue, uncaught: takeError, rejected: takeRejection, modules: loadModules, handled: noteHandled, intl: () => localized().Intl };
})
