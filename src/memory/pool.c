/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool keeps regions between two runs, and puts back what a run has changed. A few pages are copied from the image,
 * so that the next run finds them in memory. Many pages are dropped and refaulted. Without a way to tell which pages
 * changed, the whole region is dropped and refaulted: slower, but just as correct.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/region.h"
#include "common/mutex.h"

/* An image with more changed pages than this is dropped: each run would copy all of them back. */
#define COPY_PAGES_MAX 96
/* The maximum number of pages kept after the image. They cost only the runs that grow that far. */
#define KEEP_PAGES_MAX 1024
/* Regions that grew by more than this are cleared at once, because others need the memory. */
#define PUT_OFF_GROWN_MAX ((size_t)1 << 20)
/* The upper end of its stack that a waiting guest keeps, so that reading where it waits needs no new pages. */
#define STACK_KEPT ((size_t)8 << 10)
/* Free regions without an image that keep their address space. */
#define PLAIN_FREE_MAX 1024

struct curfew__pool {
	curfew__mutex lock;
	curfew__region *free;
	curfew__region *plain;   /* free regions without an image */
	curfew__region *put_off; /* free regions that are not cleared yet */
	uint64_t plain_count;
	atomic_uint put_off_count;
	uint64_t in_use, pooled;
	uint64_t resident_pages, resident_limit; /* own pages of all free regions */
	int pagemap;                             /* -1: there is no PAGEMAP_SCAN */
	bool huge_pages;
	int advice;
};

/* ---- What a region has of its own ------------------------------------------------------------------------- */

static size_t image_length(const curfew__region *region)
{
	return region->image ? region->image->length : 0;
}

static bool set_own(curfew__region *region, const curfew__range *ranges, size_t count)
{
	curfew__range *own = realloc(region->own, (count + 1) * sizeof *own);

	if (!own)
		return false;
	memcpy(own, ranges, count * sizeof *own);
	region->own = own;
	region->own_count = count;
	return true;
}

/*
 * Whether the list of the region's own pages is as it was at the last reset, because the only thread that has used it
 * had no page fault since. Not for huge pages, which the system also makes in a thread of its own.
 */
static bool has_same_own(const curfew__region *region, curfew__faults now)
{
	return region->own_known && region->advice == MADV_NOHUGEPAGE && region->thread == now.thread &&
	       !atomic_load(&region->was_shared) && curfew__faults_none(region->faults, now);
}

