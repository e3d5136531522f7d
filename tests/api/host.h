/* SPDX-License-Identifier: Apache-2.0 */
/* Host functions that tests give to programs of several kinds: numbers, and answers now, later and never. */
#ifndef HOST_H
#define HOST_H

#include "engine.h"

#include <pthread.h>
#include <stdatomic.h>

static inline void host_add(void *context, curfew_host_call *call)
{
	const curfew_value *values = curfew_host_call_get_values(call);
	curfew_value sum = {.i32 = values[0].i32 + values[1].i32};
	(void)context;
	CHECK(curfew_host_call_get_params(call, NULL) == NULL);
	CHECK_OK(curfew_host_call_return_values(call, &sum));
}

static inline void host_scale(void *context, curfew_host_call *call)
{
	const curfew_value *values = curfew_host_call_get_values(call);
	curfew_value results[2] = {{.i64 = values[0].i64 * 2}, {.f64 = (double)values[1].f32 * 2}};
	(void)context;
	CHECK_OK(curfew_host_call_return_values(call, results));
}

static inline void host_nothing(void *context, curfew_host_call *call)
{
	(void)context, (void)call;
}

static inline void host_spin(void *context, curfew_host_call *call)
{
	(void)context;
	while (!curfew_host_call_is_stopped(call))
		harness_sleep_us(100);
}

/*
 * Asynchronous. A thread for each call answers it soon, with a number doubled, or with the context, which is a
 * host_answer.
 */
typedef struct host_answer {
	curfew_host_callback answer;
} host_answer;

static inline void *host_answer_soon(void *argument)
{
	curfew_host_call *call = argument;
	const host_answer *how = curfew_host_call_get_data(call);
	const curfew_value *values = curfew_host_call_get_values(call);
	harness_sleep_us(5000);
	if (values != NULL) {
		curfew_value twice = {.i32 = values[0].i32 * 2};
		CHECK_OK(curfew_host_call_return_values(call, &twice));
	} else {
		how->answer(NULL, call);
	}
	return NULL;
}

static inline void host_later(void *context, curfew_host_call *call)
{
	pthread_t thread;
	curfew_host_call_set_data(call, context);
	CHECK_EQUAL(pthread_create(&thread, NULL, host_answer_soon, call), 0);
	pthread_detach(thread);
}

/* Asynchronous. It is answered only when the test does so. */
typedef struct host_held {
	_Atomic(curfew_host_call *) call;
	atomic_int told;
} host_held;

static inline void host_hold(void *context, curfew_host_call *call)
{
	host_held *kept = context;
	CHECK(curfew_host_call_get_data(call) == NULL);
	curfew_host_call_set_data(call, kept);
	atomic_store(&kept->call, call);
}

static inline void host_on_stopped(void *context, curfew_host_call *call)
{
	host_held *kept = context;
	CHECK(curfew_host_call_get_data(call) == kept);
	CHECK(curfew_host_call_is_stopped(call));
	atomic_fetch_add(&kept->told, 1);
}

#define HOST_FUNCTION(name_, callback, ...)                                                                            \
	{                                                                                                                  \
		.size = sizeof(curfew_host_function), .name = name_, .call = callback, __VA_ARGS__                             \
	}

#endif
