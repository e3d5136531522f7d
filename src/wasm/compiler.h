/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler of an engine's programs. Compiling is guest work that nothing inside a process can stop. So separate
 * processes do it (compiler/main.c), each of which serves one file and is killed when nobody waits for it any more. If
 * there can be no process, threads of this process compile, bounded by estimates. The work of such a thread continues
 * when nobody waits for it, and its result is dropped.
 *
 * A thread of the compiler's own, started at first use, watches the processes and calls listeners.
 */
#ifndef CURFEW_WASM_COMPILER_H
#define CURFEW_WASM_COMPILER_H

#include "wasm/compile.h"
#include "wasm/loader.h"
#include "wasm/turns.h"

typedef struct curfew__compiler curfew__compiler;
typedef struct curfew__job curfew__job;

typedef enum curfew__compile_where {
	CURFEW__COMPILE_ANYWHERE, /* in a separate process, or in this one if there can be none */
	CURFEW__COMPILE_PROCESS,
	CURFEW__COMPILE_HERE,
	CURFEW__COMPILE_ELSEWHERE, /* elsewhere, by sending a request */
} curfew__compile_where;

/*
 * Requests that a job be done elsewhere, or (request is NULL) withdraws that. program is the one of the job's source.
 * Must call nothing here. Answers arrive through curfew__compiler_hear.
 */
typedef void (*curfew__compile_ask)(void *context, uint64_t number, const void *program,
                                    const curfew__compile_request *request);

typedef struct curfew__compiler_options {
	curfew__compile_where where;
	const char *executable;  /* NULL: the one beside this library */
	uint64_t memory_bytes;   /* limit of a process's memory */
	uint64_t cpu_ns;         /* limit of its CPU time, on all cores together; in whole seconds */
	const char *cache_dir;   /* borrowed; the directory that keeps results; NULL: none */
	curfew__compile_ask ask; /* ELSEWHERE */
	void *context;           /* the context of ask */
} curfew__compiler_options;

/* The program to compile; borrowed until the job ends. */
typedef struct curfew__compile_source {
	const void *bytes;
	size_t length;
	const char *cache_name; /* the name under which the code is kept; "": it is not kept */
	const void *program;    /* identifies the program to the other process */
	curfew__asker asker;
} curfew__compile_source;

/* Called on the compiler's threads, without its lock. The listener takes ownership of files. */
typedef struct curfew__job_listener {
	void *context;
	void (*on_interface)(void *context, int file);
	/* file is the code, or -1 for a description. failure is NULL after success. */
	void (*on_done)(void *context, int file, const curfew__compile_failure *failure);
} curfew__job_listener;

/* Starts nothing yet. NULL: out of memory. */
curfew__compiler *curfew__compiler_create(const curfew__compiler_options *options);
/* Call it when every job has ended. Waits for threads that compile, and for writes to the cache. NULL does nothing. */
void curfew__compiler_destroy(curfew__compiler *compiler);

/* The thread that reads compiled code. */
curfew__loader *curfew__compiler_loader(const curfew__compiler *compiler);

/* Begins to compile. Flags can_be_ended and parallel are set here. NULL: out of memory. */
curfew__job *curfew__compiler_start(curfew__compiler *compiler, const curfew__compile_request *request,
                                    const curfew__compile_source *source, const curfew__job_listener *listener);
/* Ends a job and frees it, whether it is done or not. Afterwards its listener is not called. Not from a listener. */
void curfew__job_end(curfew__job *job);
/* CPU time of the job so far, in nanoseconds. */
uint64_t curfew__job_cpu(curfew__job *job);

typedef enum curfew__heard_kind {
	CURFEW__HEARD_CPU, /* only the CPU time is new */
	CURFEW__HEARD_INTERFACE,
	CURFEW__HEARD_DONE, /* with the code, or the description */
	CURFEW__HEARD_FAILED,
} curfew__heard_kind;

/* An answer from the other process. */
typedef struct curfew__heard {
	curfew__heard_kind kind;
	uint64_t cpu_ns;
	int file; /* -1: none */
	const curfew__compile_failure *failure;
} curfew__heard;

/* Passes an answer to the job of this number, if it has not ended. Takes ownership of the file. */
void curfew__compiler_hear(curfew__compiler *compiler, uint64_t number, const curfew__heard *heard);

#endif
