/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly programs: the bytes as they were given, and what is made of them at first need: validated, rewritten,
 * compiled for each machine, linked. Everything here may be called from any thread.
 */
#ifndef CURFEW_WASM_PROGRAM_H
#define CURFEW_WASM_PROGRAM_H

#include "base/buffer.h"
#include "wasm/component_functions.h"
#include "wasm/host_functions.h"
#include "wasm/machine.h"

/* Why a program does not load. */
typedef struct curfew__wasm_error {
	const char *name; /* "CompileError" or "LinkError", static */
	char *message;   /* one line; free with free. NULL: out of memory */
	uint32_t line;   /* in its text, from 1; 0: not known */
	uint32_t column;
	bool internal;   /* not the program's fault */
} curfew__wasm_error;

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
	const void *bytes;    /* copied */
	size_t length;
	bool is_text;
	const char *cache_dir; /* for compiled code; NULL: none. Must outlive the program */
} curfew__wasm_source;

/* NULL: out of memory. Nothing is read yet. */
curfew__wasm_program *curfew__wasm_program_create(const curfew__wasm_source *source);
/* Every instance of it must have ended, and the machines must still be there. */
void curfew__wasm_program_destroy(curfew__wasm_program *program);

/* What may be imported besides WASI, borrowed [count]; before anything was loaded. */
void curfew__wasm_program_import(curfew__wasm_program *program, const curfew__wasm_import *imports, size_t count);

/* "module" or "component", as its header says; a text that was not read yet is a module. */
const char *curfew__wasm_program_kind(curfew__wasm_program *program);

/* The code for a machine with this stack limit, made at first need. NULL, and *error, if the program does not load. */
const curfew__code *curfew__wasm_program_code(curfew__wasm_program *program, curfew__machines *machines, bool metered,
                                              uint64_t stack_bytes, curfew__wasm_error *error);

/* Compiled code to be kept in an image, by flavour (metered or not). */
typedef struct curfew__wasm_compiled {
	void *bytes; /* free with free */
	size_t length;
	uint8_t sum[32]; /* SHA-256 of the rewritten program that it was compiled from */
} curfew__wasm_compiled;

/* Its binary form, compiled code left out; borrowed. Only after the program was loaded. */
const void *curfew__wasm_program_binary(const curfew__wasm_program *program, size_t *length);
bool curfew__wasm_program_compiled(curfew__wasm_program *program, bool metered, curfew__wasm_compiled *compiled);
/* Compiled code that was made on this machine by this library, and is trusted; taken over. Before the first run. */
void curfew__wasm_program_adopt(curfew__wasm_program *program, bool metered, curfew__wasm_compiled *compiled);

/*
 * Calls back for what stands at an offset that a trap of this sort of code tells, in a function that begins at start:
 * once for each inlined call, innermost first, and not at all for code that the rewriting or Wasmtime added. The
 * location's texts are borrowed for the call.
 */
typedef void (*curfew__wasm_place)(void *context, const curfew__location *location);
/* The offset of a location that stands nowhere. */
#define CURFEW__NO_OFFSET UINT64_MAX
void curfew__wasm_program_locate(curfew__wasm_program *program, bool metered, uint64_t start, uint64_t offset,
                                 curfew__wasm_place place, void *context);
/*
 * The same for an instruction of a guest in compiled code, or the nearest before it in its function that comes from
 * somewhere. False: there is none.
 */
bool curfew__wasm_program_locate_address(curfew__wasm_program *program, const curfew__code *code, uintptr_t address,
                                         curfew__wasm_place place, void *context);

/* {"imports", "exports"} of a program that was loaded, as wasm/types.h has them. */
void curfew__wasm_program_describe(curfew__wasm_program *program, curfew__buffer *buffer);

/* What all modules of a program ask for when they begin. */
typedef struct curfew__wasm_needs {
	uint64_t memories; /* how many there are */
	uint64_t memory_bytes;
	uint64_t memory_bytes_most; /* what they may grow to */
	uint64_t table_elements;
} curfew__wasm_needs;

/* From the binary form, which was validated before. False: something in it is not understood here. needs.c */
bool curfew__wasm_needs_read(const void *bytes, size_t length, curfew__wasm_needs *needs);

/* Whether a program that was loaded imports something of WASI. */
bool curfew__wasm_program_imports_wasi(curfew__wasm_program *program);

#endif
