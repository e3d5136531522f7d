/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: source text, and the image of its parsed form once there is one. */
#include "run/run.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/copy_in.h"
#include "base/refuse.h"
#include "common/mutex.h"
#include "common/utf8.h"
#include "engine/extra.h"

#define SOURCE_BYTES_MAX ((size_t)16 << 20)
#define NAME_BYTES_MAX 4096
#define WASM_BYTES_MAX ((size_t)128 << 20)

static bool is_wasm(const curfew_source *source)
{
	return source->language == CURFEW_LANGUAGE_WASM || source->language == CURFEW_LANGUAGE_WAT;
}

static bool is_bundle(const curfew_source *source)
{
	return source->language == CURFEW_LANGUAGE_BUNDLE;
}

static curfew_status check_text(const char *text, size_t length, curfew_failure *failure)
{
	if (length > SOURCE_BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, "the source is larger than 16 MiB");
	if (length && memchr(text, 0, length))
		return curfew__refuse(failure, CURFEW_INVALID, "the source contains a NUL byte: it is not JavaScript");
	if (!curfew__utf8_check(text, length, NULL))
		return curfew__refuse(failure, CURFEW_INVALID, "the source is not UTF-8");
	return CURFEW_OK;
}

static bool is_name(const char *name)
{
	return name && name[0] && strlen(name) <= NAME_BYTES_MAX && strncmp(name, "curfew:", 7) != 0;
}

bool curfew__program_is_saved_name(const char *name, size_t length)
{
	bool known = length > 0 && length <= NAME_BYTES_MAX && (length < 7 || memcmp(name, "curfew:", 7) != 0);

	for (size_t i = 0; known && i < length; i++)
		known = (unsigned char)name[i] >= ' ';
	return known;
}

bool curfew__program_is_sum(const char sha256[65])
{
	return !sha256[64] && strspn(sha256, "0123456789abcdef") == 64;
}

void curfew__source_sum(const curfew_source *source, uint8_t sum[32])
{
	if (source->sha256)
		sodium_hex2bin(sum, 32, source->sha256, 64, NULL, NULL, NULL);
	else
		curfew__sha256(sum, source->text, source->text_length);
}

curfew_status curfew__source_check(const char *name, const char *text, size_t length, curfew_failure *failure)
{
	if (!is_name(name))
		return curfew__refuse(failure, CURFEW_INVALID, "the cell's name is empty, too long, or begins with curfew:");
	if (!text && length)
		return curfew__refuse(failure, CURFEW_INVALID, "the cell has no text");
	return check_text(text, length, failure);
}

curfew_status curfew__program_check(const curfew_source *source, curfew_failure *failure)
{
	if (!is_name(source->name))
		return curfew__refuse(failure, CURFEW_INVALID, "the program needs a name, not beginning with curfew:");
	if (!source->text && source->text_length)
		return curfew__refuse(failure, CURFEW_INVALID, "the program has no text");
	if (source->language > CURFEW_LANGUAGE_BUNDLE ||
	    (source->flags & ~(CURFEW_SOURCE_ONCE | CURFEW_SOURCE_PATH | CURFEW_SOURCE_NODE | CURFEW_SOURCE_MAPPED)) ||
	    source->reserved)
		return curfew__refuse(failure, CURFEW_INVALID, "unknown language or flag");
	if (source->flags & CURFEW_SOURCE_MAPPED && (!is_wasm(source) || !source->text_length))
		return curfew__refuse(failure, CURFEW_INVALID, "only the text of WebAssembly can be a mapping");
	if (source->sha256 && (strlen(source->sha256) != 64 || !curfew__program_is_sum(source->sha256)))
		return curfew__refuse(failure, CURFEW_INVALID, "sha256 is not a SHA-256 in hexadecimal");
	if (is_bundle(source) && (source->import_map || source->import_dir))
		return curfew__refuse(failure, CURFEW_INVALID, "a bundle contains its own import map and imports");
	if (is_bundle(source) && source->text_length > CURFEW__BUNDLE_BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, "the bundle is larger than 64 MiB");
	if (is_bundle(source))
		return CURFEW_OK;
	if (source->import_map && (is_wasm(source) || (source->import_map_name && !is_name(source->import_map_name))))
		return curfew__refuse(failure, CURFEW_INVALID, "an import map is for JavaScript only, or its name is empty");
	if (source->import_map) {
		curfew_status status = curfew_import_map_check(source->import_map, source->import_map_length, failure);
		if (status != CURFEW_OK)
			return status;
	}

	if (!is_wasm(source))
		return check_text(source->text, source->text_length, failure);

	/* The parser of text needs about a hundred times its size. */
	if (source->language == CURFEW_LANGUAGE_WAT && source->text_length > SOURCE_BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, "the text is larger than 16 MiB");
	if (source->text_length > WASM_BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, "the module is larger than 128 MiB");
	return CURFEW_OK;
}

