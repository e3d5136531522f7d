/* SPDX-License-Identifier: Apache-2.0 */
/* Images: sealed anonymous files, which regions map copy-on-write. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/memory_file.h"
#include "memory/region.h"

static bool is_zero(const uint8_t *page)
{
	return page[0] == 0 && !memcmp(page, page + 1, CURFEW__PAGE - 1);
}

/* Pages of zeros stay holes of the file. */
static bool write_base(int file, const curfew__image *base)
{
	size_t at = 0;

	while (at < base->length) {
		size_t from = at;
		while (at < base->length && !is_zero(base->bytes + at))
			at += CURFEW__PAGE;
		if (at > from && !curfew__file_write(file, base->bytes + from, at - from, from))
			return false;
		at += CURFEW__PAGE;
	}
	return true;
}

static bool write_pages(int file, const uint32_t *numbers, const uint8_t *pages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!curfew__file_write(file, pages + i * CURFEW__PAGE, CURFEW__PAGE, numbers[i] * CURFEW__PAGE))
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
	image->file = curfew__memory_file("curfew-image");
	if (image->file < 0 || ftruncate(image->file, (off_t)length) || (base && !write_base(image->file, base)) ||
	    !write_pages(image->file, page_numbers, pages, page_count))
		goto failed;

	/* From here on nothing can change the memory that every run starts from. */
	if (!curfew__file_seal(image->file))
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
