/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of one call of a component's function, from its type to their release. Result slots are zeroed memory and
 * serve one call: Wasmtime drops what is in them. A type that contains anything that Wasmtime's C API cannot express is
 * refused before the call, because the process would end when such values came back.
 */
#include "wasm/component_values.h"

#include "base/refuse.h"
#include "wasm/component_convert.h"
#include "wasm/json_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef wasmtime_component_val_t value;

/* ---- Signatures ------------------------------------------------------------------------------------------ */

static bool refuse_function(const curfew__signature *signature, const char *why, curfew_failure *failure)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	curfew__buffer_printf(&buffer, "%s cannot be %s: %s", signature->name, signature->imported ? "served" : "called",
	                      why);
	return curfew__message_take(failure, &buffer);
}

/* parameter counts from 1; 0 is the result. gives: the value comes from JSON. */
static bool check_foreign(const curfew__signature *signature, const curfew__shape *shape, size_t parameter, bool gives,
                          curfew_failure *failure)
{
	/* Refuse resources: nobody would drop one that the host was lent or given. */
	const curfew__shape *foreign = curfew__shape_find_foreign(shape, gives || signature->imported);
	if (foreign == NULL)
		return true;
	char where[40] = "its result";
	char why[sizeof failure->message];
	if (parameter > 0)
		(void)snprintf(where, sizeof where, "parameter %zu", parameter);
	(void)snprintf(why, sizeof why, "%s has the type %s, which JSON cannot %s", where, curfew__shape_kind_text(foreign),
	               gives ? "give" : "take");
	return refuse_function(signature, why, failure);
}

static bool read_shape(const curfew__signature *signature, curfew__shape *shape, wasmtime_component_valtype_t *type,
                       size_t parameter, size_t *budget, curfew_failure *failure)
{
	bool made = curfew__shape_init(shape, type, NULL, budget);
	wasmtime_component_valtype_delete(type);
	if (!made)
		return refuse_function(signature, "its type is too large", failure);
	return check_foreign(signature, shape, parameter, (parameter > 0) != signature->imported, failure);
}

static bool read_signature(curfew__signature *signature, const wasmtime_component_func_type_t *type,
                           curfew_failure *failure)
{
	size_t budget = CURFEW__SHAPE_BUDGET;
	for (size_t i = 0; i < signature->count; i++) {
		const char *name;
		size_t length;
		wasmtime_component_valtype_t param;
		if (!wasmtime_component_func_type_param_nth(type, i, &name, &length, &param) ||
		    !read_shape(signature, &signature->params[i], &param, i + 1, &budget, failure))
			return false;
	}
	wasmtime_component_valtype_t result;
	signature->has_result = wasmtime_component_func_type_result(type, &result);
	return !signature->has_result || read_shape(signature, &signature->result, &result, 0, &budget, failure);
}

static curfew__signature *create(const char *name, const wasmtime_component_func_type_t *type, bool imported,
                                 curfew_failure *failure)
{
	curfew__fail(failure, "out of memory");
	curfew__signature *signature = calloc(1, sizeof *signature);
	if (signature == NULL)
		return NULL;
	size_t count = wasmtime_component_func_type_param_count(type);
	signature->imported = imported;
	signature->name = strdup(name);
	signature->params = calloc(count > 0 ? count : 1, sizeof *signature->params);
	if (signature->params != NULL)
		signature->count = count;
	bool read = signature->name != NULL && signature->params != NULL;
	if (read && wasmtime_component_func_type_async(type))
		read = refuse_function(signature, "it is an async function", failure);
	if (read && read_signature(signature, type, failure))
		return signature;
	curfew__signature_destroy(signature);
	return NULL;
}

curfew__signature *curfew__signature_create(const char *name, const wasmtime_component_func_type_t *type,
                                            curfew_failure *failure)
{
	return create(name, type, false, failure);
}

curfew__signature *curfew__signature_create_imported(const char *name, const wasmtime_component_func_type_t *type,
                                                     curfew_failure *failure)
{
	return create(name, type, true, failure);
}

static void params_text(const curfew__signature *signature, curfew__buffer *buffer)
{
	for (size_t i = 0; i < signature->count; i++) {
		curfew__buffer_add_text(buffer, i > 0 ? ", " : "");
		curfew__shape_short_text(&signature->params[i], buffer);
	}
}

void curfew__signature_text(const curfew__signature *signature, curfew__buffer *buffer)
{
	curfew__buffer_add_text(buffer, "(");
	params_text(signature, buffer);
	curfew__buffer_add_text(buffer, signature->has_result ? ") -> " : ")");
	if (signature->has_result)
		curfew__shape_short_text(&signature->result, buffer);
}