curfew_program *curfew__program_ref(curfew_program *program)
{
	atomic_fetch_add(&program->references, 1);
	return program;
}

const char *curfew_language_name(curfew_language language)
{
	static const char *const names[] = {
		[CURFEW_LANGUAGE_JS] = "js",      [CURFEW_LANGUAGE_JS_MODULE] = "mjs", [CURFEW_LANGUAGE_WASM] = "wasm",
		[CURFEW_LANGUAGE_WAT] = "wat",    [CURFEW_LANGUAGE_TS] = "ts",         [CURFEW_LANGUAGE_TS_MODULE] = "mts",
		[CURFEW_LANGUAGE_BUNDLE] = "tar",
	};
	return (size_t)language < sizeof names / sizeof names[0] ? names[language] : NULL;
}

const char *curfew_program_kind(const curfew_program *program)
{
	return program && program->wasm ? curfew__wasm_program_kind(program->wasm) : "js";
}

void curfew_program_destroy(curfew_program *program)
{
	if (!program || atomic_fetch_sub(&program->references, 1) != 1)
		return;
	curfew__image_unref(program->image);
	curfew__wasm_program_destroy(program->wasm);
	curfew__host_functions_unref(program->functions);
	curfew__mutex_finish(&program->lock);
	free(program->name);
	free(program->source);
	free(program->import_dir);
	free(program->import_map);
	curfew__bundle_destroy(program->bundle);
	curfew__engine_unref(program->engine);
	free(program);
}

