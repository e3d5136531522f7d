/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of due times, compared with a linear search, while entries are moved and removed. */
#include "../harness.h"
#include "common/heap.h"

#include <stdlib.h>
#include <string.h>

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
	CHECK_EQUAL(first != NULL, expected != NULL);
	if (first != NULL)
		CHECK_EQUAL(first->when, expected->when);
	for (size_t slot = 1; slot <= heap->count; slot++)
		CHECK_EQUAL(heap->slots[slot]->slot, slot);
}

static void test_the_first_one_comes_first(void)
{
	static curfew__due items[ITEMS];
	curfew__heap heap = {0};
	uint32_t seed = 7;
	for (int i = 0; i < 5000; i++) {
		curfew__due *item = &items[next_random(&seed) % ITEMS];
		if (next_random(&seed) % 3 == 0)
			curfew__heap_remove(&heap, item);
		else
			CHECK(curfew__heap_put(&heap, item, (int64_t)(next_random(&seed) % 100)));
		expect_sound(&heap, items);
	}
	for (int64_t last = -1; curfew__heap_first(&heap) != NULL;) {
		curfew__due *first = curfew__heap_first(&heap);
		CHECK(first->when >= last);
		last = first->when;
		curfew__heap_remove(&heap, first);
		CHECK_EQUAL(first->slot, 0);
	}
	CHECK_EQUAL(heap.count, 0);
	curfew__heap_finish(&heap);
}

static void test_there_is_room_where_one_has_left(void)
{
	static curfew__due items[ITEMS];
	curfew__heap heap = {0};
	for (int i = 0; i < ITEMS; i++)
		CHECK(curfew__heap_put(&heap, &items[i], i));
	size_t capacity = heap.capacity;
	curfew__heap_remove(&heap, &items[0]);
	CHECK(curfew__heap_put(&heap, &items[0], INT64_MAX));
	CHECK_EQUAL(heap.capacity, capacity);
	CHECK(curfew__heap_first(&heap) == &items[1]);
	curfew__heap_finish(&heap);
	CHECK(heap.slots == NULL);
}

static const harness_test tests[] = {
	{"the_first_one_comes_first", test_the_first_one_comes_first},
	{"there_is_room_where_one_has_left", test_there_is_room_where_one_has_left},
};

HARNESS_MAIN(tests)
