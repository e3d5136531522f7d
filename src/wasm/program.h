/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly programs: the bytes as they were given, and what is made of them at first need: validated, rewritten,
 * compiled for each machine, linked. Everything here may be called from any thread.
 */
#ifndef CURFEW_WASM_PROGRAM_H
#define CURFEW_WASM_PROGRAM_H

#include "common/bytes.h"
#include "wasm/compiled.h"
#include "wasm/compiler.h"
#include "wasm/component_functions.h"
#include "wasm/host_functions.h"
#include "wasm/machine.h"

/* Why a program does not load. */
typedef struct curfew__wasm_error {
	const char *name; /* "CompileError" or "LinkError", static */
	char *message;    /* one line; free with free. NULL: out of memory */
	uint32_t line;    /* in its text, from 1; 0: not known */
	uint32_t column;
	bool internal; /* not the program's fault */
} curfew__wasm_error;

/* Who waits for a program to be compiled. All zeroes at first. */
typedef struct curfew__wasm_waiter {
	void (*wake)(void *context); /* from any thread, also while the waiter leaves: look again */
	void *context;
	curfew__asker asker; /* whose turn it takes */
	struct curfew__wasm_waiter *next;
	struct curfew__wasm_flavour *at; /* where it waits; NULL: nowhere */
	uint64_t cpu_before_ns;          /* of the compiler and the loader, when it came */
	uint64_t cpu_ns;                 /* that these have taken while it waited */
} curfew__wasm_waiter;

typedef enum curfew__wasm_step {
	CURFEW__WASM_LOADED,
	CURFEW__WASM_COMPILING, /* the waiter is woken when there is more to see */
	CURFEW__WASM_LOADING,   /* the same: it is compiled already */
	CURFEW__WASM_BAD,       /* *error says why */
} curfew__wasm_step;

/* A program compiled for a machine, ready to be instantiated; belongs to its program. */
typedef struct curfew__code {
	curfew__machine *machine;
	bool metered; /* it counts its fuel */
	bool is_component;
	bool imports_wasi;
	curfew__code_range range;  /* where it lies */
	wasmtime_linker_t *linker; /* of its own, with host functions; NULL: the machine's */
	wasmtime_module_t *module;
	wasmtime_instance_pre_t *module_pre;
	wasmtime_component_t *component;
	curfew__component_pre *component_pre;
	wasmtime_component_linker_t *component_linker; /* as linker */
	curfew__component_function *functions;         /* of the host's, in that linker */
	struct curfew__code *next;
} curfew__code;

typedef struct curfew__wasm_program curfew__wasm_program;

typedef struct curfew__wasm_source {
	const void *bytes; /* copied, or lent */
	size_t length;
	bool is_text;
	const uint8_t *sha256;      /* [32] of them, which is what the cache knows them by; NULL: not known yet */
	curfew__compiler *compiler; /* must outlive the program */
	const char *cache_dir;      /* for compiled code; NULL: none. Must outlive the program */
	const void *owner;          /* by which it is known where it is compiled elsewhere */
	bool is_lent;               /* bytes are not copied: they must outlive the program */
	bool is_passed_on; /* it is compiled for others: curfew__wasm_program_part takes the place of what loads it here */
} curfew__wasm_source;

/* NULL: out of memory. Nothing is read yet. */
curfew__wasm_program *curfew__wasm_program_create(const curfew__wasm_source *source);
/* Every instance of it must have ended, and the machines must still be there. */
void curfew__wasm_program_destroy(curfew__wasm_program *program);

/* What may be imported besides WASI, borrowed [count]; before anything was loaded. */
void curfew__wasm_program_import(curfew__wasm_program *program, const curfew__wasm_import *imports, size_t count);

/* "module" or "component", as its header says; a text that was not compiled yet is a module. */
const char *curfew__wasm_program_kind(curfew__wasm_program *program);

/*
 * The code for a machine with this stack limit, made at first need. What it imports is looked at before it is compiled.
 * While it is being compiled or loaded the waiter has to come again when it is woken, or to leave.
 */
curfew__wasm_step curfew__wasm_program_code(curfew__wasm_program *program, curfew__machines *machines, bool metered,
                                            uint64_t stack_bytes, curfew__wasm_waiter *waiter,
                                            const curfew__code **code, curfew__wasm_error *error);
/* The description of the program, as compile.h has it; the program's. The same way; nothing is compiled. */
curfew__wasm_step curfew__wasm_program_describe(curfew__wasm_program *program, curfew__wasm_waiter *waiter,
                                                const char **json, size_t *length, curfew__wasm_error *error);

typedef enum curfew__wasm_part {
	CURFEW__PART_CODE,
	CURFEW__PART_METERED_CODE,
	CURFEW__PART_DESCRIPTION,
} curfew__wasm_part;

/*
 * For a program that is passed on: one thing of it as a file, whose descriptor is duplicated for the caller. LOADED:
 * all of it. COMPILING: *file is the interface of the code, if with_interface, once that is known, else -1; as above.
 */
curfew__wasm_step curfew__wasm_program_part(curfew__wasm_program *program, curfew__wasm_part part,
                                            curfew__wasm_waiter *waiter, bool with_interface, int *file,
                                            curfew__wasm_error *error);
/* Takes a waiter away, if it waits. When nobody waits any more the compiler is ended. */
void curfew__wasm_program_leave(curfew__wasm_program *program, curfew__wasm_waiter *waiter);
/* Processor time that was taken to compile and to load it while it waited, up to now. */
uint64_t curfew__wasm_waiter_cpu(curfew__wasm_program *program, const curfew__wasm_waiter *waiter);

/* Its bytes as they were given; borrowed. */
const void *curfew__wasm_program_bytes(const curfew__wasm_program *program, size_t *length, bool *is_text);
/* Compiled code, by flavour (metered or not); with a reference for the caller. NULL: it was not compiled. */
curfew__compiled *curfew__wasm_program_compiled(curfew__wasm_program *program, bool metered);
/* Code that was compiled by this library, and is trusted; taken over. Before the first run. */
void curfew__wasm_program_adopt(curfew__wasm_program *program, bool metered, curfew__compiled *compiled);

/*
 * Calls back for what stands at an offset that a trap of this sort of code tells, in a function that begins at start:
 * once for each inlined call, innermost first, and not at all for code that the rewriting or Wasmtime added. The
 * location's texts are borrowed for the call. False: some names or lines were left out when it was compiled.
 */
typedef void (*curfew__wasm_place)(void *context, const curfew__location *location);
/* The offset of a location that stands nowhere. */
#define CURFEW__NO_OFFSET UINT64_MAX
bool curfew__wasm_program_locate(curfew__wasm_program *program, bool metered, uint64_t start, uint64_t offset,
                                 curfew__wasm_place place, void *context);
/*
 * The same for an instruction of a guest in compiled code, or the nearest before it in its function that comes from
 * somewhere. False: there is none.
 */
bool curfew__wasm_program_locate_address(curfew__wasm_program *program, const curfew__code *code, uintptr_t address,
                                         curfew__wasm_place place, void *context);

/* What all modules of a program ask for when they begin. */
typedef struct curfew__wasm_needs {
	uint64_t memories; /* how many there are */
	uint64_t memory_bytes;
	uint64_t memory_bytes_most; /* what they may grow to */
	uint64_t table_elements;
} curfew__wasm_needs;

/* From the binary form, which was validated before. False: something in it is not understood here. needs.c */
bool curfew__wasm_needs_read(const void *bytes, size_t length, curfew__wasm_needs *needs);

#endif
