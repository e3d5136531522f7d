/* SPDX-License-Identifier: Apache-2.0 */
/* Writes bundles: archives of the files that a program reads while it is loaded, without times, owners or places. */
#include "run/bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/json.h"
#include "base/refuse.h"
#include "run/run.h"

#define BLOCK 512
#define NAME_BYTES 100 /* length of a header's own field */
#define MANIFEST "curfew-bundle.json"

/* ---- Recording -------------------------------------------------------------------------------------------- */

static const curfew__bundle_file *find_recorded(const curfew__bundle_record *record, const char *name)
{
	for (size_t i = 0; i < record->count; i++)
		if (!strcmp(record->files[i].name, name))
			return &record->files[i];
	return NULL;
}

/* Takes ownership of all three. For a link, text is NULL and place is owned. */
static void record_file(curfew__bundle_record *record, char *name, char *place, char *text, size_t length)
{
	if (record->count == record->capacity) {
		size_t capacity = record->capacity ? record->capacity * 2 : 64;
		curfew__bundle_file *grown = realloc(record->files, capacity * sizeof *grown);
		record->failed |= !grown;
		if (grown) {
			record->files = grown;
			record->capacity = capacity;
		}
	}
	record->bytes += length;
	record->failed |= !name || record->bytes > CURFEW__BUNDLE_BYTES_MAX;
	if (!record->failed) {
		record->files[record->count++] = (curfew__bundle_file){
			.name = name, .place = place, .text = text, .length = length};
		return;
	}
	free(name);
	free(place);
	free(text);
}

void curfew__bundle_note(curfew__bundle_record *record, const char *name, size_t name_length, const char *answer,
                         size_t length)
{
	size_t before = strlen(answer) + 1, text_length = length - before;

	if (!find_recorded(record, answer)) {
		char *text = malloc(text_length + 1);
		if (text)
			memcpy(text, answer + before, text_length);
		record->failed |= !text;
		record_file(record, strdup(answer), NULL, text, text_length);
	}
	char *asked = strndup(name, name_length);
	record->failed |= !asked;
	if (asked && strcmp(asked, answer) != 0 && !find_recorded(record, asked))
		record_file(record, asked, strdup(answer), NULL, 0);
	else
		free(asked);
}

void curfew__bundle_record_finish(curfew__bundle_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		free(record->files[i].name);
		free((char *)record->files[i].place);
		free((char *)record->files[i].text);
	}
	free(record->files);
	*record = (curfew__bundle_record){.count = 0};
}

/* ---- Writing ---------------------------------------------------------------------------------------------- */

static void add_padded(curfew__buffer *out, const char *bytes, size_t length)
{
	static const char zero[BLOCK];

	curfew__buffer_add(out, bytes, length);
	curfew__buffer_add(out, zero, (BLOCK - length % BLOCK) % BLOCK);
}

/* Writes a field of octal digits that ends in NUL. */
static void put_octal(char *to, int digits, size_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%0*zo", digits, value);
	memcpy(to, text, (size_t)digits + 1);
}

static void add_header(curfew__buffer *out, char kind, const char *name, const char *link, size_t length)
{
	char block[BLOCK] = {0};
	size_t name_length = strlen(name), link_length = strlen(link), sum = 0;

	memcpy(block, name, name_length < NAME_BYTES ? name_length : NAME_BYTES);
	put_octal(block + 100, 7, 0644);
	put_octal(block + 108, 7, 0);
	put_octal(block + 116, 7, 0);
	put_octal(block + 124, 11, length);
	put_octal(block + 136, 11, 0);
	memset(block + 148, ' ', 8);
	block[156] = kind;
	memcpy(block + 157, link, link_length < NAME_BYTES ? link_length : NAME_BYTES);
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	put_octal(block + 148, 6, sum);
	curfew__buffer_add(out, block, BLOCK);
}

