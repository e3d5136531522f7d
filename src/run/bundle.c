/* SPDX-License-Identifier: Apache-2.0 */
/* Reads bundles: tar archives in the formats of POSIX (ustar, pax), and with the long names of GNU tar. */
#include "run/bundle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "common/bytes.h"
#include "common/json.h"
#include "common/json_reader.h"
#include "common/utf8.h"
#include "run/run.h"

#define BLOCK 512
#define FILES_MAX 20000
#define NAME_BYTES_MAX 4096
#define MANIFEST "curfew-bundle.json"

/* A header, as it is in the archive. */
typedef struct header {
	char name[100], mode[8], owner[8], group[8], size[12], time[12], sum[8], kind, link[100], magic[8];
	char names[64], device[16], prefix[155], rest[12];
} header;
_Static_assert(sizeof(header) == BLOCK, "a block");

typedef struct tar_reader {
	curfew__bundle *bundle;
	const char *bytes;
	size_t length, at, capacity;
	char *long_name, *long_link; /* names of the next file; NULL: those in its header */
	curfew_failure *failure;
} tar_reader;

static bool refuse_bundle(curfew_failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse_bundle(curfew_failure *failure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (failure && !failure->message[0]) {
		vsnprintf(failure->message, sizeof failure->message, format, arguments);
		for (char *at = failure->message; *at; at++)
			*at = (unsigned char)*at < ' ' ? '?' : *at;
	}
	va_end(arguments);
	return false;
}

/* ---- Headers ---------------------------------------------------------------------------------------------- */

/* Reads octal digits between spaces. False: the field is not a number. */
static bool read_octal(const char *digits, size_t length, size_t *value)
{
	size_t i = 0;

	*value = 0;
	while (i < length && digits[i] == ' ')
		i++;
	for (; i < length && digits[i] >= '0' && digits[i] <= '7'; i++)
		*value = *value * 8 + (size_t)(digits[i] - '0');
	return i == length || digits[i] == ' ' || !digits[i];
}

static bool has_sum(const header *head)
{
	const unsigned char *bytes = (const unsigned char *)head;
	size_t sum = 0, wanted;

	for (size_t i = 0; i < BLOCK; i++) {
		bool is_sum = i >= offsetof(header, sum) && i < offsetof(header, sum) + sizeof head->sum;
		sum += is_sum ? ' ' : bytes[i];
	}
	return read_octal(head->sum, sizeof head->sum, &wanted) && sum == wanted;
}

static bool is_path(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > NAME_BYTES_MAX || !curfew__utf8_check(name, length, NULL))
		return false;
	for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
		size_t part_length = strcspn(part, "/");
		if (!part_length || (part_length <= 2 && !memcmp(part, "..", part_length)))
			return false;
	}
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at < ' ')
			return false;
	return true;
}

/* Removes "./" before a name, and slashes after it. */
static char *clean_name(const char *name)
{
	while (!strncmp(name, "./", 2))
		name += 2;
	size_t length = strlen(name);
	while (length && name[length - 1] == '/')
		length--;
	return strndup(name, length);
}

static char *join_name(const header *head)
{
	char name[sizeof head->prefix + sizeof head->name + 2];
	bool has_prefix = head->prefix[0] && !memcmp(head->magic, "ustar\0", 6);

	snprintf(name, sizeof name, "%.*s%s%.*s", has_prefix ? (int)sizeof head->prefix : 0, head->prefix,
	         has_prefix ? "/" : "", (int)sizeof head->name, head->name);
	return clean_name(name);
}

static void set_long(char **to, const char *text, size_t length)
{
	char *copy = strndup(text, length);

	free(*to);
	*to = copy ? clean_name(copy) : NULL;
	free(copy);
}

/* Reads the records of a pax header: "LENGTH KEY=VALUE\n". */
static bool read_pax(tar_reader *r, const char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t count = 0, i = at;
		while (i < length && text[i] >= '0' && text[i] <= '9' && count <= length)
			count = count * 10 + (size_t)(text[i++] - '0');
		const char *key = text + i + 1;
		if (i >= length || text[i] != ' ' || count <= i + 1 - at || count > length - at || text[at + count - 1] != '\n')
			return refuse_bundle(r->failure, "the bundle is damaged: at byte %zu", r->at);
		size_t left = at + count - 1 - (i + 1);
		if (left > 5 && !memcmp(key, "path=", 5))
			set_long(&r->long_name, key + 5, left - 5);
		if (left > 9 && !memcmp(key, "linkpath=", 9))
			set_long(&r->long_link, key + 9, left - 9);
		if (left > 5 && !memcmp(key, "size=", 5))
			return refuse_bundle(r->failure, "the bundle has a file of more than 8 GiB");
		at += count;
	}
	return true;
}

