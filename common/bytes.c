/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Implements the byte buffer, which holds captured output, JSON texts and reports. The capacity doubles, so that the
 * cost of adding is linear over the buffer's life. The byte after the content is always a NUL.
 */
#include "common/bytes.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void curfew__buffer_init(curfew__buffer *buffer, size_t limit)
{
	*buffer = (curfew__buffer){0};
	/* The length including the NUL must not overflow. */
	buffer->limit = limit < SIZE_MAX ? limit : SIZE_MAX - 1;
}

void curfew__buffer_finish(curfew__buffer *buffer)
{
	free(buffer->data);
	buffer->data = NULL;
	buffer->length = 0;
	buffer->capacity = 0;
}

/* The capacity to grow to so that `needed` bytes fit, including the NUL. */
static size_t grown_capacity(const curfew__buffer *buffer, size_t needed)
{
	size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
	while (capacity < needed) {
		if (capacity > SIZE_MAX / 2)
			return needed;
		capacity *= 2;
	}
	size_t most = buffer->limit + 1;
	return capacity < most ? capacity : most;
}

static bool reserve(curfew__buffer *buffer, size_t extra)
{
	size_t needed = buffer->length + extra + 1;
	if (needed <= buffer->capacity)
		return true;
	size_t capacity = grown_capacity(buffer, needed);
	char *data = realloc(buffer->data, capacity);
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->capacity = capacity;
	buffer->data[buffer->length] = '\0';
	return true;
}

bool curfew__buffer_add(curfew__buffer *buffer, const void *bytes, size_t length)
{
	size_t room = buffer->limit - buffer->length;
	size_t fitting = length <= room ? length : room;
	if (fitting < length)
		buffer->failed = true;
	if (fitting == 0)
		return length == 0;
	if (!reserve(buffer, fitting)) {
		buffer->failed = true;
		return false;
	}
	memcpy(buffer->data + buffer->length, bytes, fitting);
	buffer->length += fitting;
	buffer->data[buffer->length] = '\0';
	return fitting == length;
}

bool curfew__buffer_add_text(curfew__buffer *buffer, const char *text)
{
	return curfew__buffer_add(buffer, text, strlen(text));
}

static bool add_long_format(curfew__buffer *buffer, size_t length, const char *format, va_list arguments)
{
	char *text = malloc(length + 1);
	if (text == NULL) {
		buffer->failed = true;
		return false;
	}
	(void)vsnprintf(text, length + 1, format, arguments);
	bool added = curfew__buffer_add(buffer, text, length);
	free(text);
	return added;
}

bool curfew__buffer_vprintf(curfew__buffer *buffer, const char *format, va_list arguments)
{
	char text[256];
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(text, sizeof text, format, arguments);
	bool added = false;
	if (length < 0)
		buffer->failed = true;
	else if ((size_t)length < sizeof text)
		added = curfew__buffer_add(buffer, text, (size_t)length);
	else
		added = add_long_format(buffer, (size_t)length, format, again);
	va_end(again);
	return added;
}

bool curfew__buffer_printf(curfew__buffer *buffer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool added = curfew__buffer_vprintf(buffer, format, arguments);
	va_end(arguments);
	return added;
}

char *curfew__buffer_take(curfew__buffer *buffer, size_t *length)
{
	if (length != NULL)
		*length = buffer->length;
	char *data = buffer->data != NULL ? buffer->data : calloc(1, 1);
	buffer->data = NULL;
	buffer->length = 0;
	buffer->capacity = 0;
	return data;
}

void curfew__copy_until(char *to, const char *from, size_t length, const atomic_uint *stop)
{
	enum { PIECE_BYTES = 256 << 10 };
	for (size_t at = 0; at < length && atomic_load(stop) == 0; at += PIECE_BYTES)
		memcpy(to + at, from + at, length - at < PIECE_BYTES ? length - at : PIECE_BYTES);
}
