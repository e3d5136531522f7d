/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a component that calls and the host that answers. Calls follow the type that was found when the component was
 * linked. If the host's function has a type, numbers are passed directly; everything else is passed as JSON.
 */
#include "wasm/component_functions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "wasm/component_convert.h"
#include "wasm/instance.h"
#include "wasm/json_values.h"

typedef wasmtime_component_val_t value;

/* ---- Numbers ---------------------------------------------------------------------------------------------- */

static bool is_number(char letter, const curfew__shape *shape)
{
	switch (letter) {
	case 'i': return shape->kind == WASMTIME_COMPONENT_VALTYPE_S32 || shape->kind == WASMTIME_COMPONENT_VALTYPE_U32;
	case 'I': return shape->kind == WASMTIME_COMPONENT_VALTYPE_S64 || shape->kind == WASMTIME_COMPONENT_VALTYPE_U64;
	case 'f': return shape->kind == WASMTIME_COMPONENT_VALTYPE_F32;
	default: return shape->kind == WASMTIME_COMPONENT_VALTYPE_F64;
	}
}

static void read_number(char letter, const value *from, curfew_value *to)
{
	switch (letter) {
	case 'i': to->i32 = from->of.s32; break;
	case 'I': to->i64 = from->of.s64; break;
	case 'f': to->f32 = from->of.f32; break;
	default: to->f64 = from->of.f64;
	}
}

static void write_number(const curfew__shape *shape, const curfew_value *from, value *to)
{
	switch (shape->kind) {
	case WASMTIME_COMPONENT_VALTYPE_S32:
	case WASMTIME_COMPONENT_VALTYPE_U32:
		to->kind = shape->kind == WASMTIME_COMPONENT_VALTYPE_S32 ? WASMTIME_COMPONENT_S32 : WASMTIME_COMPONENT_U32;
		to->of.s32 = from->i32;
		break;
	case WASMTIME_COMPONENT_VALTYPE_S64:
	case WASMTIME_COMPONENT_VALTYPE_U64:
		to->kind = shape->kind == WASMTIME_COMPONENT_VALTYPE_S64 ? WASMTIME_COMPONENT_S64 : WASMTIME_COMPONENT_U64;
		to->of.s64 = from->i64;
		break;
	case WASMTIME_COMPONENT_VALTYPE_F32:
		to->kind = WASMTIME_COMPONENT_F32;
		to->of.f32 = from->f32;
		break;
	default: to->kind = WASMTIME_COMPONENT_F64; to->of.f64 = from->f64;
	}
}

/* The type of an answer: for a result type, that of its ok. NULL: it has none. */
static const curfew__shape *answer_shape(const curfew__signature *signature)
{
	const curfew__shape *shape = &signature->result;

	if (!signature->has_result)
		return NULL;
	if (shape->kind != WASMTIME_COMPONENT_VALTYPE_RESULT)
		return shape;
	return shape->members[0].typed ? &shape->members[0].shape : NULL;
}

/* Whether these are the function's results: none, one, or a tuple of several. */
static bool are_results(const char *letters, const curfew__shape *shape)
{
	size_t count = strlen(letters);

	if (!shape || count < 2)
		return shape ? count == 1 && is_number(letters[0], shape) : count == 0;
	if (shape->kind != WASMTIME_COMPONENT_VALTYPE_TUPLE || shape->count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!is_number(letters[i], &shape->members[i].shape))
			return false;
	return true;
}

bool curfew__component_has_type(const curfew__wasm_import *import, const curfew__signature *signature)
{
	if (signature->count != strlen(import->params))
		return false;
	for (size_t i = 0; i < signature->count; i++)
		if (!is_number(import->params[i], &signature->params[i]))
			return false;
	return are_results(import->results, answer_shape(signature));
}

static void write_numbers(const curfew__shape *shape, const curfew_value *from, value *to)
{
	if (shape->kind != WASMTIME_COMPONENT_VALTYPE_TUPLE) {
		write_number(shape, from, to);
		return;
	}
	wasmtime_component_valtuple_new_uninit(&to->of.tuple, shape->count);
	to->kind = WASMTIME_COMPONENT_TUPLE;
	for (size_t i = 0; i < shape->count; i++)
		write_number(&shape->members[i].shape, &from[i], &to->of.tuple.data[i]);
}

