/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/turns.h"

/* Programs above this size count as large: it is unknown how long they take. */
#define LARGE_BYTES ((size_t)1 << 20)
/* A program waits as if it had come later by this much for its size: one of a MiB lets small ones pass for a second. */
#define BYTE_NS 1000

/* The programs in progress that compete with a turn. */
typedef struct places {
	unsigned all, of_owner, of_user, large;
} places;

curfew__turn curfew__turn_of(const curfew__asker *asker, size_t length, int64_t now_ns)
{
	return (curfew__turn){.asker = *asker,
	                      .rank_ns = now_ns + (int64_t)length * BYTE_NS,
	                      .is_large = length > LARGE_BYTES,
	                      .is_waiting = true};
}

/* Collect those in progress first, so that the many that wait are read only once. */
static curfew__turn *find_begun(curfew__turn *newest)
{
	curfew__turn *begun = NULL;

	for (curfew__turn *turn = newest; turn; turn = turn->next) {
		if (!turn->is_begun)
			continue;
		turn->next_begun = begun;
		begun = turn;
	}
	return begun;
}

static places count(const curfew__turn *begun, const curfew__asker *asker)
{
	places taken = {0};

	for (const curfew__turn *turn = begun; turn; turn = turn->next_begun) {
		bool is_owner = turn->asker.owner == asker->owner;
		taken.all++;
		taken.large += turn->is_large;
		taken.of_owner += is_owner;
		taken.of_user += is_owner && turn->asker.user == asker->user;
	}
	return taken;
}

static unsigned at_least_one(unsigned number)
{
	return number ? number : 1;
}

/* An owner, and large programs, may have all places but one; a user may have half of them. */
static bool has_place(const curfew__turn *turn, const places *taken, unsigned most)
{
	unsigned most_of_one = at_least_one(most - 1), most_of_user = at_least_one(most / 2);

	return taken->all < most && (!turn->is_large || taken->large < most_of_one) &&
	       (!turn->asker.owner || taken->of_owner < most_of_one) &&
	       (!turn->asker.user || taken->of_user < most_of_user);
}

static bool goes_before(const curfew__turn *turn, const places *taken, const curfew__turn *other,
                        const places *others_taken)
{
	if (taken->of_owner != others_taken->of_owner)
		return taken->of_owner < others_taken->of_owner;
	if (taken->of_user != others_taken->of_user)
		return taken->of_user < others_taken->of_user;
	/* Entries further back in the list came first. */
	return turn->rank_ns <= other->rank_ns;
}

curfew__turn *curfew__turn_next(curfew__turn *newest, unsigned most)
{
	curfew__turn *begun = find_begun(newest), *found = NULL;
	places of_found = {0};

	for (curfew__turn *turn = newest; turn; turn = turn->next) {
		if (!turn->is_waiting)
			continue;
		places taken = count(begun, &turn->asker);
		if (has_place(turn, &taken, most) && (!found || goes_before(turn, &taken, found, &of_found))) {
			found = turn;
			of_found = taken;
		}
	}
	return found;
}
