/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copy-on-write regions. The pages that a private mapping has ever copied are the anonymous ones; PAGEMAP_SCAN
 * (Linux 6.7) lists them exactly. Where it is missing everything is dropped and faulted in anew: slower, as right.
 */
#include "memory/region.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Regions with more changed pages than this are dropped whole: copying would cost more, and they would stay resident. */
#define COPY_PAGES_MAX 96
#define SCAN_RANGES 128
/* Regions that grew by more than this are put back at once: their memory is wanted by others. */
#define PUT_OFF_GROWN_MAX ((size_t)1 << 20)
/* The upper end of its stack that a guest keeps while it waits: whoever looks then where it waits needs no new pages. */
#define STACK_KEPT ((size_t)8 << 10)
#define HUGE_PAGE ((size_t)2 << 20)

/* linux/fs.h of Linux 6.7; the headers of Debian 12 are older. */
struct scan_range {
	uint64_t start, end, categories;
};
struct scan_arguments {
	uint64_t size, flags, start, end, walk_end, ranges, ranges_length, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arguments)
#define SCAN_FILE ((uint64_t)1 << 2)
#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_SWAPPED ((uint64_t)1 << 4)

struct curfew__pool {
	pthread_mutex_t lock;
	curfew__region *free;
	curfew__region *plain; /* the free ones without an image */
	curfew__region *put_off; /* free, and not put back yet */
	atomic_uint put_off_count;
	uint64_t in_use, pooled;
	uint64_t resident_pages, resident_limit; /* pages of their own that regions hold */
	int pagemap; /* -1: no PAGEMAP_SCAN */
};

/* ---- Images ----------------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *page)
{
	return page[0] == 0 && !memcmp(page, page + 1, CURFEW__PAGE - 1);
}

static bool write_page(int file, const uint8_t *page, size_t number)
{
	return pwrite(file, page, CURFEW__PAGE, (off_t)(number * CURFEW__PAGE)) == (ssize_t)CURFEW__PAGE;
}

static bool fill(int file, const curfew__image *base, const uint32_t *numbers, const uint8_t *pages, size_t count)
{
	for (size_t i = 0; base && i < base->length / CURFEW__PAGE; i++)
		if (!is_zero(base->bytes + i * CURFEW__PAGE) && !write_page(file, base->bytes + i * CURFEW__PAGE, i))
			return false;
	for (size_t i = 0; i < count; i++)
		if (!write_page(file, pages + i * CURFEW__PAGE, numbers[i]))
			return false;
	return true;
}

curfew__image *curfew__image_create(const curfew__image *base, size_t length, const curfew__layout *layout,
                                    const uint32_t *page_numbers, const uint8_t *pages, size_t page_count)
{
	curfew__image *image = calloc(1, sizeof *image);

	if (!image)
		return NULL;
	atomic_init(&image->references, 1);
	image->length = length;
	image->layout = *layout;
	image->file = memfd_create("curfew-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (image->file < 0 || ftruncate(image->file, (off_t)length) ||
	    !fill(image->file, base, page_numbers, pages, page_count))
		goto failed;
	/* From here on nothing can change what every run starts from. */
	if (fcntl(image->file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		goto failed;
	image->bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, image->file, 0);
	if (image->bytes == MAP_FAILED)
		goto failed;
	return image;
failed:
	image->bytes = NULL;
	curfew__image_unref(image);
	return NULL;
}

curfew__image *curfew__image_ref(curfew__image *image)
{
	atomic_fetch_add(&image->references, 1);
	return image;
}

void curfew__image_unref(curfew__image *image)
{
	if (!image || atomic_fetch_sub(&image->references, 1) != 1)
		return;
	if (image->bytes)
		munmap((void *)(uintptr_t)image->bytes, image->length);
	if (image->file >= 0)
		close(image->file);
	free(atomic_load(&image->changed));
	free(image);
}

/* ---- Regions ---------------------------------------------------------------------------------------------- */

static bool open_to(curfew__region *region, size_t end)
{
	if (end > region->open_end) {
		if (mprotect(region->base + region->open_end, end - region->open_end, PROT_READ | PROT_WRITE))
			return false;
	} else if (end < region->open_end) {
		if (mprotect(region->base + end, region->open_end - end, PROT_NONE))
			return false;
	}
	region->open_end = end;
	return true;
}