/* ---- Files ------------------------------------------------------------------------------------------------ */

static bool reserve_space(tar_reader *r)
{
	curfew__bundle *bundle = r->bundle;
	size_t capacity = r->capacity ? r->capacity * 2 : 64;

	if (bundle->count >= FILES_MAX)
		return refuse_bundle(r->failure, "the bundle has more than %d files", FILES_MAX);
	if (bundle->count < r->capacity)
		return true;
	curfew__bundle_file *grown = realloc(bundle->files, capacity * sizeof *grown);
	if (!grown)
		return refuse_bundle(r->failure, "out of memory");
	bundle->files = grown;
	r->capacity = capacity;
	return true;
}

/* Takes ownership of name and link. Until all files are known, the place of a link is its target. */
static bool add_file(tar_reader *r, char *name, const char *text, size_t length, char *link)
{
	bool good = name ? is_path(name) ||
	                       refuse_bundle(r->failure, "the bundle names '%.150s', which is not a path inside it", name)
	                 : refuse_bundle(r->failure, "out of memory");

	if (good && reserve_space(r)) {
		r->bundle->files[r->bundle->count++] = (curfew__bundle_file){
			.name = name, .place = link, .text = text, .length = length};
		return true;
	}
	free(name);
	free(link);
	return false;
}

static bool read_link(tar_reader *r, const header *head, char *name)
{
	char target[sizeof head->link + 1];

	snprintf(target, sizeof target, "%.*s", (int)sizeof head->link, head->link);
	char *link = r->long_link ? r->long_link : clean_name(target);
	r->long_link = NULL;
	if (link)
		return add_file(r, name, NULL, 0, link);
	free(name);
	return refuse_bundle(r->failure, "out of memory");
}

static bool read_kind(tar_reader *r, const header *head, const char *text, size_t length)
{
	if (head->kind == 'x')
		return read_pax(r, text, length);
	if (head->kind == 'g')
		return true;
	if (head->kind == 'L' || head->kind == 'K') {
		set_long(head->kind == 'L' ? &r->long_name : &r->long_link, text, length);
		return true;
	}

	char *name = r->long_name ? r->long_name : join_name(head);
	r->long_name = NULL;
	if (head->kind == '0' || !head->kind)
		return add_file(r, name, text, length, NULL);
	if (head->kind == '1')
		return read_link(r, head, name);
	bool is_directory = head->kind == '5';
	if (!is_directory)
		refuse_bundle(r->failure, "the bundle contains '%.150s', which is not a file%s", name ? name : "",
		              head->kind == '2' ? " but a link: make it with tar --dereference" : "");
	free(name);
	return is_directory;
}

static bool is_zero(const char *block)
{
	static const char zero[BLOCK];
	return !memcmp(block, zero, BLOCK);
}

static bool read_all(tar_reader *r)
{
	size_t size;

	while (r->length - r->at >= BLOCK && !is_zero(r->bytes + r->at)) {
		const header *head = (const header *)(r->bytes + r->at);
		if (memcmp(head->magic, "ustar", 5) != 0 || !has_sum(head) ||
		    !read_octal(head->size, sizeof head->size, &size) || size > r->length - r->at - BLOCK)
			return refuse_bundle(r->failure, r->at ? "the bundle is damaged: at byte %zu" : "it is not a tar archive",
			                     r->at);
		if (!read_kind(r, head, r->bytes + r->at + BLOCK, size))
			return false;
		size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
		size_t left = r->length - r->at - BLOCK;
		r->at += BLOCK + (padded < left ? padded : left);
	}
	return r->bundle->count || refuse_bundle(r->failure, "the bundle is empty");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const curfew__bundle_file *)a)->name, ((const curfew__bundle_file *)b)->name);
}

static const curfew__bundle_file *find_file(const curfew__bundle *bundle, const char *name)
{
	const curfew__bundle_file wanted = {.name = (char *)name};

	return bundle->count ? bsearch(&wanted, bundle->files, bundle->count, sizeof wanted, by_name) : NULL;
}

