/* SPDX-License-Identifier: Apache-2.0 */
/* Who is loaded next, and beside whom, on the loader's threads. */
#include "../harness.h"
#include "wasm/loader.h"

#include <stdatomic.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define KIB ((size_t)1 << 10)

enum { LOADS_MAX = 16 };

static const curfew__asker greedy = {1, 1}, modest = {2, 1};
static curfew__loader *loader;

/* A load that takes until it is let go. */
typedef struct item {
	curfew__load load;
	atomic_int begun, may_end, ended;
	int begun_as; /* its place in the order of all */
	int again;    /* how often its call adds it again */
} item;

static item items[LOADS_MAX];
static int item_count;
static atomic_int order;

static void wait_until(const atomic_int *number, int least)
{
	while (atomic_load(number) < least)
		(void)usleep(1000);
}

static void on_call(void *context)
{
	item *own = context;
	own->begun_as = atomic_fetch_add(&order, 1);
	atomic_fetch_add(&own->begun, 1);
	if (own->again > 0) {
		own->again--;
		CHECK(curfew__loader_add(loader, &own->load, &greedy, KIB));
		/* Time for another thread to take it too early. */
		(void)usleep(2000);
		CHECK_EQUAL(atomic_load(&own->begun), atomic_load(&own->ended) + 1);
	} else {
		wait_until(&own->may_end, 1);
	}
	atomic_fetch_add(&own->ended, 1);
}

static item *add(const curfew__asker *asker, size_t bytes)
{
	item *own = &items[item_count++];
	own->load.call = on_call;
	own->load.context = own;
	CHECK(curfew__loader_add(loader, &own->load, asker, bytes));
	return own;
}

static void begin(void)
{
	loader = curfew__loader_create();
	CHECK(loader != NULL);
}

static void end(void)
{
	for (int i = 0; i < item_count; i++)
		atomic_store(&items[i].may_end, 1);
	for (int i = 0; i < item_count; i++)
		curfew__loader_remove(loader, &items[i].load);
	curfew__loader_destroy(loader);
}

/* Neither large programs nor one tenant keep another one's small program waiting. */
static void test_beside_a_large_one(void)
{
	begin();
	item *large = add(&greedy, 30 * MIB);
	wait_until(&large->begun, 1);
	for (int i = 0; i < 6; i++)
		(void)add(&greedy, i % 2 ? 30 * MIB : 100 * KIB);
	for (int i = 0; i < 4; i++) {
		item *small = add(&modest, 100 * KIB);
		wait_until(&small->begun, 1);
		atomic_store(&small->may_end, 1);
		curfew__loader_remove(loader, &small->load);
	}
	CHECK_EQUAL(atomic_load(&large->ended), 0);
	end();
}

/* Of large ones one is loaded at a time, and tenants take turns. */
static void test_large_ones_take_turns(void)
{
	begin();
	item *first = add(&greedy, 30 * MIB);
	wait_until(&first->begun, 1);
	item *next = add(&greedy, 30 * MIB);
	for (int i = 0; i < 5; i++)
		(void)add(&greedy, 30 * MIB);
	item *other = add(&modest, 30 * MIB);
	(void)usleep(20000);
	CHECK_EQUAL(atomic_load(&order), 1);
	for (int i = 0; i < item_count; i++)
		atomic_store(&items[i].may_end, 1);
	wait_until(&other->begun, 1);
	wait_until(&next->begun, 1);
	CHECK_EQUAL(other->begun_as, 1);
	end();
}

/* One that its own call adds again is called again, but never twice at once; its CPU time adds up. */
static void test_added_by_its_call(void)
{
	begin();
	item *own = &items[item_count++];
	own->load.call = on_call;
	own->load.context = own;
	own->again = 5;
	CHECK(curfew__loader_add(loader, &own->load, &greedy, KIB));
	item *beside = add(&modest, KIB);
	wait_until(&own->begun, 6);
	atomic_store(&own->may_end, 1);
	atomic_store(&beside->may_end, 1);
	curfew__loader_remove(loader, &own->load);
	CHECK_EQUAL(atomic_load(&own->ended), 6);
	CHECK(curfew__loader_cpu(loader, &own->load) > 0);
	end();
}

/* One that is removed while it waits is not called. */
static void test_removed(void)
{
	begin();
	item *first = add(&greedy, 30 * MIB);
	wait_until(&first->begun, 1);
	item *second = add(&greedy, 30 * MIB), *third = add(&greedy, 30 * MIB);
	curfew__loader_remove(loader, &second->load);
	atomic_store(&first->may_end, 1);
	atomic_store(&third->may_end, 1);
	wait_until(&third->ended, 1);
	CHECK_EQUAL(atomic_load(&second->begun), 0);
	end();
}

static const harness_test tests[] = {
	{"beside_a_large_one", test_beside_a_large_one},
	{"large_ones_take_turns", test_large_ones_take_turns},
	{"added_by_its_call", test_added_by_its_call},
	{"removed", test_removed},
};

HARNESS_MAIN(tests)
