/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of programs as bytes: a head, the program's name, the numbers of the pages that differ from the guest's own
 * image, and those pages. They are guest memory, so a forged image can harm only the guest that starts from it. The
 * checksum detects damage, and the build id detects an image of another build.
 */
#include "run/run.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "engine/extra.h"
#include "run/wasm_image.h"

#define MAGIC "curfew\1\n"
#define PAGES_MAX ((uint64_t)1 << 20)

typedef struct image_head {
	char magic[8];
	uint8_t checksum[32]; /* of everything after it */
	uint8_t build_id[32];
	uint64_t length; /* length of the memory */
	uint64_t page_count;
	uint64_t name_length;
	char sha256[65];
	char reserved[7];
} image_head;

static void checksum(const uint8_t *bytes, size_t length, uint8_t sum[32])
{
	size_t skip = offsetof(image_head, build_id);
	curfew__sha256(sum, bytes + skip, length - skip);
}

static bool page_differs(const curfew__image *image, const curfew__image *base, size_t number)
{
	static const uint8_t zero[CURFEW__PAGE];
	size_t at = number * CURFEW__PAGE;
	return memcmp(image->bytes + at, at < base->length ? base->bytes + at : zero, CURFEW__PAGE) != 0;
}

curfew_status curfew_program_save(curfew_program *program, void **image, size_t *length, curfew_failure *failure)
{
	curfew__refuse(failure, CURFEW_OK, "");
	if (!program || !image || !length)
		return curfew__refuse(failure, CURFEW_INVALID, "program, image or length is NULL");
	if (program->wasm)
		return curfew__wasm_image_save(program, image, length, failure);
	curfew__image *from = curfew__program_image(program);
	if (!from)
		return curfew__refuse(failure, CURFEW_INVALID, "the program was not compiled");
	const curfew__image *base = program->engine->image;
	image_head head = {.length = from->length, .name_length = strlen(program->name)};
	size_t pages = from->length / CURFEW__PAGE;
	curfew__buffer out;

	memcpy(head.magic, MAGIC, sizeof head.magic);
	memcpy(head.build_id, curfew__guest_build_id(), sizeof head.build_id);
	memcpy(head.sha256, program->sha256, sizeof head.sha256);
	for (size_t i = 0; i < pages; i++)
		head.page_count += page_differs(from, base, i);
	curfew__buffer_init(&out, SIZE_MAX / 2);
	curfew__buffer_add(&out, &head, sizeof head);
	curfew__buffer_add(&out, program->name, head.name_length);
	for (uint32_t i = 0; i < pages; i++)
		if (page_differs(from, base, i))
			curfew__buffer_add(&out, &i, sizeof i);
	for (size_t i = 0; i < pages; i++)
		if (page_differs(from, base, i))
			curfew__buffer_add(&out, from->bytes + i * CURFEW__PAGE, CURFEW__PAGE);
	curfew__image_unref(from);
	if (out.failed) {
		curfew__buffer_finish(&out);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	checksum((const uint8_t *)out.data, out.length, (uint8_t *)out.data + offsetof(image_head, checksum));
	*image = curfew__buffer_take(&out, length);
	return CURFEW_OK;
}

bool curfew_is_image(const void *bytes, size_t length)
{
	return bytes && length >= 8 && (!memcmp(bytes, MAGIC, 8) || curfew__is_wasm_image(bytes, length));
}

/* Whether the sizes in the head match the number of bytes. */
static bool well_formed(const image_head *head, size_t length)
{
	if (head->page_count > PAGES_MAX || head->name_length > 4096 || head->length % CURFEW__WASM_PAGE ||
	    head->length > CURFEW__REGION_RESERVE - CURFEW__WASM_PAGE || !curfew__program_is_sum(head->sha256) ||
	    memcmp(head->reserved, (char[sizeof head->reserved]){0}, sizeof head->reserved) != 0)
		return false;
	return length == sizeof *head + head->name_length + head->page_count * (sizeof(uint32_t) + CURFEW__PAGE);
}

static curfew__image *read_image(const curfew__image *base, const image_head *head, const uint8_t *numbers)
{
	uint32_t *list = malloc(head->page_count * sizeof *list + 1);
	curfew__image *image = NULL;

	if (!list)
		return NULL;
	memcpy(list, numbers, head->page_count * sizeof *list);
	bool good = head->length >= base->length;
	for (uint64_t i = 0; i < head->page_count; i++)
		good = good && list[i] < head->length / CURFEW__PAGE;
	if (good)
		image = curfew__image_create(base, head->length, &base->layout, list, numbers + head->page_count * sizeof *list,
		                             head->page_count);
	free(list);
	return image;
}

curfew_status curfew_program_load(curfew_engine *engine, const void *image, size_t length, curfew_program **program,
                                  curfew_failure *failure)
{
	image_head head;
	uint8_t sum[32];

	curfew__refuse(failure, CURFEW_OK, "");
	if (!engine || !image || !program)
		return curfew__refuse(failure, CURFEW_INVALID, "engine, image or program is NULL");
	*program = NULL;
	if (curfew__is_wasm_image(image, length))
		return curfew__wasm_image_load(engine, image, length, program, failure);
	if (!curfew_is_image(image, length) || length < sizeof head)
		return curfew__refuse(failure, CURFEW_BAD_IMAGE, "this is not an image of a compiled program");
	memcpy(&head, image, sizeof head);
	if (memcmp(head.build_id, curfew__guest_build_id(), sizeof head.build_id) != 0)
		return curfew__refuse(failure, CURFEW_BAD_IMAGE,
		                      "the image was made by another build of Curfew; compile it again");
	checksum(image, length, sum);
	if (memcmp(sum, head.checksum, sizeof sum) != 0 || !well_formed(&head, length) ||
	    !curfew__program_is_saved_name((const char *)image + sizeof head, head.name_length))
		return curfew__refuse(failure, CURFEW_BAD_IMAGE, "the image is damaged");

	curfew_program *made = curfew__program_alloc(engine, (const char *)image + sizeof head, head.name_length);
	if (!made)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	memcpy(made->sha256, head.sha256, sizeof made->sha256);
	made->given_bytes = length;
	made->image = read_image(engine->image, &head, (const uint8_t *)image + sizeof head + head.name_length);
	if (!made->image) {
		curfew_program_destroy(made);
		return curfew__refuse(failure, CURFEW_BAD_IMAGE, "the image is damaged, or there is not enough memory for it");
	}
	*program = made;
	return CURFEW_OK;
}
