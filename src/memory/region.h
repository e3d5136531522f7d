/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memories. An image is the contents a memory starts with, kept once and mapped copy-on-write into any number
 * of regions; a region is the address space of one guest memory, reserved once and reused. After a run exactly the
 * pages that it changed are put back. A plain region has no image: it starts as zeros.
 */
#ifndef CURFEW_MEMORY_REGION_H
#define CURFEW_MEMORY_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/pages.h"

#define CURFEW__PAGE ((size_t)4096)
#define CURFEW__WASM_PAGE ((size_t)65536)
/* With this much behind every base, no access of 32-bit code needs a bounds check. */
#define CURFEW__REGION_RESERVE ((size_t)4 << 30)
#define CURFEW__REGION_GUARD ((size_t)32 << 20)

/* Where things are in a guest memory: what the host has to know of the guest. */
typedef struct curfew__layout {
	uint32_t control;   /* address of the control block */
	uint32_t counter;   /* address of the interrupt counter */
	uint32_t stack_top; /* the shadow stack lies below, down to 0 */
	uint32_t reserved;
} curfew__layout;

/* Pages of an image that its first run changed: a guide to what the next ones will. */
/* Pages of an image that its first run changed: a guide to what the next ones will. */
typedef struct curfew__changed {
	size_t count;
	curfew__range ranges[];
} curfew__changed;

typedef struct curfew__image {
	atomic_uint references;
	_Atomic(curfew__changed *) changed; /* NULL: not known yet */
	int file;
	const uint8_t *bytes; /* [length], read-only */
	size_t length;        /* a multiple of the WebAssembly page */
	curfew__layout layout;
} curfew__image;

/* Makes an image of length bytes, all zero but for the base (may be NULL) and the given pages over it. */
curfew__image *curfew__image_create(const curfew__image *base, size_t length, const curfew__layout *layout,
                                    const uint32_t *page_numbers, const uint8_t *pages, size_t page_count);
curfew__image *curfew__image_ref(curfew__image *image);
void curfew__image_unref(curfew__image *image);

/*
 * The pages up to open_end are accessible, and no others: the size of the memory, or a little more where huge pages are
 * asked for. Whatever the guest claims its size to be, it cannot have written behind open_end, so that this is what a
 * stop protects and what is put back.
 */
typedef struct curfew__region {
	uint8_t *base;
	_Atomic size_t size; /* of the memory now */
	size_t size_limit;   /* it may grow to */
	_Atomic size_t open_end;
	size_t touched_end; /* no page of its own lies behind */
	atomic_bool is_protected;
	size_t step;          /* it is opened by multiples of this */
	int advice;           /* for madvise, of what is mapped anew */
	curfew__image *image; /* a reference; what it starts with. NULL: a plain region */
	struct curfew__region *next;

	/* Pages of its own, as the last reset left them: [own_count], in order. */
	curfew__range *own;
	size_t own_count;
	bool own_known;         /* false: they have to be looked for */
	curfew__faults faults;  /* of the thread that looked, when it did */
	uint64_t thread;        /* that has taken it; a number of curfew__thread_number */
	atomic_bool was_shared; /* and another one has used it since */
	size_t resident_pages;  /* pages of its own that the pool has accounted for */

	size_t stack_low; /* lowest stack address whose contents were dropped in this run; the stack's top: none */
	bool at_rest;     /* trimmed, and not entered since */
	/* Called when the memory has grown, or was refused to grow beyond size_limit. */
	void (*on_growth)(void *context, bool refused);
	void *context;
} curfew__region;

/* A region of no memory yet; advice: of curfew__pages_advice. NULL: no address space. */
curfew__region *curfew__region_create(bool huge_pages, int advice);
void curfew__region_destroy(curfew__region *region);
/* Makes it start with the image; false: the system refused. */
bool curfew__region_map(curfew__region *region, curfew__image *image);
/* Makes exactly so many bytes accessible; false: the system refused. */
bool curfew__region_set_open(curfew__region *region, size_t end);
/* Before a thread other than the one that took it touches the memory; any thread may call this. */
void curfew__region_note_use(curfew__region *region);

typedef struct curfew__pool curfew__pool;

/* pagemap: /proc/self/pagemap, which becomes the pool's; 0: it is opened here. huge_pages: see curfew__pages_advice. */
curfew__pool *curfew__pool_create(uint64_t resident_bytes, int pagemap, bool huge_pages);
/* Every region must have been given back. */
void curfew__pool_destroy(curfew__pool *pool);
/* A memory that starts as image and may grow to size_limit (at least the image's length); NULL: no address space. */
curfew__region *curfew__pool_take(curfew__pool *pool, curfew__image *image, size_t size_limit);
/*
 * Puts every changed page back and keeps the region for the next run. *lowest_stack_write: the lowest address of the
 * shadow stack that the run wrote, rounded down to a page; the stack's top if none.
 */
void curfew__pool_give(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write);
/*
 * As give, of a region at rest, where there is something more urgent than to put its pages back: that is done by
 * curfew__pool_tidy, or as others are taken. False: it is not to be put off, nothing was done.
 */
bool curfew__pool_give_later(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write);
bool curfew__pool_is_untidy(curfew__pool *pool);
/* Puts back the pages of one region, if that was put off for any. */
void curfew__pool_tidy(curfew__pool *pool);
/* The lowest address of the shadow stack that was written, rounded down to a page; the stack's top if none. */
size_t curfew__pool_stack_low(curfew__pool *pool, const curfew__region *region);
/*
 * While the guest waits, with nothing on its stack: gives back the pages that hold what the image holds, and the stack
 * but for its upper end.
 */
void curfew__pool_trim(curfew__pool *pool, curfew__region *region);
/* A memory of zeros, size bytes (a multiple of the page) of it accessible; NULL: no address space. */
curfew__region *curfew__pool_take_plain(curfew__pool *pool, size_t size);
/* Puts it back, zeroed; clean: only its first byte may differ from zero. */
void curfew__pool_give_plain(curfew__pool *pool, curfew__region *region, bool clean);

typedef struct curfew__pool_counts {
	uint64_t in_use, pooled; /* regions */
	uint64_t resident_bytes; /* kept by regions after their last run */
} curfew__pool_counts;

curfew__pool_counts curfew__pool_count(curfew__pool *pool);

/* Lets the memory grow; false: the limit does not allow it, or the system refused. */
bool curfew__region_grow(curfew__region *region, size_t size);
/*
 * The last resort of a stop: takes all of the memory away, so that the guest's next access to it traps, also where it
 * grows meanwhile. From any thread. False: the system refused.
 */
bool curfew__region_protect(curfew__region *region);
/* Gives it back. */
bool curfew__region_unprotect(curfew__region *region);
/*
 * Lists the pages that differ from the image (all that are not zero, beyond its end): numbers[*count], to be freed.
 */
bool curfew__region_changes(const curfew__region *region, uint32_t **numbers, size_t *count);

#endif