static bool map_image(curfew__region *region, curfew__image *image)
{
	size_t old = region->open_end;

	if (mmap(region->base, image->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, image->file, 0) == MAP_FAILED)
		return false;
	/* What the last image covered beyond this one becomes empty again. */
	if (old > image->length &&
	    mmap(region->base + image->length, old - image->length, PROT_NONE,
	         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		return false;
	region->open_end = image->length;
	curfew__image_unref(region->image);
	region->image = curfew__image_ref(image);
	return true;
}

static void destroy(curfew__region *region)
{
	if (region->base)
		munmap(region->base, CURFEW__REGION_RESERVE + CURFEW__REGION_GUARD);
	curfew__image_unref(region->image);
	free(region);
}

/*
 * Reserves the address space. What a guest allocates beyond its image lies in huge pages where the system has them:
 * a thousandth of the page faults while it grows, and of the page table entries to be changed when it is stopped.
 */
static curfew__region *create(void)
{
	curfew__region *region = calloc(1, sizeof *region);
	size_t size = CURFEW__REGION_RESERVE + CURFEW__REGION_GUARD;

	if (!region)
		return NULL;
	uint8_t *start = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED) {
		free(region);
		return NULL;
	}
	region->base = (uint8_t *)(((uintptr_t)start + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	if (region->base > start)
		munmap(start, (size_t)(region->base - start));
	if (start + HUGE_PAGE > region->base)
		munmap(region->base + size, (size_t)(start + HUGE_PAGE - region->base));
	madvise(region->base, size, MADV_HUGEPAGE);
	return region;
}

bool curfew__region_grow(curfew__region *region, size_t size)
{
	bool refused = size > region->size_limit;

	if (!refused)
		region->size = size;
	if (region->on_growth)
		region->on_growth(region->context, refused);
	return !refused;
}

bool curfew__region_close_image(curfew__region *region)
{
	return mprotect(region->base, region->image->length, PROT_NONE) == 0;
}

bool curfew__region_close_rest(curfew__region *region)
{
	size_t from = region->image->length, to = region->size;
	return to <= from || mprotect(region->base + from, to - from, PROT_NONE) == 0;
}

bool curfew__region_open(curfew__region *region)
{
	return mprotect(region->base, region->size, PROT_READ | PROT_WRITE) == 0;
}

/* ---- Finding what changed --------------------------------------------------------------------------------- */

/* Scans for copied pages; how many ranges were found, or -1. *end is where the scan stopped. */
static long scan(int pagemap, const uint8_t *start, const uint8_t *end, struct scan_range *ranges, size_t length,
                 const uint8_t **stopped)
{
	struct scan_arguments arguments = {
		.size = sizeof arguments,
		.start = (uint64_t)(uintptr_t)start,
		.end = (uint64_t)(uintptr_t)end,
		.ranges = (uint64_t)(uintptr_t)ranges,
		.ranges_length = length,
		.category_inverted = SCAN_FILE,
		.category_mask = SCAN_FILE,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_FILE,
	};
	long found = ioctl(pagemap, SCAN_IOCTL, &arguments);
	*stopped = (const uint8_t *)(uintptr_t)arguments.walk_end;
	return found;
}

static int open_pagemap(int given)
{
	int file = given > 0 ? given : open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	struct scan_range range;
	const uint8_t *stopped;
	uint8_t *probe = mmap(NULL, CURFEW__PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (file >= 0 && probe != MAP_FAILED) {
		*probe = 1;
		if (scan(file, probe, probe + CURFEW__PAGE, &range, 1, &stopped) != 1) {
			close(file);
			file = -1;
		}
	}
	if (probe != MAP_FAILED)
		munmap(probe, CURFEW__PAGE);
	return file;
}

/* Whether this region may keep so many pages of its own while it waits; accounts for them if so. */
static bool charge_resident(curfew__pool *pool, curfew__region *region, size_t pages)
{
	pthread_mutex_lock(&pool->lock);
	uint64_t others = pool->resident_pages - region->resident_pages;
	bool ok = pages <= pool->resident_limit - (others < pool->resident_limit ? others : pool->resident_limit);
	region->resident_pages = ok ? pages : 0;
	pool->resident_pages = others + region->resident_pages;
	pthread_mutex_unlock(&pool->lock);
	return ok;
}

static bool differs(const curfew__region *region, size_t at)
{
	return memcmp(region->base + at, region->image->bytes + at, CURFEW__PAGE) != 0;
}

/* The lowest of these pages that lies below the stack's top and was written in this run. */
static size_t lowest_write(const curfew__region *region, const struct scan_range *ranges, long count)
{
	size_t top = region->image->layout.stack_top;

	for (long i = 0; i < count; i++)
		for (size_t at = ranges[i].start - (uintptr_t)region->base; at < ranges[i].end - (uintptr_t)region->base;
		     at += CURFEW__PAGE) {
			if (at >= top)
				return top;
			if (differs(region, at))
				return at;
		}
	return top;
}

/* As lowest_write, without knowing which pages were copied. */
static size_t lowest_difference(const curfew__region *region)
{
	size_t at = 0;
	while (at < region->image->layout.stack_top && !differs(region, at))
		at += CURFEW__PAGE;
	return at;
}

static void learn(curfew__image *image, const curfew__region *region, const struct scan_range *ranges, long count)
{
	curfew__changed *none = NULL, *changed;

	if (atomic_load(&image->changed) || count <= 0 ||
	    !(changed = malloc(sizeof *changed + (size_t)count * sizeof changed->ranges[0])))
		return;
	changed->count = (size_t)count;
	for (long i = 0; i < count; i++) {
		changed->ranges[i].start = ranges[i].start - (uintptr_t)region->base;
		changed->ranges[i].length = ranges[i].end - ranges[i].start;
	}
	if (!atomic_compare_exchange_strong(&image->changed, &none, changed))
		free(changed);
}

/*
 * Copies at once what a run will most likely change. Page by page, each is mapped for reading first, as its neighbours are
 * read, and taking that back at the write interrupts every processor that runs this process.
 */
static void copy_ahead(curfew__region *region)
{
	curfew__changed *changed = atomic_load(&region->image->changed);

	for (size_t i = 0; changed && i < changed->count; i++)
		if (madvise(region->base + changed->ranges[i].start, changed->ranges[i].length, MADV_POPULATE_WRITE) != 0)
			return; /* before Linux 5.14, or no memory: the guest's own faults see to it */
}

/*
 * Copies the changed pages of the image part back. False if there are too many of them, or no way to know: then
 * they are to be dropped.
 */
static bool copy_back(curfew__pool *pool, curfew__region *region, size_t *lowest)
{
	const uint8_t *end = region->base + region->image->length, *stopped;
	struct scan_range ranges[SCAN_RANGES];
	size_t pages = 0;

	long found = pool->pagemap < 0 ? -1 : scan(pool->pagemap, region->base, end, ranges, SCAN_RANGES, &stopped);
	*lowest = found < 0 ? lowest_difference(region) : lowest_write(region, ranges, found);
	if (found < 0 || stopped < end)
		return false;
	for (long i = 0; i < found; i++)
		pages += (ranges[i].end - ranges[i].start) / CURFEW__PAGE;
	if (pages > COPY_PAGES_MAX)
		return false;
	learn(region->image, region, ranges, found);
	if (!charge_resident(pool, region, pages))
		return false;
	for (long i = 0; i < found; i++) {
		uint8_t *start = (uint8_t *)(uintptr_t)ranges[i].start;
		memcpy(start, region->image->bytes + (start - region->base), ranges[i].end - ranges[i].start);
	}
	return true;
}

size_t curfew__pool_stack_low(curfew__pool *pool, const curfew__region *region)
{
	size_t top = region->image->layout.stack_top;
	struct scan_range ranges[4];
	const uint8_t *stopped;

	long found = pool->pagemap < 0 ? -1 : scan(pool->pagemap, region->base, region->base + top, ranges, 4, &stopped);
	return found < 0 ? lowest_difference(region) : lowest_write(region, ranges, found);
}

void curfew__pool_trim(curfew__pool *pool, curfew__region *region)
{
	const uint8_t *end = region->base + region->image->length, *stopped;
	size_t top = region->image->layout.stack_top;
	struct scan_range ranges[SCAN_RANGES];

	long found = pool->pagemap < 0 ? -1 : scan(pool->pagemap, region->base, end, ranges, SCAN_RANGES, &stopped);
	if (found < 0)
		return;
	if (stopped == end)
		learn(region->image, region, ranges, found);
	size_t low = lowest_write(region, ranges, found);
	if (low < region->stack_low)
		region->stack_low = low;
	region->at_rest = stopped == end;
	for (long i = 0; i < found; i++) {
		size_t at = ranges[i].start - (uintptr_t)region->base, last = ranges[i].end - (uintptr_t)region->base;
		while (at < last) {
			size_t from = at;
			while (at < last && (at < top - STACK_KEPT || (at >= top && !differs(region, at))))
				at += CURFEW__PAGE;
			if (at > from)
				madvise(region->base + from, at - from, MADV_DONTNEED);
			while (at < last && at >= top - STACK_KEPT && (at < top || differs(region, at)))
				at += CURFEW__PAGE;
		}
	}
}

bool curfew__region_changes(const curfew__region *region, uint32_t **numbers, size_t *count)
{
	size_t pages = region->size / CURFEW__PAGE, found = 0;
	uint32_t *list = malloc(pages * sizeof *list);

	if (!list)
		return false;
	for (size_t i = 0; i < pages; i++) {
		const uint8_t *page = region->base + i * CURFEW__PAGE;
		bool same = (i + 1) * CURFEW__PAGE <= region->image->length
		                    ? !memcmp(page, region->image->bytes + i * CURFEW__PAGE, CURFEW__PAGE)
		                    : is_zero(page);
		if (!same)
			list[found++] = (uint32_t)i;
	}
	*numbers = list;
	*count = found;
	return true;
}

/* ---- The pool --------------------------------------------------------------------------------------------- */

curfew__pool *curfew__pool_create(uint64_t resident_bytes, int pagemap)
{
	curfew__pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pool->resident_limit = resident_bytes / CURFEW__PAGE;
	pool->pagemap = open_pagemap(pagemap);
	return pool;
}

static void destroy_all(curfew__region *region)
{
	for (curfew__region *next; region; region = next) {
		next = region->next;
		destroy(region);
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
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Free regions with an image and plain ones do not mix. */
static curfew__region **free_list(curfew__pool *pool, const curfew__image *image)
{
	return image ? &pool->free : &pool->plain;
}

/* The newest free region, preferring one that needs no system call: with this image or, of plain ones, of this size. */
static curfew__region *take_free(curfew__pool *pool, const curfew__image *image, size_t size)
{
	curfew__region **at = free_list(pool, image);
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
	}
	return region;
}

/* A free region, or a new one; NULL: no address space. It counts as in use in any case. */
static curfew__region *obtain(curfew__pool *pool, const curfew__image *image, size_t size)
{
	curfew__pool_tidy(pool); /* what was put off does not pile up while runs begin */
	pthread_mutex_lock(&pool->lock);
	curfew__region *region = take_free(pool, image, size);
	pool->in_use++;
	pthread_mutex_unlock(&pool->lock);
	return region ? region : create();
}

/* Under the lock. */
static void push(curfew__region **list, curfew__region *region)
{
	region->next = *list;
	*list = region;
}

static void put_back(curfew__pool *pool, curfew__region *region, curfew__region **list)
{
	pthread_mutex_lock(&pool->lock);
	pool->in_use--;
	pool->pooled++;
	push(list, region);
	pthread_mutex_unlock(&pool->lock);
}

/* A region that could not be made ready. */
static curfew__region *drop(curfew__pool *pool, curfew__region *region)
{
	if (region)
		destroy(region);
	pthread_mutex_lock(&pool->lock);
	pool->in_use--;
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

curfew__region *curfew__pool_take(curfew__pool *pool, curfew__image *image, size_t size_limit)
{
	curfew__region *region = obtain(pool, image, size_limit);

	if (!region || (region->image != image && !map_image(region, image)) || !open_to(region, size_limit))
		return drop(pool, region);
	region->size = image->length;
	region->stack_low = image->layout.stack_top;
	region->size_limit = size_limit;
	region->at_rest = false;
	region->next = NULL;
	if (!region->resident_pages)
		copy_ahead(region);
	return region;
}

/* Makes it what the image says again; answers the lowest stack address written. */
static size_t restore(curfew__pool *pool, curfew__region *region)
{
	size_t length = region->image->length, lowest;

	if (region->size > length)
		madvise(region->base + length, region->size - length, MADV_DONTNEED);
	if (!copy_back(pool, region, &lowest)) {
		madvise(region->base, length, MADV_DONTNEED);
		charge_resident(pool, region, 0);
	}
	return lowest < region->stack_low ? lowest : region->stack_low;
}

static void forget_owner(curfew__region *region)
{
	region->on_growth = NULL;
	region->context = NULL;
}

void curfew__pool_give(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write)
{
	*lowest_stack_write = restore(pool, region);
	forget_owner(region);
	put_back(pool, region, free_list(pool, region->image));
}

bool curfew__pool_give_later(curfew__pool *pool, curfew__region *region, size_t *lowest_stack_write)
{
	if (!region->at_rest || region->size - region->image->length > PUT_OFF_GROWN_MAX)
		return false;
	*lowest_stack_write = region->stack_low;
	forget_owner(region);
	atomic_fetch_add(&pool->put_off_count, 1); /* first: who takes it out counts it down at once */
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
	pthread_mutex_lock(&pool->lock);
	curfew__region *region = pool->put_off;
	if (region) {
		pool->put_off = region->next;
		atomic_fetch_sub(&pool->put_off_count, 1);
	}
	pthread_mutex_unlock(&pool->lock);
	if (!region)
		return;
	restore(pool, region);
	pthread_mutex_lock(&pool->lock);
	push(&pool->free, region);
	pthread_mutex_unlock(&pool->lock);
}

/* ---- Plain regions ---------------------------------------------------------------------------------------- */

curfew__region *curfew__pool_take_plain(curfew__pool *pool, size_t size)
{
	curfew__region *region = obtain(pool, NULL, size);

	if (!region || !open_to(region, size))
		return drop(pool, region);
	region->size = size;
	region->next = NULL;
	return region;
}

bool curfew__region_close(curfew__region *region)
{
	atomic_store(&region->closed, true);
	return mprotect(region->base, region->size, PROT_NONE) == 0;
}

bool curfew__region_extend(curfew__region *region, size_t size)
{
	if (!open_to(region, size))
		return false;
	region->size = size;
	return true;
}

/* Zeroes the pages that were touched. False: there are too many of them, or no way to know. */
static bool zero_back(curfew__pool *pool, curfew__region *region)
{
	const uint8_t *end = region->base + region->size, *stopped;
	struct scan_range ranges[SCAN_RANGES];
	size_t pages = 0;

	long found = pool->pagemap < 0 ? -1 : scan(pool->pagemap, region->base, end, ranges, SCAN_RANGES, &stopped);
	if (found < 0 || (region->size && stopped < end))
		return false;
	for (long i = 0; i < found; i++)
		pages += (ranges[i].end - ranges[i].start) / CURFEW__PAGE;
	if (pages > COPY_PAGES_MAX || !charge_resident(pool, region, pages))
		return false;
	for (long i = 0; i < found; i++)
		memset((void *)(uintptr_t)ranges[i].start, 0, ranges[i].end - ranges[i].start);
	return true;
}

void curfew__pool_give_plain(curfew__pool *pool, curfew__region *region, bool clean)
{
	if (atomic_exchange(&region->closed, false))
		curfew__region_open(region);
	if (clean) {
		region->base[0] = 0;
	} else if (region->size && !zero_back(pool, region)) {
		madvise(region->base, region->size, MADV_DONTNEED);
		charge_resident(pool, region, 0);
	}
	put_back(pool, region, free_list(pool, region->image));
}

curfew__pool_counts curfew__pool_count(curfew__pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	curfew__pool_counts counts = {
		.in_use = pool->in_use,
		.pooled = pool->pooled,
		.resident_bytes = pool->resident_pages * CURFEW__PAGE,
	};
	pthread_mutex_unlock(&pool->lock);
	return counts;
}
