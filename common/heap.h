/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A heap of absolute times, to find the entry that is due next. An entry is embedded in the object that waits, so that
 * it can be moved and removed without a search. Initialise it with zeros. Threads: as for the lock around it.
 */
#ifndef CURFEW_COMMON_HEAP_H
#define CURFEW_COMMON_HEAP_H

#include "common/owner.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct curfew__due {
	int64_t when; /* on the clock that the heap's owner uses */
	size_t slot;  /* from 1; 0: it is in no heap */
} curfew__due;

typedef struct curfew__heap {
	curfew__due **slots; /* [capacity], from 1 */
	size_t count, capacity;
} curfew__heap;

static inline void curfew__heap_finish(curfew__heap *heap)
{
	free(heap->slots);
	*heap = (curfew__heap){0};
}

/* The entry that is due first. NULL: there is none. */
static inline curfew__due *curfew__heap_first(const curfew__heap *heap)
{
	return heap->count > 0 ? heap->slots[1] : NULL;
}

static inline void curfew__heap_place(curfew__heap *heap, size_t slot, curfew__due *due)
{
	heap->slots[slot] = due;
	due->slot = slot;
}

/* Moves the entry in this slot up or down to its place in the order. */
static inline void curfew__heap_sift(curfew__heap *heap, size_t slot)
{
	curfew__due *due = heap->slots[slot];

	for (; slot > 1 && heap->slots[slot / 2]->when > due->when; slot /= 2)
		curfew__heap_place(heap, slot, heap->slots[slot / 2]);
	for (size_t child; (child = slot * 2) <= heap->count; slot = child) {
		if (child < heap->count && heap->slots[child + 1]->when < heap->slots[child]->when)
			child++;
		if (heap->slots[child]->when >= due->when)
			break;
		curfew__heap_place(heap, slot, heap->slots[child]);
	}
	curfew__heap_place(heap, slot, due);
}

/* Inserts an entry, or changes its time. False: out of memory; an inserted entry is still in no heap. */
static inline bool curfew__heap_put(curfew__heap *heap, curfew__due *due, int64_t when)
{
	if (due->slot == 0 && heap->count + 1 >= heap->capacity) {
		size_t capacity = heap->capacity > 0 ? heap->capacity * 2 : 64;
		curfew__due **slots = realloc(heap->slots, capacity * sizeof(curfew__due *));
		if (slots == NULL)
			return false;
		heap->slots = slots;
		heap->capacity = capacity;
	}
	if (due->slot == 0)
		curfew__heap_place(heap, ++heap->count, due);
	due->when = when;
	curfew__heap_sift(heap, due->slot);
	return true;
}

/* Removes an entry. Nothing happens if it is in no heap. */
static inline void curfew__heap_remove(curfew__heap *heap, curfew__due *due)
{
	size_t slot = due->slot;

	if (slot == 0)
		return;
	due->slot = 0;
	curfew__due *last = heap->slots[heap->count--];
	if (last == due)
		return;
	curfew__heap_place(heap, slot, last);
	curfew__heap_sift(heap, slot);
}

#endif
