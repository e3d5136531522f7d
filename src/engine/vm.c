/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wraps Wasmtime so that it cannot be misused: one store per instance, memories in our regions, imports with plain C
 * types. During instantiation, thread-local variables pass the regions of an instance to Wasmtime's memory creator.
 */
#include "engine/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasm.h>
#include <wasmtime.h>
#include <zlib.h>

#include "base/refuse.h"
#include "common/lz4.h"
#include "curfew.h"
#include "engine/cache.h"
#include "engine/error.h"
#include "engine/extra.h"
#include "engine/processor.h"

struct curfew__vm {
	wasm_engine_t *engine;
	wasmtime_linker_t *linker;
	wasmtime_module_t *module;
	wasmtime_instance_pre_t *pre;
	const curfew__vm_options *options; /* a copy */
	curfew__vm_options copy;
	size_t memory_size;
	curfew__code_range range;
};

struct curfew__instance {
	wasmtime_store_t *store;
	wasmtime_context_t *context;
	void *import_context;
	const int64_t *count; /* its fuel counter; NULL: none */
	wasmtime_func_t calls[CURFEW__VM_CALLS_MAX];
	curfew__target target;
	wasm_trap_t *trap;      /* the last trap */
	curfew_failure failure; /* "": none */
};

static _Thread_local curfew__region *pending_region, *pending_count;

/* ---- Memories --------------------------------------------------------------------------------------------- */

static uint8_t *get_memory(void *env, size_t *size, size_t *capacity)
{
	curfew__region *region = env;
	*size = region->size;
	*capacity = CURFEW__REGION_RESERVE;
	return region->base;
}

static wasmtime_error_t *grow_memory(void *env, size_t size)
{
	return curfew__region_grow(env, size) ? NULL : wasmtime_error_new("memory limit");
}

static wasmtime_error_t *new_memory(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
                                    size_t reserved, size_t guard, wasmtime_linear_memory_t *memory)
{
	curfew__region **pending = wasmtime_memorytype_page_size_log2(type) == 0 ? &pending_count : &pending_region;
	curfew__region *region = *pending;
	(void)env, (void)maximum;

	if (!region || region->size < minimum || reserved > CURFEW__REGION_RESERVE || guard > CURFEW__REGION_GUARD)
		return wasmtime_error_new("no region of this size");
	*pending = NULL;
	*memory = (wasmtime_linear_memory_t){region, get_memory, grow_memory, NULL};
	return NULL;
}

static wasm_engine_t *create_engine(size_t native_stack)
{
	wasm_config_t *config = wasm_config_new();
	wasmtime_memory_creator_t creator = {NULL, new_memory, NULL};

	curfew__config_processor(config);
	wasmtime_config_wasm_gc_set(config, false);
	/* The memory in which fuel is counted. */
	wasmtime_config_wasm_memory64_set(config, true);
	wasmtime_config_wasm_custom_page_sizes_set(config, true);
	wasmtime_config_wasm_multi_memory_set(config, true);
	wasmtime_config_async_stack_size_set(config, native_stack);
	wasmtime_config_max_wasm_stack_set(config, native_stack);
	wasmtime_config_memory_init_cow_set(config, false);
	wasmtime_config_host_memory_creator_set(config, &creator);
	wasmtime_config_memory_reservation_set(config, CURFEW__REGION_RESERVE);
	wasmtime_config_memory_guard_size_set(config, CURFEW__REGION_GUARD);
	wasmtime_config_memory_may_move_set(config, false);
	wasmtime_config_native_unwind_info_set(config, false);
	/* Do not compile in parallel: the threads would stay in the embedding program. */
	curfew__config_parallel(config, false);
	curfew__config_backtrace(config, 0);
	return wasm_engine_new_with_config(config);
}

/* ---- Imports ---------------------------------------------------------------------------------------------- */

