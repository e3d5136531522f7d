/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the parts of a JSON text that nobody has checked yet, without making values of them: numbers and strings that
 * a guest wrote or is to get pass through as they are, whatever their size.
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
 * The value of a member of the object that this text is, the last one if there are several; keys are compared as they
 * are written. No data if it is not an object or has no such member.
 */
span scan_member(const char *data, size_t len, const char *key);

/*
 * The members of an object one after the other, without looking into their values. Begin with scan_begin; each call of
 * scan_next gives a key, as it is written with its quotes, and a value. 1: there is one; 0: that was all, and nothing
 * follows the object; -1: it is malformed, at the offset `at`, or no object.
 */
typedef struct scan_object {
	const char *data;
	size_t len, at;
	bool is_open;
} scan_object;
scan_object scan_begin(const char *data, size_t len);
int scan_next(scan_object *object, span *key, span *value);

/* Whether a string, with its quotes and whatever of it is escaped, means this ASCII name. */
bool scan_is_name(span string, const char *name);
/*
 * What a string means, as UTF-8 without its quotes; out has room for string.len bytes. False: it is not UTF-8, or has
 * half of a surrogate pair.
 */
bool scan_decode(span string, char *out, size_t *out_len);

/* Takes the first item off an array, which then begins after it; false: there is none. */
bool scan_next_item(span *array, span *item);

#endif
