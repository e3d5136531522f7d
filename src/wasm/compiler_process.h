/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process that compiles: started, asked, killed. It is an ordinary child of this process: where the embedding
 * program waits for all its children it may be told of this one, which does no harm here.
 */
#ifndef CURFEW_WASM_COMPILER_PROCESS_H
#define CURFEW_WASM_COMPILER_PROCESS_H

#include <sys/types.h>

#include "curfew.h"
#include "wasm/compile.h"

/* The descriptor of the process's socket. */
#define CURFEW__COMPILER_SOCKET 3
/* What both must have been built from. */
#define CURFEW__COMPILER_BUILD CURFEW_VERSION " " CURFEW_ENGINE_KEY " " WASMTIME_VERSION

/* The one thing that a process is asked, together with three files: the input, and those for interface and code. */
typedef struct curfew__compiler_order {
	char build[96];
	curfew__compile_request request;
	uint64_t input_length;
	uint64_t memory_bytes;
	uint64_t cpu_seconds;
} curfew__compiler_order;

enum { CURFEW__COMPILER_INTERFACE = 1, CURFEW__COMPILER_DONE, CURFEW__COMPILER_REFUSED };

/* What it answers: the interface is written, the code is written, or why not. */
typedef struct curfew__compiler_answer {
	uint32_t kind;
	curfew__compile_failure failure;
} curfew__compiler_answer;

/* Ends with this code where there is no memory for it to go on. */
#define CURFEW__COMPILER_NO_MEMORY 77
/* ... and with this one where the system does not let it be confined. */
#define CURFEW__COMPILER_NOT_CONFINED 78

typedef struct curfew__compiler_process {
	pid_t pid;
	int pidfd;
	int socket;
} curfew__compiler_process;

/* The path of the executable: the one that is named, else one beside this library. False: there is none. */
bool curfew__compiler_find(const char *named, char path[4096]);
/* False: failure says why there is no process. */
bool curfew__compiler_process_start(curfew__compiler_process *process, const char *path, curfew_failure *failure);
bool curfew__compiler_process_ask(const curfew__compiler_process *process, const curfew__compiler_order *order,
                                  const int files[3]);
/* 1: *answer is one; 0: there is none yet; -1: there will be none. */
int curfew__compiler_process_hear(const curfew__compiler_process *process, curfew__compiler_answer *answer);
void curfew__compiler_process_kill(const curfew__compiler_process *process);
typedef enum curfew__compiler_end {
	CURFEW__COMPILER_ENDED,     /* message says of what */
	CURFEW__COMPILER_OF_MEMORY, /* it would have taken more than it was given */
	CURFEW__COMPILER_OF_CPU,
	CURFEW__COMPILER_UNCONFINED, /* it has not begun, and none will on this system */
} curfew__compiler_end;

/* Once it has ended, or was killed: waits for it, and says in failure what it ended of. */
curfew__compiler_end curfew__compiler_process_finish(curfew__compiler_process *process, curfew_failure *failure);

#endif
