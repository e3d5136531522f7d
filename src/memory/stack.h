/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Native stacks for guest code, made once and reused. In a measured pool each is zero when it is taken, so that
 * its contents show afterwards how much of it was used.
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
/* Any thread. Returns how many bytes were used, in whole pages beyond the first few; 0: the pool is not measured. */
size_t curfew__stacks_give(curfew__stacks *stacks, curfew__stack *stack);
/* The same, faster. The pool is not measured, and at most CURFEW__STACK_SHALLOW bytes of the stack were used. */
void curfew__stacks_give_shallow(curfew__stacks *stacks, curfew__stack *stack);
#define CURFEW__STACK_SHALLOW ((size_t)256 << 10)
/* Calls a function on this stack, on the calling thread. The function must return. */
void curfew__stack_call(const curfew__stack *stack, void (*function)(void *argument), void *argument);

#endif
