/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of host functions, and calls of them. A call has arguments and gets one answer, at any time. */
#include "host/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "../guest/abi.h"
#include "base/copy_in.h"
#include "common/json.h"
#include "engine/interrupt.h"
#include "wasm/json_values.h"

#define FUNCTIONS_MAX 1000
#define NAME_BYTES_MAX 128

struct curfew_host_call {
	curfew__operation operation;       /* asynchronous only */
	curfew__host_functions *functions; /* asynchronous only; a reference */
	const curfew__host_function *function;
	curfew__host_caller caller;
	curfew__host_params params;
	bool wants_values; /* the caller is WebAssembly */
	curfew_value values[CURFEW__HOST_VALUES];
	atomic_bool stopped;
	void *data;
	curfew__host_answer *answer; /* synchronous only: receives the answer */
	bool answered;
	/* A call from a queue has two owners: the executing thread, and the thread that took it. */
	atomic_uint references;
	curfew__queued queued;
	curfew__host_answer own;
	char json[]; /* a copy of the arguments, if the call is asynchronous or from a queue */
};

static _Thread_local unsigned inside;

bool curfew__host_call_is_inside(void)
{
	return inside > 0;
}

/* ---- Lists ------------------------------------------------------------------------------------------------ */

static bool is_name(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] > '~' || strchr("\"'`\\", name[i]))
			return false;
	return length > 0 && length <= NAME_BYTES_MAX;
}

/* Reads the letters of a type up to an end. NULL: they are invalid. */
static const char *read_letters(const char *text, const char *end, char letters[CURFEW__HOST_VALUES + 1])
{
	size_t count = strspn(text, "iIfF");

	if (count > CURFEW__HOST_VALUES || strncmp(text + count, end, strlen(end)) != 0)
		return NULL;
	memcpy(letters, text, count);
	letters[count] = 0;
	return text + count + strlen(end);
}

static bool read_type(const char *text, curfew__wasm_import *import)
{
	import->typed = text != NULL;
	if (!text)
		return true;
	const char *rest = read_letters(text, "->", import->params);
	rest = rest ? read_letters(rest, "", import->results) : NULL;
	return rest && !*rest;
}

static bool read_function(const curfew_host_function *given, curfew__host_function *function, curfew_failure *failure)
{
	if (!is_name(given->name) || (given->module && !is_name(given->module))) {
		return curfew__fail(failure, "a host function's name is not printable ASCII of at most %d bytes",
		                    NAME_BYTES_MAX);
	}

	if (!read_type(given->type, &function->import)) {
		return curfew__fail(failure, "host function %s: type %.40s is not like \"iI->f\"", given->name, given->type);
	}
	if ((given->flags & ~CURFEW_HOST_ASYNC) || (given->stopped && !(given->flags & CURFEW_HOST_ASYNC))) {
		return curfew__fail(failure, "host function %s: an unknown flag, or stopped without CURFEW_HOST_ASYNC",
		                    given->name);
	}

	if (!given->call == !given->queue || (given->queue && (given->flags & CURFEW_HOST_ASYNC))) {
		return curfew__fail(failure, "host function %s: it needs a callback, or a queue if it is not asynchronous",
		                    given->name);
	}

	function->import.name = strdup(given->name);
	function->import.module = strdup(given->module ? given->module : "host");
	function->import.is_async = given->flags & CURFEW_HOST_ASYNC;
	function->import.fuel = given->fuel;
	function->call = given->call;
	function->stopped = given->stopped;
	function->context = given->context;
	function->queue = curfew__call_queue_ref(given->queue);
	curfew__fail(failure, "out of memory");
	return function->import.name && function->import.module;
}

/* Finds the first function of this name, in this module or (NULL) in any. */
static size_t first_called(const curfew__host_functions *functions, const char *module, const char *name)
{
	size_t i = 0;

	while (i < functions->count && (strcmp(functions->list[i].import.name, name) != 0 ||
	                                (module && strcmp(functions->list[i].import.module, module) != 0)))
		i++;
	return i;
}

static bool is_new(const curfew__host_functions *functions, size_t index, curfew_failure *failure)
{
	const curfew__wasm_import *import = &functions->list[index].import;

	if (first_called(functions, import->module, import->name) == index)
		return true;
	return curfew__fail(failure, "two host functions are called %s", import->name);
}

