/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between a module's imports and the host that executes its calls. Each call is charged first. An asynchronous call
 * ends when the host has an answer: until then its future is pending, and the run waits without a thread.
 */
#include "wasm/host_functions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "wasm/fuel.h"
#include "wasm/instance.h"

/* ---- Values ----------------------------------------------------------------------------------------------- */

static void read_values(const char *letters, const wasmtime_val_t *from, curfew_value *to)
{
	for (size_t i = 0; letters[i]; i++) {
		switch (letters[i]) {
		case 'i': to[i].i32 = from[i].of.i32; break;
		case 'I': to[i].i64 = from[i].of.i64; break;
		case 'f': to[i].f32 = from[i].of.f32; break;
		default: to[i].f64 = from[i].of.f64;
		}
	}
}

static void write_values(const char *letters, const curfew_value *from, wasmtime_val_t *to)
{
	for (size_t i = 0; letters[i]; i++) {
		switch (letters[i]) {
		case 'i': to[i] = (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = from[i].i32}; break;
		case 'I': to[i] = (wasmtime_val_t){.kind = WASMTIME_I64, .of.i64 = from[i].i64}; break;
		case 'f': to[i] = (wasmtime_val_t){.kind = WASMTIME_F32, .of.f32 = from[i].f32}; break;
		default: to[i] = (wasmtime_val_t){.kind = WASMTIME_F64, .of.f64 = from[i].f64};
		}
	}
}

/* ---- Calls ------------------------------------------------------------------------------------------------ */

static wasm_trap_t *trap_with(curfew__wasm *wasm, const char *message)
{
	wasm->host_trapped = true;
	return wasmtime_trap_new(message, strlen(message));
}

curfew__call_verdict curfew__wasm_charge_call(curfew__wasm *wasm, const curfew__wasm_import *import,
                                              curfew_failure *failure)
{
	curfew__fail(failure, "the host refused a call");
	if (!wasm->host->call(wasm->context))
		return CURFEW__CALL_REFUSED;
	/* It waits in no other function. */
	if (import->is_async)
		curfew__target_note_call(&wasm->target);
	return curfew__wasm_charge_fuel(wasm, import->fuel) ? CURFEW__CALL_GOES : CURFEW__CALL_OUT_OF_FUEL;
}

/* NULL: the call may be made. */
static wasm_trap_t *charge_call(curfew__wasm *wasm, const curfew__wasm_import *import)
{
	curfew_failure failure;

	switch (curfew__wasm_charge_call(wasm, import, &failure)) {
	case CURFEW__CALL_GOES: return NULL;
	case CURFEW__CALL_OUT_OF_FUEL: return wasmtime_trap_new_code(WASMTIME_TRAP_CODE_OUT_OF_FUEL);
	default: return trap_with(wasm, failure.message);
	}
}

/* NULL: the guest continues with the results. */
static wasm_trap_t *conclude(curfew__wasm *wasm, const curfew__wasm_import *import, curfew__host_answer *answer,
                             wasmtime_val_t *results)
{
	wasm_trap_t *trap = NULL;

	if (answer->threw)
		trap = trap_with(wasm, answer->bytes ? answer->bytes : "out of memory");
	else if (wasm->host->stopped(wasm->context))
		trap = trap_with(wasm, "the host ended a call");
	else
		write_values(import->results, answer->values, results);
	free(answer->bytes);
	return trap;
}

static wasm_trap_t *on_call(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args, size_t arg_count,
                            wasmtime_val_t *results, size_t result_count)
{
	const curfew__wasm_import *import = env;
	curfew__wasm *wasm = wasmtime_context_get_data(wasmtime_caller_context(caller));
	curfew_value params[CURFEW__HOST_VALUES];
	curfew__host_answer answer;
	wasm_trap_t *trap = charge_call(wasm, import);
	(void)arg_count, (void)result_count;

	if (trap)
		return trap;
	read_values(import->params, args, params);
	wasm->host->function(wasm->context, import->index, &(curfew__host_params){.values = params}, &answer);
	return conclude(wasm, import, &answer, results);
}

/* ---- Asynchronous calls ----------------------------------------------------------------------------------- */

typedef struct pending {
	const curfew__wasm_import *import;
	curfew__wasm *wasm;
	uint32_t id;
	wasmtime_val_t *results;
	wasm_trap_t **trap;
} pending;

static bool on_poll(void *env)
{
	const pending *call = env;
	curfew__host_answer answer;

	if (!call->wasm->host->function_take(call->wasm->context, call->import->index, call->id, &answer))
		return false;
	*call->trap = conclude(call->wasm, call->import, &answer, call->results);
	return true;
}

static bool on_nothing(void *env)
{
	(void)env;
	return true;
}

static void on_async_call(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args, size_t arg_count,
                          wasmtime_val_t *results, size_t result_count, wasm_trap_t **trap,
                          wasmtime_async_continuation_t *continuation)
{
	const curfew__wasm_import *import = env;
	curfew__wasm *wasm = wasmtime_context_get_data(wasmtime_caller_context(caller));
	curfew_value params[CURFEW__HOST_VALUES];
	pending *call;
	(void)arg_count, (void)result_count;

	*continuation = (wasmtime_async_continuation_t){on_nothing, NULL, NULL};
	if ((*trap = charge_call(wasm, import)))
		return;
	read_values(import->params, args, params);
	const curfew__host_params given = {.values = params};
	if (!(call = malloc(sizeof *call)) ||
	    !(call->id = wasm->host->function_start(wasm->context, import->index, &given))) {
		free(call);
		*trap = trap_with(wasm, "the host has no memory for another call");
		return;
	}
	call->import = import;
	call->wasm = wasm;
	call->results = results;
	call->trap = trap;
	*continuation = (wasmtime_async_continuation_t){on_poll, call, free};
}

/* ---- Linking ---------------------------------------------------------------------------------------------- */

static void make_types(const char *letters, wasm_valtype_vec_t *types)
{
	wasm_valtype_t *made[CURFEW__HOST_VALUES];
	size_t count = 0;

	for (; letters[count]; count++)
		made[count] = wasm_valtype_new(letters[count] == 'i'   ? WASM_I32
		                               : letters[count] == 'I' ? WASM_I64
		                               : letters[count] == 'f' ? WASM_F32
		                                                       : WASM_F64);
	wasm_valtype_vec_new(types, count, made);
}

static wasmtime_error_t *add_function(wasmtime_linker_t *linker, const curfew__wasm_import *import)
{
	wasm_valtype_vec_t params, results;
	size_t module = strlen(import->module), name = strlen(import->name);
	void *env = (void *)(uintptr_t)import;

	make_types(import->params, &params);
	make_types(import->results, &results);
	wasm_functype_t *type = wasm_functype_new(&params, &results);
	wasmtime_error_t *error = import->is_async
	                              ? wasmtime_linker_define_async_func(linker, import->module, module, import->name,
	                                                                  name, type, on_async_call, env, NULL)
	                              : wasmtime_linker_define_func(linker, import->module, module, import->name, name,
	                                                            type, on_call, env, NULL);
	wasm_functype_delete(type);
	return error;
}

wasmtime_error_t *curfew__linker_add_functions(wasmtime_linker_t *linker, const curfew__wasm_import *imports,
                                               size_t count)
{
	wasmtime_error_t *error = NULL;

	for (size_t i = 0; i < count && !error; i++)
		if (imports[i].typed)
			error = add_function(linker, &imports[i]);
	return error;
}
