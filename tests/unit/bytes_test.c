/* SPDX-License-Identifier: Apache-2.0 */
/* The growing byte buffer with a limit. */
#include "../harness.h"
#include "common/bytes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void test_starts_empty(void)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 100);
	CHECK(buffer.data == NULL);
	size_t length = 1;
	char *data = curfew__buffer_take(&buffer, &length);
	CHECK(data != NULL);
	CHECK_TEXT(data, "");
	CHECK_EQUAL(length, 0);
	free(data);
	curfew__buffer_finish(&buffer);
}

static void test_grows_and_keeps_nuls(void)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	for (int i = 0; i < 10000; i++)
		CHECK(curfew__buffer_add(&buffer, "a\0b", 3));
	CHECK_EQUAL(buffer.length, 30000);
	CHECK_BYTES(buffer.data + 29997, "a\0b", 4);
	CHECK(!buffer.failed);
	curfew__buffer_finish(&buffer);
	curfew__buffer_finish(&buffer);
}

static void test_is_capped(void)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 5);
	CHECK(curfew__buffer_add(&buffer, "abc", 3));
	CHECK(!curfew__buffer_add(&buffer, "defg", 4));
	CHECK(buffer.failed);
	CHECK_TEXT(buffer.data, "abcde");
	CHECK(!curfew__buffer_add_text(&buffer, "x"));
	CHECK(curfew__buffer_add(&buffer, NULL, 0));
	CHECK_EQUAL(buffer.length, 5);
	CHECK(buffer.capacity <= 6);
	curfew__buffer_finish(&buffer);
}

static void test_nothing_fits_a_limit_of_0(void)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 0);
	CHECK(!curfew__buffer_add(&buffer, "a", 1));
	CHECK(buffer.failed);
	CHECK_EQUAL(buffer.length, 0);
	curfew__buffer_finish(&buffer);
}

static void test_printf_of_any_length(void)
{
	char text[1001];
	memset(text, 'x', 1000);
	text[1000] = '\0';
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 2000);
	CHECK(curfew__buffer_printf(&buffer, "%d-", 42));
	CHECK(curfew__buffer_printf(&buffer, "%s", text));
	CHECK_EQUAL(buffer.length, 1003);
	CHECK(!curfew__buffer_printf(&buffer, "%s", text));
	CHECK_EQUAL(buffer.length, 2000);
	curfew__buffer_finish(&buffer);
}

static void test_take_gives_the_bytes_away(void)
{
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 100);
	curfew__buffer_add_text(&buffer, "abc");
	char *data = curfew__buffer_take(&buffer, NULL);
	CHECK_TEXT(data, "abc");
	CHECK(buffer.data == NULL);
	curfew__buffer_add_text(&buffer, "d");
	CHECK_TEXT(buffer.data, "d");
	free(data);
	curfew__buffer_finish(&buffer);
}

static const harness_test tests[] = {
	{"starts_empty", test_starts_empty},
	{"grows_and_keeps_nuls", test_grows_and_keeps_nuls},
	{"is_capped", test_is_capped},
	{"nothing_fits_a_limit_of_0", test_nothing_fits_a_limit_of_0},
	{"printf_of_any_length", test_printf_of_any_length},
	{"take_gives_the_bytes_away", test_take_gives_the_bytes_away},
};

HARNESS_MAIN(tests)