static bool write_names(curfew__host_functions *functions)
{
	curfew__buffer buffer;
	curfew__json_writer writer;

	curfew__buffer_init(&buffer, SIZE_MAX / 2);
	curfew__json_init(&writer, &buffer);
	curfew__json_begin_array(&writer);
	for (size_t i = 0; i < functions->count; i++) {
		const curfew__wasm_import *import = &functions->list[i].import;
		if (first_called(functions, NULL, import->name) != i)
			continue;
		curfew__json_begin_array(&writer);
		curfew__json_text(&writer, import->name);
		curfew__json_bool(&writer, import->is_async);
		curfew__json_u64(&writer, i);
		curfew__json_end_array(&writer);
	}
	curfew__json_end_array(&writer);
	bool failed = buffer.failed;
	functions->names = curfew__buffer_take(&buffer, &functions->names_length);
	return !failed && functions->names;
}

static bool fill(curfew__host_functions *functions, const curfew_host_function *given, size_t count,
                 curfew_failure *failure)
{
	curfew_host_function known;

	functions->list = calloc(count ? count : 1, sizeof *functions->list);
	functions->imports = calloc(count ? count : 1, sizeof *functions->imports);
	if (!functions->list || !functions->imports)
		return false;
	for (size_t i = 0; i < count; i++) {
		const char *at = (const char *)given + i * given->size;
		if (!curfew__copy_in(&known, sizeof known, at) || known.size != given->size) {
			return curfew__fail(failure, "a host function's size is not that of a curfew_host_function");
		}
		functions->count = i + 1;
		functions->list[i].owner = functions;
		if (!read_function(&known, &functions->list[i], failure) || !is_new(functions, i, failure))
			return false;
		functions->list[i].import.index = i;
		functions->imports[i] = functions->list[i].import;
	}
	return write_names(functions);
}

curfew__host_functions *curfew__host_functions_create(const curfew_host_function *functions, size_t count,
                                                      curfew_failure *failure)
{
	curfew__host_functions *made = NULL;

	curfew__fail(failure, "more than %d host functions", FUNCTIONS_MAX);
	if (count <= FUNCTIONS_MAX) {
		curfew__fail(failure, "out of memory");
		made = calloc(1, sizeof *made);
	}
	if (!made)
		return NULL;
	atomic_init(&made->references, 1);
	if (!fill(made, functions, count, failure)) {
		curfew__host_functions_unref(made);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		curfew_host_function known;
		if (curfew__copy_in(&known, sizeof known, (const char *)functions + i * functions->size))
			made->list[i].released = known.released;
	}
	return made;
}

curfew__host_functions *curfew__host_functions_ref(curfew__host_functions *functions)
{
	atomic_fetch_add(&functions->references, 1);
	return functions;
}

void curfew__host_functions_unref(curfew__host_functions *functions)
{
	if (!functions || atomic_fetch_sub(&functions->references, 1) != 1)
		return;
	for (size_t i = 0; i < functions->count; i++) {
		free(functions->list[i].import.module);
		free(functions->list[i].import.name);
		curfew__call_queue_unref(functions->list[i].queue);
		if (functions->list[i].released)
			functions->list[i].released(functions->list[i].context);
	}
	free(functions->list);
	free(functions->imports);
	free(functions->names);
	free(functions);
}

/* ---- Values from and to JSON ------------------------------------------------------------------------------ */

static const curfew__integer_type i32_type = {"i32", INT32_MIN, UINT32_MAX, 32};
static const curfew__integer_type i64_type = {"i64", INT64_MIN, UINT64_MAX, 64};

static bool read_value(curfew__json_reader *reader, char letter, curfew_value *value)
{
	uint64_t integer;

	switch (letter) {
	case 'f': return curfew__float_read(reader, &value->f32);
	case 'F': return curfew__double_read(reader, &value->f64);
	default:
		if (!curfew__integer_read(reader, letter == 'I' ? &i64_type : &i32_type, &integer))
			return false;
		value->i64 = (int64_t)integer;
		if (letter == 'i')
			value->i32 = (int32_t)(uint32_t)integer;
		return true;
	}
}

