/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who compiles, for all programs of an engine. Compiling is guest work that nothing inside a process can stop, so it is
 * done in processes of its own (compiler/main.c), each of which serves one file and is killed when nobody waits for it
 * any more. Where there can be no process it is done on threads here, bounded by estimates: what such a thread has
 * begun goes on when nobody waits for it, and its result is dropped.
 *
 * A thread of the compiler's own, started at first need, looks after the processes and tells listeners.
 */
#ifndef CURFEW_WASM_COMPILER_H
#define CURFEW_WASM_COMPILER_H

#include "wasm/compile.h"
#include "wasm/loader.h"
#include "wasm/turns.h"

typedef struct curfew__compiler curfew__compiler;
typedef struct curfew__job curfew__job;

typedef enum curfew__compile_where {
	CURFEW__COMPILE_ANYWHERE, /* in a process, or here if there can be none */
	CURFEW__COMPILE_PROCESS,
	CURFEW__COMPILE_HERE,
	CURFEW__COMPILE_ELSEWHERE, /* by whoever is asked */
} curfew__compile_where;

/*
 * Has a job carried out elsewhere, or (request is NULL) no further. program: as in the job's source. May call nothing
 * here. Answers come by curfew__compiler_hear.
 */
typedef void (*curfew__compile_ask)(void *context, uint64_t number, const void *program,
                                    const curfew__compile_request *request);

typedef struct curfew__compiler_options {
	curfew__compile_where where;
	const char *executable;  /* NULL: found beside this library */
	uint64_t memory_bytes;   /* that a process may have */
	uint64_t cpu_ns;         /* that it may take, of all processors together; in whole seconds */
	const char *cache_dir;   /* borrowed; where results are kept; NULL: nowhere */
	curfew__compile_ask ask; /* ELSEWHERE */
	void *context;           /* of ask */
} curfew__compiler_options;

/* What is to be compiled; borrowed until the job ends. */
typedef struct curfew__compile_source {
	const void *bytes;
	size_t length;
	const char *cache_name; /* under which the code is kept; "": it is not */
	const void *program;    /* by which it is known elsewhere */
	curfew__asker asker;
} curfew__compile_source;

/* Called on the compiler's threads, without a lock of its. Files are taken over. */
typedef struct curfew__job_listener {
	void *context;
	void (*on_interface)(void *context, int file);
	/* file: the code; of a description, -1. NULL failure: it is done. */
	void (*on_done)(void *context, int file, const curfew__compile_failure *failure);
} curfew__job_listener;

/* NULL: out of memory. Nothing is started yet. */
curfew__compiler *curfew__compiler_create(const curfew__compiler_options *options);
/* Every job has ended. Waits for threads that compile, and for what is being kept in the cache. NULL: nothing. */
void curfew__compiler_destroy(curfew__compiler *compiler);

/* Who reads what was compiled. */
curfew__loader *curfew__compiler_loader(const curfew__compiler *compiler);

/* Begins to compile. Flags can_be_ended and parallel are set here. NULL: out of memory. */
curfew__job *curfew__compiler_start(curfew__compiler *compiler, const curfew__compile_request *request,
                                    const curfew__compile_source *source, const curfew__job_listener *listener);
/* Ends a job and frees it, whether it is done or not. Afterwards its listener is not called. Not from a listener. */
void curfew__job_end(curfew__job *job);
/* Processor time that it has taken so far, in nanoseconds. */
uint64_t curfew__job_cpu(curfew__job *job);

typedef enum curfew__heard_kind {
	CURFEW__HEARD_CPU, /* only what is told of the processor time */
	CURFEW__HEARD_INTERFACE,
	CURFEW__HEARD_DONE, /* with the code, or the description */
	CURFEW__HEARD_FAILED,
} curfew__heard_kind;

/* What is told from elsewhere. */
typedef struct curfew__heard {
	curfew__heard_kind kind;
	uint64_t cpu_ns;
	int file; /* -1: none */
	const curfew__compile_failure *failure;
} curfew__heard;

/* Tells the job of this number, if it has not ended; takes the file over. */
void curfew__compiler_hear(curfew__compiler *compiler, uint64_t number, const curfew__heard *heard);

#endif
