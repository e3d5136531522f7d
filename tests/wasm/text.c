/* SPDX-License-Identifier: Apache-2.0 */
/* The exports of text.wit, with the canonical ABI. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPORT(name) __attribute__((export_name(name)))

typedef struct text {
	char *data;
	uint32_t length;
} text;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size)
{
	(void)old_size, (void)align;
	return realloc(old, size);
}

EXPORT("add") uint32_t add(uint32_t a, uint32_t b)
{
	return a + b;
}

EXPORT("shout") text *shout(char *data, uint32_t length)
{
	static text result;

	printf("shouting %u bytes\n", (unsigned)length);
	fflush(stdout);
	for (uint32_t i = 0; i < length; i++)
		data[i] = (char)toupper((unsigned char)data[i]);
	result = (text){data, length};
	return &result;
}

EXPORT("cabi_post_shout") void free_shout(text *result)
{
	free(result->data);
}

EXPORT("crash") void crash(void)
{
	__builtin_trap();
}

EXPORT("spin") void spin(void)
{
	for (volatile int i = 0;; i++)
		;
}