static bool refuse_value(const curfew__json_reader *params, size_t given, char letter, size_t index,
                         curfew_failure *failure)
{
	curfew__buffer text;

	curfew__buffer_init(&text, 1024);
	curfew__buffer_printf(&text, "argument %zu: expected ", index + 1);
	if (letter == 'i' || letter == 'I')
		curfew__integer_expected(letter == 'I' ? &i64_type : &i32_type, &text);
	else
		curfew__buffer_printf(&text, "%s", letter == 'f' ? "f32" : "f64");
	if (letter == 'f' || letter == 'F')
		curfew__floating_expected(letter == 'f', &text);
	curfew__buffer_add_text(&text, ", got ");
	curfew__json_describe(params, given, &text);
	return curfew__message_take(failure, &text);
}

/* Converts JavaScript's arguments for a function with a type. */
static bool read_values(const curfew__host_function *function, curfew__json_reader *params, curfew_value *values,
                        curfew_failure *failure)
{
	const char *letters = function->import.params;
	size_t count = strlen(letters), given = curfew__json_count(params);
	bool right = given == count;

	if (!right)
		curfew__fail(failure, "%s takes %zu argument%s, got %zu", function->import.name, count, count == 1 ? "" : "s",
		             given);
	curfew__json_enter(params);
	for (size_t i = 0; right && i < count && curfew__json_has_next(params); i++) {
		size_t at = params->at;
		right = read_value(params, letters[i], &values[i]) || refuse_value(params, at, letters[i], i, failure);
	}
	return right && !params->stopped;
}

static void write_value(curfew__json_writer *writer, char letter, const curfew_value *value)
{
	switch (letter) {
	case 'i': curfew__json_signed(writer, value->i32); break;
	case 'I': curfew__json_signed(writer, value->i64); break;
	case 'f': curfew__json_float(writer, value->f32); break;
	default: curfew__json_double(writer, value->f64);
	}
}

/* NULL: there are none, or there is no memory. */
static char *write_values(const char *letters, const curfew_value *values, size_t *length)
{
	curfew__buffer buffer;
	curfew__json_writer writer;
	size_t count = strlen(letters);

	*length = 0;
	if (!count)
		return NULL;
	curfew__buffer_init(&buffer, 4096);
	curfew__json_init(&writer, &buffer);
	if (count > 1)
		curfew__json_begin_array(&writer);
	for (size_t i = 0; i < count; i++)
		write_value(&writer, letters[i], &values[i]);
	if (count > 1)
		curfew__json_end_array(&writer);
	return curfew__buffer_take(&buffer, length);
}

/* ---- Calls from a queue ----------------------------------------------------------------------------------- */

static bool is_queued(const curfew_host_call *call)
{
	return call->answer == &call->own;
}

static void unref_queued(curfew_host_call *call)
{
	if (atomic_fetch_sub(&call->references, 1) != 1)
		return;
	free(call->own.bytes);
	curfew__host_functions_unref(call->functions);
	free(call);
}

/* Ends a call from a queue, whether or not the executing thread still waits. The thread that took it loses the handle.
 */
static void settle_queued(curfew_host_call *call)
{
	(void)curfew__queued_settle(&call->queued);
	unref_queued(call);
}

curfew_host_call *curfew_call_queue_take(curfew_call_queue *queue, uint64_t wait_ns, void **context)
{
	curfew__queued *queued = curfew__call_queue_next(queue, wait_ns);

	if (!queued)
		return NULL;
	curfew_host_call *call = (curfew_host_call *)(void *)((char *)queued - offsetof(curfew_host_call, queued));
	if (context)
		*context = call->function->context;
	return call;
}

/* ---- Answers ---------------------------------------------------------------------------------------------- */

/* Takes ownership of bytes. The caller loses the handle if the call is asynchronous or was taken from a queue. */
static void end_call(curfew_host_call *call, bool threw, char *bytes, size_t length)
{
	if (call->answer) {
		if (!call->answered) {
			call->answer->threw = threw;
			call->answer->bytes = bytes;
			call->answer->length = length;
			bytes = NULL;
		}
		call->answered = true;
		free(bytes);
		if (is_queued(call))
			settle_queued(call);
		return;
	}
	curfew__operation_post(&call->operation, threw ? CURFEW_CALL_THREW : CURFEW_CALL_RETURNED, true, bytes, length);
	curfew__operation_unref(&call->operation);
}

static char *copy(const void *bytes, size_t length)
{
	char *made = malloc(length + 1);

	if (!made)
		return NULL;
	memcpy(made, bytes, length);
	made[length] = 0;
	return made;
}

