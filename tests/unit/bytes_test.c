/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes with a limit. */
#include "common/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_starts_empty(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 100);
	assert_null(buffer.data);
	size_t length = 1;
	char *data = curfew__buffer_take(&buffer, &length);
	assert_non_null(data);
	assert_string_equal(data, "");
	assert_int_equal(length, 0);
	free(data);
	curfew__buffer_finish(&buffer);
}

static void test_grows_and_keeps_nuls(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	for (int i = 0; i < 10000; i++)
		assert_true(curfew__buffer_add(&buffer, "a\0b", 3));
	assert_int_equal(buffer.length, 30000);
	assert_memory_equal(buffer.data + 29997, "a\0b", 4);
	assert_false(buffer.failed);
	curfew__buffer_finish(&buffer);
	curfew__buffer_finish(&buffer);
}

static void test_is_capped(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 5);
	assert_true(curfew__buffer_add(&buffer, "abc", 3));
	assert_false(curfew__buffer_add(&buffer, "defg", 4));
	assert_true(buffer.failed);
	assert_string_equal(buffer.data, "abcde");
	assert_false(curfew__buffer_add_text(&buffer, "x"));
	assert_true(curfew__buffer_add(&buffer, NULL, 0));
	assert_int_equal(buffer.length, 5);
	assert_true(buffer.capacity <= 6);
	curfew__buffer_finish(&buffer);
}

static void test_nothing_fits_a_limit_of_0(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 0);
	assert_false(curfew__buffer_add(&buffer, "a", 1));
	assert_true(buffer.failed);
	assert_int_equal(buffer.length, 0);
	curfew__buffer_finish(&buffer);
}

static void test_printf_of_any_length(void **state)
{
	(void)state;
	char text[1001];
	memset(text, 'x', 1000);
	text[1000] = '\0';
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 2000);
	assert_true(curfew__buffer_printf(&buffer, "%d-", 42));
	assert_true(curfew__buffer_printf(&buffer, "%s", text));
	assert_int_equal(buffer.length, 1003);
	assert_false(curfew__buffer_printf(&buffer, "%s", text));
	assert_int_equal(buffer.length, 2000);
	curfew__buffer_finish(&buffer);
}

static void test_take_gives_the_bytes_away(void **state)
{
	(void)state;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, 100);
	curfew__buffer_add_text(&buffer, "abc");
	char *data = curfew__buffer_take(&buffer, NULL);
	assert_string_equal(data, "abc");
	assert_null(buffer.data);
	curfew__buffer_add_text(&buffer, "d");
	assert_string_equal(buffer.data, "d");
	free(data);
	curfew__buffer_finish(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_empty),
		cmocka_unit_test(test_grows_and_keeps_nuls),
		cmocka_unit_test(test_is_capped),
		cmocka_unit_test(test_nothing_fits_a_limit_of_0),
		cmocka_unit_test(test_printf_of_any_length),
		cmocka_unit_test(test_take_gives_the_bytes_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
