/* SPDX-License-Identifier: Apache-2.0 */
/* Lists through links: nothing is lost, and whatever leaves can come again. */
#include "common/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct item {
	int number;
	curfew__link link;
} item;

static void expect_items(const curfew__list *list, const char *numbers)
{
	char found[32] = "";
	size_t length = 0;
	for (curfew__link *at = curfew__list_first(list); at != NULL; at = curfew__list_next(list, at))
		found[length++] = (char)('0' + CURFEW__OWNER(at, item, link)->number);
	found[length] = '\0';
	assert_string_equal(found, numbers);
	assert_int_equal(curfew__list_is_empty(list), length == 0);
}

static void test_both_ends(void **state)
{
	curfew__list list = {0};
	item items[4] = {{0}, {1}, {2}, {3}};
	(void)state;
	expect_items(&list, "");
	curfew__list_add_last(&list, &items[1].link);
	curfew__list_add_last(&list, &items[2].link);
	curfew__list_add_first(&list, &items[0].link);
	curfew__list_add_last(&list, &items[3].link);
	expect_items(&list, "0123");
	assert_true(curfew__link_is_listed(&items[3].link));
}

static void test_any_of_them_leaves(void **state)
{
	curfew__list list = {0};
	item items[3] = {{0}, {1}, {2}};
	(void)state;
	for (int i = 0; i < 3; i++)
		curfew__list_add_last(&list, &items[i].link);
	curfew__list_remove(&items[1].link);
	expect_items(&list, "02");
	assert_false(curfew__link_is_listed(&items[1].link));
	curfew__list_remove(&items[1].link); /* it is in none */
	curfew__list_remove(&items[0].link);
	curfew__list_remove(&items[2].link);
	expect_items(&list, "");
	curfew__list_add_first(&list, &items[1].link);
	expect_items(&list, "1");
}

static void test_turns_go_round(void **state)
{
	curfew__list list = {0};
	item items[4] = {{0}, {1}, {2}, {3}};
	(void)state;
	for (int i = 0; i < 4; i++)
		curfew__list_add_last(&list, &items[i].link);
	curfew__list_rotate(&list, &items[0].link);
	expect_items(&list, "1230");
	curfew__list_rotate(&list, &items[2].link);
	expect_items(&list, "3012");
	curfew__list_rotate(&list, &items[2].link); /* it is the last one already */
	expect_items(&list, "3012");
	for (int i = 0; i < 3; i++)
		curfew__list_remove(&items[i].link);
	curfew__list_rotate(&list, &items[3].link);
	expect_items(&list, "3");
}

static void test_nobody_is_nobodys_member(void **state)
{
	curfew__list list = {0};
	(void)state;
	assert_null(CURFEW__OWNER(curfew__list_first(&list), item, link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ends),
		cmocka_unit_test(test_any_of_them_leaves),
		cmocka_unit_test(test_turns_go_round),
		cmocka_unit_test(test_nobody_is_nobodys_member),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