static void throw(curfew_host_call * call, const char *message)
{
	end_call(call, true, copy(message, strlen(message)), strlen(message));
}

static curfew_status refuse_answer(curfew_host_call *call, const char *message)
{
	throw(call, message);
	return CURFEW_INVALID;
}

curfew_status curfew_host_call_return(curfew_host_call *call, const char *json, size_t length)
{
	if (!call)
		return CURFEW_INVALID;
	if (call->function->import.typed)
		return refuse_answer(call, "the host function answered with JSON instead of numbers");
	if (json && !curfew__json_check(json, length, NULL, NULL))
		return refuse_answer(call, "the host function did not answer with JSON");
	char *bytes = json ? copy(json, length) : NULL;
	if (json && !bytes)
		throw(call, "the host is out of memory");
	else
		end_call(call, false, bytes, json ? length : 0);
	return CURFEW_OK;
}

curfew_status curfew_host_call_return_values(curfew_host_call *call, const curfew_value *results)
{
	if (!call)
		return CURFEW_INVALID;
	const char *letters = call->function->import.results;
	size_t count = strlen(letters), length = count * sizeof *results;
	if (!call->function->import.typed || (count && !results))
		return refuse_answer(
			call, "the host function answered with numbers and has no type, or without numbers and has a type");
	if (!call->wants_values) {
		char *json = write_values(letters, results, &length);
		end_call(call, false, json, length);
	} else if (!call->answer) {
		end_call(call, false, copy(count ? results : call->values, length), length);
	} else if (!call->answered) {
		for (size_t i = 0; i < count; i++)
			call->answer->values[i] = results[i];
		call->answered = true;
		if (is_queued(call))
			settle_queued(call);
	}

	return CURFEW_OK;
}

curfew_status curfew_host_call_throw(curfew_host_call *call, const char *message)
{
	if (!call)
		return CURFEW_INVALID;
	throw(call, message ? message : "");
	return CURFEW_OK;
}

/* ---- What a call was given -------------------------------------------------------------------------------- */

const char *curfew_host_call_get_params(const curfew_host_call *call, size_t *length)
{
	bool typed = call->function->import.typed;

	if (length)
		*length = typed ? 0 : call->params.length;
	return typed ? NULL : call->params.json;
}

const curfew_value *curfew_host_call_get_values(const curfew_host_call *call)
{
	return call->function->import.typed ? call->values : NULL;
}

void *curfew_host_call_get_context(const curfew_host_call *call)
{
	return call->caller.context;
}

bool curfew_host_call_is_stopped(const curfew_host_call *call)
{
	if (!call->answer || is_queued(call))
		return atomic_load(&call->stopped);
	return atomic_load(call->caller.stopped[0]) || atomic_load(call->caller.stopped[1]);
}

void curfew_host_call_set_data(curfew_host_call *call, void *data)
{
	call->data = data;
}

void *curfew_host_call_get_data(const curfew_host_call *call)
{
	return call->data;
}

/* ---- Calls ------------------------------------------------------------------------------------------------ */

/*
 * Checks the arguments. False: they are not JSON, or not those of the function's type; that is the answer. The guest
 * has written them, and its engine may be corrupted, so no callback sees them unchecked.
 */
static bool fill_call(curfew_host_call *call, const curfew__host_params *params, const atomic_uint *stop,
                      curfew_failure *failure)
{
	curfew__json_reader reader;

	call->params = *params;
	call->wants_values = params->values != NULL;
	if (!params->values && !curfew__params_open(&reader, params->json, params->length, stop, "arguments", failure))
		return false;
	if (!call->function->import.typed)
		return true;
	if (!params->values)
		return read_values(call->function, &reader, call->values, failure);
	for (size_t i = 0; call->function->import.params[i]; i++)
		call->values[i] = params->values[i];
	return true;
}

/* At first only the executing thread has a reference. NULL: out of memory. */
static curfew_host_call *create_queued(const curfew__host_function *function, const curfew__host_caller *caller,
                                       const curfew__host_params *params)
{
	bool copies = params->json && !function->import.typed;
	curfew_host_call *call = calloc(1, sizeof *call + (copies ? params->length + 1 : 0));

	if (!call)
		return NULL;
	atomic_init(&call->references, 1);
	call->functions = curfew__host_functions_ref(function->owner);
	call->function = function;
	call->caller = (curfew__host_caller){.context = caller->context};
	call->answer = &call->own;
	if (copies)
		curfew__copy_until(call->json, params->json, params->length, caller->stopped[0]);
	return call;
}

