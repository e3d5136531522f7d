/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memories. An image is the initial contents of a memory, stored once and mapped copy-on-write into any number of
 * regions. A region is the address space of one guest memory, reserved once and reused. After a run exactly the pages
 * that it changed are restored. A plain region has no image: it starts as zeros.
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
/* With this much address space after every base, no access of 32-bit code needs a bounds check. */
#define CURFEW__REGION_RESERVE ((size_t)4 << 30)
#define CURFEW__REGION_GUARD ((size_t)32 << 20)

/* The addresses in a guest memory that the host has to know. */
typedef struct curfew__layout {
	uint32_t control;   /* address of the control block */
	uint32_t counter;   /* address of the interrupt counter */
	uint32_t stack_top; /* the shadow stack grows from here down to 0 */
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

/* Makes an image of length bytes: zeros, then the contents of base (may be NULL), then the given pages. */
curfew__image *curfew__image_create(const curfew__image *base, size_t length, const curfew__layout *layout,
                                    const uint32_t *page_numbers, const uint8_t *pages, size_t page_count);
curfew__image *curfew__image_ref(curfew__image *image);
void curfew__image_unref(curfew__image *image);

/*
 * Only the pages up to open_end are accessible: the size of the memory, or a little more if huge pages are requested.
 * Whatever size the guest claims, it cannot have written after open_end. So this is the part that a stop protects and a
 * reset restores.
 */
typedef struct curfew__region {
	uint8_t *base;
	_Atomic size_t size; /* of the memory now */
	size_t size_limit;   /* limit of its growth */
	_Atomic size_t open_end;
	size_t touched_end; /* there are no own pages after this */
	atomic_bool is_protected;
	size_t step;          /* it becomes accessible in multiples of this */
	int advice;           /* for madvise, for new mappings */
	curfew__image *image; /* a reference to its initial contents; NULL: a plain region */
	struct curfew__region *next;

	/* Own pages, as the last reset left them: [own_count], in order. */
	curfew__range *own;
	size_t own_count;
	bool own_known;         /* false: a scan is needed */
	curfew__faults faults;  /* page faults of the scanning thread at the scan */
	uint64_t thread;        /* the thread that has taken it, by curfew__thread_number */
	atomic_bool was_shared; /* another thread has used it since */
	size_t resident_pages;  /* own pages that the pool has charged */

	size_t stack_low; /* lowest stack address whose contents were dropped in this run; the stack's top: none */
	bool at_rest;     /* it was trimmed, and not entered since */
	/* Called when the memory has grown, or could not grow beyond size_limit. */
	void (*on_growth)(void *context, bool refused);
	void *context;
} curfew__region;

/* Reserves a region without memory; advice is from curfew__pages_advice. NULL: no address space. */
curfew__region *curfew__region_create(bool huge_pages, int advice);
void curfew__region_destroy(curfew__region *region);
/* Maps the image into it. False: the system refused. */
bool curfew__region_map(curfew__region *region, curfew__image *image);
/* Makes exactly this many bytes accessible. False: the system refused. */
bool curfew__region_set_open(curfew__region *region, size_t end);
/* Call this before a thread other than the one that took it touches the memory. Any thread. */
void curfew__region_note_use(curfew__region *region);

typedef struct curfew__pool curfew__pool;

/* pagemap: /proc/self/pagemap, which becomes the pool's; 0: it is opened here. huge_pages: see curfew__pages_advice. */
curfew__pool *curfew__pool_create(uint64_t resident_bytes, int pagemap, bool huge_pages);
/* Call it when every region has been given back. */
void curfew__pool_destroy(curfew__pool *pool);
/* A memory that starts as image and may grow to size_limit (at least the image's length); NULL: no address space. */
curfew__region *curfew__pool_take(curfew__pool *pool, curfew__image *image, size_t size_limit);
/*
 * Restores every changed page and keeps the region for the next run. *lowest_stack_write: the lowest address of the
 * shadow stack that the run wrote, rounded down to a page; the stack's top if none.
 */
void curfew__pool_give(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write);
/*
 * Like give, for a region at rest, if something is more urgent than restoring its pages. curfew__pool_tidy restores
 * them later, or the next runs that take regions. False: it cannot be put off, and nothing was done.
 */
bool curfew__pool_give_later(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write);
bool curfew__pool_is_untidy(curfew__pool *pool);
/* Restores the pages of one region for which that was put off, if there is one. */
void curfew__pool_tidy(curfew__pool *pool);
/* The lowest address of the shadow stack that was written, rounded down to a page; the stack's top if none. */
size_t curfew__pool_stack_low(curfew__pool *pool, const curfew__region *region);
/*
 * Called while the guest waits, with nothing on its stack. Drops the pages that equal the image's, and the stack except
 * for its upper end.
 */
void curfew__pool_trim(curfew__pool *pool, curfew__region *region);
/* A memory of zeros, size bytes (a multiple of the page) of it accessible; NULL: no address space. */
curfew__region *curfew__pool_take_plain(curfew__pool *pool, size_t size);
/* Gives it back, zeroed. clean: only its first byte may differ from zero. */
void curfew__pool_give_plain(curfew__pool *pool, curfew__region *region, bool clean);

typedef struct curfew__pool_counts {
	uint64_t in_use, pooled; /* regions */
	uint64_t resident_bytes; /* memory that regions keep after their last run */
} curfew__pool_counts;

curfew__pool_counts curfew__pool_count(curfew__pool *pool);

/* Grows the memory. False: the limit does not allow it, or the system refused. */
bool curfew__region_grow(curfew__region *region, size_t size);
/*
 * The last resort of a stop: protects all of the memory, so that the guest's next access to it traps, also if it grows
 * meanwhile. From any thread. False: the system refused.
 */
bool curfew__region_protect(curfew__region *region);
/* Unprotects it. */
bool curfew__region_unprotect(curfew__region *region);
/* Lists the pages that differ from the image (after its end, all that are not zero): numbers[*count], to be freed. */
bool curfew__region_changes(const curfew__region *region, uint32_t **numbers, size_t *count);

#endif
