/* SPDX-License-Identifier: Apache-2.0 */
/* Reads members of JSON objects, and reports the pointer of an invalid one. */
#include "fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fields_begin(fields *f, json_t *object, const char *base)
{
	*f = (fields){.object = object, .base = base};
	if (!json_is_object(object))
		fields_fail(f, NULL, "must be an object");
	else if (json_object_size(object) > 64)
		fields_fail(f, NULL, "has too many members");
}

/* A reference token of RFC 6901. */
static void add_token(char *pointer, size_t room, const char *name)
{
	size_t used = strlen(pointer);
	if (used + 2 < room)
		pointer[used++] = '/';
	for (; *name != '\0' && used + 3 < room; name++) {
		if (*name == '~' || *name == '/') {
			pointer[used++] = '~';
			pointer[used++] = *name == '~' ? '0' : '1';
		} else {
			pointer[used++] = *name;
		}
	}
	pointer[used] = '\0';
}

void fields_fail(fields *f, const char *name, const char *format, ...)
{
	va_list arguments;
	if (f->failed)
		return;
	f->failed = true;
	(void)snprintf(f->pointer, sizeof f->pointer, "%s", f->base);
	if (name != NULL)
		add_token(f->pointer, sizeof f->pointer, name);
	int used = snprintf(f->detail, sizeof f->detail, "%.100s: ", f->pointer[0] != '\0' ? f->pointer : "the body");
	va_start(arguments, format);
	(void)vsnprintf(f->detail + used, sizeof f->detail - (size_t)used, format, arguments);
	va_end(arguments);
}

json_t *fields_take(fields *f, const char *name)
{
	unsigned index = 0;
	for (void *at = json_object_iter(f->object); at != NULL; at = json_object_iter_next(f->object, at), index++) {
		if (strcmp(json_object_iter_key(at), name) != 0)
			continue;
		f->taken |= UINT64_C(1) << index;
		json_t *value = json_object_iter_value(at);
		return json_is_null(value) ? NULL : value;
	}
	return NULL;
}

bool fields_end(fields *f)
{
	unsigned index = 0;
	for (void *at = json_object_iter(f->object); at != NULL && !f->failed;
	     at = json_object_iter_next(f->object, at), index++) {
		if ((f->taken & UINT64_C(1) << index) == 0)
			fields_fail(f, json_object_iter_key(at), "is not a known field");
	}
	return !f->failed;
}

const char *fields_text(fields *f, const char *name, size_t most)
{
	json_t *value = fields_take(f, name);
	if (value == NULL)
		return NULL;
	const char *words = json_string_value(value);
	if (words == NULL)
		fields_fail(f, name, "must be a string");
	else if (json_string_length(value) > most)
		fields_fail(f, name, "is longer than %zu bytes", most);
	else if (*words == '\0' || strlen(words) != json_string_length(value))
		fields_fail(f, name, *words == '\0' ? "is empty" : "must not hold a NUL");
	else
		return words;
	return NULL;
}

bool fields_bool(fields *f, const char *name, bool usual)
{
	json_t *value = fields_take(f, name);
	if (value != NULL && !json_is_boolean(value))
		fields_fail(f, name, "must be true or false");
	return value != NULL ? json_is_true(value) : usual;
}

bool fields_whole(const json_t *value, int64_t *number)
{
	double real = json_real_value(value);
	if (json_is_integer(value)) {
		*number = (int64_t)json_integer_value(value);
		return true;
	}
	/* Up to 2^53 no other integer is read as this number. */
	if (!json_is_real(value) || !(real >= -0x1p53 && real <= 0x1p53) || real != (double)(int64_t)real)
		return false;
	*number = (int64_t)real;
	return true;
}

int64_t fields_integer(fields *f, const char *name, int64_t least, int64_t most, int64_t usual)
{
	json_t *value = fields_take(f, name);
	if (value == NULL)
		return usual;
	int64_t number = usual;
	if (!fields_whole(value, &number) || number < least || number > most)
		fields_fail(f, name, "must be an integer from %lld to %lld", (long long)least, (long long)most);
	return number;
}
