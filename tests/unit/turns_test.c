/* SPDX-License-Identifier: Apache-2.0 */
/* Whose program is compiled next, if one tenant has filled the queue. */
#include "../harness.h"
#include "wasm/turns.h"

enum { PLACES = 4, TURNS_MAX = 64 };

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define SECOND INT64_C(1000000000)

static curfew__turn turns[TURNS_MAX];
static unsigned turn_count;
static curfew__shares shares;

static curfew__turn *newest(void)
{
	return turn_count > 0 ? &turns[turn_count - 1] : NULL;
}

static curfew__turn *add(uint64_t owner, uint64_t user, size_t length, int64_t now_ns)
{
	curfew__asker asker = {owner, user};
	curfew__turn *before = newest(), *made = &turns[turn_count++];
	*made = curfew__turn_of(&asker, length, now_ns);
	made->next = before;
	return made;
}

/* Starts all compilations that may start, and returns their number. */
static unsigned begin_all(void)
{
	unsigned begun = 0;
	for (curfew__turn *turn; (turn = curfew__turn_next(newest(), PLACES, &shares)) != NULL; begun++)
		curfew__turn_begin(turn, &shares);
	return begun;
}

/* Ten large programs of one tenant leave a place for a small one of another, which starts at once. */
static void test_another_tenant(void)
{
	for (int i = 0; i < 10; i++)
		(void)add(1, 0, 30 * MIB, i);
	CHECK_EQUAL(begin_all(), PLACES - 1);
	curfew__turn *small = add(2, 0, 10 * KIB, SECOND);
	CHECK_EQUAL(begin_all(), 1);
	CHECK(small->is_begun);
}

/* The same holds for small ones that take long, and for users of one tenant. */
static void test_many_small_ones(void)
{
	for (int i = 0; i < 10; i++)
		(void)add(1, 1, 10 * KIB, i);
	CHECK_EQUAL(begin_all(), PLACES / 2);
	curfew__turn *user = add(1, 2, 10 * KIB, SECOND), *owner = add(2, 0, 30 * MIB, SECOND);
	CHECK_EQUAL(begin_all(), 2);
	CHECK(user->is_begun && owner->is_begun);
}

/* If the tenant is unknown, large programs still leave a place for small ones. */
static void test_nobody_in_particular(void)
{
	for (int i = 0; i < 10; i++)
		(void)add(0, 0, 30 * MIB, i);
	CHECK_EQUAL(begin_all(), PLACES - 1);
	curfew__turn *small = add(0, 0, 10 * KIB, SECOND);
	CHECK_EQUAL(begin_all(), 1);
	CHECK(small->is_begun);
}

/* The tenant with fewer compilations in progress comes first, however long another one has waited. */
static void test_the_fewest_under_way(void)
{
	for (int i = 0; i < 6; i++)
		(void)add(1, 0, KIB, i);
	(void)begin_all();
	curfew__turn *other = add(2, 0, 8 * MIB, SECOND);
	CHECK_EQUAL(begin_all(), 1);
	CHECK(other->is_begun);
	turns[0].is_begun = false;
	curfew__turn *third = add(3, 0, 8 * MIB, 2 * SECOND);
	CHECK_EQUAL(begin_all(), 1);
	CHECK(third->is_begun);
}

/* Small ones overtake a large one only for as long as its size justifies. */
static void test_none_is_overtaken_for_ever(void)
{
	curfew__turn *large = add(1, 0, 4 * MIB, 0);
	curfew__turn *soon = add(1, 0, KIB, SECOND), *late = add(1, 0, KIB, 60 * SECOND);
	CHECK(curfew__turn_next(newest(), PLACES, &shares) == soon);
	soon->is_waiting = false;
	CHECK(curfew__turn_next(newest(), PLACES, &shares) == large);
	large->is_waiting = false;
	CHECK(curfew__turn_next(newest(), PLACES, &shares) == late);
}

