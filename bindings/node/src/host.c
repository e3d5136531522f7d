/* SPDX-License-Identifier: Apache-2.0 */
/* Host functions: calls that the engine's threads make, and the answers that JavaScript gives. */
#include "addon.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often a thread that waits for JavaScript looks whether its run is stopped. */
#define LOOK_AGAIN_NS 2000000L

void curfew_node_call_release(struct host_call *call)
{
	if (atomic_fetch_sub(&call->references, 1) != 1)
		return;
	pthread_mutex_destroy(&call->lock);
	pthread_cond_destroy(&call->answered);
	free(call);
}

/* Takes the right to answer; NULL: somebody else has answered. */
static curfew_host_call *take(struct host_call *call)
{
	return atomic_exchange(&call->call, NULL);
}

static void signal_answer(struct host_call *call)
{
	pthread_mutex_lock(&call->lock);
	pthread_cond_signal(&call->answered);
	pthread_mutex_unlock(&call->lock);
}

static struct host_call *create_call(struct host_function *function, curfew_host_call *call)
{
	pthread_condattr_t attributes;
	struct host_call *made = calloc(1, sizeof *made);
	if (made == NULL)
		return NULL;
	made->function = function;
	atomic_init(&made->call, call);
	atomic_init(&made->references, 2);
	pthread_mutex_init(&made->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&made->answered, &attributes);
	pthread_condattr_destroy(&attributes);
	return made;
}

/* The executing thread waits for JavaScript, and takes the answer upon itself once the run's time is up. */
static void wait_for_answer(struct host_call *call)
{
	pthread_mutex_lock(&call->lock);
	for (curfew_host_call *open; (open = atomic_load(&call->call)) != NULL;) {
		struct timespec until;
		if (curfew_host_call_is_stopped(open) || atomic_load(&call->function->addon->closing))
			break;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += LOOK_AGAIN_NS;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		pthread_cond_timedwait(&call->answered, &call->lock, &until);
	}
	pthread_mutex_unlock(&call->lock);
}

/*
 * A synchronous answer must not be given by another thread after this function has returned. So JavaScript's answer
 * holds the lock while it is given, and this one waits for that lock before it looks for the last time.
 */
static void finish_sync(struct host_call *call)
{
	wait_for_answer(call);
	pthread_mutex_lock(&call->lock);
	curfew_host_call *open = take(call);
	pthread_mutex_unlock(&call->lock);
	if (open != NULL)
		curfew_host_call_throw(open, "the run was stopped");
}

void curfew_node_on_call(void *context, curfew_host_call *engine_call)
{
	struct host_function *function = context;
	struct host_call *call = create_call(function, engine_call);
	if (call == NULL) {
		curfew_host_call_throw(engine_call, "out of memory");
		return;
	}
	if (function->is_async)
		curfew_host_call_set_data(engine_call, call);
	curfew_node_post(function->addon, &(struct message){.kind = MESSAGE_CALL, .id = function->id, .call = call});

	if (!function->is_async) {
		finish_sync(call);
		curfew_node_call_release(call);
	}
}

/* Once for an asynchronous call whose run is stopped first. Its answer may be under way in another thread. */
void curfew_node_on_stopped(void *context, curfew_host_call *engine_call)
{
	struct host_call *call = curfew_host_call_get_data(engine_call);
	(void)context;
	if (call == NULL)
		return;
	curfew_host_call *open = take(call);
	if (open != NULL)
		curfew_host_call_throw(open, "the run was stopped");
}

/* ---- Arguments -------------------------------------------------------------------------------------------- */

static napi_value value_of(napi_env env, char letter, curfew_value value)
{
	napi_value number = NULL;
	switch (letter) {
	case 'i': napi_create_int32(env, value.i32, &number); break;
	case 'I': napi_create_bigint_int64(env, value.i64, &number); break;
	case 'f': napi_create_double(env, (double)value.f32, &number); break;
	default: napi_create_double(env, value.f64, &number);
	}
	return number;
}

napi_value curfew_node_call_arguments(napi_env env, struct host_call *call)
{
	napi_value result = NULL;
	size_t length = 0;
	/* A stop may take the call meanwhile; a synchronous one waits for the lock then, an asynchronous one may be gone.
	 */
	pthread_mutex_lock(&call->lock);
	curfew_host_call *open = take(call);
	if (open != NULL && call->function->type == NULL) {
		const char *text = curfew_host_call_get_params(open, &length);
		napi_create_string_utf8(env, text, length, &result);
	} else if (open != NULL) {
		const char *letters = call->function->type;
		const curfew_value *values = curfew_host_call_get_values(open);
		napi_create_array(env, &result);
		for (uint32_t i = 0; letters[i] != '-'; i++)
			napi_set_element(env, result, i, value_of(env, letters[i], values[i]));
	}
	bool stopped = open != NULL && curfew_host_call_is_stopped(open);
	if (stopped && call->function->is_async) {
		curfew_host_call_throw(open, "the run was stopped");
		result = NULL;
	} else if (open != NULL) {
		atomic_store(&call->call, open);
		/* A stop in between found nothing to answer. */
		if (call->function->is_async && curfew_host_call_is_stopped(open) && (open = take(call)) != NULL)
			curfew_host_call_throw(open, "the run was stopped");
	}
	pthread_mutex_unlock(&call->lock);
	return result;
}

/* ---- Answers ---------------------------------------------------------------------------------------------- */

static curfew_value value_from(napi_env env, char letter, napi_value item)
{
	curfew_value value = {0};
	double number = 0;
	bool lossless;
	switch (letter) {
	case 'i': napi_get_value_int32(env, item, &value.i32); break;
	case 'I':
		if (napi_get_value_bigint_int64(env, item, &value.i64, &lossless) != napi_ok)
			napi_get_value_int64(env, item, &value.i64);
		break;
	case 'f':
		napi_get_value_double(env, item, &number);
		value.f32 = (float)number;
		break;
	default: napi_get_value_double(env, item, &value.f64);
	}
	return value;
}

static void return_values(napi_env env, curfew_host_call *open, const char *type, napi_value array)
{
	curfew_value values[16] = {{0}};
	const char *results = strstr(type, "->") + 2;
	for (uint32_t i = 0; results[i] != '\0' && i < 16; i++) {
		napi_value item;
		napi_get_element(env, array, i, &item);
		values[i] = value_from(env, results[i], item);
	}
	curfew_host_call_return_values(open, values);
}

static void return_json(napi_env env, curfew_host_call *open, napi_value json)
{
	size_t length;
	char *text = curfew_node_string(env, json, &length);
	curfew_host_call_return(open, text, length);
	free(text);
}

napi_value curfew_node_answer(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	curfew_node_arguments(env, info, values);
	struct host_call *call = curfew_node_external(env, values[0]);
	char *error = curfew_node_string(env, values[1], NULL);

	pthread_mutex_lock(&call->lock);
	curfew_host_call *open = take(call);
	if (open != NULL && error != NULL)
		curfew_host_call_throw(open, error);
	else if (open != NULL && call->function->type != NULL)
		return_values(env, open, call->function->type, values[2]);
	else if (open != NULL)
		return_json(env, open, values[2]);
	pthread_mutex_unlock(&call->lock);

	signal_answer(call);
	free(error);
	return NULL;
}
