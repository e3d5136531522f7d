// SPDX-License-Identifier: Apache-2.0
// Operations that the host carries out meanwhile, whatever their kind: who is told of an event. Promises settle in the
// order in which things happened, since each event is handed over with all the jobs that follow from it.

const operationHandlers = new Map(); // id -> handler(kind, bytes, last)

// Starts one and returns its id.
function beginOperation(kind, request, handler) {
	const id = startOperation(kind, request);
	if (id === 0) throw new TypeError('The host has no room for another operation');
	mapSet(operationHandlers, id, handler);
	return id;
}

// Ends one whose last event has not come; nothing of it comes after this.
function endOperation(id) {
	if (!mapDelete(operationHandlers, id)) return;
	cancelOperation(id);
}

function onOperationEvent(id, kind, last, bytes) {
	const handler = mapGet(operationHandlers, id);
	if (last) mapDelete(operationHandlers, id);
	if (handler) handler(kind, bytes, last);
}