/* Otherwise the order of arrival counts; and there are never more than the places, down to one. */
static void test_in_order(void)
{
	curfew__turn *first = add(1, 1, KIB, 5);
	(void)add(1, 1, KIB, 5);
	CHECK(curfew__turn_next(newest(), 1, &shares) == first);
	first->is_waiting = false;
	first->is_begun = true;
	CHECK(curfew__turn_next(newest(), 1, &shares) == NULL);
	CHECK(curfew__turn_next(NULL, PLACES, &shares) == NULL);
}

/* Begins the next one if there is one place, and answers whose it was. */
static uint64_t begin_one(uint64_t (*of)(const curfew__turn *turn))
{
	curfew__turn *turn = curfew__turn_next(newest(), 1, &shares);
	CHECK(turn != NULL);
	curfew__turn_begin(turn, &shares);
	turn->is_begun = false;
	return of(turn);
}

static uint64_t owner_of(const curfew__turn *turn)
{
	return turn->asker.owner;
}

static uint64_t user_of(const curfew__turn *turn)
{
	return turn->asker.user;
}

/* One place: whoever had less comes first, by the size of what it had. One that comes late has nothing saved. */
static void test_shares_of_one_place(void)
{
	for (int i = 0; i < 8; i++)
		(void)add(1, 0, 8 * MIB, i);
	CHECK_EQUAL(begin_one(owner_of), 1);
	for (int i = 0; i < 10; i++)
		(void)add(2, 0, MIB, SECOND);
	for (int i = 0; i < 8; i++)
		CHECK_EQUAL(begin_one(owner_of), 2);
	CHECK_EQUAL(begin_one(owner_of), 1);
	(void)add(3, 0, MIB, 2 * SECOND);
	(void)add(3, 0, 8 * MIB, 2 * SECOND);
	CHECK_EQUAL(begin_one(owner_of), 3);
	CHECK(begin_one(owner_of) != 3);
}

/* Users of one tenant share what it has; a run of no user in particular is one of them. */
static void test_shares_of_users(void)
{
	for (int i = 0; i < 4; i++)
		(void)add(1, 1, 8 * MIB, i);
	CHECK_EQUAL(begin_one(user_of), 1);
	for (int i = 0; i < 3; i++)
		(void)add(1, 0, 8 * MIB, SECOND);
	(void)add(2, 5, 20 * MIB, SECOND);
	CHECK_EQUAL(begin_one(user_of), 5);
	CHECK_EQUAL(begin_one(user_of), 0);
	CHECK_EQUAL(begin_one(user_of), 1);
	CHECK_EQUAL(begin_one(user_of), 0);
}

/* More owners than can be remembered: all come, and those remembered are those that had most. */
static void test_shares_that_are_forgotten(void)
{
	for (int round = 0; round < 4; round++) {
		for (uint64_t owner = 1; owner <= 3 * CURFEW__SHARES; owner++) {
			turn_count = 0;
			(void)add(owner, owner, owner == 7 ? 30 * MIB : KIB, 0);
			(void)begin_one(owner_of);
		}
	}
	turn_count = 0;
	(void)add(7, 7, KIB, 0);
	(void)add(8, 8, KIB, SECOND);
	CHECK_EQUAL(begin_one(owner_of), 8);
}

/* One that was asked for again while it is in progress waits for its end. */
static void test_begun_and_waiting(void)
{
	curfew__turn *turn = add(1, 1, KIB, 0);
	curfew__turn_begin(turn, &shares);
	turn->is_waiting = true;
	CHECK(curfew__turn_next(newest(), PLACES, &shares) == NULL);
	turn->is_begun = false;
	CHECK(curfew__turn_next(newest(), PLACES, &shares) == turn);
}

static const harness_test tests[] = {
	{"another_tenant", test_another_tenant},
	{"many_small_ones", test_many_small_ones},
	{"nobody_in_particular", test_nobody_in_particular},
	{"the_fewest_under_way", test_the_fewest_under_way},
	{"none_is_overtaken_for_ever", test_none_is_overtaken_for_ever},
	{"in_order", test_in_order},
	{"shares_of_one_place", test_shares_of_one_place},
	{"shares_of_users", test_shares_of_users},
	{"shares_that_are_forgotten", test_shares_that_are_forgotten},
	{"begun_and_waiting", test_begun_and_waiting},
};

HARNESS_MAIN(tests)