static void write_typed_answer(const curfew__signature *signature, const curfew_value *from, value *to)
{
	const curfew__shape *shape = answer_shape(signature);

	if (signature->has_result && signature->result.kind == WASMTIME_COMPONENT_VALTYPE_RESULT) {
		to->of.result = (wasmtime_component_valresult_t){.is_ok = true};
		to->kind = WASMTIME_COMPONENT_RESULT;
		if (shape)
			to = to->of.result.val = wasmtime_component_val_new(&(value){0});
	}
	if (shape)
		write_numbers(shape, from, to);
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

/* False: it needs more memory than the run may have. */
static bool write_params(const curfew__signature *signature, const value *params, curfew__buffer *json)
{
	curfew__buffer_add(json, "[", 1);
	for (size_t i = 0; i < signature->count; i++) {
		if (i)
			curfew__buffer_add(json, ",", 1);
		curfew__component_write(&signature->params[i], &params[i], json);
	}
	return curfew__buffer_add(json, "]", 1) && !json->failed;
}

/* Converts JSON to the value, or to one side of it if the function has a result type. False: message says why. */
static bool read_side(const curfew__signature *signature, size_t side, curfew__json_reader *given, size_t limit_bytes,
                      value *to, curfew_failure *failure)
{
	const curfew__shape *shape = &signature->result;
	curfew__value_budget budget = {limit_bytes, limit_bytes};

	return shape->kind == WASMTIME_COMPONENT_VALTYPE_RESULT
	           ? curfew__component_side(shape, side, given, &budget, to, failure)
	           : curfew__component_param(shape, 0, given, &budget, to, failure);
}

static bool read_answer(const curfew__signature *signature, const curfew__host_answer *answer, size_t limit_bytes,
                        value *to, curfew_failure *failure)
{
	bool is_void = answer->bytes == NULL;
	curfew__json_reader given;

	if (!signature->has_result)
		return true;
	return curfew__json_open(&given, is_void ? "null" : answer->bytes, is_void ? 4 : answer->length, NULL, "result",
	                         failure) &&
	       read_side(signature, 0, &given, limit_bytes, to, failure);
}

/* Returns the message of the error, as text. */
static bool read_text_side(const curfew__signature *signature, const curfew__host_answer *answer, size_t limit_bytes,
                           value *to, curfew_failure *failure)
{
	curfew__buffer json;
	curfew__json_writer writer;
	curfew__json_reader given;

	if (!curfew__utf8_check(answer->bytes, answer->length, NULL))
		return false;
	curfew__buffer_init(&json, SIZE_MAX);
	curfew__json_init(&writer, &json);
	curfew__json_string(&writer, answer->bytes, answer->length);
	bool good = !json.failed;
	if (good)
		curfew__json_reader_init(&given, json.data, json.length, NULL);
	good = good && read_side(signature, 1, &given, limit_bytes, to, failure);
	curfew__buffer_finish(&json);
	return good;
}

/* Converts an error to the err of a result type: the message as text if the type accepts it, otherwise as JSON. */
static bool read_error(const curfew__signature *signature, const curfew__host_answer *answer, size_t limit_bytes,
                       value *to)
{
	curfew_failure failure;
	curfew__json_reader given;

	if (!answer->bytes || !signature->has_result || signature->result.kind != WASMTIME_COMPONENT_VALTYPE_RESULT)
		return false;
	if (read_text_side(signature, answer, limit_bytes, to, &failure))
		return true;
	wasmtime_component_val_delete(to);
	*to = (value){0};
	return curfew__json_open(&given, answer->bytes, answer->length, NULL, "error", &failure) &&
	       read_side(signature, 1, &given, limit_bytes, to, &failure);
}

/* ---- Calls ------------------------------------------------------------------------------------------------ */

static wasmtime_error_t *error_with(curfew__wasm *wasm, const char *message)
{
	wasm->host_trapped = true;
	return wasmtime_error_new(message);
}

/* NULL: the call may be made. */
static wasmtime_error_t *charge_call(curfew__wasm *wasm, const curfew__wasm_import *import)
{
	curfew_failure failure;

	switch (curfew__wasm_charge_call(wasm, import, &failure)) {
	case CURFEW__CALL_GOES: return NULL;
	case CURFEW__CALL_OUT_OF_FUEL: return curfew__error_out_of_fuel();
	default: return error_with(wasm, failure.message);
	}
}

/* The arguments of a call; json owns their text. */
typedef struct arguments {
	curfew__host_params params;
	curfew_value values[CURFEW__HOST_VALUES];
	curfew__buffer json;
} arguments;

/* False: it needs more memory than the run may have. */
static bool convert_arguments(const curfew__wasm *wasm, const curfew__component_function *function, const value *params,
                              arguments *given)
{
	const curfew__wasm_import *import = function->import;
	bool good = true;

	curfew__buffer_init(&given->json, wasm->memory_limit);
	given->params = (curfew__host_params){.values = given->values};
	for (size_t i = 0; import->typed && import->params[i]; i++)
		read_number(import->params[i], &params[i], &given->values[i]);
	if (!import->typed) {
		good = write_params(function->signature, params, &given->json);
		given->params = (curfew__host_params){given->json.data, given->json.length, NULL};
	}
	return good;
}

/* NULL: the guest continues with the result. */
static wasmtime_error_t *conclude(curfew__wasm *wasm, const curfew__component_function *function,
                                  curfew__host_answer *answer, value *result)
{
	const curfew__signature *signature = function->signature;
	wasmtime_error_t *error = NULL;
	curfew_failure failure;

	if (wasm->host->stopped(wasm->context))
		error = error_with(wasm, "the host ended a call");
	else if (answer->threw && !read_error(signature, answer, wasm->memory_limit, result))
		error = error_with(wasm, answer->bytes ? answer->bytes : "out of memory");
	else if (!answer->threw && function->import->typed)
		write_typed_answer(signature, answer->values, result);
	else if (!answer->threw && !read_answer(signature, answer, wasm->memory_limit, result, &failure))
		error = error_with(wasm, failure.message);
	free(answer->bytes);
	return error;
}

typedef struct pending {
	const curfew__component_function *function;
	curfew__wasm *wasm;
	uint32_t id;
	value *result;
	wasmtime_error_t **error;
} pending;

static bool on_poll(void *env)
{
	const pending *call = env;
	curfew__host_answer answer;

	if (!call->wasm->host->function_take(call->wasm->context, call->function->import->index, call->id, &answer))
		return false;
	*call->error = conclude(call->wasm, call->function, &answer, call->result);
	return true;
}

/* Begins an asynchronous call. The continuation is polled until the call has an answer. */
static wasmtime_error_t *begin_call(const pending *call, const curfew__host_params *params,
                                    wasmtime_async_continuation_t *continuation)
{
	curfew__wasm *wasm = call->wasm;
	pending *kept = malloc(sizeof *kept);
	uint32_t id = kept ? wasm->host->function_start(wasm->context, call->function->import->index, params) : 0;

	if (!id) {
		free(kept);
		return error_with(wasm, "the host has no memory for another call");
	}
	*kept = *call;
	kept->id = id;
	*continuation = (wasmtime_async_continuation_t){on_poll, kept, free};
	return NULL;
}

void curfew__component_function_call(void *env, wasmtime_context_t *context, const value *params, size_t param_count,
                                     value *results, size_t result_count, wasmtime_error_t **error,
                                     wasmtime_async_continuation_t *continuation)
{
	const curfew__component_function *function = env;
	curfew__wasm *wasm = wasmtime_context_get_data(context);
	curfew__host_answer answer;
	arguments given;
	(void)param_count, (void)result_count;

	if ((*error = charge_call(wasm, function->import)))
		return;
	if (!convert_arguments(wasm, function, params, &given)) {
		*error = error_with(wasm, "the parameters of a call take more memory than the run may have");
	} else if (function->import->is_async) {
		*error = begin_call(&(pending){function, wasm, 0, results, error}, &given.params, continuation);
	} else {
		wasm->host->function(wasm->context, function->import->index, &given.params, &answer);
		*error = conclude(wasm, function, &answer, results);
	}
	curfew__buffer_finish(&given.json);
}