/* Returns NULL if the answer came, and otherwise why there is none. */
static const char *wait_queued(curfew_host_call *call, const curfew__host_caller *caller, curfew__host_answer *answer)
{
	bool taken;

	atomic_fetch_add(&call->references, 1); /* for the thread that takes it */
	curfew__queued_state state = curfew__call_queue_ask(call->function->queue, &call->queued, caller->stopped, &taken);
	if (!taken)
		unref_queued(call);
	if (state == CURFEW__QUEUED_LEFT)
		atomic_store(&call->stopped, true);
	if (state != CURFEW__QUEUED_ANSWERED)
		return state == CURFEW__QUEUED_LEFT ? "the run was stopped"
		                                    : "the queue of this function's calls was destroyed";
	*answer = call->own;
	call->own.bytes = NULL;
	return NULL;
}

static void throw_now(curfew__host_answer *answer, const char *message)
{
	*answer = (curfew__host_answer){.threw = true, .bytes = copy(message, strlen(message)), .length = strlen(message)};
}

static void call_queued(const curfew__host_function *function, const curfew__host_caller *caller,
                        const curfew__host_params *params, curfew__host_answer *answer)
{
	curfew_host_call *call = create_queued(function, caller, params);
	curfew__host_params own = *params;
	curfew_failure failure = {.message = "the host is out of memory"};
	const char *why = failure.message;

	if (call && !function->import.typed && params->json)
		own.json = call->json;
	if (call && fill_call(call, &own, caller->stopped[0], &failure))
		why = wait_queued(call, caller, answer);
	if (why)
		throw_now(answer, why);
	if (call)
		unref_queued(call);
}

void curfew__host_call_now(const curfew__host_function *function, const curfew__host_caller *caller,
                           const curfew__host_params *params, curfew__host_answer *answer)
{
	curfew_host_call call = {.function = function, .caller = *caller, .answer = answer};
	static const curfew_value zeroes[CURFEW__HOST_VALUES];
	curfew_failure failure;

	answer->threw = false;
	answer->bytes = NULL;
	answer->length = 0;
	if (function->queue) {
		call_queued(function, caller, params, answer);
		return;
	}
	if (!fill_call(&call, params, caller->stopped[0], &failure)) {
		throw(&call, failure.message);
		return;
	}
	inside++;
	function->call(function->context, &call);
	inside--;
	if (!call.answered && function->import.typed)
		curfew_host_call_return_values(&call, zeroes);
}

static void on_cancel(curfew__operation *operation)
{
	curfew_host_call *call = (curfew_host_call *)operation;

	atomic_store(&call->stopped, true);
	if (call->function->stopped)
		call->function->stopped(call->function->context, call);
}

static void on_destroy(curfew__operation *operation)
{
	curfew_host_call *call = (curfew_host_call *)operation;

	curfew__host_functions_unref(call->functions);
	free(call);
}

static const curfew__operation_type call_type = {NULL, NULL, on_cancel, on_destroy};

uint32_t curfew__host_call_start(curfew__host_functions *functions, size_t index, const curfew__host_caller *caller,
                                 curfew__operations *operations, const curfew__host_params *params)
{
	bool typed = functions->list[index].import.typed;
	curfew_host_call *call = calloc(1, sizeof *call + (typed ? 0 : params->length + 1));
	curfew__host_params own = *params;
	curfew_failure failure;

	if (!call)
		return 0;
	call->functions = functions;
	call->function = &functions->list[index];
	call->caller = (curfew__host_caller){.context = caller->context};
	if (params->json && !typed) {
		curfew__copy_until(call->json, params->json, params->length, caller->stopped[0]);
		own.json = call->json;
	}
	bool good = fill_call(call, &own, caller->stopped[0], &failure);
	if (!curfew__operation_start(operations, &call->operation, &call_type)) {
		free(call);
		return 0;
	}
	curfew__host_functions_ref(functions);
	uint32_t id = call->operation.id;
	if (good)
		call->function->call(call->function->context, call);
	else
		throw(call, failure.message);
	curfew__interrupt_admit(NULL);
	return id;
}
