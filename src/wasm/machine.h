/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wasmtime's engines for WebAssembly programs: one for each stack limit, made at
 * first need and shared by all runs. Memories come from the pool; each store belongs to one instance.
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

/* Stack limits of 16 KiB, 32 KiB ... 4 MiB: a run gets the smallest that is at least what it asked for. */
#define CURFEW__MACHINE_STACKS 9

/* Each memory of a guest takes a region's address space: 4 GiB. */
#define CURFEW__MEMORIES_MAX 64

typedef struct curfew__machine {
	wasm_engine_t *engine;
	wasmtime_linker_t *linker;                     /* for modules: WASI preview 1 */
	wasmtime_component_linker_t *component_linker; /* for components: WASI preview 2 */
	size_t stack_bytes;                            /* that guest code may use */
	curfew__stacks *stacks;
	curfew__pool *pool;
	curfew__reactor *reactor;
} curfew__machine;

typedef struct curfew__machines curfew__machines;

/* The pool is borrowed. NULL: out of memory. */
curfew__machines *curfew__machines_create(curfew__pool *pool);
/* Every instance must have ended. */
void curfew__machines_destroy(curfew__machines *machines);
/* The one for this; stays with machines. NULL, and a failure, if it cannot be made. Any thread. */
curfew__machine *curfew__machines_get(curfew__machines *machines, uint64_t stack_bytes, curfew_failure *failure);

/* What code for such an engine is compiled with; to be taken over by wasm_engine_new_with_config. */
wasm_config_t *curfew__machine_config(void);

/* What an instance is told of its memories and stacks, on the thread that polls it or ends it. */
typedef struct curfew__memory_host {
	curfew__machine *machine;
	void *context;
	/* Where fuel is counted, by all modules; it stays the host's. NULL: nowhere. */
	curfew__region *count;
	/* The guest's memory is to grow by so many bytes; false: it may not. */
	bool (*charge)(void *context, size_t bytes);
	/* A native stack was given back; how much of it was used. */
	void (*stack_used)(void *context, size_t bytes);
	/* The first thread that it was set on, and whether others followed. Kept by curfew__memory_host_set. */
	uint64_t thread;
	bool was_shared;
	/* Memories of the guest so far. */
	unsigned memories;
} curfew__memory_host;

/*
 * Says whose memories and stacks are made on this thread from now on (NULL: nobody's, and none can be made). What is
 * made keeps the host until the store is deleted. Answers the one before.
 */
curfew__memory_host *curfew__memory_host_set(curfew__memory_host *host);

#endif
