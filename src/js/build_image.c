/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the build: brings the guest to the point where everything is ready, and writes down its memory and its
 * compiled code, and what programs load when they need it.
 *   build_image GUEST.wasm GUEST-WITHOUT-DATA.wasm PACK IMAGE PACKED-GUEST PLAIN METERED ASSETS
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../guest/abi.h"
#include "common/lz4.h"
#include "engine/vm.h"
#include "js/assets.h"
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
	fprintf(stderr, "build_image: the guest made a host call during set-up\n");
	return false;
}

static bool allow_clock(void *context, uint64_t *values)
{
	(void)context;
	values[0] = 0;
	return true;
}

/* packed: bytes of the code where zlib has packed it, else 0. */
static curfew__vm *create_vm(const void *wasm, size_t length, size_t packed, bool metered, const char *const *exports,
                             size_t count)
{
	static curfew__import imports[32];
	curfew_failure failure = {.message = "out of memory"};
	size_t import_count;
	const curfew__import *real = curfew__guest_imports(&import_count);

	for (size_t i = 0; i < import_count; i++) {
		imports[i] = real[i];
		imports[i].call = strstr(real[i].name, "clock") ? allow_clock : refuse;
	}
	curfew__vm_options options = {
		metered, (size_t)4 << 20, imports, import_count, exports, count, wasm, length, packed, NULL, 0, 0, NULL};
	curfew__vm *vm = curfew__vm_create(&options, &failure);
	if (!vm)
		fprintf(stderr, "build_image: %s\n", failure.message);
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
	static const char *const exports[] = {"_initialize", "curfew_stack_top", "curfew_setup", "curfew_control_address",
	                                      "curfew_counter_address"};
	curfew__vm *vm = create_vm(wasm, length, 0, false, exports, 5);
	curfew__layout none = {0, 0, 0, 0};
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
	curfew__embedded_image head = {.length = region->size, .layout = *layout, .wasm_length = wasm_length};

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

/* What zlib makes of bytes, where that is smaller; free with free. NULL: it is not. */
static uint8_t *pack(const void *bytes, size_t length, size_t *packed)
{
	uLongf size = compressBound(length);
	uint8_t *made = malloc(size);

	if (!made || compress2(made, &size, bytes, length, Z_BEST_COMPRESSION) != Z_OK || size >= length) {
		free(made);
		return NULL;
	}
	*packed = size;
	return made;
}

/* What few programs need, behind its length. */
static bool write_packed_code(const char *path, const void *bytes, uint64_t length)
{
	size_t packed;
	uint8_t *block = curfew__lz4_pack(bytes, length, &packed);
	curfew__buffer out;

	curfew__buffer_init(&out, MEMORY);
	curfew__buffer_add(&out, &length, sizeof length);
	if (block)
		curfew__buffer_add(&out, block, packed);
	bool ok = block && !out.failed && write_file(path, out.data, out.length);
	curfew__buffer_finish(&out);
	free(block);
	return ok;
}

/* From the packed code, as where what is written here is not for the machine's processor. */
static bool write_code(const char *path, const void *wasm, size_t length, size_t packed, bool metered)
{
	curfew__vm *vm = create_vm(wasm, length, packed, metered, NULL, 0);
	size_t size;
	void *bytes = vm ? curfew__vm_serialize(vm, &size) : NULL;

	curfew__vm_destroy(vm);
	if (!bytes)
		return false;
	printf("guest code, %s: %zu KiB\n", metered ? "metered" : "plain", size / 1024);
	bool ok = metered ? write_packed_code(path, bytes, size) : write_file(path, bytes, size);
	free(bytes);
	return ok;
}

/* ---- Assets ----------------------------------------------------------------------------------------------- */

typedef struct asset {
	const char *name;
	size_t name_length;
	uint8_t *bytes;
	uint8_t *owned; /* the same, where they are not in the pack */
	size_t length;  /* of what it is */
	size_t packed;  /* 0: not packed */
	enum curfew__asset_method method;
	uint32_t at;
} asset;

/* A guest that compiles scripts. */
typedef struct script_maker {
	curfew__vm *vm;
	curfew__region *region;
	curfew__instance *instance;
	curfew__control *control;
} script_maker;

static bool begin_scripts(script_maker *maker, const void *wasm, size_t length, curfew__pool *pool)
{
	static const char *const exports[] = {"_initialize", "curfew_setup", "curfew_control_address", "curfew_alloc",
	                                      "curfew_compile"};
	curfew__layout none = {0, 0, 0, 0};
	int32_t result = 0, control = 0;

	maker->vm = create_vm(wasm, length, 0, false, exports, 5);
	curfew__image *empty = maker->vm
	                           ? curfew__image_create(NULL, curfew__vm_memory_size(maker->vm), &none, NULL, NULL, 0)
	                           : NULL;
	maker->region = empty ? curfew__pool_take(pool, empty, MEMORY) : NULL;
	curfew__image_unref(empty);
	maker->instance = maker->region ? curfew__instance_create(maker->vm, maker->region, NULL, NULL) : NULL;
	if (!maker->instance || !call(maker->instance, 0, &result) || !call(maker->instance, 1, &result) ||
	    !call(maker->instance, 2, &control))
		return false;
	maker->control = (curfew__control *)(void *)(maker->region->base + control);
	return true;
}

static void end_scripts(script_maker *maker, curfew__pool *pool)
{
	size_t ignored;

	curfew__instance_destroy(maker->instance);
	if (maker->region)
		curfew__pool_give(pool, maker->region, &ignored);
	curfew__vm_destroy(maker->vm);
}

/* Takes the place of what is there. */
static void replace(asset *one, uint8_t *bytes)
{
	free(one->owned);
	one->bytes = one->owned = bytes;
}

/* Puts bytecode in the place of a script's text. */
static bool compile_script(script_maker *maker, asset *script)
{
	uint32_t wanted = (uint32_t)script->length;
	int32_t address = 0, result = 0;

	if (curfew__instance_call(maker->instance, 3, &wanted, &address) != CURFEW__VM_RETURNED || !address)
		return false;
	memcpy(maker->region->base + (uint32_t)address, script->bytes, script->length);
	maker->control->input = (uint32_t)address;
	maker->control->input_length = wanted;
	if (!call(maker->instance, 4, &result))
		return false;
	if (result != CURFEW_GUEST_DONE) {
		fprintf(stderr, "build_image: %.*s: %.*s\n", (int)script->name_length, script->name,
		        (int)maker->control->error_message_length, (char *)maker->region->base + maker->control->error_message);
		return false;
	}
	script->length = maker->control->value_length;
	uint8_t *made = malloc(script->length);
	if (!made)
		return false;
	memcpy(made, maker->region->base + maker->control->value, script->length);
	replace(script, made);
	return true;
}

/*
 * Whether an asset is "intl/KIND/LOCALE" with a locale other than English, which few programs need. Large ones do not
 * count, because the decompression of a large asset by zlib would delay a stop.
 */
static bool is_seldom_used(const asset *one)
{
	const char *end = one->name + one->name_length, *at = end;

	while (at > one->name && at[-1] != '/')
		at--;
	bool is_locale = !strncmp(one->name, "intl/", 5) && strncmp(one->name, "intl/x/", 7) != 0 && at > one->name + 5;
	return is_locale && strncmp(at, "en", 2) != 0 && one->length <= (size_t)128 << 10;
}

/* The smallest asset that is compressed. Compression would not make smaller ones shorter. */
#define PACKED_MIN 512

static void pack_asset(asset *one)
{
	size_t packed;
	enum curfew__asset_method method = is_seldom_used(one) ? CURFEW__ASSET_ZLIB : CURFEW__ASSET_LZ4;

	if (one->length < PACKED_MIN)
		return;
	uint8_t *made = method == CURFEW__ASSET_ZLIB ? pack(one->bytes, one->length, &packed)
	                                             : curfew__lz4_pack(one->bytes, one->length, &packed);
	if (!made || packed >= one->length) {
		free(made);
		return;
	}
	replace(one, made);
	one->packed = packed;
	one->method = method;
}

static size_t bytes_of(const asset *one)
{
	return one->packed ? one->packed : one->length;
}

/* Reads a pack: "KIND NAME BYTES\n" and the bytes, in the order of names. */
static asset *read_pack(script_maker *maker, char *pack, size_t length, size_t *count)
{
	asset *list = NULL;

	*count = 0;
	for (char *at = pack; at < pack + length;) {
		char *name = memchr(at, ' ', (size_t)(pack + length - at));
		char *size = name ? strchr(name + 1, ' ') : NULL, *end = NULL;
		unsigned long bytes = size ? strtoul(size, &end, 10) : 0;
		asset *longer = realloc(list, (*count + 1) * sizeof *list);
		if (!longer || !end || *end != '\n' || bytes > (size_t)(pack + length - end - 1))
			return NULL;
		list = longer;
		list[*count] = (asset){
			.name = name + 1, .name_length = (size_t)(size - name - 1), .bytes = (uint8_t *)end + 1, .length = bytes};
		if (!strncmp(at, "script ", 7) && !compile_script(maker, &list[*count]))
			return NULL;
		pack_asset(&list[*count]);
		at = end + 1 + bytes;
		(*count)++;
	}
	return list;
}

/* The same bytes are kept once. */
static uint32_t place_of(const asset *list, size_t which, uint32_t next)
{
	for (size_t i = 0; i < which; i++)
		if (list[i].length == list[which].length && list[i].packed == list[which].packed &&
		    list[i].method == list[which].method && !memcmp(list[i].bytes, list[which].bytes, bytes_of(&list[i])))
			return list[i].at;
	return next;
}

static bool write_assets(const char *path, asset *list, size_t count)
{
	curfew__buffer out;
	curfew__asset_head head = {(uint32_t)count, 0};
	uint32_t name = (uint32_t)(sizeof head + count * sizeof(curfew__asset_entry)), at = name;

	for (size_t i = 0; i < count; i++)
		at += (uint32_t)list[i].name_length;
	uint32_t first = at;
	curfew__buffer_init(&out, MEMORY * 2);
	curfew__buffer_add(&out, &head, sizeof head);
	for (size_t i = 0; i < count; i++) {
		list[i].at = place_of(list, i, at);
		if (list[i].at == at)
			at += (uint32_t)bytes_of(&list[i]);
		curfew__asset_entry entry = {name,
		                             (uint32_t)list[i].name_length,
		                             list[i].at,
		                             (uint32_t)list[i].length,
		                             (uint32_t)list[i].packed,
		                             (uint32_t)list[i].method};
		curfew__buffer_add(&out, &entry, sizeof entry);
		name += entry.name_length;
	}
	for (size_t i = 0; i < count; i++)
		curfew__buffer_add(&out, list[i].name, list[i].name_length);
	at = first;
	for (size_t i = 0; i < count; i++) {
		if (list[i].at != at)
			continue;
		curfew__buffer_add(&out, list[i].bytes, bytes_of(&list[i]));
		at += (uint32_t)bytes_of(&list[i]);
	}
	printf("guest assets: %zu, %zu KiB\n", count, out.length / 1024);
	bool ok = !out.failed && write_file(path, out.data, out.length);
	curfew__buffer_finish(&out);
	return ok;
}

static bool make_assets(const char *pack_path, const char *path, const void *wasm, size_t wasm_length,
                        curfew__pool *pool)
{
	script_maker maker = {0};
	size_t length, count = 0;
	char *pack = read_file(pack_path, &length);
	asset *list = pack && begin_scripts(&maker, wasm, wasm_length, pool) ? read_pack(&maker, pack, length, &count)
	                                                                     : NULL;

	if (!list)
		fprintf(stderr, "build_image: %s: not a readable pack\n", pack_path);
	bool good = list && write_assets(path, list, count);
	for (size_t i = 0; list && i < count; i++)
		free(list[i].owned);
	free(list);
	free(pack);
	end_scripts(&maker, pool);
	return good;
}

int main(int argc, char **argv)
{
	size_t full_length, bare_length, packed_length, ignored;
	curfew__layout layout = {0, 0, 0, 0};
	curfew__region *region;
	curfew__pool *pool = curfew__pool_create(0, 0, false);

	if (argc != 9 || sodium_init() < 0 || !pool)
		return 2;
	void *full = read_file(argv[1], &full_length), *bare = read_file(argv[2], &bare_length);
	if (!full || !bare) {
		perror("build_image");
		return 1;
	}
	uint8_t *packed = pack(bare, bare_length, &packed_length);
	if (!packed || !set_up(full, full_length, &region, pool, &layout) ||
	    !write_image(argv[4], region, &layout, bare, bare_length) || !write_file(argv[5], packed, packed_length) ||
	    !write_code(argv[6], packed, bare_length, packed_length, false) ||
	    !write_code(argv[7], packed, bare_length, packed_length, true) ||
	    !make_assets(argv[3], argv[8], full, full_length, pool))
		return 1;
	free(full);
	free(bare);
	free(packed);
	curfew__pool_give(pool, region, &ignored);
	curfew__pool_destroy(pool);
	return 0;
}
