/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the parts of a JSON text without making values of them: numbers and strings that a guest wrote or is to get
 * pass through as they are, whatever their size.
 */
#ifndef CURFEW_SERVER_SCAN_H
#define CURFEW_SERVER_SCAN_H

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

/* Takes the first item off an array, which then begins after it; false: there is none. */
bool scan_next_item(span *array, span *item);

#endif
