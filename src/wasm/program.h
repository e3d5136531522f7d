/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly programs: the original bytes, and what is made of them at first use: they are validated, rewritten,
 * compiled for each machine, and linked. Any thread may call everything here.
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

/* A waiter for the compilation of a program. Initialise it with zeros. */
typedef struct curfew__wasm_waiter {
	void (*wake)(void *context); /* called when there is progress, from any thread, also while the waiter leaves */
	void *context;
	curfew__asker asker; /* whose turn it takes */
	struct curfew__wasm_waiter *next;
	struct curfew__wasm_flavour *at; /* what it waits for; NULL: nothing */
	uint64_t cpu_before_ns;          /* CPU time of compiler and loader when it began to wait */
	uint64_t cpu_ns;                 /* CPU time of both while it waited */
} curfew__wasm_waiter;

typedef enum curfew__wasm_step {
	CURFEW__WASM_LOADED,
	CURFEW__WASM_COMPILING, /* the waiter is woken when there is progress */
	CURFEW__WASM_LOADING,   /* the same, but the code exists already */
	CURFEW__WASM_BAD,       /* *error says why */
} curfew__wasm_step;

/* A program compiled for a machine, ready to be instantiated. It belongs to its program. */
typedef struct curfew__code {
	curfew__machine *machine;
	bool metered; /* it counts its fuel */
	bool is_component;
	bool imports_wasi;
	curfew__code_range range;  /* where it lies */
	wasmtime_linker_t *linker; /* its own linker, with host functions; NULL: the machine's */
	wasmtime_module_t *module;
	wasmtime_instance_pre_t *module_pre;
	wasmtime_component_t *component;
	curfew__component_pre *component_pre;
	wasmtime_component_linker_t *component_linker; /* as linker */
	curfew__component_function *functions;         /* the host functions in that linker */
	struct curfew__code *next;
} curfew__code;

typedef struct curfew__wasm_program curfew__wasm_program;

typedef struct curfew__wasm_source {
	const void *bytes; /* copied, or lent */
	size_t length;
	bool is_text;
	const uint8_t *sha256;      /* [32] of the bytes, the key of the cache; NULL: not known yet */
	curfew__compiler *compiler; /* must outlive the program */
	const char *cache_dir;      /* directory of compiled code, which must outlive the program; NULL: none */
	const void *owner;          /* identifies it to the process that compiles it */
	bool is_lent;               /* the bytes are not copied, and must outlive the program */
	bool is_passed_on; /* it is compiled for others: curfew__wasm_program_part takes the place of what loads it here */
} curfew__wasm_source;

/* Reads nothing yet. NULL: out of memory. */
curfew__wasm_program *curfew__wasm_program_create(const curfew__wasm_source *source);
/* Its lent bytes are a mapping, which it unmaps in the end. */
void curfew__wasm_program_take_mapping(curfew__wasm_program *program);
/* Call it when every instance has ended, and while the machines still exist. */
void curfew__wasm_program_destroy(curfew__wasm_program *program);

/* Sets what may be imported in addition to WASI, borrowed [count]. Call it before anything is loaded. */
void curfew__wasm_program_import(curfew__wasm_program *program, const curfew__wasm_import *imports, size_t count);

/* "module" or "component", by its header. A text that was not compiled yet counts as a module. */
const char *curfew__wasm_program_kind(curfew__wasm_program *program);

/*
 * The code for a machine with this stack limit, made at first use. The imports are checked before it is compiled. While
 * it is being compiled or loaded, the waiter is woken and has to call this again, or to leave.
 */
curfew__wasm_step curfew__wasm_program_code(curfew__wasm_program *program, curfew__machines *machines, bool metered,
                                            uint64_t stack_bytes, curfew__wasm_waiter *waiter,
                                            const curfew__code **code, curfew__wasm_error *error);
/* The description of the program in the form of compile.h, in the same way. It belongs to the program. Nothing is
 * compiled. */
curfew__wasm_step curfew__wasm_program_describe(curfew__wasm_program *program, curfew__wasm_waiter *waiter,
                                                const char **json, size_t *length, curfew__wasm_error *error);

typedef enum curfew__wasm_part {
	CURFEW__PART_CODE,
	CURFEW__PART_METERED_CODE,
	CURFEW__PART_DESCRIPTION,
} curfew__wasm_part;

/*
 * For a program that is passed on: one part of it as a file, whose descriptor is duplicated for the caller. LOADED: the
 * complete file. COMPILING: *file is the interface of the code, if with_interface is set and it is known, otherwise -1.
 */
curfew__wasm_step curfew__wasm_program_part(curfew__wasm_program *program, curfew__wasm_part part,
                                            curfew__wasm_waiter *waiter, bool with_interface, int *file,
                                            curfew__wasm_error *error);
/* Removes a waiter, if it waits. When nobody waits any more, the compiler's job is ended. */
void curfew__wasm_program_leave(curfew__wasm_program *program, curfew__wasm_waiter *waiter);
/* CPU time of compiling and loading while it waited, up to now. */
uint64_t curfew__wasm_waiter_cpu(curfew__wasm_program *program, const curfew__wasm_waiter *waiter);

/* Its original bytes; borrowed. */
const void *curfew__wasm_program_bytes(const curfew__wasm_program *program, size_t *length, bool *is_text);
/* Compiled code, by flavour (metered or not); with a reference for the caller. NULL: it was not compiled. */
curfew__compiled *curfew__wasm_program_compiled(curfew__wasm_program *program, bool metered);
/* Sets code that this library has compiled and that is trusted. Takes ownership. Call it before the first run. */
void curfew__wasm_program_adopt(curfew__wasm_program *program, bool metered, curfew__compiled *compiled);

/*
 * Calls back for the source position of an offset that a trap of this kind of code reports, in a function that begins
 * at start: once for each inlined call, innermost first, and not at all for code that the rewriter or Wasmtime added.
 * The location's texts are borrowed for the call. False: some names or lines were left out when it was compiled.
 */
typedef void (*curfew__wasm_place)(void *context, const curfew__location *location);
/* The offset of a location without a source position. */
#define CURFEW__NO_OFFSET UINT64_MAX
bool curfew__wasm_program_locate(curfew__wasm_program *program, bool metered, uint64_t start, uint64_t offset,
                                 curfew__wasm_place place, void *context);
/*
 * The same for an instruction of a guest in compiled code, or for the nearest one before it in its function that has a
 * source position. False: there is none.
 */
bool curfew__wasm_program_locate_address(curfew__wasm_program *program, const curfew__code *code, uintptr_t address,
                                         curfew__wasm_place place, void *context);

/* What all modules of a program need when they begin. */
typedef struct curfew__wasm_needs {
	uint64_t memories; /* how many there are */
	uint64_t memory_bytes;
	uint64_t memory_bytes_max; /* the maximum that they may grow to */
	uint64_t table_elements;
} curfew__wasm_needs;

/* needs.c: reads this from the binary form, which was validated before. False: it has a part that is unknown here. */
bool curfew__wasm_needs_read(const void *bytes, size_t length, curfew__wasm_needs *needs);

#endif
