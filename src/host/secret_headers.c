/* SPDX-License-Identifier: Apache-2.0 */
#include "host/secret_headers.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "common/http_token.h"
#include "host/allow.h"
#include "host/header.h"

/* Entries, and bytes of one. */
#define COUNT_MAX 64
#define ENTRY_BYTES_MAX 4096
#define VALUE_BYTES_MAX ((size_t)16 << 10)

typedef struct item {
	curfew__allow_list *host;
	char *name;           /* of the header; the same piece of memory as the entry */
	const char *template; /* after the name */
} item;

struct curfew__secret_headers {
	atomic_uint references;
	curfew__grants *secrets; /* those of the run; NULL: none */
	size_t count;
	item items[];
};

/* ---- Templates -------------------------------------------------------------------------------------------- */

/* A part of a template: text as it is, or the name of a secret. */
typedef struct piece {
	const char *text;
	size_t length;
	bool is_secret;
} piece;

/* Reads the next part. 0: there is none. -1: it is malformed. "${NAME}", as in a shell, means {NAME}. */
static int next_piece(const char **at, piece *p)
{
	const char *text = *at;

	if (!*text)
		return 0;
	if (text[0] == '$' && text[1] == '{')
		text++;
	p->is_secret = *text == '{';
	if (p->is_secret) {
		const char *end = strchr(text, '}');
		*p = (piece){text + 1, end ? (size_t)(end - text - 1) : 0, true};
		*at = end ? end + 1 : text;
		return end ? 1 : -1;
	}
	p->text = text;
	p->length = strcspn(text, "{}");
	if (text[p->length] == '{' && p->length && text[p->length - 1] == '$')
		p->length--;
	*at = text + p->length;
	return p->length ? 1 : -1;
}

/* Writes "Name: value" in the form for the network. Returns why it cannot be one, or NULL. */
static const char *expand(const curfew__grants *secrets, const item *one, char *line)
{
	const char *at = one->template;
	size_t begin = (size_t)snprintf(line, ENTRY_BYTES_MAX + 3, "%s: ", one->name), end = begin;
	piece p;

	while (next_piece(&at, &p) == 1) {
		const curfew_secret *secret = p.is_secret ? curfew__grants_find(secrets, p.text, p.length) : NULL;
		const char *text = secret ? secret->value : p.text;
		size_t size = secret ? secret->value_length : p.length;
		if (size > VALUE_BYTES_MAX - (end - begin))
			return "the header is larger than 16 KiB";
		memcpy(line + end, text, size);
		end += size;
	}
	ssize_t latin = curfew__header_to_latin(line + begin, end - begin);
	if (latin < 0)
		return "it has characters that a header cannot have";
	line[begin + (size_t)latin] = 0;
	return NULL;
}

/* Room for the longest line. NULL: out of memory. Free it with drop_line. */
static char *make_line(void)
{
	return malloc(ENTRY_BYTES_MAX + VALUE_BYTES_MAX + 3);
}

static void drop_line(char *line)
{
	if (line)
		sodium_memzero(line, ENTRY_BYTES_MAX + VALUE_BYTES_MAX + 3);
	free(line);
}

/* ---- Entries ---------------------------------------------------------------------------------------------- */

/* Cuts HOST:HEADER=TEMPLATE, a copy that the item owns from now on. Returns what is wrong with it. */
static const char *parse_item(char *copy, item *one, char **host)
{
	char *equals = strchr(copy, '=');

	if (!equals)
		return "it is not HOST:HEADER=TEMPLATE";
	*equals = 0;
	char *colon = strrchr(copy, ':');
	if (!colon || colon == copy)
		return "it is not HOST:HEADER=TEMPLATE";
	*colon = 0;
	*host = copy;
	one->name = colon + 1;
	one->template = equals + 1;
	if (!curfew__http_is_token(one->name, strlen(one->name)))
		return "the header's name is malformed";
	return curfew__header_is_forbidden(one->name, strlen(one->name)) ? "this header cannot be set" : NULL;
}

/* secrets: those that may be named; only the form is checked without `looks_up`. */
static const char *check_template(const char *template, const curfew__grants *secrets, bool looks_up, char *buffer,
                                  size_t room)
{
	size_t names = 0;
	piece p;
	int more;

	while ((more = next_piece(&template, &p)) == 1) {
		names += p.is_secret;
		if (!p.is_secret || !looks_up || curfew__grants_find(secrets, p.text, p.length))
			continue;
		(void)snprintf(buffer, room, "there is no secret %.*s", (int)(p.length < 64 ? p.length : 64), p.text);
		return buffer;
	}
	if (more < 0)
		return "a brace of the template is not part of {NAME}";
	return names ? NULL : "the template has no {NAME} of a secret";
}

static curfew_status refuse_item(const char *entry, const char *why, curfew_failure *failure)
{
	char message[256];
	size_t shown = strcspn(entry, "=");

	(void)snprintf(message, sizeof message, "secret_for %.*s: %s", (int)(shown < 100 ? shown : 100), entry, why);
	return curfew__refuse(failure, CURFEW_INVALID, message);
}

