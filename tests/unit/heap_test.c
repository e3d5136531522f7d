/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of what is due: against a plain search, with whatever is moved and taken out. */
#include "common/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 200 };

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static const curfew__due *find_first(const curfew__due *items)
{
	const curfew__due *first = NULL;
	for (int i = 0; i < ITEMS; i++) {
		if (items[i].slot > 0 && (first == NULL || items[i].when < first->when))
			first = &items[i];
	}
	return first;
}

static void expect_sound(const curfew__heap *heap, const curfew__due *items)
{
	const curfew__due *expected = find_first(items), *first = curfew__heap_first(heap);
	assert_int_equal(first != NULL, expected != NULL);
	if (first != NULL)
		assert_int_equal(first->when, expected->when);
	for (size_t slot = 1; slot <= heap->count; slot++)
		assert_int_equal(heap->slots[slot]->slot, slot);
}

static void test_the_first_one_comes_first(void **state)
{
	static curfew__due items[ITEMS];
	curfew__heap heap = {0};
	uint32_t seed = 7;
	(void)state;
	for (int i = 0; i < 5000; i++) {
		curfew__due *item = &items[next_random(&seed) % ITEMS];
		if (next_random(&seed) % 3 == 0)
			curfew__heap_remove(&heap, item);
		else
			assert_true(curfew__heap_put(&heap, item, (int64_t)(next_random(&seed) % 100)));
		expect_sound(&heap, items);
	}
	for (int64_t last = -1; curfew__heap_first(&heap) != NULL;) {
		curfew__due *first = curfew__heap_first(&heap);
		assert_true(first->when >= last);
		last = first->when;
		curfew__heap_remove(&heap, first);
		assert_int_equal(first->slot, 0);
	}
	assert_int_equal(heap.count, 0);
	curfew__heap_finish(&heap);
}

static void test_there_is_room_where_one_has_left(void **state)
{
	static curfew__due items[ITEMS];
	curfew__heap heap = {0};
	(void)state;
	for (int i = 0; i < ITEMS; i++)
		assert_true(curfew__heap_put(&heap, &items[i], i));
	size_t capacity = heap.capacity;
	curfew__heap_remove(&heap, &items[0]);
	assert_true(curfew__heap_put(&heap, &items[0], INT64_MAX));
	assert_int_equal(heap.capacity, capacity);
	assert_ptr_equal(curfew__heap_first(&heap), &items[1]);
	curfew__heap_finish(&heap);
	assert_null(heap.slots);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_one_comes_first),
		cmocka_unit_test(test_there_is_room_where_one_has_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
