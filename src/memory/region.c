/* SPDX-License-Identifier: Apache-2.0 */
/* Regions: the address space of one guest memory, its accessible part, and its initial contents. */
#include "memory/region.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define RESERVED (CURFEW__REGION_RESERVE + CURFEW__REGION_GUARD)

/* ---- Address space ---------------------------------------------------------------------------------------- */

/* Align to a huge page, so that huge pages fit if they are requested. */
static uint8_t *reserve(void)
{
	uint8_t *start = mmap(NULL, RESERVED + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return NULL;

	uint8_t *base = (uint8_t *)(((uintptr_t)start + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
	if (base > start)
		munmap(start, (size_t)(base - start));
	if (start + HUGE_PAGE > base)
		munmap(base + RESERVED, (size_t)(start + HUGE_PAGE - base));
	return base;
}

curfew__region *curfew__region_create(bool huge_pages, int advice)
{
	curfew__region *region = calloc(1, sizeof *region);

	if (!region || !(region->base = reserve())) {
		free(region);
		return NULL;
	}
	/* A huge page is made only if all of it is accessible. */
	region->step = huge_pages ? HUGE_PAGE : CURFEW__PAGE;
	region->advice = advice;
	madvise(region->base, RESERVED, region->advice);
	return region;
}

void curfew__region_destroy(curfew__region *region)
{
	if (!region)
		return;
	if (region->base)
		munmap(region->base, RESERVED);
	curfew__image_unref(region->image);
	free(region->own);
	free(region);
}

static bool protect(curfew__region *region, size_t from, size_t to, int protection)
{
	return to <= from || !mprotect(region->base + from, to - from, protection);
}

bool curfew__region_set_open(curfew__region *region, size_t end)
{
	size_t now = atomic_load(&region->open_end);

	if (!protect(region, now, end, PROT_READ | PROT_WRITE) || !protect(region, end, now, PROT_NONE))
		return false;
	atomic_store(&region->open_end, end);
	if (end > region->touched_end)
		region->touched_end = end;
	return true;
}

/* The part that the last image covered and the next one does not becomes empty again. */
static bool unmap_image(curfew__region *region, size_t from)
{
	size_t to = region->image ? region->image->length : 0;

	if (to <= from)
		return true;
	if (mmap(region->base + from, to - from, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
	         0) == MAP_FAILED)
		return false;
	madvise(region->base + from, to - from, region->advice);
	return true;
}

bool curfew__region_map(curfew__region *region, curfew__image *image)
{
	region->own_known = false;
	if (!unmap_image(region, image->length) || mmap(region->base, image->length, PROT_READ | PROT_WRITE,
	                                                MAP_PRIVATE | MAP_FIXED, image->file, 0) == MAP_FAILED)
		return false;

	/* Memory after the image may still be accessible, because an earlier run has grown into it. */
	if (atomic_load(&region->open_end) < image->length)
		atomic_store(&region->open_end, image->length);
	if (region->touched_end < image->length)
		region->touched_end = image->length;
	curfew__image_unref(region->image);
	region->image = curfew__image_ref(image);
	return true;
}

/* ---- Growth, and the last resort of a stop ---------------------------------------------------------------- */

/* Makes it accessible for a memory of this size, in whole steps. */
static bool open_for(curfew__region *region, size_t size)
{
	size_t end = (size + region->step - 1) / region->step * region->step;

	if (end > region->size_limit)
		end = region->size_limit;
	return end <= atomic_load(&region->open_end) || curfew__region_set_open(region, end);
}

bool curfew__region_grow(curfew__region *region, size_t size)
{
	bool refused = size > region->size_limit || !open_for(region, size);

	if (!refused)
		region->size = size;

	/* Either this thread sees that the memory is being protected, or the thread that protects it sees the new end. */
	if (atomic_load(&region->is_protected))
		protect(region, 0, atomic_load(&region->open_end), PROT_NONE);
	if (region->on_growth)
		region->on_growth(region->context, refused);
	return !refused;
}

bool curfew__region_protect(curfew__region *region)
{
	atomic_store(&region->is_protected, true);
	return protect(region, 0, atomic_load(&region->open_end), PROT_NONE);
}

bool curfew__region_unprotect(curfew__region *region)
{
	atomic_store(&region->is_protected, false);
	return protect(region, 0, atomic_load(&region->open_end), PROT_READ | PROT_WRITE);
}

void curfew__region_note_use(curfew__region *region)
{
	if (region->thread != curfew__thread_number())
		atomic_store(&region->was_shared, true);
}

/* ---- Finding what changed --------------------------------------------------------------------------------- */

static bool differs(const curfew__region *region, size_t at)
{
	static const uint8_t zeros[CURFEW__PAGE];
	const curfew__image *image = region->image;

	return memcmp(region->base + at, image && at < image->length ? image->bytes + at : zeros, CURFEW__PAGE) != 0;
}

bool curfew__region_changes(const curfew__region *region, uint32_t **numbers, size_t *count)
{
	size_t pages = region->size / CURFEW__PAGE, found = 0;
	uint32_t *list = malloc(pages * sizeof *list);

	if (!list)
		return false;
	for (size_t i = 0; i < pages; i++)
		if (differs(region, i * CURFEW__PAGE))
			list[found++] = (uint32_t)i;
	*numbers = list;
	*count = found;
	return true;
}