static wasm_trap_t *call_import(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t count)
{
	const curfew__import *import = env;
	curfew__instance *instance = wasmtime_context_get_data(wasmtime_caller_context(caller));
	uint64_t values[8] = {0};
	(void)count;

	for (size_t i = 0; import->params[i]; i++)
		values[i] = import->params[i] == 'i' ? (uint32_t)raw[i].i32 : (uint64_t)raw[i].i64;
	if (!import->call(instance->import_context, values))
		return wasmtime_trap_new("stopped", 7);
	if (import->result[0] == 'i')
		raw[0].i32 = (int32_t)values[0];
	else if (import->result[0])
		raw[0].i64 = (int64_t)values[0];
	return NULL;
}

static void value_types(wasm_valtype_vec_t *vector, const char *letters)
{
	wasm_valtype_t *types[8];
	size_t count = strlen(letters);

	for (size_t i = 0; i < count; i++)
		types[i] = wasm_valtype_new(letters[i] == 'i' ? WASM_I32 : WASM_I64);
	wasm_valtype_vec_new(vector, count, types);
}

static bool define_import(curfew__vm *vm, const curfew__import *import, curfew_failure *failure)
{
	wasm_valtype_vec_t params, results;

	value_types(&params, import->params);
	value_types(&results, import->result);
	wasm_functype_t *type = wasm_functype_new(&params, &results);
	wasmtime_error_t *error = wasmtime_linker_define_func_unchecked(vm->linker, import->module, strlen(import->module),
	                                                                import->name, strlen(import->name), type,
	                                                                call_import, (void *)(uintptr_t)import, NULL);
	wasm_functype_delete(type);
	return !curfew__failed(error, failure);
}

/* ---- The module ------------------------------------------------------------------------------------------- */

static bool deserialize(curfew__vm *vm, const void *bytes, size_t length)
{
	curfew_failure failure;
	return bytes && !curfew__failed(wasmtime_module_deserialize(vm->engine, bytes, length, &vm->module), &failure);
}

/* Gets the code from the cache, or else compiles it. */
static bool load_rewritten(curfew__vm *vm, const curfew__rewritten *wasm, curfew_failure *failure)
{
	const curfew__vm_options *options = vm->options;
	char name[CURFEW__CACHE_NAME];
	size_t length;

	curfew__cache_name("guest " WASMTIME_VERSION, wasm->wasm.data, wasm->wasm.length, name);
	if (options->cache_dir) {
		void *kept = curfew__cache_read(options->cache_dir, name, &length);
		bool good = deserialize(vm, kept, length);
		free(kept);
		if (good)
			return true;
	}
	if (curfew__failed(wasmtime_module_new(vm->engine, wasm->wasm.data, wasm->wasm.length, &vm->module), failure))
		return false;
	if (options->cache_dir) {
		void *bytes = curfew__vm_serialize(vm, &length);
		if (bytes)
			curfew__cache_write(options->cache_dir, name, bytes, length);
		free(bytes);
	}
	return true;
}

static bool find_range(curfew__vm *vm, curfew_failure *failure)
{
	if (curfew__code_range_find(vm->module, NULL, &vm->range) && vm->range.landing)
		return true;
	return curfew__fail(failure, "the engine's compiled code has an unknown layout: it could not be interrupted");
}

/* Unpacks the module; free it with free. NULL, and a line in message: it failed. */
static void *unpack(const curfew__vm_options *options, curfew_failure *failure)
{
	uLongf length = options->wasm_length;
	void *wasm = malloc(length);

	if (wasm && uncompress(wasm, &length, options->wasm, options->wasm_packed) == Z_OK &&
	    length == options->wasm_length)
		return wasm;
	curfew__fail(failure, wasm ? "the engine in the library is damaged" : "out of memory");
	free(wasm);
	return NULL;
}

