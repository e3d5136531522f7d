/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the parts of an unchecked JSON text without converting them to values. So the numbers and strings of a guest
 * pass through unchanged, whatever their size.
 */
#ifndef CURFEW_COMMON_JSON_SCAN_H
#define CURFEW_COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct span {
	const char *data; /* NULL: there is none */
	size_t len;
} span;

/* Whether the text is exactly one JSON value, nested at most 10,000 deep. */
bool scan_is_json(const char *data, size_t len);

/*
 * The value of a member of the object in this text. If there are several of that name, it is the last one. Keys are
 * compared in their written form. The span has no data if the text is not an object or has no such member.
 */
span scan_member(const char *data, size_t len, const char *key);

/*
 * Iterates over the members of an object without parsing their values. Begin with scan_begin. Each call of scan_next
 * returns a key, in its written form with quotes, and a value. 1: there is one; 0: there are no more, and nothing
 * follows the object; -1: it is malformed at the offset `at`, or not an object.
 */
typedef struct scan_object {
	const char *data;
	size_t len, at;
	bool is_open;
} scan_object;
scan_object scan_begin(const char *data, size_t len);
int scan_next(scan_object *object, span *key, span *value);

/* Whether a string, in its written form, means this ASCII name. */
bool scan_is_name(span string, const char *name);
/*
 * Decodes a string to UTF-8 without its quotes. `out` has a capacity of string.len bytes. False: it is not UTF-8, or
 * has half of a surrogate pair.
 */
bool scan_decode(span string, char *out, size_t *out_len);
/* The same in memory of its own, which ends in NUL; free it with free. NULL: the value is no such string, or there is
 * no memory. */
char *scan_copy(span value, size_t *length);

/* Removes the first item of an array, which then begins after it. False: there is none. */
bool scan_next_item(span *array, span *item);

#endif
