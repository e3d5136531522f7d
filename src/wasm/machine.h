/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wasmtime's engines for WebAssembly programs: one for each stack limit, created at first use and shared by all runs.
 * Memories come from the pool; each store belongs to one instance.
 */
#ifndef CURFEW_WASM_MACHINE_H
#define CURFEW_WASM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew.h"
#include "engine/extra.h"
#include "memory/region.h"
#include "memory/stack.h"

/* Stack limits of 16 KiB, 32 KiB ... 4 MiB. A run gets the smallest one that is at least its own limit. */
#define CURFEW__MACHINE_STACKS 9

/* Each memory of a guest takes a region's address space: 4 GiB. */
#define CURFEW__MEMORIES_MAX 64

typedef struct curfew__machine {
	wasm_engine_t *engine;
	wasmtime_linker_t *linker;                     /* for modules: WASI preview 1 */
	wasmtime_component_linker_t *component_linker; /* for components: WASI preview 2 */
	size_t stack_bytes;                            /* stack that guest code may use */
	curfew__stacks *stacks;
	curfew__pool *pool;
	curfew__reactor *reactor;
} curfew__machine;

typedef struct curfew__machines curfew__machines;

/* The pool is borrowed. NULL: out of memory. */
curfew__machines *curfew__machines_create(curfew__pool *pool);
/* Call it when every instance has ended. */
void curfew__machines_destroy(curfew__machines *machines);
/* Returns the machine for a stack limit, which machines owns. NULL and a failure if it cannot be made. Any thread. */
curfew__machine *curfew__machines_get(curfew__machines *machines, uint64_t stack_bytes, curfew_failure *failure);

/* The configuration to compile code for such an engine; wasm_engine_new_with_config takes ownership. */
wasm_config_t *curfew__machine_config(void);

/* Callbacks about the memories and stacks of an instance, on the thread that polls it or ends it. */
typedef struct curfew__memory_host {
	curfew__machine *machine;
	void *context;
	/* The memory in which all modules count fuel; the host owns it. NULL: not metered. */
	curfew__region *count;
	/* Charges growth of the guest's memory by this many bytes. False: it may not grow. */
	bool (*charge)(void *context, size_t bytes);
	/* A native stack was released; used is how much of it was used. */
	void (*stack_used)(void *context, size_t bytes);
	/* The first thread that it was set on, and whether others followed. Kept by curfew__memory_host_set. */
	uint64_t thread;
	bool was_shared;
	/* The number of memories of the guest so far. */
	unsigned memories;
	/* The size of a new memory that the limit did not allow; 0: none. */
	size_t refused_bytes;
} curfew__memory_host;

/*
 * Sets whose memories and stacks are made on this thread from now on (NULL: none can be made). Memories and stacks keep
 * a pointer to the host until the store is deleted. Returns the previous host.
 */
curfew__memory_host *curfew__memory_host_set(curfew__memory_host *host);

#endif
