/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and links compiled code on a separate thread. The larger the program, the longer that takes, and it cannot be
 * interrupted. Meanwhile a run that waits for it is parked, and can be stopped. Programs are loaded one after the
 * other, small ones before large ones that came a little earlier.
 */
#ifndef CURFEW_WASM_LOADER_H
#define CURFEW_WASM_LOADER_H

#include "wasm/turns.h"

typedef struct curfew__loader curfew__loader;

/* Something to load. It belongs to its owner; initialise it with zeros. */
typedef struct curfew__load {
	void (*call)(void *context); /* called on the loader's thread */
	void *context;
	/* Used by the loader. */
	curfew__turn turn;
	enum { CURFEW__LOAD_NONE, CURFEW__LOAD_QUEUED, CURFEW__LOAD_CALLED } state;
} curfew__load;

/* Starts no thread yet. NULL: out of memory. */
curfew__loader *curfew__loader_create(void);
/* Call it when nothing is being loaded. NULL does nothing. */
void curfew__loader_destroy(curfew__loader *loader);

/* Has it called, which goes through so many bytes. False: no thread can be started. */
bool curfew__loader_add(curfew__loader *loader, curfew__load *load, size_t bytes);
/* Removes the load from the queue, and waits for its call if that is in progress. Not from its call. */
void curfew__loader_remove(curfew__loader *loader, curfew__load *load);
/* CPU time of the thread so far, in nanoseconds. */
int64_t curfew__loader_cpu(curfew__loader *loader);

#endif