curfew_program *curfew__program_alloc(curfew_engine *engine, const char *name, size_t name_length)
{
	curfew_program *made = calloc(1, sizeof *made);

	if (!made)
		return NULL;
	atomic_init(&made->references, 1);
	curfew__mutex_init(&made->lock);
	made->engine = curfew__engine_ref(engine);
	made->name = strndup(name, name_length);
	if (!made->name) {
		curfew_program_destroy(made);
		return NULL;
	}
	/* Reports show the name within lines of text, so it has no control characters. */
	for (char *at = made->name; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = '?';
	return made;
}

/* Copies the text, with a line break before it. */
static bool copy_source(curfew_program *program, const curfew_source *source)
{
	program->text_length = source->text_length;
	program->source = malloc(source->text_length + 2);
	if (!program->source)
		return false;
	program->source[0] = '\n';
	memcpy(program->source + 1, source->text ? source->text : "", source->text_length);
	program->source[source->text_length + 1] = 0;
	program->text = program->source + 1;
	/* A "#!" line is a comment only at the very beginning. After the line break it must become an ordinary comment. */
	if (source->text_length > 1 && !memcmp(program->text, "#!", 2))
		memcpy(program->source + 1, "//", 2);
	return true;
}

/* The form of an answered import: its path, a NUL, and the text. */
static bool copy_import_map(curfew_program *program, const curfew_source *source)
{
	const char *name = source->import_map_name ? source->import_map_name : "import-map";
	size_t before = strlen(name) + 1;

	if (!source->import_map)
		return true;
	program->import_map_length = before + source->import_map_length;
	program->import_map = malloc(program->import_map_length);
	if (!program->import_map)
		return false;
	memcpy(program->import_map, name, before);
	memcpy(program->import_map + before, source->import_map, source->import_map_length);
	return true;
}

static bool copy_wasm(curfew_program *program, const curfew_source *source, const uint8_t *sha256)
{
	curfew__wasm_source from = {
		.sha256 = sha256,
		.compiler = program->engine->compiler,
		.bytes = source->text ? source->text : "",
		.length = source->text_length,
		.is_text = source->language == CURFEW_LANGUAGE_WAT,
		.cache_dir = program->engine->cache_dir,
		.owner = program,
		.is_lent = source->flags & CURFEW_SOURCE_MAPPED,
	};
	program->wasm = curfew__wasm_program_create(&from);
	return program->wasm != NULL;
}

/* Opens a bundle, and replaces the source by its entry point. */
static curfew_status open_bundle(curfew_source *source, curfew__bundle **bundle, curfew_failure *failure)
{
	curfew__bundle *opened = curfew__bundle_create(source->text, source->text_length, failure);

	if (!opened)
		return CURFEW_INVALID;
	source->name = opened->entry->name;
	source->text = opened->entry->text;
	source->text_length = opened->entry->length;
	source->language = opened->language;
	source->flags |= CURFEW_SOURCE_PATH | (opened->has_node ? CURFEW_SOURCE_NODE : 0);
	if (opened->import_map) {
		source->import_map = opened->import_map->text;
		source->import_map_length = opened->import_map->length;
		source->import_map_name = opened->import_map->name;
	}
	/* An error in a file of the bundle is reported with that file's name. */
	curfew_failure why = {.message = ""};
	curfew_status status = is_name(source->name) ? check_text(source->text, source->text_length, &why) : CURFEW_INVALID;
	const char *wrong = source->name;
	if (status == CURFEW_OK && source->import_map) {
		wrong = source->import_map_name;
		status = curfew_import_map_check(source->import_map, source->import_map_length, &why);
	}
	if (status == CURFEW_OK) {
		*bundle = opened;
		return CURFEW_OK;
	}
	if (failure)
		curfew__fail(failure, "the bundle's %.80s: %.150s", wrong, why.message);
	curfew__bundle_destroy(opened);
	return status;
}

curfew_status curfew_program_create(curfew_engine *engine, const curfew_source *given, curfew_program **program,
                                    curfew_failure *failure)
{
	curfew_source source;
	uint8_t sum[32];

	curfew__refuse(failure, CURFEW_OK, "");
	if (!engine || !given || !program || !curfew__copy_in(&source, sizeof source, given))
		return curfew__refuse(failure, CURFEW_INVALID, "engine, source or program is missing, or source.size is wrong");
	*program = NULL;
	curfew_status status = curfew__program_check(&source, failure);
	if (status != CURFEW_OK)
		return status;
	curfew__source_sum(&source, sum);
	size_t given_bytes = source.text_length;
	curfew__bundle *bundle = NULL;
	if (is_bundle(&source) && (status = open_bundle(&source, &bundle, failure)) != CURFEW_OK)
		return status;
	curfew_program *made = curfew__program_alloc(engine, source.name, strlen(source.name));
	if (!made) {
		curfew__bundle_destroy(bundle);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	made->bundle = bundle;
	made->language = source.language;
	made->flags = source.flags;
	made->given_bytes = given_bytes;
	sodium_bin2hex(made->sha256, sizeof made->sha256, sum, sizeof sum);
	if (!(is_wasm(&source) ? copy_wasm(made, &source, sum) : copy_source(made, &source)) ||
	    !copy_import_map(made, &source)) {
		curfew_program_destroy(made);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	if (source.import_dir && !(made->import_dir = realpath(source.import_dir, NULL))) {
		if (failure)
			curfew__fail(failure, "import directory %.150s: %s", source.import_dir, strerror(errno));
		curfew_program_destroy(made);
		return CURFEW_INVALID;
	}
	if (source.flags & CURFEW_SOURCE_MAPPED)
		curfew__wasm_program_take_mapping(made->wasm);
	*program = made;
	return CURFEW_OK;
}

curfew_status curfew_program_set_functions(curfew_program *program, const curfew_host_function *functions, size_t count,
                                           curfew_failure *failure)
{
	curfew_failure inner;

	if (!program || (!functions && count))
		return curfew__refuse(failure, CURFEW_INVALID, "program or functions is NULL");
	if (program->functions || atomic_load(&program->used))
		return curfew__refuse(failure, CURFEW_INVALID, "the program was used before, or has host functions");
	program->functions = curfew__host_functions_create(functions, count, &inner);
	if (!program->functions)
		return curfew__refuse(failure, CURFEW_INVALID, inner.message);
	if (program->wasm)
		curfew__wasm_program_import(program->wasm, program->functions->imports, program->functions->count);
	return curfew__refuse(failure, CURFEW_OK, "");
}

curfew__image *curfew__program_image(curfew_program *program)
{
	curfew__mutex_lock(&program->lock);
	curfew__image *image = program->image ? curfew__image_ref(program->image) : NULL;
	curfew__mutex_unlock(&program->lock);
	return image;
}

bool curfew__program_snapshot(curfew_program *program, const curfew__region *region)
{
	uint32_t *numbers;
	size_t count;
	uint8_t *pages;
	curfew__image *image = NULL;

	if (!curfew__region_changes(region, &numbers, &count))
		return false;
	if ((pages = malloc(count ? count * CURFEW__PAGE : 1))) {
		for (size_t i = 0; i < count; i++)
			memcpy(pages + i * CURFEW__PAGE, region->base + numbers[i] * CURFEW__PAGE, CURFEW__PAGE);
		image = curfew__image_create(region->image, region->size, &region->image->layout, numbers, pages, count);
	}
	free(pages);
	free(numbers);
	if (!image)
		return false;
	curfew__mutex_lock(&program->lock);
	if (!program->image) {
		program->image = image;
		image = NULL;
	}
	curfew__mutex_unlock(&program->lock);
	curfew__image_unref(image);
	return true;
}
