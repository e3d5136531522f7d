/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of host functions by a run. Each call is charged and made, and its answer is passed to the guest. */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "engine/interrupt.h"
#include "run/stop.h"

/* The signal mask is set again after each of the first ADMIT_FIRST calls of JavaScript, and every ADMIT_EACH-th one. */
#define ADMIT_FIRST 16
#define ADMIT_EACH 16

static curfew__host_caller caller_of(curfew_run *run)
{
	return (curfew__host_caller){run->given->host_context, {&run->stop.cause, &run->stop.time_up}};
}

/* NULL: there is no such function of this kind. */
static const curfew__host_function *find_function(const curfew_run *run, uint64_t index, bool is_async)
{
	const curfew__host_functions *functions = run->program->functions;

	if (!functions || index >= functions->count || functions->list[index].import.is_async != is_async)
		return NULL;
	return &functions->list[index];
}

/* ---- From JavaScript -------------------------------------------------------------------------------------- */

/* Charges the fuel of a call. False: the limit was exceeded, and is latched. */
static bool charge_fuel(curfew_run *run, const curfew__host_function *function)
{
	if (!function->import.fuel || curfew__guest_charge_fuel(run->guest, function->import.fuel))
		return true;
	curfew__run_latch(run, CURFEW_OUTCOME_FUEL, clock_now_ns());
	return false;
}

static void call_with(curfew_run *run, const curfew__host_function *function, const char *json, size_t length)
{
	curfew__host_caller caller = caller_of(run);
	curfew__host_call_now(function, &caller, &(curfew__host_params){json, length, NULL}, &run->answer);

	/*
	 * The callback may have left the signal blocked that interrupts guests. To unblock it is a system call, which takes
	 * as long as a simple function does. JavaScript has the last resort as well, so that not every call needs it.
	 */
	if (++run->call_count <= ADMIT_FIRST || run->call_count % ADMIT_EACH == 0)
		curfew__interrupt_admit(NULL);
}

/* Pass a copy, because the guest may change its memory while the callback reads the arguments. */
static void call_with_copy(curfew_run *run, const curfew__host_function *function, char *copy, const char *json,
                           size_t length)
{
	curfew__copy_until(copy, json, length, &run->stop.cause);
	copy[length] = 0;
	call_with(run, function, copy, length);
}

/* Copies the arguments of a call, which are in the guest's memory and no larger than it. False: out of memory. */
static bool call_with_large(curfew_run *run, const curfew__host_function *function, const char *json, size_t length)
{
	char *copy = malloc(length + 1);

	if (copy)
		call_with_copy(run, function, copy, json, length);
	free(copy);
	return copy != NULL;
}

bool curfew__run_call(curfew_run *run, uint32_t index, const char *json, size_t length, int32_t *answer)
{
	const curfew__host_function *function = find_function(run, index, false);
	char small[512];

	if (!function || !charge_fuel(run, function))
		return false;
	free(run->answer.bytes);
	run->answer.bytes = NULL;
	if (function->import.typed)
		/* The text needs no copy, because only numbers are read from it. */
		call_with(run, function, json, length);
	else if (length < sizeof small)
		call_with_copy(run, function, small, json, length);
	else if (!call_with_large(run, function, json, length))
		return false;
	size_t got = run->answer.bytes ? run->answer.length : 0;
	*answer = run->answer.threw ? -1 - (int32_t)got : (int32_t)got;
	return got < INT32_MAX;
}

bool curfew__run_call_take(curfew_run *run, void *bytes, size_t length)
{
	size_t there = run->answer.bytes ? run->answer.length : 0;

	if (length != there)
		return false;
	if (length)
		memcpy(bytes, run->answer.bytes, length);
	free(run->answer.bytes);
	run->answer.bytes = NULL;
	return true;
}

/* The request consists of the function's index, a line break and the arguments. */
bool curfew__run_call_start(curfew_run *run, curfew__operations *operations, const char *request, size_t length,
                            uint32_t *id)
{
	curfew__host_caller caller = caller_of(run);
	const char *end = memchr(request, '\n', length), *at = request;
	uint64_t index = 0;

	*id = 0;
	for (; end && at < end && *at >= '0' && *at <= '9' && index < UINT32_MAX; at++)
		index = index * 10 + (uint64_t)(*at - '0');
	const curfew__host_function *function = end && at == end ? find_function(run, index, true) : NULL;
	if (!function || !charge_fuel(run, function))
		return false;
	/* Arguments of pending calls are copied; together they may be as large as the guest. */
	length -= (size_t)(end + 1 - request);
	uint64_t held = atomic_fetch_add(&run->call_bytes, length);
	if (held <= run->limits.memory_bytes && length <= run->limits.memory_bytes - held)
		*id = curfew__host_call_start(run->program->functions, (size_t)index, &caller, operations,
		                              &(curfew__host_params){end + 1, length, NULL});
	return true;
}

/* ---- From WebAssembly ------------------------------------------------------------------------------------- */

void curfew__run_function(curfew_run *run, size_t index, const curfew__host_params *params, curfew__host_answer *answer)
{
	const curfew__host_function *function = find_function(run, index, false);
	curfew__host_caller caller = caller_of(run);

	*answer = (curfew__host_answer){.threw = true};
	if (!function)
		return;
	curfew__host_call_now(function, &caller, params, answer);

	/* Nothing but the signal stops WebAssembly: whatever the callback did to the mask is undone. */
	curfew__interrupt_admit(NULL);
}

uint32_t curfew__run_function_start(curfew_run *run, size_t index, const curfew__host_params *params)
{
	curfew__host_caller caller = caller_of(run);
	curfew__operations *operations = find_function(run, index, true) ? curfew__run_operations(run) : NULL;

	run->awaited = operations ? curfew__host_call_start(run->program->functions, index, &caller, operations, params)
	                          : 0;
	return run->awaited;
}

bool curfew__run_function_take(curfew_run *run, size_t index, uint32_t id, curfew__host_answer *answer)
{
	const curfew__operation_event *event = curfew__run_next_answer(run, id);

	if (!event)
		return false;
	run->awaited = 0;
	*answer = (curfew__host_answer){.threw = event->kind == CURFEW_CALL_THREW, .length = event->length};
	if (!event->bytes)
		return true;
	if (!answer->threw && find_function(run, index, true)->import.typed)
		memcpy(answer->values, event->bytes, event->length);
	else if (!(answer->bytes = strndup(event->bytes, event->length)))
		answer->threw = true;
	return true;
}