/* Writes "LENGTH KEY=VALUE\n". The length includes its own digits. */
static void add_record(curfew__buffer *out, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3, total = rest + 1;
	char digits[24];

	while (rest + (size_t)snprintf(digits, sizeof digits, "%zu", total) != total)
		total = rest + strlen(digits);
	curfew__buffer_printf(out, "%zu %s=%s\n", total, key, value);
}

/* Writes a file, or a link if text is NULL. A name that is too long for a header is written in an extra header before
 * it. */
static void add_file(curfew__buffer *out, const char *name, const char *text, size_t length, const char *link)
{
	curfew__buffer records;

	curfew__buffer_init(&records, (size_t)1 << 16);
	if (strlen(name) > NAME_BYTES)
		add_record(&records, "path", name);
	if (strlen(link) > NAME_BYTES)
		add_record(&records, "linkpath", link);
	if (records.length) {
		add_header(out, 'x', "PaxHeader", "", records.length);
		add_padded(out, records.data, records.length);
	}
	out->failed |= records.failed;
	curfew__buffer_finish(&records);
	add_header(out, text ? '0' : '1', name, link, text ? length : 0);
	if (text && length)
		add_padded(out, text, length);
}

static void add_manifest(curfew__buffer *out, const curfew__bundle_entry *entry, const char *map_name)
{
	static const char *const languages[] = {
		[CURFEW_LANGUAGE_JS] = "js",
		[CURFEW_LANGUAGE_JS_MODULE] = "mjs",
		[CURFEW_LANGUAGE_TS] = "ts",
		[CURFEW_LANGUAGE_TS_MODULE] = "mts",
	};
	curfew__buffer text;
	curfew__json_writer writer;

	curfew__buffer_init(&text, (size_t)1 << 16);
	curfew__json_init(&writer, &text);
	curfew__json_begin_object(&writer);
	curfew__json_key(&writer, "entry");
	curfew__json_text(&writer, entry->name);
	curfew__json_key(&writer, "lang");
	curfew__json_text(&writer, languages[entry->language]);
	if (map_name) {
		curfew__json_key(&writer, "import_map");
		curfew__json_text(&writer, map_name);
	}
	if (entry->has_node) {
		curfew__json_key(&writer, "node");
		curfew__json_bool(&writer, true);
	}
	curfew__json_end_object(&writer);
	out->failed |= text.failed;
	add_file(out, MANIFEST, text.data ? text.data : "", text.length, "");
	curfew__buffer_finish(&text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const curfew__bundle_file *)a)->name, ((const curfew__bundle_file *)b)->name);
}

/* Records a file, unless the record has it already. */
static void add_once(curfew__bundle_record *record, const char *name, const char *text, size_t length)
{
	if (!find_recorded(record, name))
		record_file(record, strdup(name), NULL, strndup(text, length), length);
}

curfew_status curfew__bundle_write(curfew__bundle_record *record, const curfew__bundle_entry *entry, void **bytes,
                                   size_t *length, curfew_failure *failure)
{
	static const char end[2 * BLOCK];
	const char *map_name = entry->map ? entry->map_name : NULL;
	curfew__buffer out;

	add_once(record, entry->name, entry->text, entry->length);
	if (map_name)
		add_once(record, map_name, entry->map, entry->map_length);
	qsort(record->files, record->count, sizeof *record->files, by_name);
	curfew__buffer_init(&out, 2 * CURFEW__BUNDLE_BYTES_MAX);
	add_manifest(&out, entry, map_name);
	for (size_t i = 0; i < record->count; i++) {
		const curfew__bundle_file *file = &record->files[i];
		if (strcmp(file->name, MANIFEST) != 0)
			add_file(&out, file->name, file->text, file->length, file->text ? "" : file->place);
	}
	curfew__buffer_add(&out, end, sizeof end);
	if (!out.failed && !record->failed && out.length <= CURFEW__BUNDLE_BYTES_MAX) {
		*bytes = curfew__buffer_take(&out, length);
		return CURFEW_OK;
	}
	curfew__buffer_finish(&out);
	return curfew__refuse(failure, CURFEW_INVALID,
	                      "the program's files have more than 64 MiB, or there is not enough memory");
}
