/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Native stacks for guest code, made once and reused. In a pool that is measured each is zero when it is taken, so that
 * afterwards it shows how much of it was used.
 */
#ifndef CURFEW_MEMORY_STACK_H
#define CURFEW_MEMORY_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct curfew__stack {
	uint8_t *base; /* lowest byte; below it lies an inaccessible page */
	size_t size;
	struct curfew__stack *next;
} curfew__stack;

typedef struct curfew__stacks curfew__stacks;

/* A pool of stacks of size bytes (a multiple of the page). NULL: out of memory. */
curfew__stacks *curfew__stacks_create(size_t size, bool is_measured);
/* Call it when every stack has been given back. */
void curfew__stacks_destroy(curfew__stacks *stacks);
/* Any thread. NULL: out of memory. */
curfew__stack *curfew__stacks_take(curfew__stacks *stacks);
/* Any thread. Returns how many bytes of it were used, in whole pages beyond the first few; 0: that is not measured. */
size_t curfew__stacks_give(curfew__stacks *stacks, curfew__stack *stack);
/* The same for a stack of a pool that is not measured, of which no more than this was used. */
void curfew__stacks_give_shallow(curfew__stacks *stacks, curfew__stack *stack);
#define CURFEW__STACK_SHALLOW ((size_t)256 << 10)
/* Calls a function on a stack, on this thread. It has to return. */
void curfew__stack_call(const curfew__stack *stack, void (*function)(void *argument), void *argument);

#endif
