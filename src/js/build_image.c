/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the build: brings the guest to the point where everything is ready, and writes down its memory and its
 * compiled code.   build_image GUEST.wasm GUEST-WITHOUT-DATA.wasm IMAGE PLAIN METERED
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../guest/abi.h"
#include "engine/vm.h"
#include "js/embedded.h"

#define MEMORY ((size_t)64 << 20)

static void *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long size;

	if (file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) > 0 && (bytes = malloc((size_t)size))) {
		rewind(file);
		*length = fread(bytes, 1, (size_t)size, file);
	}
	if (file)
		fclose(file);
	return bytes;
}

static bool write_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	bool ok = file && fwrite(bytes, 1, length, file) == length;
	return file && !fclose(file) && ok;
}

static bool refuse(void *context, uint64_t *values)
{
	(void)context, (void)values;
	fprintf(stderr, "build_image: the guest called out while it was set up\n");
	return false;
}

static bool allow_clock(void *context, uint64_t *values)
{
	(void)context;
	values[0] = 0;
	return true;
}

static curfew__vm *create_vm(const void *wasm, size_t length, bool metered, const char *const *exports, size_t count)
{
	static curfew__import imports[32];
	char message[256] = "out of memory";
	size_t import_count;
	const curfew__import *real = curfew__guest_imports(&import_count);

	for (size_t i = 0; i < import_count; i++) {
		imports[i] = real[i];
		imports[i].call = strstr(real[i].name, "clock") ? allow_clock : refuse;
	}
	curfew__vm_options options = { metered, (size_t)4 << 20, imports, import_count, exports, count, wasm, length, NULL, 0, NULL };
	curfew__vm *vm = curfew__vm_create(&options, message);
	if (!vm)
		fprintf(stderr, "build_image: %s\n", message);
	return vm;
}

static bool call(curfew__instance *instance, size_t which, int32_t *result)
{
	if (curfew__instance_call(instance, which, NULL, result) == CURFEW__VM_RETURNED)
		return true;
	fprintf(stderr, "build_image: entry %zu: %s\n", which, curfew__instance_message(instance));
	return false;
}

/* Runs the set-up and collects the pages that are not zero. */
static bool set_up(const void *wasm, size_t length, curfew__region **region, curfew__pool *pool, curfew__layout *layout)
{
	static const char *const exports[] = { "_initialize", "curfew_stack_top", "curfew_setup", "curfew_control_address",
	                                       "curfew_counter_address" };
	curfew__vm *vm = create_vm(wasm, length, false, exports, 5);
	curfew__layout none = { 0, 0, 0, 0 };
	int32_t result = 0;

	if (!vm)
		return false;
	curfew__image *empty = curfew__image_create(NULL, curfew__vm_memory_size(vm), &none, NULL, NULL, 0);
	*region = empty ? curfew__pool_take(pool, empty, MEMORY) : NULL;
	curfew__image_unref(empty);
	curfew__instance *instance = *region ? curfew__instance_create(vm, *region, NULL, NULL) : NULL;
	if (!instance || !call(instance, 0, &result) || !call(instance, 1, (int32_t *)&layout->stack_top) ||
	    !call(instance, 2, &result) || !call(instance, 3, (int32_t *)&layout->control) ||
	    !call(instance, 4, (int32_t *)&layout->counter))
		return false;
	if (result != CURFEW_GUEST_DONE) {
		curfew__control *control = (curfew__control *)(void *)((*region)->base + layout->control);
		fprintf(stderr, "build_image: the prelude failed: %.*s: %.*s\n%.*s\n", (int)control->error_name_length,
		        (char *)(*region)->base + control->error_name, (int)control->error_message_length,
		        (char *)(*region)->base + control->error_message, (int)control->error_trace_length,
		        (char *)(*region)->base + control->error_trace);
		return false;
	}
	curfew__instance_destroy(instance);
	curfew__vm_destroy(vm);
	if ((*region)->size != (*region)->image->length) {
		fprintf(stderr, "build_image: the set-up needs %zu KiB: raise --initial-memory\n", (*region)->size / 1024);
		return false;
	}
	return true;
}

/* The garbage that the set-up left in the shadow stack is of no use to anyone. */
static bool write_image(const char *path, const curfew__region *region, const curfew__layout *layout,
                        const uint8_t *wasm, size_t wasm_length)
{
	uint32_t *numbers;
	size_t count;
	curfew__buffer out;
	curfew__embedded_image head = { .length = region->size, .layout = *layout };

	memset(region->base, 0, layout->stack_top);
	if (!curfew__region_changes(region, &numbers, &count))
		return false;
	head.page_count = count;
	head.pages_offset = (sizeof head + count * sizeof *numbers + CURFEW__PAGE - 1) / CURFEW__PAGE * CURFEW__PAGE;
	crypto_hash_sha256_state state;
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, wasm, wasm_length);
	for (size_t i = 0; i < count; i++)
		crypto_hash_sha256_update(&state, region->base + numbers[i] * CURFEW__PAGE, CURFEW__PAGE);
	crypto_hash_sha256_final(&state, head.build_id);

	curfew__buffer_init(&out, MEMORY * 2);
	curfew__buffer_add(&out, &head, sizeof head);
	curfew__buffer_add(&out, numbers, count * sizeof *numbers);
	static const uint8_t padding[CURFEW__PAGE];
	curfew__buffer_add(&out, padding, head.pages_offset - out.length);
	for (size_t i = 0; i < count; i++)
		curfew__buffer_add(&out, region->base + numbers[i] * CURFEW__PAGE, CURFEW__PAGE);
	free(numbers);
	printf("guest image: %zu KiB, of which %zu KiB are not zero\n", (size_t)head.length / 1024, count * 4);
	bool ok = !out.failed && write_file(path, out.data, out.length);
	curfew__buffer_finish(&out);
	return ok;
}

static bool write_code(const char *path, const void *wasm, size_t length, bool metered)
{
	curfew__vm *vm = create_vm(wasm, length, metered, NULL, 0);
	size_t size;
	void *bytes = vm ? curfew__vm_serialize(vm, &size) : NULL;

	curfew__vm_destroy(vm);
	if (!bytes)
		return false;
	printf("guest code, %s: %zu KiB\n", metered ? "metered" : "plain", size / 1024);
	bool ok = write_file(path, bytes, size);
	free(bytes);
	return ok;
}

int main(int argc, char **argv)
{
	size_t full_length, bare_length, ignored;
	curfew__layout layout = { 0, 0, 0, 0 };
	curfew__region *region;
	curfew__pool *pool = curfew__pool_create(0, 0, false);

	if (argc != 6 || sodium_init() < 0 || !pool)
		return 2;
	void *full = read_file(argv[1], &full_length), *bare = read_file(argv[2], &bare_length);
	if (!full || !bare) {
		perror("build_image");
		return 1;
	}
	if (!set_up(full, full_length, &region, pool, &layout) ||
	    !write_image(argv[3], region, &layout, bare, bare_length) ||
	    !write_code(argv[4], bare, bare_length, false) || !write_code(argv[5], bare, bare_length, true))
		return 1;
	free(full);
	free(bare);
	curfew__pool_give(pool, region, &ignored);
	curfew__pool_destroy(pool);
	return 0;
}