static bool compile_module(curfew__vm *vm, const void *wasm, curfew_failure *failure)
{
	uint32_t flags = CURFEW__REWRITE_ASKS | (vm->options->metered ? CURFEW__REWRITE_METER : 0);
	curfew__rewritten rewritten;

	if (!curfew__rewrite(wasm, vm->options->wasm_length, flags, &rewritten, failure->message))
		return false;
	bool good = load_rewritten(vm, &rewritten, failure);
	curfew__rewritten_finish(&rewritten);
	return good;
}

static bool load_compiled(curfew__vm *vm)
{
	const curfew__vm_options *options = vm->options;

	if (!options->compiled_packed)
		return deserialize(vm, options->compiled, options->compiled_length);
	void *code = malloc(options->compiled_length);
	bool good = code &&
	            curfew__lz4_unpack(options->compiled, options->compiled_packed, code, options->compiled_length) &&
	            deserialize(vm, code, options->compiled_length);
	free(code);
	return good;
}

/* Uses the library's compiled code, or else compiles the module. */
static bool load_module(curfew__vm *vm, curfew_failure *failure)
{
	const curfew__vm_options *options = vm->options;

	if (load_compiled(vm))
		return true;
	if (!options->wasm_packed)
		return compile_module(vm, options->wasm, failure);
	void *wasm = unpack(options, failure);
	bool good = wasm && compile_module(vm, wasm, failure);
	free(wasm);
	return good;
}

static size_t memory_size(const wasmtime_module_t *module)
{
	wasm_exporttype_vec_t exports;
	size_t size = 0;

	wasmtime_module_exports(module, &exports);
	for (size_t i = 0; i < exports.size; i++) {
		const wasm_externtype_t *type = wasm_exporttype_type(exports.data[i]);
		if (wasm_externtype_kind(type) == WASM_EXTERN_MEMORY)
			size = wasmtime_memorytype_minimum(wasm_externtype_as_memorytype_const(type)) * CURFEW__WASM_PAGE;
	}
	wasm_exporttype_vec_delete(&exports);
	return size;
}

curfew__vm *curfew__vm_create(const curfew__vm_options *options, curfew_failure *failure)
{
	curfew__vm *vm = calloc(1, sizeof *vm);

	if (!vm)
		return NULL;
	vm->copy = *options;
	vm->options = &vm->copy;
	vm->engine = create_engine(options->native_stack);
	vm->linker = wasmtime_linker_new(vm->engine);
	for (size_t i = 0; i < options->import_count; i++)
		if (!define_import(vm, &options->imports[i], failure))
			goto failed;
	if (!load_module(vm, failure) || !find_range(vm, failure) ||
	    curfew__failed(wasmtime_linker_instantiate_pre(vm->linker, vm->module, &vm->pre), failure))
		goto failed;
	vm->memory_size = memory_size(vm->module);
	return vm;
failed:
	curfew__vm_destroy(vm);
	return NULL;
}

void curfew__vm_destroy(curfew__vm *vm)
{
	if (!vm)
		return;
	if (vm->pre)
		wasmtime_instance_pre_delete(vm->pre);
	if (vm->module)
		wasmtime_module_delete(vm->module);
	if (vm->linker)
		wasmtime_linker_delete(vm->linker);
	if (vm->engine)
		wasm_engine_delete(vm->engine);
	free(vm);
}

void *curfew__vm_serialize(curfew__vm *vm, size_t *length)
{
	wasm_byte_vec_t bytes;
	curfew_failure failure;
	void *copy;

	if (curfew__failed(wasmtime_module_serialize(vm->module, &bytes), &failure))
		return NULL;
	if ((copy = malloc(bytes.size))) {
		memcpy(copy, bytes.data, bytes.size);
		*length = bytes.size;
	}
	wasm_byte_vec_delete(&bytes);
	return copy;
}

size_t curfew__vm_memory_size(const curfew__vm *vm)
{
	return vm->memory_size;
}

/* ---- Instances -------------------------------------------------------------------------------------------- */

