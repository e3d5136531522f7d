/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of guests to the outside: fetch of JavaScript, wasi:http of components. Each is an operation of the run. */
#include "run/run.h"

#include "host/fetch.h"
#include "host/remote.h"

uint32_t curfew__run_fetch(curfew_run *run, const char *request, size_t length)
{
	curfew__operations *operations = curfew__run_operations(run);

	if (!operations)
		return 0;
	if (run->remote)
		return curfew__remote_fetch(run->remote, operations, request, length);
	if (run->given->fetch)
		return curfew__fetch_start(run->given->fetch, operations, request, length);
	return curfew__fetch_refuse(operations, CURFEW__FETCH_NOT_ALLOWED);
}

bool curfew__run_send(curfew_run *run, uint32_t id, uint32_t kind, const void *bytes, size_t length)
{
	curfew__operations *operations = atomic_load(&run->operations);
	return operations && curfew__operations_send(operations, id, kind, bytes, length);
}

void curfew__run_end_operation(curfew_run *run, uint32_t id)
{
	curfew__operations *operations = atomic_load(&run->operations);

	if (operations)
		curfew__operations_cancel(operations, id);
}

/* The only operations of WebAssembly are requests, and the call of a host function that it waits for. */
const curfew__operation_event *curfew__run_next_answer(curfew_run *run, uint32_t id)
{
	curfew__operations *operations = atomic_load(&run->operations);
	const curfew__operation_event *event;

	while (operations && (event = curfew__operations_next(operations))) {
		if (event->id == id)
			return event;
		curfew__wasm_take_event(run->wasm, event->id, event->kind, event->last, event->bytes, event->length);
	}
	return NULL;
}
