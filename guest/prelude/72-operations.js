// SPDX-License-Identifier: Apache-2.0
// Operations of all kinds: passes each event to the handler of its operation. Each event is delivered together with all
// the jobs that follow from it, so promises settle in the order of the events.

const operationHandlers = new Map(); // id -> handler(kind, bytes, last)

// Starts an operation and returns its id.
function beginOperation(kind, request, handler) {
	const id = startOperation(kind, request);
	if (id === 0) throw new TypeError('Too many operations are in progress');
	mapSet(operationHandlers, id, handler);
	return id;
}

// Ends an operation whose last event has not arrived. None of its events arrives after this.
function endOperation(id) {
	if (!mapDelete(operationHandlers, id)) return;
	cancelOperation(id);
}

function onOperationEvent(id, kind, last, bytes) {
	const handler = mapGet(operationHandlers, id);
	if (last) mapDelete(operationHandlers, id);
	if (handler) handler(kind, bytes, last);
}
