/* SPDX-License-Identifier: Apache-2.0 */
/* A growable byte buffer. Its limit is set at the start, so it cannot grow without bound. */
#ifndef CURFEW_COMMON_BYTES_H
#define CURFEW_COMMON_BYTES_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct curfew__buffer {
	char *data; /* NUL-terminated once anything was added; NULL before */
	size_t length;
	size_t capacity;
	size_t limit; /* length never exceeds it */
	bool failed;  /* an addition did not fit, or memory ran out: the content is a prefix */
} curfew__buffer;

void curfew__buffer_init(curfew__buffer *buffer, size_t limit);
void curfew__buffer_finish(curfew__buffer *buffer);
/* Appends everything, or as much as fits. False: not everything fitted, and `failed` is set. */
bool curfew__buffer_add(curfew__buffer *buffer, const void *bytes, size_t length);
bool curfew__buffer_add_text(curfew__buffer *buffer, const char *text);
bool curfew__buffer_printf(curfew__buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool curfew__buffer_vprintf(curfew__buffer *buffer, const char *format, va_list arguments);
/* Transfers the bytes to the caller, who frees them with free. NULL: memory ran out. The buffer is then empty. */
char *curfew__buffer_take(curfew__buffer *buffer, size_t *length);

/* Copies bytes in pieces, and checks `stop` between them. Once it is not 0, the rest is not copied. */
void curfew__copy_until(char *to, const char *from, size_t length, const atomic_uint *stop);

#endif
