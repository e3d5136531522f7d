/* SPDX-License-Identifier: Apache-2.0 */
/* Turns without a server: which run is next, whatever other tokens request. */
#include "../harness.h"
#include "server/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

static tenant tenant_of(uint64_t running_max)
{
	return (tenant){.running_max = running_max};
}

static void add(scheduler *s, waiting *w, tenant *t, const char *user, unsigned priority)
{
	*w = (waiting){.tenant = t, .user = user, .priority = priority, .memory_bytes = MIB, .held_bytes = 10};
	CHECK(scheduler_add(s, w, 0));
}

/* Takes this many runs, each of which ends at once, and names them by their index. */
static void take_all(scheduler *s, const waiting *all, size_t count, char *order)
{
	for (size_t i = 0; i < count; i++) {
		waiting *w = scheduler_take(s, 0);
		CHECK(w != NULL);
		order[i] = (char)('a' + (w - all));
		scheduler_release(s, w);
	}
	order[count] = '\0';
	CHECK(scheduler_take(s, 0) == NULL);
}

static void test_tokens_take_turns(void)
{
	scheduler s;
	tenant a = tenant_of(UINT64_MAX), b = tenant_of(UINT64_MAX);
	waiting all[9];
	char order[16], users[8][8];
	scheduler_init(&s, 4, 100 * MIB);

	/* Many users and the highest priority give no advantage over another token. */
	for (int i = 0; i < 7; i++) {
		(void)snprintf(users[i], sizeof users[i], "u%d", i);
		add(&s, &all[i], &a, users[i], 9);
	}
	add(&s, &all[7], &b, NULL, 0);
	add(&s, &all[8], &b, NULL, 0);
	CHECK_EQUAL(s.held_bytes, 90);
	take_all(&s, all, 9, order);
	CHECK_TEXT(order, "ahbicdefg");
	CHECK_EQUAL(s.held_bytes, 0);
	CHECK_EQUAL(a.queued + b.queued + a.running + b.running, 0);
	scheduler_finish(&s);
}

static void test_within_a_token(void)
{
	scheduler s;
	tenant a = tenant_of(UINT64_MAX);
	waiting all[7];
	char order[16];
	scheduler_init(&s, 4, 100 * MIB);
	add(&s, &all[0], &a, NULL, 5);
	add(&s, &all[1], &a, "ada", 5);
	add(&s, &all[2], &a, "ada", 5);
	add(&s, &all[3], &a, "ada", 5);
	add(&s, &all[4], &a, "bob", 5);
	add(&s, &all[5], &a, "bob", 9);
	add(&s, &all[6], &a, "eve", 0);
	take_all(&s, all, 7, order);
	CHECK_TEXT(order, "fabecdg");
	scheduler_finish(&s);
}

static void test_bounds(void)
{
	scheduler s;
	tenant a = tenant_of(1), b = tenant_of(UINT64_MAX);
	waiting all[5];
	scheduler_init(&s, 3, 100 * MIB);
	for (int i = 0; i < 3; i++)
		add(&s, &all[i], &a, NULL, 5);
	CHECK(scheduler_take(&s, 0) == &all[0]);
	CHECK(scheduler_take(&s, 0) == NULL);
	add(&s, &all[3], &b, NULL, 5);
	add(&s, &all[4], &b, NULL, 5);
	CHECK(scheduler_take(&s, 0) == &all[3]);
	CHECK(scheduler_take(&s, 0) == &all[4]);
	scheduler_release(&s, &all[0]);
	CHECK(scheduler_take(&s, 0) == &all[1]);
	CHECK(scheduler_take(&s, 0) == NULL);
	scheduler_remove(&s, &all[2]);
	CHECK_EQUAL(s.queued, 0);
	scheduler_finish(&s);
}

