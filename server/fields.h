/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the members of a JSON object one after the other. A wrong type, a value out of range, or a member that nobody
 * has read is reported as one sentence with the JSON pointer of the field.
 */
#ifndef CURFEW_SERVER_FIELDS_H
#define CURFEW_SERVER_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fields {
	json_t *object;
	const char *base; /* pointer of the object; "" at the top */
	uint64_t taken;   /* a bit for each member, in order */
	bool failed;
	char pointer[160];
	char detail[320];
} fields;

/* Starts with a parsed object, which is borrowed. */
void fields_begin(fields *f, json_t *object, const char *base);
/* Fails if a member was not read. False after any failure. */
bool fields_end(fields *f);

/* Sets the failure, unless there is one. name NULL: the object itself. */
void fields_fail(fields *f, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reads a member. NULL if it is missing or null. */
json_t *fields_take(fields *f, const char *name);
/* Reads a non-empty string without NUL, of at most this many bytes. NULL if missing. Borrowed from the object. */
const char *fields_text(fields *f, const char *name, size_t most);
bool fields_bool(fields *f, const char *name, bool usual);
/* Whether it is an integer in JSON's sense: 5, 5.0 and 5e0 are the same. */
bool fields_whole(const json_t *value, int64_t *number);
int64_t fields_integer(fields *f, const char *name, int64_t least, int64_t most, int64_t usual);

#endif