curfew__instance *curfew__instance_create(curfew__vm *vm, curfew__region *region, curfew__region *count, void *context)
{
	curfew__instance *instance = calloc(1, sizeof *instance);
	wasmtime_instance_t alive;
	wasm_trap_t *trap = NULL;

	if (!instance)
		return NULL;
	instance->import_context = context;
	instance->count = count ? (const int64_t *)(const void *)count->base : NULL;
	instance->store = wasmtime_store_new(vm->engine, instance, NULL);
	instance->context = wasmtime_store_context(instance->store);
	pending_region = region;
	pending_count = count;
	wasmtime_error_t *error = wasmtime_instance_pre_instantiate(vm->pre, instance->context, &alive, &trap);
	pending_region = pending_count = NULL;
	if (curfew__failed(error, &instance->failure) || trap)
		goto failed;
	for (size_t i = 0; i < vm->options->export_count; i++) {
		const char *name = vm->options->exports[i];
		wasmtime_extern_t found;
		if (!wasmtime_instance_export_get(instance->context, &alive, name, strlen(name), &found) ||
		    found.kind != WASMTIME_EXTERN_FUNC)
			goto failed;
		instance->calls[i] = found.of.func;
	}
	if (curfew__target_init(&instance->target, &vm->range, instance->context, instance->calls,
	                        vm->options->native_stack))
		return instance;
failed:
	if (trap)
		wasm_trap_delete(trap);
	curfew__instance_destroy(instance);
	return NULL;
}

void curfew__instance_destroy(curfew__instance *instance)
{
	if (!instance)
		return;
	if (instance->trap)
		wasm_trap_delete(instance->trap);
	wasmtime_store_delete(instance->store);
	free(instance);
}

static curfew__vm_end describe_trap(curfew__instance *instance, wasm_trap_t *trap)
{
	wasmtime_trap_code_t code;
	curfew__vm_end end = CURFEW__VM_STOPPED;

	/* The frames of the landing say nothing about the guest. */
	if (!curfew__target_has_landed(&instance->target) && wasmtime_trap_code(trap, &code)) {
		if (code == WASMTIME_TRAP_CODE_STACK_OVERFLOW)
			end = CURFEW__VM_STACK;
		else if (code == WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED && instance->count && *instance->count < 0)
			end = CURFEW__VM_FUEL;
	}
	if (instance->trap)
		wasm_trap_delete(instance->trap);
	instance->trap = trap;
	return end;
}

curfew__vm_end curfew__instance_call(curfew__instance *instance, size_t which, const uint32_t *argument,
                                     int32_t *result)
{
	wasmtime_val_raw_t values[1] = {0};
	wasm_trap_t *trap = NULL;
	wasmtime_error_t *error = NULL;
	curfew__target *outer;

	if (argument)
		values[0].i32 = (int32_t)*argument;
	bool may_enter = curfew__target_enter(&instance->target, &outer);
	if (may_enter)
		error = wasmtime_func_call_unchecked(instance->context, &instance->calls[which], values, 1, &trap);
	curfew__target_leave(&instance->target, outer);
	if (!may_enter)
		return CURFEW__VM_STOPPED;
	if (curfew__failed(error, &instance->failure))
		return CURFEW__VM_FAILED;
	if (trap)
		return describe_trap(instance, trap);
	if (result)
		*result = values[0].i32;
	return CURFEW__VM_RETURNED;
}

curfew__target *curfew__instance_target(curfew__instance *instance)
{
	return &instance->target;
}

const char *curfew__instance_message(curfew__instance *instance)
{
	wasm_byte_vec_t text;

	/* Format the message only on request, because most traps are our own stops. */
	if (instance->trap) {
		wasm_trap_message(instance->trap, &text);
		curfew__first_line(instance->failure.message, sizeof instance->failure.message, &text);
		wasm_byte_vec_delete(&text);
	}
	return instance->failure.message[0] ? instance->failure.message : NULL;
}

const char *curfew_wasmtime_version(void)
{
	return WASMTIME_VERSION;
}
