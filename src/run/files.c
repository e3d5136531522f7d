/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that a run is given as data: one JSON text, from which the guest makes files when its program asks for them.
 * The host only checks the text, so that errors are reported before anything runs.
 */
#include "run/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "common/json.h"
#include "common/json_reader.h"

#define PIECE_BYTES ((size_t)64 << 10)
#define FILES_MAX 1024
#define NAME_BYTES_MAX 1024
/* The host makes a directory of each part but the last one, if the program has WASI. */
#define NAME_PARTS_MAX 32

static curfew_status refuse_files(curfew_failure *failure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static curfew_status refuse_files(curfew_failure *failure, const char *format, ...)
{
	va_list arguments;
	char line[sizeof failure->message];

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	return curfew__refuse(failure, CURFEW_INVALID, line);
}

/* Whether this is a relative path without empty parts, "." and "..", and not too deep. */
static bool is_path(const char *name, size_t length)
{
	size_t parts = 0;

	if (!length || length > NAME_BYTES_MAX || memchr(name, 0, length))
		return false;
	for (size_t at = 0; at <= length;) {
		const char *slash = memchr(name + at, '/', length - at);
		size_t part = slash ? (size_t)(slash - name) - at : length - at;
		if (!part || (part <= 2 && !memcmp(name + at, "..", part)) || ++parts > NAME_PARTS_MAX)
			return false;
		at += part + 1;
	}
	return true;
}

static bool is_base64_letter(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static bool is_set(const atomic_uint *stop)
{
	return stop && atomic_load(stop);
}

/* Checks base64 with its padding and without stray bits. Line breaks are skipped. */
static bool is_base64(const char *text, size_t length, const atomic_uint *stop)
{
	static const char *const last[] = {NULL, "AEIMQUYcgkosw048", "AQgw"};
	size_t letters = 0, padding = 0;
	char letter = 0;

	for (size_t i = 0; i < length; i++) {
		if (i % PIECE_BYTES == 0 && is_set(stop))
			return false;
		if (text[i] == '\r' || text[i] == '\n')
			continue;
		if (text[i] == '=')
			padding++;
		else if (padding || !is_base64_letter((unsigned char)text[i]))
			return false;
		else
			letters++, letter = text[i];
	}
	if (padding > 2 || (letters + padding) % 4 != 0)
		return false;
	return !padding || (letter && strchr(last[padding], letter) != NULL);
}

/* Checks a file: a string, or an object whose only member is "base64". */
static bool is_content(curfew__json_reader *reader, curfew__buffer *text)
{
	curfew__json_kind kind = curfew__json_next_kind(reader);

	text->length = 0;
	if (kind == CURFEW__JSON_STRING)
		return curfew__json_read_string(reader, text);
	if (kind != CURFEW__JSON_OBJECT || curfew__json_count(reader) != 1)
		return false;
	curfew__json_enter(reader);
	curfew__json_has_next(reader);
	if (!curfew__json_read_key(reader, text) || text->length != 6 || memcmp(text->data, "base64", 6) != 0 ||
	    curfew__json_next_kind(reader) != CURFEW__JSON_STRING)
		return false;
	text->length = 0;
	return curfew__json_read_string(reader, text) && is_base64(text->data, text->length, reader->stop) &&
	       !curfew__json_has_next(reader);
}

/* ---- Each name once --------------------------------------------------------------------------------------------- */

typedef struct names {
	char *items[FILES_MAX];
	size_t count;
} names;

static bool add_name(names *all, const curfew__buffer *text)
{
	char *copy = strndup(text->data, text->length);

	if (copy)
		all->items[all->count++] = copy;
	return copy != NULL;
}

static void free_names(names *all)
{
	for (size_t i = 0; i < all->count; i++)
		free(all->items[i]);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static curfew_status check_names(names *all, curfew_failure *failure)
{
	qsort(all->items, all->count, sizeof all->items[0], compare_names);
	for (size_t i = 1; i < all->count; i++)
		if (strcmp(all->items[i - 1], all->items[i]) == 0)
			return refuse_files(failure, "files: '%.100s' is given twice", all->items[i]);
	return CURFEW_OK;
}

static curfew_status check_all(const char *files, size_t length, const atomic_uint *stop, curfew__buffer *text,
                               names *all, curfew_failure *failure)
{
	curfew__json_reader reader;
	char name[160];

	curfew__json_reader_init(&reader, files, length, stop);
	if (curfew__json_next_kind(&reader) != CURFEW__JSON_OBJECT)
		return refuse_files(failure, "files: must be a JSON object of names and contents");
	if (curfew__json_count(&reader) > FILES_MAX)
		return refuse_files(failure, "files: there are more than %d", FILES_MAX);
	curfew__json_enter(&reader);
	while (curfew__json_has_next(&reader)) {
		text->length = 0;
		bool is_text = curfew__json_read_key(&reader, text);
		snprintf(name, sizeof name, "%.*s", (int)text->length, text->length ? text->data : "");
		for (char *at = name; *at; at++)
			*at = (unsigned char)*at < ' ' ? '?' : *at;
		if (!is_text || !is_path(text->data, text->length))
			return refuse_files(
				failure, "files: '%.100s' is not a relative path of at most 32 parts without '.' and '..'", name);
		if (!add_name(all, text))
			return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
		if (!is_content(&reader, text))
			return refuse_files(failure, "files: %.100s must be a string, or {\"base64\": \"...\"} for bytes", name);
	}
	return check_names(all, failure);
}

curfew_status curfew__files_check(const char *files, size_t length, const atomic_uint *stop, curfew_failure *failure)
{
	size_t offset = 0;
	const char *why = "is NULL";

	if (failure)
		failure->message[0] = 0;
	if (files && length > CURFEW__FILES_BYTES_MAX)
		return refuse_files(failure, CURFEW__FILES_TOO_LARGE);
	if (!files || !curfew__json_check_until(files, length, stop, &offset, &why))
		return refuse_files(failure, "files: %s (at byte %zu)", why, offset);
	curfew__buffer text;
	names all = {.count = 0};
	curfew__buffer_init(&text, length + 1);
	curfew_status status = check_all(files, length, stop, &text, &all, failure);
	curfew__buffer_finish(&text);
	free_names(&all);
	return status;
}

/* ---- For WASI --------------------------------------------------------------------------------------------------- */

/* Decodes what is_base64 has accepted, in place, and returns its length. */
static size_t decode_base64(char *text, size_t length, const atomic_uint *stop)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t values[256] = {0};
	uint32_t bits = 0;
	size_t made = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < 64; i++)
		values[(uint8_t)letters[i]] = (uint8_t)i;
	for (size_t i = 0; i < length; i++) {
		if (i % PIECE_BYTES == 0 && is_set(stop))
			return 0;
		if (!is_base64_letter((unsigned char)text[i]))
			continue;
		bits = bits << 6 | values[(uint8_t)text[i]];
		if (++count % 4 != 1)
			text[made++] = (char)(bits >> (6 - 2 * (count - 1) % 8));
	}
	return made;
}

/* Reads a file that is_content has accepted. */
static void read_content(curfew__json_reader *reader, curfew__buffer *text)
{
	bool is_base64 = curfew__json_next_kind(reader) == CURFEW__JSON_OBJECT;

	if (is_base64) {
		curfew__json_enter(reader);
		curfew__json_has_next(reader);
		curfew__json_read_key(reader, text);
		text->length = 0;
	}
	curfew__json_read_string(reader, text);
	if (is_base64) {
		text->length = decode_base64(text->data, text->length, reader->stop);
		curfew__json_has_next(reader);
	}
}

static char *copy_of(const curfew__buffer *text, const atomic_uint *stop)
{
	char *copy = malloc(text->length + 1);

	if (!copy)
		return NULL;
	curfew__copy_until(copy, text->length ? text->data : "", text->length, stop);
	copy[text->length] = 0;
	return copy;
}

static bool read_file(curfew__json_reader *reader, curfew__buffer *text, curfew__wasi_file *file)
{
	text->length = 0;
	curfew__json_read_key(reader, text);
	if (!(file->name = copy_of(text, reader->stop)))
		return false;
	text->length = 0;
	read_content(reader, text);
	file->length = text->length;
	return !text->failed && (file->bytes = copy_of(text, reader->stop));
}

bool curfew__files_decode(const char *files, size_t length, const atomic_uint *stop, curfew__wasi_file **list,
                          size_t *count)
{
	curfew__json_reader reader;
	curfew__buffer text;
	bool good = true;

	curfew__json_reader_init(&reader, files, length, stop);
	size_t room = curfew__json_count(&reader);
	*count = 0;
	*list = calloc(room + 1, sizeof **list);
	if (!*list)
		return false;
	curfew__buffer_init(&text, length + 1);
	curfew__json_enter(&reader);
	while (good && *count < room && curfew__json_has_next(&reader))
		good = read_file(&reader, &text, &(*list)[(*count)++]) && !is_set(stop);
	curfew__buffer_finish(&text);
	return good;
}

curfew_status curfew_files_check(const char *files, size_t length, curfew_failure *failure)
{
	return curfew__files_check(files, length, NULL, failure);
}
