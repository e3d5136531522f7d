/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host functions. A synchronous call waits in the queue of its environment until the JavaScript thread takes it, and is
 * answered with the result of the function. For an asynchronous call, or if the result is a promise, JavaScript has a
 * handle to answer later.
 */
#include "addon.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long the JavaScript thread waits for a further call, because a program's calls often come in quick succession. */
#define LOOK_NS 20000u
/* After this time the rest of the JavaScript thread has its turn. */
#define TURN_NS 1000000

/* ---- Calls that JavaScript answers later -------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct host_call *unused; /* the lock protects it */

static void release(struct host_call *call)
{
	pthread_mutex_lock(&lock);
	call->next = unused;
	unused = call;
	pthread_mutex_unlock(&lock);
}

/* Takes the right to answer. NULL: another thread has answered. */
static curfew_host_call *take(struct host_call *call)
{
	return atomic_exchange(&call->call, NULL);
}

static void throw_unanswered(struct host_call *call, const char *message)
{
	curfew_host_call *open = take(call);
	if (open != NULL)
		curfew_host_call_throw(open, message);
}

void curfew_node_call_drop(struct host_call *call)
{
	throw_unanswered(call, "the environment is ending");
	release(call);
}

static struct host_call *create_call(struct host_function *function, curfew_host_call *call)
{
	pthread_mutex_lock(&lock);
	struct host_call *made = unused;
	if (made != NULL)
		unused = made->next;
	pthread_mutex_unlock(&lock);

	if (made == NULL)
		made = calloc(1, sizeof *made);
	if (made == NULL)
		return NULL;
	made->function = function;
	atomic_store(&made->call, call);
	return made;
}

/* JavaScript has dropped the handle, so nothing can answer the call any more. */
static void finalize_call(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	throw_unanswered(data, "the host function never answered");
	release(data);
}

static napi_value wrap_call(napi_env env, struct host_call *call)
{
	napi_value handle;
	napi_create_external(env, call, finalize_call, NULL, &handle);
	return handle;
}

/* Called by the engine with an asynchronous call. */
void curfew_node_on_call(void *context, curfew_host_call *engine_call)
{
	struct host_function *function = context;
	struct host_call *call = create_call(function, engine_call);
	if (call == NULL) {
		curfew_host_call_throw(engine_call, "out of memory");
		return;
	}
	curfew_host_call_set_data(engine_call, call);
	curfew_node_post(function->addon, &(struct message){.kind = MESSAGE_CALL, .id = function->id, .call = call});
}

/*
 * Called once if the run is stopped before its asynchronous call was answered. Another thread may be answering it now.
 */