static curfew_status add_item(curfew__secret_headers *headers, const char *entry, bool looks_up,
                              curfew_failure *failure)
{
	item *one = &headers->items[headers->count];
	curfew_failure inner = {.message = ""};
	char buffer[128];
	char *host = NULL, *copy = entry && strlen(entry) <= ENTRY_BYTES_MAX ? strdup(entry) : NULL;

	if (!copy)
		return refuse_item(entry ? entry : "", "it is longer than 4 KiB, or memory has run out", failure);
	const char *wrong = parse_item(copy, one, &host);
	if (!wrong)
		wrong = check_template(one->template, headers->secrets, looks_up, buffer, sizeof buffer);
	if (!wrong && !(one->host = curfew__allow_list_create((const char *const *)&host, 1, &inner)))
		wrong = inner.message;
	if (wrong) {
		free(copy);
		return refuse_item(entry, wrong, failure);
	}
	/* The host is read, so the name can begin the memory. */
	one->name = memmove(copy, one->name, strlen(one->name) + 1);
	headers->count++;
	return CURFEW_OK;
}

/* Every header is made once, so that none fails later. */
static curfew_status check_values(const curfew__secret_headers *headers, const char *const *entries,
                                  curfew_failure *failure)
{
	char *line = make_line();
	const char *wrong = NULL;
	size_t i;

	if (!line)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	for (i = 0; i < headers->count && !wrong; i++)
		wrong = expand(headers->secrets, &headers->items[i], line);
	drop_line(line);
	return wrong ? refuse_item(entries[i - 1], wrong, failure) : CURFEW_OK;
}

static curfew_status fill(curfew__secret_headers *headers, const char *const *entries, size_t count,
                          const curfew_secret *secrets, size_t secret_count, curfew_failure *failure)
{
	curfew_status status = curfew__grants_create(secrets, secret_count, NULL, NULL, &headers->secrets, failure);

	for (size_t i = 0; i < count && status == CURFEW_OK; i++)
		status = add_item(headers, entries[i], true, failure);
	return status == CURFEW_OK ? check_values(headers, entries, failure) : status;
}

static curfew__secret_headers *make_headers(size_t count)
{
	curfew__secret_headers *made = calloc(1, sizeof *made + count * sizeof *made->items);

	if (made)
		atomic_init(&made->references, 1);
	return made;
}

curfew_status curfew__secret_headers_create(const char *const *entries, size_t count, const curfew_secret *secrets,
                                            size_t secret_count, curfew__secret_headers **headers,
                                            curfew_failure *failure)
{
	*headers = NULL;
	if (!count)
		return CURFEW_OK;
	if (!entries || count > COUNT_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, entries ? "secret_for: at most 64" : "secret_for is NULL");
	curfew__secret_headers *made = make_headers(count);
	curfew_status status = made ? fill(made, entries, count, secrets, secret_count, failure)
	                            : curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	if (status == CURFEW_OK)
		*headers = made;
	else
		curfew__secret_headers_unref(made);
	return status;
}

curfew__secret_headers *curfew__secret_headers_ref(curfew__secret_headers *headers)
{
	if (headers)
		atomic_fetch_add(&headers->references, 1);
	return headers;
}

void curfew__secret_headers_unref(curfew__secret_headers *headers)
{
	if (!headers || atomic_fetch_sub(&headers->references, 1) != 1)
		return;
	for (size_t i = 0; i < headers->count; i++) {
		curfew__allow_list_destroy(headers->items[i].host);
		free(headers->items[i].name);
	}
	curfew__grants_destroy(headers->secrets);
	free(headers);
}

curfew_status curfew_secret_for_check(const char *entry, const curfew_secret *secrets, size_t secret_count,
                                      curfew_failure *failure)
{
	curfew__secret_headers *headers = NULL;
	curfew_status status;

	if (secrets) {
		status = curfew__secret_headers_create(&entry, 1, secrets, secret_count, &headers, failure);
	} else if ((headers = make_headers(1))) {
		status = add_item(headers, entry, false, failure);
	} else {
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	curfew__secret_headers_unref(headers);
	return status == CURFEW_OK ? curfew__refuse(failure, CURFEW_OK, "") : status;
}

/* ---- Requests --------------------------------------------------------------------------------------------- */

bool curfew__secret_headers_have(const curfew__secret_headers *headers, const char *name, size_t length)
{
	piece p;

	for (size_t i = 0; headers && i < headers->count; i++) {
		const char *at = headers->items[i].template;
		while (next_piece(&at, &p) == 1)
			if (p.is_secret && p.length == length && !memcmp(p.text, name, length))
				return true;
	}
	return false;
}

size_t curfew__secret_placeholder(const char *name, size_t length, char *bytes, size_t room)
{
	static const char head[] = "[secret ";
	size_t size = sizeof head - 1 + length + 1;

	if (size > room)
		return size;
	memcpy(bytes, head, sizeof head - 1);
	memcpy(bytes + sizeof head - 1, name, length);
	bytes[size - 1] = ']';
	return size;
}

bool curfew__secret_headers_add(const curfew__secret_headers *headers, const char *host, uint16_t port,
                                curfew__add_header add, void *context)
{
	bool ok = true;

	for (size_t i = 0; headers && ok && i < headers->count; i++) {
		const item *one = &headers->items[i];
		if (!curfew__allow_list_has(one->host, host, port))
			continue;
		char *line = make_line();
		ok = line && !expand(headers->secrets, one, line) && add(context, one->name, line);
		drop_line(line);
	}
	return ok;
}
