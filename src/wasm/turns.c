/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/turns.h"

/* Programs above this size count as large: it is unknown how long they take. */
#define LARGE_BYTES ((size_t)1 << 20)
/* A program waits as if it had come later by this much for its size: one of a MiB lets small ones pass for a second. */
#define BYTE_NS 1000

/* The programs in progress that compete with a turn, and the shares of whoever asked for it. */
typedef struct places {
	unsigned all, of_owner, of_user, large;
	uint64_t share_of_owner, share_of_user;
} places;

curfew__turn curfew__turn_of(const curfew__asker *asker, size_t length, int64_t now_ns)
{
	return (curfew__turn){.asker = *asker,
	                      .length = length,
	                      .rank_ns = now_ns + (int64_t)length * BYTE_NS,
	                      .is_large = length > LARGE_BYTES,
	                      .is_waiting = true};
}

/* ---- Shares ----------------------------------------------------------------------------------------------- */

static uint64_t larger_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* NULL: it has none. */
static const curfew__share *find_share(const curfew__share *of, uint64_t owner, uint64_t user)
{
	for (const curfew__share *share = of; share < of + CURFEW__SHARES; share++)
		if (share->bytes && share->asker.owner == owner && share->asker.user == user)
			return share;
	return NULL;
}

static uint64_t share_of_owner(const curfew__shares *shares, const curfew__asker *asker)
{
	const curfew__share *own = find_share(shares->owners, asker->owner, 0);
	return larger_of(shares->level, own ? own->bytes : 0);
}

static uint64_t share_of_user(const curfew__shares *shares, const curfew__asker *asker)
{
	const curfew__share *owner = find_share(shares->owners, asker->owner, 0);
	const curfew__share *own = find_share(shares->users, asker->owner, asker->user);
	return larger_of(owner ? owner->level : 0, own ? own->bytes : 0);
}

/* Its former share is forgotten, or the smallest one. */
static void set_share(curfew__share *of, const curfew__share *share)
{
	const curfew__share *former = find_share(of, share->asker.owner, share->asker.user);
	size_t at = former ? (size_t)(former - of) : 0;

	for (size_t i = 1; !former && i < CURFEW__SHARES; i++)
		at = of[i].bytes < of[at].bytes ? i : at;
	of[at] = *share;
}

void curfew__turn_begin(curfew__turn *turn, curfew__shares *shares)
{
	const curfew__asker *asker = &turn->asker;
	uint64_t of_owner = share_of_owner(shares, asker), of_user = share_of_user(shares, asker);
	uint64_t bytes = turn->length + 1;

	turn->is_waiting = false;
	turn->is_begun = true;
	shares->level = of_owner;
	set_share(shares->owners, &(curfew__share){{asker->owner, 0}, of_owner + bytes, of_user});
	set_share(shares->users, &(curfew__share){*asker, of_user + bytes, 0});
}

/* ---- Turns ------------------------------------------------------------------------------------------------ */

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

static places count(const curfew__turn *begun, const curfew__asker *asker, const curfew__shares *shares)
{
	places taken = {.share_of_owner = share_of_owner(shares, asker), .share_of_user = share_of_user(shares, asker)};

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
	unsigned max_of_one = at_least_one(most - 1), max_of_user = at_least_one(most / 2);

	return taken->all < most && (!turn->is_large || taken->large < max_of_one) &&
	       (!turn->asker.owner || taken->of_owner < max_of_one) && (!turn->asker.user || taken->of_user < max_of_user);
}

static bool goes_before(const curfew__turn *turn, const places *taken, const curfew__turn *other,
                        const places *others_taken)
{
	if (taken->of_owner != others_taken->of_owner)
		return taken->of_owner < others_taken->of_owner;
	if (taken->share_of_owner != others_taken->share_of_owner)
		return taken->share_of_owner < others_taken->share_of_owner;
	if (taken->of_user != others_taken->of_user)
		return taken->of_user < others_taken->of_user;
	if (taken->share_of_user != others_taken->share_of_user)
		return taken->share_of_user < others_taken->share_of_user;
	/* Entries further back in the list came first. */
	return turn->rank_ns <= other->rank_ns;
}

curfew__turn *curfew__turn_next(curfew__turn *newest, unsigned most, const curfew__shares *shares)
{
	curfew__turn *begun = find_begun(newest), *found = NULL;
	places of_found = {0};

	for (curfew__turn *turn = newest; turn; turn = turn->next) {
		if (!turn->is_waiting || turn->is_begun)
			continue;
		places taken = count(begun, &turn->asker, shares);
		if (has_place(turn, &taken, most) && (!found || goes_before(turn, &taken, found, &of_found))) {
			found = turn;
			of_found = taken;
		}
	}
	return found;
}
