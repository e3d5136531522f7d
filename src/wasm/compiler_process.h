/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process that compiles: starting it, sending its order, killing it. It is an ordinary child of this process. An
 * embedding program that waits for all its children may get this one, which does no harm here.
 */
#ifndef CURFEW_WASM_COMPILER_PROCESS_H
#define CURFEW_WASM_COMPILER_PROCESS_H

#include <sys/types.h>

#include "curfew.h"
#include "wasm/compile.h"

/* The descriptor of the process's socket. */
#define CURFEW__COMPILER_SOCKET 3
/* The build that both processes must have. */
#define CURFEW__COMPILER_BUILD CURFEW_VERSION " " CURFEW_ENGINE_KEY " " WASMTIME_VERSION

/* The only order of a process. It comes with three files: the input, and those for interface and code. */
typedef struct curfew__compiler_order {
	char build[96];
	curfew__compile_request request;
	uint64_t input_length;
	uint64_t memory_bytes;
	uint64_t cpu_seconds;
} curfew__compiler_order;

enum { CURFEW__COMPILER_INTERFACE = 1, CURFEW__COMPILER_DONE, CURFEW__COMPILER_REFUSED };

/* An answer of the process: the interface is written, the code is written, or why not. */
typedef struct curfew__compiler_answer {
	uint32_t kind;
	curfew__compile_failure failure;
} curfew__compiler_answer;

/* The process exits with this code if it runs out of memory. */
#define CURFEW__COMPILER_NO_MEMORY 77
/* ... and with this one if the system does not let it confine itself. */
#define CURFEW__COMPILER_NOT_CONFINED 78

typedef struct curfew__compiler_process {
	pid_t pid;
	int pidfd;
	int socket;
} curfew__compiler_process;

/* Finds the path of the executable: the named one, or the one beside this library. False: there is none. */
bool curfew__compiler_find(const char *named, char path[4096]);
/* Starts a process. False: failure says why it cannot. */
bool curfew__compiler_process_start(curfew__compiler_process *process, const char *path, curfew_failure *failure);
bool curfew__compiler_process_ask(const curfew__compiler_process *process, const curfew__compiler_order *order,
                                  const int files[3]);
/* Returns 1 if *answer is an answer, 0 if there is none yet, and -1 if there will be none. */
int curfew__compiler_process_hear(const curfew__compiler_process *process, curfew__compiler_answer *answer);
void curfew__compiler_process_kill(const curfew__compiler_process *process);
typedef enum curfew__compiler_end {
	CURFEW__COMPILER_ENDED,     /* the message says how */
	CURFEW__COMPILER_OF_MEMORY, /* it exceeded its memory */
	CURFEW__COMPILER_OF_CPU,
	CURFEW__COMPILER_UNCONFINED, /* it did not begin, and none can on this system */
} curfew__compiler_end;

/* Call it once the process has ended, or was killed. Waits for it, and says in failure how it ended. */
curfew__compiler_end curfew__compiler_process_finish(curfew__compiler_process *process, curfew_failure *failure);

#endif
