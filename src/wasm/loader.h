/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and links compiled code on a thread of its own. That takes as long as the program is large, and cannot be
 * interrupted: meanwhile whoever waits for it is parked, and can be stopped. One thing is loaded after the other, small
 * ones before large ones that came a little earlier.
 */
#ifndef CURFEW_WASM_LOADER_H
#define CURFEW_WASM_LOADER_H

#include "wasm/turns.h"

typedef struct curfew__loader curfew__loader;

/* Something to load; its owner's, zeroed at first. */
typedef struct curfew__load {
	void (*call)(void *context); /* on the loader's thread */
	void *context;
	/* The loader's. */
	curfew__turn turn;
	enum { CURFEW__LOAD_NONE, CURFEW__LOAD_QUEUED, CURFEW__LOAD_CALLED } state;
} curfew__load;

/* NULL: out of memory. No thread is started yet. */
curfew__loader *curfew__loader_create(void);
/* Nothing is being loaded. NULL: nothing. */
void curfew__loader_destroy(curfew__loader *loader);

/* Has it called, which goes through so many bytes. False: no thread can be started. */
bool curfew__loader_add(curfew__loader *loader, curfew__load *load, size_t bytes);
/* Afterwards it is not called, and is being called no more. Not from its call. */
void curfew__loader_remove(curfew__loader *loader, curfew__load *load);
/* CPU time of the thread so far, in nanoseconds. */
int64_t curfew__loader_cpu(curfew__loader *loader);

#endif