void curfew__signature_destroy(curfew__signature *signature)
{
	if (signature == NULL)
		return;
	for (size_t i = 0; i < signature->count; i++)
		curfew__shape_finish(&signature->params[i]);
	curfew__shape_finish(&signature->result);
	free(signature->params);
	free(signature->name);
	free(signature);
}

/* ---- Calls ----------------------------------------------------------------------------------------------- */

static bool refuse_count(const curfew__signature *signature, size_t given, curfew_failure *failure)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	curfew__buffer_printf(&buffer, "%s takes ", signature->name);
	if (signature->count == 0)
		curfew__buffer_add_text(&buffer, "no parameters");
	else
		curfew__buffer_printf(&buffer, "%zu parameter%s (", signature->count, signature->count == 1 ? "" : "s");
	params_text(signature, &buffer);
	curfew__buffer_printf(&buffer, "%s, got %zu", signature->count > 0 ? ")" : "", given);
	return curfew__message_take(failure, &buffer);
}

bool curfew__component_call_init(curfew__component_call *call, const curfew__signature *signature,
                                 curfew__json_reader *params, size_t limit_bytes, curfew_failure *failure)
{
	curfew__value_budget budget = {limit_bytes, limit_bytes};
	size_t count = curfew__json_count(params);

	memset(call, 0, sizeof *call);
	if (count != signature->count)
		return refuse_count(signature, count, failure);
	call->signature = signature;
	call->result_count = signature->has_result ? 1 : 0;
	call->params = calloc(signature->count + 1, sizeof *call->params);
	call->results = calloc(1, sizeof *call->results);
	bool made = call->params != NULL && call->results != NULL;
	if (!made)
		curfew__fail(failure, "out of memory");
	curfew__json_enter(params);
	for (size_t i = 0; made && i < signature->count && curfew__json_has_next(params); i++) {
		call->param_count = i + 1;
		made = curfew__component_param(&signature->params[i], i + 1, params, &budget, &call->params[i], failure);
	}

	made = made && !params->stopped;
	if (!made)
		curfew__component_call_finish(call, NULL);
	return made;
}

bool curfew__component_call_result(const curfew__component_call *call, curfew__buffer *buffer)
{
	const curfew__shape *shape = &call->signature->result;
	const value *result = call->results;
	bool succeeded = true;
	if (call->result_count > 0 && result->kind == WASMTIME_COMPONENT_RESULT) {
		succeeded = result->of.result.is_ok;
		shape = &shape->members[succeeded ? 0 : 1].shape;
		result = result->of.result.val;
	}
	if (call->result_count == 0 || result == NULL)
		curfew__buffer_add_text(buffer, "null");
	else
		curfew__component_write(shape, result, buffer);
	return succeeded;
}

/* ---- Release --------------------------------------------------------------------------------------------- */

static void drop_resources(wasmtime_context_t *context, const value *v);

static void drop_all(wasmtime_context_t *context, const value *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		drop_resources(context, &values[i]);
}

static void drop_resource(wasmtime_context_t *context, const wasmtime_component_resource_any_t *resource)
{
	wasmtime_error_t *error = wasmtime_component_resource_any_drop(context, resource);
	if (error != NULL)
		wasmtime_error_delete(error);
}

static void drop_resources(wasmtime_context_t *context, const value *v)
{
	switch (v->kind) {
	case WASMTIME_COMPONENT_RESOURCE: drop_resource(context, v->of.resource); break;
	case WASMTIME_COMPONENT_LIST: drop_all(context, v->of.list.data, v->of.list.size); break;
	case WASMTIME_COMPONENT_TUPLE: drop_all(context, v->of.tuple.data, v->of.tuple.size); break;
	case WASMTIME_COMPONENT_RECORD:
		for (size_t i = 0; i < v->of.record.size; i++)
			drop_resources(context, &v->of.record.data[i].val);
		break;
	case WASMTIME_COMPONENT_VARIANT: drop_all(context, v->of.variant.val, v->of.variant.val != NULL ? 1 : 0); break;
	case WASMTIME_COMPONENT_OPTION: drop_all(context, v->of.option, v->of.option != NULL ? 1 : 0); break;
	case WASMTIME_COMPONENT_RESULT: drop_all(context, v->of.result.val, v->of.result.val != NULL ? 1 : 0); break;
	default: break;
	}
}

void curfew__component_call_finish(curfew__component_call *call, wasmtime_context_t *context)
{
	for (size_t i = 0; i < call->param_count; i++)
		wasmtime_component_val_delete(&call->params[i]);
	for (size_t i = 0; i < call->result_count && call->results != NULL; i++) {
		if (context != NULL)
			drop_resources(context, &call->results[i]);
		wasmtime_component_val_delete(&call->results[i]);
	}
	free(call->params);
	free(call->results);
	memset(call, 0, sizeof *call);
}