/* Lists the region's own pages, without a scan if none can have been added. False: the list is unknown. */
static bool find_own(curfew__pool *pool, curfew__region *region)
{
	curfew__faults now = curfew__faults_now();
	curfew__range ranges[CURFEW__RANGES_MAX];

	if (has_same_own(region, now))
		return true;

	region->faults = now;
	long found = curfew__pages_scan(pool->pagemap, region->base, region->base + region->touched_end, ranges);
	region->own_known = found >= 0 && set_own(region, ranges, (size_t)found);
	return region->own_known;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* The number of own pages between two addresses. */
static size_t count_own(const curfew__region *region, size_t from, size_t to)
{
	size_t bytes = 0;

	for (size_t i = 0; i < region->own_count; i++) {
		size_t start = larger(region->own[i].start, from);
		size_t end = smaller(region->own[i].start + region->own[i].length, to);
		bytes += end > start ? end - start : 0;
	}
	return bytes / CURFEW__PAGE;
}

/* Drops all pages from this address on, so that they are as they were mapped. */
static void drop_from(curfew__region *region, size_t from)
{
	if (region->touched_end > from)
		madvise(region->base + from, region->touched_end - from, MADV_DONTNEED);
	while (region->own_count && region->own[region->own_count - 1].start >= from)
		region->own_count--;
	if (region->own_count) {
		curfew__range *last = &region->own[region->own_count - 1];
		last->length = smaller(last->start + last->length, from) - last->start;
	}
	region->own_known |= from == 0;
	region->touched_end = larger(from, atomic_load(&region->open_end));
}

/* Whether this region may keep this many own pages while it is free. If so, charges them. */
static bool charge_resident(curfew__pool *pool, curfew__region *region, size_t pages)
{
	curfew__mutex_lock(&pool->lock);
	uint64_t others = pool->resident_pages - region->resident_pages;
	bool ok = pages <= pool->resident_limit - (others < pool->resident_limit ? others : pool->resident_limit);
	region->resident_pages = ok ? pages : 0;
	pool->resident_pages = others + region->resident_pages;
	curfew__mutex_unlock(&pool->lock);
	return ok;
}

/* ---- The stack of a guest --------------------------------------------------------------------------------- */

static bool differs(const curfew__region *region, size_t at)
{
	return memcmp(region->base + at, region->image->bytes + at, CURFEW__PAGE) != 0;
}

/* The lowest of these pages that is below the stack's top and was written in this run. */
static size_t lowest_write(const curfew__region *region, const curfew__range *ranges, size_t count)
{
	size_t top = region->image->layout.stack_top;

	for (size_t i = 0; i < count; i++)
		for (size_t at = ranges[i].start; at < ranges[i].start + ranges[i].length; at += CURFEW__PAGE) {
			if (at >= top)
				return top;
			if (differs(region, at))
				return at;
		}
	return top;
}

/* Like lowest_write, without a list of the copied pages. */
static size_t lowest_difference(const curfew__region *region)
{
	size_t at = 0;
	while (at < region->image->layout.stack_top && !differs(region, at))
		at += CURFEW__PAGE;
	return at;
}

size_t curfew__pool_stack_low(curfew__pool *pool, const curfew__region *region)
{
	curfew__range ranges[CURFEW__RANGES_MAX];
	long found = curfew__pages_scan(pool->pagemap, region->base, region->base + region->image->layout.stack_top,
	                                ranges);

	return found < 0 ? lowest_difference(region) : lowest_write(region, ranges, (size_t)found);
}

/* ---- What the first run of an image tells of the next ones ------------------------------------------------ */

static void learn(curfew__image *image, const curfew__range *ranges, size_t count)
{
	curfew__changed *none = NULL, *changed;

	while (count && ranges[count - 1].start >= image->length)
		count--;
	if (atomic_load(&image->changed) || !count ||
	    !(changed = malloc(sizeof *changed + count * sizeof changed->ranges[0])))
		return;
	changed->count = count;
	memcpy(changed->ranges, ranges, count * sizeof *ranges);
	if (!atomic_compare_exchange_strong(&image->changed, &none, changed))
		free(changed);
}

/*
 * Copies at once the pages that a run will most likely change. Otherwise each page is first mapped for reading, when
 * its neighbours are read, and changing that at the write interrupts every processor that runs this process.
 */
static void copy_ahead(curfew__region *region)
{
	curfew__changed *changed = atomic_load(&region->image->changed);

	for (size_t i = 0; changed && i < changed->count; i++) {
		const curfew__range *range = &changed->ranges[i];
		size_t length = smaller(range->length, region->image->length - range->start);
		if (madvise(region->base + range->start, length, MADV_POPULATE_WRITE) != 0)
			return; /* before Linux 5.14, or out of memory: the guest's own faults copy them */
	}
}

/* ---- Putting back ----------------------------------------------------------------------------------------- */

/* Restores one stretch of memory. Nothing after open_end can have been written. */
static void put_back_range(curfew__region *region, const curfew__range *range)
{
	size_t from = range->start, to = smaller(from + range->length, atomic_load(&region->open_end));
	size_t image_end = smaller(larger(image_length(region), from), to);

	if (image_end > from)
		memcpy(region->base + from, region->image->bytes + from, image_end - from);
	if (to > image_end)
		memset(region->base + image_end, 0, to - image_end);
}

static void put_back_own(curfew__pool *pool, curfew__region *region)
{
	size_t length = image_length(region);

	if (count_own(region, length, SIZE_MAX) > KEEP_PAGES_MAX)
		drop_from(region, length);
	if (count_own(region, 0, length) > COPY_PAGES_MAX || !charge_resident(pool, region, count_own(region, 0, SIZE_MAX)))
		drop_from(region, 0);
	for (size_t i = 0; i < region->own_count; i++)
		put_back_range(region, &region->own[i]);
}

/* Restores the region to its image. */
static void restore(curfew__pool *pool, curfew__region *region, bool own_known)
{
	if (atomic_load(&region->is_protected))
		curfew__region_unprotect(region);
	if (own_known)
		put_back_own(pool, region);
	else
		drop_from(region, 0);
	if (!region->own_count)
		charge_resident(pool, region, 0);
}

/* Restores a guest's region, and returns the lowest stack address that was written. */
static size_t restore_guest(curfew__pool *pool, curfew__region *region)
{
	bool own_known = find_own(pool, region);
	size_t lowest = own_known ? lowest_write(region, region->own, region->own_count) : lowest_difference(region);

	if (own_known)
		learn(region->image, region->own, region->own_count);
	restore(pool, region, own_known);
	return smaller(lowest, region->stack_low);
}

/* Whether to keep the page: the upper end of the stack, and pages that differ from the image. */
static bool is_wanted(const curfew__region *region, size_t at)
{
	size_t top = region->image->layout.stack_top;

	return at < top ? at >= top - STACK_KEPT : differs(region, at);
}

static void trim_range(const curfew__region *region, const curfew__range *range)
{
	size_t at = range->start, end = range->start + range->length;

	while (at < end) {
		size_t from = at;
		while (at < end && !is_wanted(region, at))
			at += CURFEW__PAGE;
		if (at > from)
			madvise(region->base + from, at - from, MADV_DONTNEED);
		while (at < end && is_wanted(region, at))
			at += CURFEW__PAGE;
	}
}

void curfew__pool_trim(curfew__pool *pool, curfew__region *region)
{
	curfew__range ranges[CURFEW__RANGES_MAX];
	long found = curfew__pages_scan(pool->pagemap, region->base, region->base + region->image->length, ranges);

	if (found < 0)
		return;
	learn(region->image, ranges, (size_t)found);
	region->stack_low = smaller(region->stack_low, lowest_write(region, ranges, (size_t)found));
	region->at_rest = true;
	region->own_known = false;
	for (long i = 0; i < found; i++)
		trim_range(region, &ranges[i]);
}

/* ---- The pool --------------------------------------------------------------------------------------------- */

curfew__pool *curfew__pool_create(uint64_t resident_bytes, int pagemap, bool huge_pages)
{
	curfew__pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	curfew__mutex_init(&pool->lock);
	pool->resident_limit = resident_bytes / CURFEW__PAGE;
	pool->pagemap = curfew__pages_open(pagemap);
	pool->huge_pages = huge_pages;
	pool->advice = curfew__pages_advice(huge_pages);
	return pool;
}

static void destroy_all(curfew__region *region)
{
	for (curfew__region *next; region; region = next) {
		next = region->next;
		curfew__region_destroy(region);
	}
}

void curfew__pool_destroy(curfew__pool *pool)
{
	if (!pool)
		return;
	destroy_all(pool->free);
	destroy_all(pool->plain);
	destroy_all(pool->put_off);
	if (pool->pagemap >= 0)
		close(pool->pagemap);
	curfew__mutex_finish(&pool->lock);
	free(pool);
}

/* Takes the newest free region, preferably one that needs no system call: with this image or, for plain ones, of this
 * size. */
static curfew__region *take_free(curfew__pool *pool, const curfew__image *image, size_t size)
{
	curfew__region **at = image ? &pool->free : &pool->plain;
	int looks = 16;

	for (curfew__region **other = at; *other && looks--; other = &(*other)->next) {
		if (image ? (*other)->image == image : (*other)->open_end == size) {
			at = other;
			break;
		}
	}
	curfew__region *region = *at;
	if (region) {
		*at = region->next;
		pool->pooled--;
		pool->plain_count -= !image;
	}
	return region;
}

static curfew__region *take_list(curfew__pool *pool, curfew__region **list) CURFEW__REQUIRES(pool->lock);
static curfew__region *take_list(curfew__pool *pool, curfew__region **list)
{
	curfew__region *first = *list;

	for (curfew__region *at = first; at; at = at->next) {
		pool->pooled--;
		pool->resident_pages -= at->resident_pages;
	}
	*list = NULL;
	return first;
}

/* Releases the address space of every free region. False: there were none. */
static bool reclaim(curfew__pool *pool)
{
	curfew__mutex_lock(&pool->lock);
	curfew__region *with_image = take_list(pool, &pool->free), *plain = take_list(pool, &pool->plain);
	pool->plain_count = 0;
	curfew__mutex_unlock(&pool->lock);

	destroy_all(with_image);
	destroy_all(plain);
	return with_image || plain;
}

static curfew__region *create(curfew__pool *pool)
{
	curfew__region *region = curfew__region_create(pool->huge_pages, pool->advice);

	/* Releasing what the pool keeps may provide enough address space. */
	while (!region && reclaim(pool))
		region = curfew__region_create(pool->huge_pages, pool->advice);
	return region;
}

/* Takes a free region, or makes a new one. NULL: no address space. It counts as in use in any case. */
static curfew__region *obtain(curfew__pool *pool, const curfew__image *image, size_t size)
{
	curfew__pool_tidy(pool); /* so that uncleared regions do not pile up while runs begin */
	curfew__mutex_lock(&pool->lock);
	curfew__region *region = take_free(pool, image, size);
	pool->in_use++;
	curfew__mutex_unlock(&pool->lock);
	return region ? region : create(pool);
}

/* Under the lock. */
static void push(curfew__region **list, curfew__region *region)
{
	region->next = *list;
	*list = region;
}

static void put_back(curfew__pool *pool, curfew__region *region, curfew__region **list)
{
	curfew__mutex_lock(&pool->lock);
	pool->in_use--;
	pool->pooled++;
	push(list, region);
	curfew__mutex_unlock(&pool->lock);
}

/* Destroys a region that could not be prepared, or that is not needed. */
static curfew__region *discard(curfew__pool *pool, curfew__region *region)
{
	curfew__mutex_lock(&pool->lock);
	pool->in_use--;
	if (region)
		pool->resident_pages -= region->resident_pages;
	curfew__mutex_unlock(&pool->lock);
	curfew__region_destroy(region);
	return NULL;
}

/* Sets the common state of every region that is taken. */
static void begin_use(curfew__region *region, size_t size, size_t size_limit)
{
	region->size = size;
	region->size_limit = size_limit;
	region->thread = curfew__thread_number();
	atomic_store(&region->was_shared, false);
	region->next = NULL;
}

curfew__region *curfew__pool_take(curfew__pool *pool, curfew__image *image, size_t size_limit)
{
	curfew__region *region = obtain(pool, image, 0);

	if (!region || (region->image != image && !curfew__region_map(region, image)) ||
	    !curfew__region_set_open(region, image->length))
		return discard(pool, region);
	begin_use(region, image->length, size_limit);
	region->stack_low = image->layout.stack_top;
	region->at_rest = false;
	if (!region->resident_pages)
		copy_ahead(region);
	return region;
}

static void forget_owner(curfew__region *region)
{
	region->on_growth = NULL;
	region->context = NULL;
}

void curfew__pool_give(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write)
{
	*lowest_stack_write = restore_guest(pool, region);
	forget_owner(region);
	put_back(pool, region, &pool->free);
}

bool curfew__pool_give_later(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write)
{
	if (!region->at_rest || region->size - region->image->length > PUT_OFF_GROWN_MAX)
		return false;
	*lowest_stack_write = region->stack_low;
	forget_owner(region);
	atomic_fetch_add(&pool->put_off_count, 1); /* count first: the thread that takes it out decrements at once */
	put_back(pool, region, &pool->put_off);
	return true;
}

bool curfew__pool_is_untidy(curfew__pool *pool)
{
	return atomic_load(&pool->put_off_count) > 0;
}

void curfew__pool_tidy(curfew__pool *pool)
{
	if (!curfew__pool_is_untidy(pool))
		return;
	curfew__mutex_lock(&pool->lock);
	curfew__region *region = pool->put_off;
	if (region) {
		pool->put_off = region->next;
		atomic_fetch_sub(&pool->put_off_count, 1);
	}
	curfew__mutex_unlock(&pool->lock);
	if (!region)
		return;
	curfew__region_note_use(region);
	restore_guest(pool, region);
	curfew__mutex_lock(&pool->lock);
	push(&pool->free, region);
	curfew__mutex_unlock(&pool->lock);
}

/* ---- Plain regions ---------------------------------------------------------------------------------------- */

curfew__region *curfew__pool_take_plain(curfew__pool *pool, size_t size)
{
	curfew__region *region = obtain(pool, NULL, size);

	if (!region || !curfew__region_set_open(region, size))
		return discard(pool, region);
	begin_use(region, size, CURFEW__REGION_RESERVE);
	return region;
}

/* Keeps the region, unless there are enough. */
static bool keep_plain(curfew__pool *pool, curfew__region *region)
{
	curfew__mutex_lock(&pool->lock);
	bool kept = pool->plain_count < PLAIN_FREE_MAX;
	if (kept) {
		push(&pool->plain, region);
		pool->plain_count++;
		pool->pooled++;
		pool->in_use--;
	}
	curfew__mutex_unlock(&pool->lock);
	return kept;
}

void curfew__pool_give_plain(curfew__pool *pool, curfew__region *region, bool clean)
{
	/* The system may refuse to unprotect it. */
	bool is_usable = !clean || !atomic_load(&region->is_protected) || curfew__region_unprotect(region);

	if (!clean) {
		restore(pool, region, find_own(pool, region));
	} else if (is_usable) {
		region->base[0] = 0;
		region->own_known = has_same_own(region, curfew__faults_now());
	}
	if (!is_usable || !keep_plain(pool, region))
		discard(pool, region);
}

curfew__pool_counts curfew__pool_count(curfew__pool *pool)
{
	curfew__mutex_lock(&pool->lock);
	curfew__pool_counts counts = {
		.in_use = pool->in_use,
		.pooled = pool->pooled,
		.resident_bytes = pool->resident_pages * CURFEW__PAGE,
	};
	curfew__mutex_unlock(&pool->lock);
	return counts;
}
