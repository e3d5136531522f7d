/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the parts of an unchecked JSON text without converting them to values: numbers and strings of a guest's pass
 * through unchanged, whatever their size.
 */
#ifndef CURFEW_COMMON_JSON_SCAN_H
#define CURFEW_COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

typedef struct span {
	const char *data; /* NULL: there is none */
	size_t len;
} span;

/* Whether this is one JSON value and nothing else; nested at most 10,000 deep. */
bool scan_is_json(const char *data, size_t len);

/*
 * The value of a member of the object in this text, the last one if there are several. Keys are compared in their
 * written form. No data if it is not an object or has no such member.
 */
span scan_member(const char *data, size_t len, const char *key);

/*
 * Iterates over the members of an object without parsing their values. Begin with scan_begin. Each call of scan_next
 * returns a key, in its written form with quotes, and a value. 1: there is one; 0: that was all, and nothing follows
 * the object; -1: it is malformed at the offset `at`, or not an object.
 */
typedef struct scan_object {
	const char *data;
	size_t len, at;
	bool is_open;
} scan_object;
scan_object scan_begin(const char *data, size_t len);
int scan_next(scan_object *object, span *key, span *value);

/* Whether a string, with its quotes and escapes, means this ASCII name. */
bool scan_is_name(span string, const char *name);
/*
 * Decodes a string to UTF-8 without its quotes; out has a capacity of string.len bytes. False: it is not UTF-8, or has
 * half of a surrogate pair.
 */
bool scan_decode(span string, char *out, size_t *out_len);

/* Removes the first item of an array, which then begins after it. False: there is none. */
bool scan_next_item(span *array, span *item);

#endif
