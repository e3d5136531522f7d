/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module's own memory is a plain region that grows in place. A memory with pages of one byte is the one that the
 * rewriter has added (engine/rewriter): fuel is counted there. Wasmtime requests both on the thread that polls an
 * instance; a thread-local variable names that instance.
 */
#include "wasm/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "engine/error.h"
#include "engine/processor.h"
#include "common/mutex.h"

#define STACK_SMALLEST ((size_t)16 << 10)
/* Native stack for the host's work on behalf of guest code. */
#define STACK_FOR_HOST ((size_t)1 << 20)
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
/* The maximum number of frames of a trap. */
#define FRAMES_MAX 64

struct curfew__machines {
	curfew__mutex lock;
	curfew__pool *pool;
	curfew__reactor *reactor;
	curfew__machine *made[CURFEW__MACHINE_STACKS]; /* by stack limit */
};

static _Thread_local curfew__memory_host *current;

curfew__memory_host *curfew__memory_host_set(curfew__memory_host *host)
{
	curfew__memory_host *before = current;
	uint64_t thread = curfew__thread_number();

	if (host && !host->thread)
		host->thread = thread;
	if (host && host->thread != thread)
		host->was_shared = true;
	current = host;
	return before;
}

/* ---- Memories --------------------------------------------------------------------------------------------- */

/* One memory of a store. */
typedef struct memory {
	const curfew__memory_host *host;
	curfew__region *region;
	bool is_count;
} memory;

static uint8_t *get_memory(void *env, size_t *size, size_t *capacity)
{
	const memory *made = env;
	*size = made->region->size;
	*capacity = CURFEW__REGION_RESERVE;
	return made->region->base;
}

static wasmtime_error_t *grow_memory(void *env, size_t size)
{
	memory *made = env;

	if (made->is_count || !made->host->charge(made->host->context, size - made->region->size))
		return wasmtime_error_new("the memory limit does not allow it");
	return curfew__region_grow(made->region, size) ? NULL : wasmtime_error_new("out of memory");
}

static void free_memory(void *env)
{
	memory *made = env;
	if (!made->is_count) {
		if (made->host->was_shared)
			atomic_store(&made->region->was_shared, true);
		curfew__pool_give_plain(made->host->machine->pool, made->region, false);
	}
	free(made);
}

/* All modules of a run count in the same memory. Accesses never fault, because their addresses are constants. */
static curfew__region *region_for(const curfew__memory_host *host, bool is_count, size_t size)
{
	return is_count ? host->count : curfew__pool_take_plain(host->machine->pool, size);
}

static wasmtime_error_t *new_memory(void *env, const wasm_memorytype_t *type, size_t minimum, size_t maximum,
                                    size_t reserved, size_t guard, wasmtime_linear_memory_t *result)
{
	curfew__memory_host *host = current;
	bool is_count = wasmtime_memorytype_page_size_log2(type) == 0;
	(void)env, (void)maximum;

	if (!host || reserved > CURFEW__REGION_RESERVE || guard > CURFEW__REGION_GUARD)
		return wasmtime_error_new("memories of this kind are not supported");
	if (!is_count && host->memories++ == CURFEW__MEMORIES_MAX)
		return wasmtime_error_new(
			"a run has at most " TEXT(CURFEW__MEMORIES_MAX) " memories, and this program makes more");
	if (!is_count && !host->charge(host->context, minimum)) {
		host->refused_bytes = minimum;
		return wasmtime_error_new("the memory limit does not allow it");
	}
	/* One with 64-bit indices may ask for more than there is address space for. */
	if (minimum > CURFEW__REGION_RESERVE)
		return wasmtime_error_new("out of memory");
	memory *made = calloc(1, sizeof *made);
	if (!made || !(made->region = region_for(host, is_count, minimum))) {
		free(made);
		return wasmtime_error_new("out of memory");
	}
	made->host = host;
	made->is_count = is_count;
	*result = (wasmtime_linear_memory_t){made, get_memory, grow_memory, free_memory};
	return NULL;
}

/* ---- Stacks ----------------------------------------------------------------------------------------------- */

typedef struct native_stack {
	const curfew__memory_host *host;
	curfew__stack *stack;
} native_stack;

static uint8_t *get_stack(void *env, size_t *length)
{
	const native_stack *made = env;
	*length = made->stack->size;
	return made->stack->base + made->stack->size;
}

static void free_stack(void *env)
{
	native_stack *made = env;
	size_t used = curfew__stacks_give(made->host->machine->stacks, made->stack);

	made->host->stack_used(made->host->context, used);
	free(made);
}

static wasmtime_error_t *new_stack(void *env, size_t size, bool zeroed, wasmtime_stack_memory_t *result)
{
	const curfew__memory_host *host = current;
	native_stack *made = host ? calloc(1, sizeof *made) : NULL;
	(void)env, (void)size, (void)zeroed;

	if (!made || !(made->stack = curfew__stacks_take(host->machine->stacks))) {
		free(made);
		return wasmtime_error_new("out of memory");
	}
	made->host = host;
	*result = (wasmtime_stack_memory_t){made, get_stack, free_stack};
	return NULL;
}

