/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WebAssembly engine: the only code that sees Wasmtime. A vm is a compiled guest, ready to be instantiated; an
 * instance is one guest alive in one region.
 */
#ifndef CURFEW_ENGINE_VM_H
#define CURFEW_ENGINE_VM_H

#include "common/bytes.h"
#include "engine/interrupt.h"
#include "memory/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stack that a thread needs in addition to the native stack of guest code, for the host's own functions. */
#define CURFEW__NATIVE_STACK_MORE ((size_t)256 << 10)

/* An import: a function of the host. params and result consist of 'i' (32 bits) and 'l' (64 bits). */
typedef struct curfew__import {
	const char *module;
	const char *name;
	const char *params;
	const char *result; /* "" or one letter */
	/* values: [at least 1] the arguments, and the result in the first. False: end this call into the guest. */
	bool (*call)(void *context, uint64_t *values);
} curfew__import;

#define CURFEW__VM_CALLS_MAX 8

typedef struct curfew__vm curfew__vm;

typedef struct curfew__vm_options {
	bool metered;                  /* count fuel, with CURFEW__METER_RESERVE beyond the limit */
	size_t native_stack;           /* bytes of native stack that guest code may use */
	const curfew__import *imports; /* [import_count], static */
	size_t import_count;
	const char *const *exports; /* [export_count] functions that are called, of type () -> () or () -> i32 */
	size_t export_count;        /* at most CURFEW__VM_CALLS_MAX */
	const void *wasm;           /* the module */
	size_t wasm_length;
	size_t wasm_packed;   /* length at wasm if zlib has packed it, because it is seldom needed; 0: not packed */
	const void *compiled; /* the compiled module, as curfew__vm_serialize wrote it; or NULL */
	size_t compiled_length;
	size_t compiled_packed; /* length at compiled if LZ4 has packed it; 0: not packed */
	const char *cache_dir;  /* directory for compiled code, if `compiled` is not for this CPU; NULL: none */
} curfew__vm_options;

/* NULL, and a line in message (of 256 bytes), if the engine cannot be made. */
curfew__vm *curfew__vm_create(const curfew__vm_options *options, curfew_failure *failure);
void curfew__vm_destroy(curfew__vm *vm);
/* The compiled module as bytes; free with free. */
void *curfew__vm_serialize(curfew__vm *vm, size_t *length);
/* Size in bytes that the guest's memory starts with. */
size_t curfew__vm_memory_size(const curfew__vm *vm);

typedef enum curfew__vm_end {
	CURFEW__VM_RETURNED,
	CURFEW__VM_STOPPED, /* a trap, or an interruption, whose cause is in the host's latch */
	CURFEW__VM_STACK,   /* the native stack was used up */
	CURFEW__VM_FUEL,    /* the reserve of fuel was used up */
	CURFEW__VM_FAILED,  /* not the guest's fault */
} curfew__vm_end;

typedef struct curfew__instance curfew__instance;

/*
 * Creates a guest in regions that the caller owns; context is for the imports. count is a plain region, at whose
 * beginning fuel is counted (CURFEW__REWRITE_METER); only for metered vms. NULL: out of memory.
 */
curfew__instance *curfew__instance_create(curfew__vm *vm, curfew__region *region, curfew__region *count, void *context);
void curfew__instance_destroy(curfew__instance *instance);
/* Calls export number `which`, with one 32-bit argument or none. */
curfew__vm_end curfew__instance_call(curfew__instance *instance, size_t which, const uint32_t *argument,
                                     int32_t *result);
/* The target that the watch interrupts; it belongs to the instance. */
curfew__target *curfew__instance_target(curfew__instance *instance);
/* The message of the last trap, for reports of our own failures, or NULL. Owned by the instance. */
const char *curfew__instance_message(curfew__instance *instance);

#endif