/* Checks that every link leads to a file, and that no name occurs twice. */
static bool settle_names(curfew__bundle *bundle, curfew_failure *failure)
{
	bool good = true;

	qsort(bundle->files, bundle->count, sizeof *bundle->files, by_name);
	for (size_t i = 0; i < bundle->count; i++) {
		curfew__bundle_file *file = &bundle->files[i];
		if (i && !strcmp(file->name, file[-1].name))
			good = refuse_bundle(failure, "the bundle contains '%.150s' twice", file->name);
		char *link = file->text ? NULL : (char *)file->place;
		const curfew__bundle_file *target = link ? find_file(bundle, link) : file;
		if (link && (!target || !target->text))
			good = refuse_bundle(failure, "the bundle's '%.100s' is a link to '%.100s', which is not in it", file->name,
			                     link);
		free(link);
		file->place = good ? target->name : NULL;
	}
	return good;
}

/* ---- What it says of itself ------------------------------------------------------------------------------- */

typedef struct manifest {
	curfew__buffer entry, lang, map;
	bool has_node;
} manifest;

static const struct {
	const char *name;
	curfew_language language;
} languages[] = {
	{"js", CURFEW_LANGUAGE_JS}, {"mjs", CURFEW_LANGUAGE_JS_MODULE}, {"cjs", CURFEW_LANGUAGE_JS},
	{"ts", CURFEW_LANGUAGE_TS}, {"mts", CURFEW_LANGUAGE_TS_MODULE}, {"cts", CURFEW_LANGUAGE_TS},
};

static bool find_language(const char *name, curfew_language *language)
{
	for (size_t i = 0; name && i < sizeof languages / sizeof *languages; i++) {
		if (strcmp(name, languages[i].name) != 0)
			continue;
		*language = languages[i].language;
		return true;
	}
	return false;
}

static bool read_member(curfew__json_reader *reader, manifest *m, const char *key)
{
	curfew__buffer *to = !strcmp(key, "entry")        ? &m->entry
	                     : !strcmp(key, "lang")       ? &m->lang
	                     : !strcmp(key, "import_map") ? &m->map
	                                                  : NULL;
	curfew__json_kind kind = curfew__json_next_kind(reader);

	if (to && kind == CURFEW__JSON_STRING)
		return curfew__json_read_string(reader, to) && to->length && !memchr(to->data, 0, to->length);
	m->has_node |= kind == CURFEW__JSON_TRUE;
	curfew__json_skip(reader);
	return !strcmp(key, "node") && (kind == CURFEW__JSON_TRUE || kind == CURFEW__JSON_FALSE);
}

/* Reads the strings of an object, all of which must be known. Of a package.json it reads only main. */
static bool read_manifest(const curfew__bundle_file *file, manifest *m, bool is_package, curfew_failure *failure)
{
	curfew__json_reader reader;
	curfew__buffer key;
	bool good = curfew__json_check(file->text, file->length, NULL, NULL);

	curfew__buffer_init(&key, NAME_BYTES_MAX);
	curfew__json_reader_init(&reader, file->text, file->length, NULL);
	good = good && curfew__json_next_kind(&reader) == CURFEW__JSON_OBJECT;
	if (good)
		curfew__json_enter(&reader);
	while (good && curfew__json_has_next(&reader)) {
		key.length = 0;
		good = curfew__json_read_key(&reader, &key);
		const char *name = good && key.length ? key.data : "";
		bool is_main = is_package && !strcmp(name, "main") && curfew__json_next_kind(&reader) == CURFEW__JSON_STRING;
		if (is_package && !is_main)
			curfew__json_skip(&reader);
		else if (good && !read_member(&reader, m, is_main ? "entry" : name))
			good = refuse_bundle(failure, "the bundle's " MANIFEST ": '%.80s' is unknown, or not of its type", name);
	}
	curfew__buffer_finish(&key);
	return good || is_package || refuse_bundle(failure, "the bundle's " MANIFEST " is no JSON object");
}

static const curfew__bundle_file *find_named(const curfew__bundle *bundle, const curfew__buffer *name)
{
	char *clean = name->length ? clean_name(name->data) : NULL;
	const curfew__bundle_file *file = clean ? find_file(bundle, clean) : NULL;

	free(clean);
	return file;
}

static const curfew__bundle_file *find_entry(const curfew__bundle *bundle, const manifest *m)
{
	static const char *const usual[] = {"index.js", "index.mjs", "index.ts", "index.mts", "index.cjs"};
	const curfew__bundle_file *entry = find_named(bundle, &m->entry);

	for (size_t i = 0; !entry && i < sizeof usual / sizeof *usual; i++)
		entry = find_file(bundle, usual[i]);
	return entry && !entry->text ? find_file(bundle, entry->place) : entry;
}