void curfew_node_on_stopped(void *context, curfew_host_call *engine_call)
{
	struct host_call *call = curfew_host_call_get_data(engine_call);
	curfew_host_call *open = engine_call;
	(void)context;
	if (call != NULL && atomic_compare_exchange_strong(&call->call, &open, NULL))
		curfew_host_call_throw(engine_call, "the run was stopped");
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

static napi_value arguments_of(napi_env env, const struct host_function *function, const curfew_host_call *call)
{
	napi_value result = NULL;
	const char *letters = function->type;
	if (letters == NULL) {
		size_t length;
		const char *text = curfew_host_call_get_params(call, &length);
		napi_create_string_utf8(env, text, length, &result);
		return result;
	}
	const curfew_value *values = curfew_host_call_get_values(call);
	napi_create_array(env, &result);
	for (uint32_t i = 0; letters[i] != '-'; i++)
		napi_set_element(env, result, i, value_of(env, letters[i], values[i]));
	return result;
}

void curfew_node_call_pass(napi_env env, struct host_call *call, napi_value values[2])
{
	values[0] = wrap_call(env, call);
	curfew_host_call *open = take(call);
	if (open != NULL && curfew_host_call_is_stopped(open)) {
		curfew_host_call_throw(open, "the run was stopped");
	} else if (open != NULL) {
		values[1] = arguments_of(env, call->function, open);
		atomic_store(&call->call, open);
		/* A stop that came in between found no data of the call, so check for it now. */
		if (curfew_host_call_is_stopped(open))
			throw_unanswered(call, "the run was stopped");
	}
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
	char small[256];
	size_t length = 0;
	/* Most answers are short and need no allocation. A text that fills the buffer may be truncated. */
	if (napi_get_value_string_utf8(env, json, small, sizeof small, &length) == napi_ok && length < sizeof small - 4) {
		curfew_host_call_return(open, small, length);
		return;
	}
	char *text = curfew_node_string(env, json, &length);
	curfew_host_call_return(open, text, length);
	free(text);
}

static void give(napi_env env, const struct host_function *function, curfew_host_call *open, napi_value answer)
{
	if (function->type != NULL)
		return_values(env, open, function->type, answer);
	else
		return_json(env, open, answer);
}

napi_value curfew_node_answer(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	curfew_node_arguments(env, info, values);
	struct host_call *call = curfew_node_external(env, values[0]);
	char *error = curfew_node_string(env, values[1], NULL);

	curfew_host_call *open = take(call);
	if (open != NULL && error != NULL)
		curfew_host_call_throw(open, error);
	else if (open != NULL)
		give(env, call->function, open, values[2]);
	free(error);
	return NULL;
}

/* ---- Synchronous calls -------------------------------------------------------------------------------------- */

void curfew_node_on_waiting(void *addon)
{
	curfew_node_post(addon, &(struct message){.kind = MESSAGE_CALLS});
}

static void throw_text(napi_env env, curfew_host_call *open, napi_value text)
{
	char *message = curfew_node_string(env, text, NULL);
	curfew_host_call_throw(open, message != NULL ? message : "out of memory");
	free(message);
}

/* JavaScript has a promise. Passes a handle to it, to answer by. */
static void answer_later(napi_env env, struct host_function *function, curfew_host_call *open, napi_value later)
{
	napi_value global, handle;
	struct host_call *call = create_call(function, open);
	if (call == NULL) {
		curfew_host_call_throw(open, "out of memory");
		return;
	}
	handle = wrap_call(env, call);
	napi_get_global(env, &global);
	napi_call_function(env, global, later, 1, &handle, NULL);
}

/*
 * Executes one call. The dispatcher returns JSON, undefined or an array of numbers; an object whose `error` is a text;
 * or, to answer later, a function. False: it is answered later.
 */
static bool carry_out(napi_env env, struct host_function *function, curfew_host_call *open, napi_value dispatch)
{
	napi_value global, arguments[3], answer = NULL;
	napi_valuetype type = napi_undefined;
	bool is_array = false;
	napi_get_global(env, &global);
	napi_create_uint32(env, MESSAGE_CALLS, &arguments[0]);
	napi_create_uint32(env, function->id, &arguments[1]);
	arguments[2] = arguments_of(env, function, open);
	if (napi_call_function(env, global, dispatch, 3, arguments, &answer) != napi_ok) {
		curfew_host_call_throw(open, "the environment is ending");
		return true;
	}

	napi_typeof(env, answer, &type);
	if (type == napi_object)
		napi_is_array(env, answer, &is_array);
	if (type == napi_function)
		answer_later(env, function, open, answer);
	else if (type == napi_object && !is_array)
		throw_text(env, open, curfew_node_property(env, answer, "error"));
	else
		give(env, function, open, answer);
	return type != napi_function;
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void curfew_node_take_calls(napi_env env, struct addon *addon, napi_value dispatch)
{
	int64_t until = now_ns() + TURN_NS;
	void *context;
	bool at_once = true;
	curfew_host_call *open = curfew_call_queue_take(addon->calls, 0, &context);
	while (open != NULL) {
		napi_handle_scope scope;
		napi_open_handle_scope(env, &scope);
		at_once = carry_out(env, context, open, dispatch);
		curfew_node_report_exception(env);
		napi_close_handle_scope(env, scope);
		if (!at_once || now_ns() >= until) {
			/* Let the rest of JavaScript run first: the promise may wait for it. */
			curfew_node_on_waiting(addon);
			return;
		}
		open = curfew_call_queue_take(addon->calls, LOOK_NS, &context);
	}
}
