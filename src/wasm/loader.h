/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and links compiled code on threads of its own. The larger the program, the longer that takes, and it cannot be
 * interrupted. Meanwhile a run that waits for it is parked, and can be stopped. There are two threads, and who is next
 * is decided as for the compiler (turns.h): neither one tenant nor large programs ever have both.
 */
#ifndef CURFEW_WASM_LOADER_H
#define CURFEW_WASM_LOADER_H

#include "wasm/turns.h"

typedef struct curfew__loader curfew__loader;

/* Something to load. It belongs to its owner; initialise it with zeros. */
typedef struct curfew__load {
	void (*call)(void *context); /* called on a thread of the loader's, one call at a time */
	void *context;
	/* Used by the loader. */
	curfew__turn turn;
	const struct curfew__loader_thread *thread; /* which calls it; NULL: none */
	int64_t start_ns;                           /* CPU clock of the thread when it began */
	uint64_t cpu_ns;                            /* CPU time of the calls that have ended */
} curfew__load;

/* Starts no thread yet. NULL: out of memory. */
curfew__loader *curfew__loader_create(void);
/* Call it when nothing is being loaded. NULL does nothing. */
void curfew__loader_destroy(curfew__loader *loader);

/* Has it called, which goes through so many bytes for whoever asks. False: no thread can be started. */
bool curfew__loader_add(curfew__loader *loader, curfew__load *load, const curfew__asker *asker, size_t bytes);
/* Removes the load from the queue, and waits for its call if that is in progress. Not from its call. */
void curfew__loader_remove(curfew__loader *loader, curfew__load *load);
/* CPU time of its calls so far, in nanoseconds. */
uint64_t curfew__loader_cpu(curfew__loader *loader, const curfew__load *load);

#endif