static void test_memory(void)
{
	scheduler s;
	tenant big = tenant_of(UINT64_MAX), small = tenant_of(UINT64_MAX);
	waiting large = {.tenant = &big, .memory_bytes = 40 * MIB}, many[400];
	scheduler_init(&s, 1000, 100 * MIB);
	for (size_t i = 0; i < 400; i++)
		many[i] = (waiting){.tenant = &small, .memory_bytes = 10 * MIB};
	for (size_t i = 0; i < 10; i++) {
		CHECK(scheduler_add(&s, &many[i], 0));
		CHECK(scheduler_take(&s, 0) == &many[i]);
	}
	CHECK(scheduler_add(&s, &large, 0));
	for (size_t i = 10; i < 400; i++)
		CHECK(scheduler_add(&s, &many[i], 0));
	CHECK(scheduler_take(&s, 1) == NULL);

	/* The small ones continue for a while, and then leave capacity until the large one fits. */
	size_t oldest = 0;
	waiting *taken = NULL;
	for (int64_t now_us = 1; taken != &large; now_us += 100000) {
		CHECK(now_us < 10000000 && s.memory_bytes <= 100 * MIB);
		scheduler_release(&s, &many[oldest++]);
		while ((taken = scheduler_take(&s, now_us)) != NULL && taken != &large) {
		}
	}
	CHECK(oldest > 20);
	scheduler_release(&s, &large);

	/* A run that needs more than half of the budget makes no other run wait. */
	large.memory_bytes = 60 * MIB;
	CHECK(scheduler_add(&s, &large, 0));
	for (int i = 0; i < 100; i++) {
		while ((taken = scheduler_take(&s, 20000000 + i * 1000000)) != NULL)
			CHECK(taken != &large);
		CHECK_EQUAL(s.memory_bytes, 100 * MIB);
		scheduler_release(&s, &many[oldest++]);
	}
	while (s.queued > 0)
		scheduler_remove(&s, s.queued == 1 ? &large : &many[399 - (s.queued - 2)]);
	scheduler_finish(&s);
}

static void test_time(void)
{
	scheduler s;
	tenant a = tenant_of(UINT64_MAX);
	waiting all[100];
	int64_t next_us;
	scheduler_init(&s, 1000, 100 * MIB);
	for (int i = 0; i < 100; i++) {
		all[i] = (waiting){.tenant = &a, .due_us = 1 + i * 37 % 100};
		CHECK(scheduler_add(&s, &all[i], 0));
	}
	for (int i = 50; i < 60; i++)
		scheduler_remove(&s, &all[i]);
	CHECK_EQUAL(a.scheduled, 90);
	int64_t last_us = 0;
	for (int64_t now_us = 0; now_us <= 100; now_us++) {
		waiting *w;
		while ((w = scheduler_wake(&s, now_us, &next_us)) != NULL) {
			CHECK(w->due_us >= last_us && w->due_us <= now_us);
			last_us = w->due_us;
		}
		CHECK(next_us > now_us);
	}
	CHECK_EQUAL(a.scheduled, 0);
	CHECK_EQUAL(a.queued, 90);
	for (int i = 0; i < 90; i++)
		CHECK(scheduler_take(&s, 100) != NULL);
	scheduler_finish(&s);
}

/* Thousands of runs arrive and end at random. In the end all counts are zero. */
static void test_random(void)
{
	enum { COUNT = 2000 };
	static waiting all[COUNT];
	static int states[COUNT]; /* 0: none, 1: waits, 2: runs */
	static const char *const users[] = {NULL, "ada", "bob", "eve"};
	scheduler s;
	tenant tenants[5];
	uint32_t random = 1;
	scheduler_init(&s, 50, 1000 * MIB);
	for (int i = 0; i < 5; i++)
		tenants[i] = tenant_of(i == 0 ? 3 : UINT64_MAX);
	for (int64_t now_us = 0; now_us < 200000; now_us += 10) {
		random = random * 1664525 + 1013904223;
		unsigned i = (random >> 8) % COUNT;
		int64_t next_us;
		while (scheduler_wake(&s, now_us, &next_us) != NULL) {
		}
		if (states[i] == 0) {
			all[i] = (waiting){.tenant = &tenants[random % 5],
			                   .user = users[random >> 4 & 3],
			                   .priority = (random >> 12) % PRIORITIES,
			                   .due_us = random & 1 ? now_us + random % 1000 : 0,
			                   .memory_bytes = random % (100 * MIB),
			                   .held_bytes = 3};
			CHECK(scheduler_add(&s, &all[i], now_us));
		} else if (states[i] == 1) {
			scheduler_remove(&s, &all[i]);
		} else {
			scheduler_release(&s, &all[i]);
		}
		states[i] = states[i] == 0;
		for (waiting *w; (w = scheduler_take(&s, now_us)) != NULL;)
			states[w - all] = 2;
		CHECK(s.running <= 50 && tenants[0].running <= 3 && s.memory_bytes <= 1000 * MIB);
	}
	for (int i = 0; i < COUNT; i++) {
		if (states[i] != 0)
			(states[i] == 1 ? scheduler_remove : scheduler_release)(&s, &all[i]);
	}
	CHECK_EQUAL(s.running + s.queued + s.scheduled + s.memory_bytes + s.held_bytes, 0);
	CHECK(curfew__list_is_empty(&s.round));
	scheduler_finish(&s);
}