static bool settle_entry(curfew__bundle *bundle, const manifest *m, bool is_said, curfew_failure *failure)
{
	bundle->entry = find_entry(bundle, m);
	if ((is_said && !find_named(bundle, &m->entry)) || !bundle->entry)
		return refuse_bundle(failure,
		                     "the bundle has no entry point%s%.100s: it is " MANIFEST
		                     "'s \"entry\", package.json's \"main\", or index.js",
		                     m->entry.length ? " " : "", m->entry.length ? m->entry.data : "");
	const char *dot = strrchr(bundle->entry->name, '.');
	if (!find_language(m->lang.length ? m->lang.data : dot ? dot + 1 : NULL, &bundle->language))
		return refuse_bundle(failure, "the bundle's entry point %.100s is not JavaScript or TypeScript by its name",
		                     bundle->entry->name);
	bundle->has_node = m->has_node;
	if (!m->map.length)
		return true;
	bundle->import_map = find_named(bundle, &m->map);
	return bundle->import_map || refuse_bundle(failure, "the bundle has no import map %.100s", m->map.data);
}

static bool read_itself(curfew__bundle *bundle, curfew_failure *failure)
{
	const curfew__bundle_file *said = find_file(bundle, MANIFEST), *package = find_file(bundle, "package.json");
	manifest m = {.has_node = false};
	bool good = true;

	curfew__buffer_init(&m.entry, NAME_BYTES_MAX);
	curfew__buffer_init(&m.lang, NAME_BYTES_MAX);
	curfew__buffer_init(&m.map, NAME_BYTES_MAX);
	if (said || package)
		good = read_manifest(said ? said : package, &m, !said, failure);
	good = good && settle_entry(bundle, &m, said != NULL, failure);
	curfew__buffer_finish(&m.entry);
	curfew__buffer_finish(&m.lang);
	curfew__buffer_finish(&m.map);
	return good;
}

/* ---- A bundle --------------------------------------------------------------------------------------------- */

void curfew__bundle_destroy(curfew__bundle *bundle)
{
	if (!bundle)
		return;
	for (size_t i = 0; i < bundle->count; i++)
		free(bundle->files[i].name);
	free(bundle->files);
	free(bundle->bytes);
	free(bundle);
}

curfew__bundle *curfew__bundle_create(const void *bytes, size_t length, curfew_failure *failure)
{
	curfew__bundle *made = calloc(1, sizeof *made);

	if (!made || !(made->bytes = malloc(length + 1))) {
		refuse_bundle(failure, "out of memory");
		free(made);
		return NULL;
	}
	if (length)
		memcpy(made->bytes, bytes, length);
	tar_reader r = {.bundle = made, .bytes = made->bytes, .length = length, .failure = failure};
	bool good = read_all(&r);
	free(r.long_name);
	free(r.long_link);
	if (good) {
		good = settle_names(made, failure);
	} else {
		for (size_t i = 0; i < made->count; i++)
			if (!made->files[i].text)
				free((char *)made->files[i].place);
	}
	if (good && read_itself(made, failure))
		return made;
	curfew__bundle_destroy(made);
	return NULL;
}

/* Whether the name is a directory of the bundle. */
static bool is_directory(const curfew__bundle *bundle, const char *name, size_t length)
{
	size_t low = 0, high = bundle->count;

	if (!length)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *at = bundle->files[middle].name;
		int order = strncmp(at, name, length);
		if (!order)
			order = (unsigned char)at[length] - '/';
		if (!order)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

char *curfew__bundle_open(const curfew__bundle *bundle, const char *name, size_t length, int32_t *answer)
{
	char copy[NAME_BYTES_MAX + 1];

	*answer = CURFEW__IMPORT_NOT_FOUND;
	if (length > NAME_BYTES_MAX || memchr(name, 0, length))
		return NULL;
	memcpy(copy, name, length);
	copy[length] = 0;
	const curfew__bundle_file *file = find_file(bundle, copy);
	if (file && !file->text)
		file = find_file(bundle, file->place);
	if (!file) {
		if (is_directory(bundle, copy, length))
			*answer = CURFEW__IMPORT_DIRECTORY;
		return NULL;
	}
	if ((*answer = curfew__import_check(file->name, file->length)) < 0)
		return NULL;
	size_t before = strlen(file->name) + 1;
	char *text = malloc(before + file->length + 1);
	*answer = CURFEW__IMPORT_UNREADABLE;
	if (!text)
		return NULL;
	memcpy(text, file->name, before);
	memcpy(text + before, file->text, file->length);
	*answer = (int32_t)(before + file->length);
	return text;
}
