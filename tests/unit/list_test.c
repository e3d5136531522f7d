/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive lists: no entry is lost, and a removed one can be added again. */
#include "../harness.h"
#include "common/list.h"

#include <stdlib.h>
#include <string.h>

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
	CHECK_TEXT(found, numbers);
	CHECK_EQUAL(curfew__list_is_empty(list), length == 0);
}

static void test_both_ends(void)
{
	curfew__list list = {0};
	item items[4] = {{0}, {1}, {2}, {3}};
	expect_items(&list, "");
	curfew__list_add_last(&list, &items[1].link);
	curfew__list_add_last(&list, &items[2].link);
	curfew__list_add_first(&list, &items[0].link);
	curfew__list_add_last(&list, &items[3].link);
	expect_items(&list, "0123");
	CHECK(curfew__link_is_listed(&items[3].link));
}

static void test_any_of_them_leaves(void)
{
	curfew__list list = {0};
	item items[3] = {{0}, {1}, {2}};
	for (int i = 0; i < 3; i++)
		curfew__list_add_last(&list, &items[i].link);
	curfew__list_remove(&items[1].link);
	expect_items(&list, "02");
	CHECK(!curfew__link_is_listed(&items[1].link));
	curfew__list_remove(&items[1].link); /* it is in no list */
	curfew__list_remove(&items[0].link);
	curfew__list_remove(&items[2].link);
	expect_items(&list, "");
	curfew__list_add_first(&list, &items[1].link);
	expect_items(&list, "1");
}

static void test_turns_go_round(void)
{
	curfew__list list = {0};
	item items[4] = {{0}, {1}, {2}, {3}};
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

static void test_nobody_is_nobodys_member(void)
{
	curfew__list list = {0};
	CHECK(CURFEW__OWNER(curfew__list_first(&list), item, link) == NULL);
}

static const harness_test tests[] = {
	{"both_ends", test_both_ends},
	{"any_of_them_leaves", test_any_of_them_leaves},
	{"turns_go_round", test_turns_go_round},
	{"nobody_is_nobodys_member", test_nobody_is_nobodys_member},
};

HARNESS_MAIN(tests)