static void test_shares(void)
{
	CHECK(scheduler_has_share(1, 0, 0, 1));
	CHECK(!scheduler_has_share(1, 1, 0, 1));
	/* A single token gets half, the next one half of the rest. There always is a place for one more. */
	uint64_t total = 0;
	for (int i = 0; i < 6; i++) {
		uint64_t own = 0;
		while (scheduler_has_share(100, total, own, 1)) {
			own++;
			total++;
		}
		CHECK(own > 0);
		CHECK_EQUAL(own, i == 0 ? 50 : i == 1 ? 25 : i == 2 ? 13 : i == 3 ? 6 : i == 4 ? 3 : 2);
	}
}

/* What is kept of runs takes of the memory; a tenant that has more than its share waits, and the others go on. */
static void test_what_is_kept(void)
{
	scheduler s;
	tenant a = tenant_of(UINT64_MAX), b = tenant_of(UINT64_MAX);
	waiting all[3];
	scheduler_init(&s, 4, 10 * MIB);
	a.large.all = b.large.all = &s.large;
	add(&s, &all[0], &a, NULL, 5);
	add(&s, &all[1], &b, NULL, 5);
	add(&s, &all[2], &b, NULL, 5);

	blob *report = blob_reserve(7 * MIB), *small = blob_reserve(BLOB_SMALL);
	CHECK(report != NULL && small != NULL);
	blob_count(report, &a.large);
	blob_count(small, &a.large);
	CHECK_EQUAL(s.large.bytes, 7 * MIB);
	CHECK(scheduler_keeps_too_much(&s, &a) && !scheduler_keeps_too_much(&s, &b));
	CHECK(scheduler_take(&s, 0) == &all[1]);
	CHECK(scheduler_take(&s, 0) == &all[2]);
	CHECK(scheduler_take(&s, 0) == NULL);

	/* It is counted until the last one who has it gives it up. */
	(void)blob_ref(report);
	blob_unref(report);
	CHECK(scheduler_take(&s, 0) == NULL);
	blob_unref(report);
	blob_unref(small);
	CHECK_EQUAL(s.large.bytes + a.large.bytes, 0);
	CHECK(scheduler_take(&s, 0) == &all[0]);

	/* Without a share of its own to exceed, it still has to fit beside what others keep. */
	for (size_t i = 0; i < 3; i++)
		scheduler_release(&s, &all[i]);
	report = blob_reserve(5 * MIB);
	CHECK(report != NULL);
	blob_count(report, &a.large);
	all[0] = (waiting){.tenant = &b, .priority = 5, .memory_bytes = 6 * MIB};
	CHECK(scheduler_add(&s, &all[0], 0));
	CHECK(scheduler_take(&s, 0) == NULL);
	blob_unref(report);
	CHECK(scheduler_take(&s, 0) == &all[0]);
	scheduler_release(&s, &all[0]);
	scheduler_finish(&s);
}

static const harness_test tests[] = {
	{"tokens_take_turns", test_tokens_take_turns},
	{"within_a_token", test_within_a_token},
	{"bounds", test_bounds},
	{"memory", test_memory},
	{"time", test_time},
	{"random", test_random},
	{"shares", test_shares},
	{"what_is_kept", test_what_is_kept},
};

HARNESS_MAIN(tests)