/* ---- Engines ---------------------------------------------------------------------------------------------- */

static void set_features(wasm_config_t *config)
{
	/* Validation decides which features guests may use (engine/rewriter, which adds a memory with pages of one byte).
	 */
	wasmtime_config_wasm_threads_set(config, true);
	wasmtime_config_wasm_memory64_set(config, true);
	wasmtime_config_wasm_multi_memory_set(config, true);
	wasmtime_config_wasm_custom_page_sizes_set(config, true);
	wasmtime_config_wasm_wide_arithmetic_set(config, true);
	wasmtime_config_shared_memory_set(config, false);
	wasmtime_config_wasm_gc_set(config, false);
	wasmtime_config_wasm_component_model_set(config, true);
	wasmtime_config_wasm_component_model_async_set(config, false);
}

wasm_config_t *curfew__machine_config(void)
{
	wasm_config_t *config = wasm_config_new();

	set_features(config);
	curfew__config_processor(config);
	wasmtime_config_memory_init_cow_set(config, false);
	wasmtime_config_memory_reservation_set(config, CURFEW__REGION_RESERVE);
	wasmtime_config_memory_guard_size_set(config, CURFEW__REGION_GUARD);
	wasmtime_config_memory_may_move_set(config, false);
	wasmtime_config_native_unwind_info_set(config, false);
	curfew__config_backtrace(config, FRAMES_MAX);
	/* Do not compile in parallel: the threads would stay in the embedding program. */
	curfew__config_parallel(config, false);
	return config;
}

static wasm_engine_t *create_engine(size_t stack_bytes)
{
	wasm_config_t *config = curfew__machine_config();
	wasmtime_memory_creator_t memories = {NULL, new_memory, NULL};
	wasmtime_stack_creator_t stacks = {NULL, new_stack, NULL};

	wasmtime_config_async_stack_size_set(config, stack_bytes + STACK_FOR_HOST);
	wasmtime_config_max_wasm_stack_set(config, stack_bytes);
	wasmtime_config_host_stack_creator_set(config, &stacks);
	wasmtime_config_host_memory_creator_set(config, &memories);
	return wasm_engine_new_with_config(config);
}

static void destroy(curfew__machine *machine)
{
	if (!machine)
		return;
	if (machine->component_linker)
		wasmtime_component_linker_delete(machine->component_linker);
	if (machine->linker)
		wasmtime_linker_delete(machine->linker);
	if (machine->engine)
		wasm_engine_delete(machine->engine);
	curfew__stacks_destroy(machine->stacks);
	free(machine);
}

static curfew__machine *create(const curfew__machines *machines, size_t stack_bytes, curfew_failure *failure)
{
	curfew__machine *machine = calloc(1, sizeof *machine);

	curfew__fail(failure, "out of memory");
	if (!machine)
		return NULL;
	machine->stack_bytes = stack_bytes;
	machine->pool = machines->pool;
	machine->reactor = machines->reactor;
	machine->stacks = curfew__stacks_create(stack_bytes + STACK_FOR_HOST, true);
	machine->engine = create_engine(stack_bytes);
	machine->linker = wasmtime_linker_new(machine->engine);
	machine->component_linker = wasmtime_component_linker_new(machine->engine);
	if (machine->stacks && !curfew__failed(curfew__linker_add_wasi(machine->linker), failure) &&
	    !curfew__failed(curfew__component_linker_add_wasi(machine->component_linker), failure))
		return machine;
	destroy(machine);
	return NULL;
}

curfew__machines *curfew__machines_create(curfew__pool *pool)
{
	curfew__machines *machines = calloc(1, sizeof *machines);

	if (!machines)
		return NULL;
	curfew__mutex_init(&machines->lock);
	machines->pool = pool;
	if ((machines->reactor = curfew__reactor_create()))
		return machines;
	curfew__machines_destroy(machines);
	return NULL;
}

void curfew__machines_destroy(curfew__machines *machines)
{
	if (!machines)
		return;
	for (int i = 0; i < CURFEW__MACHINE_STACKS; i++)
		destroy(machines->made[i]);
	if (machines->reactor)
		curfew__reactor_destroy(machines->reactor);
	curfew__mutex_finish(&machines->lock);
	free(machines);
}

curfew__machine *curfew__machines_get(curfew__machines *machines, uint64_t stack_bytes, curfew_failure *failure)
{
	int i = 0;
	size_t size = STACK_SMALLEST;

	while (size < stack_bytes && i + 1 < CURFEW__MACHINE_STACKS) {
		size *= 2;
		i++;
	}
	curfew__mutex_lock(&machines->lock);
	curfew__machine **machine = &machines->made[i];
	if (!*machine)
		*machine = create(machines, size, failure);
	curfew__machine *found = *machine;
	curfew__mutex_unlock(&machines->lock);
	return found;
}
