/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memories: what is accessible, what a stop makes inaccessible, and that a reset restores everything that was
 * written. The tests ask the kernel what is accessible, not the memory's own record of its size.
 */
#include "../harness.h"
#include "memory/region.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, IMAGE_BYTES = 2 * MIB, STACK_TOP = 1 * MIB, LIMIT = 64 * MIB };

static int pipes[2];

/* Whether a byte can be read, and written. The kernel answers, because an access of our own would end the process. */
static bool can_read(const uint8_t *at)
{
	uint8_t byte;
	return write(pipes[1], at, 1) == 1 && read(pipes[0], &byte, 1) == 1;
}

static bool can_write(uint8_t *at)
{
	uint8_t byte = 0;
	if (!can_read(at))
		return false;
	CHECK_EQUAL(write(pipes[1], at, 1), 1);
	bool ok = read(pipes[0], at, 1) == 1;
	if (!ok)
		CHECK_EQUAL(read(pipes[0], &byte, 1), 1);
	return ok;
}

static curfew__image *make_image(size_t length, uint8_t byte)
{
	static const curfew__layout layout = {STACK_TOP, STACK_TOP, STACK_TOP, 0};
	uint8_t *pages = malloc(length);
	uint32_t *numbers = malloc(length / CURFEW__PAGE * sizeof *numbers);

	memset(pages, byte, length);
	memset(pages, 0, STACK_TOP);
	for (uint32_t i = 0; i < length / CURFEW__PAGE; i++)
		numbers[i] = i;
	curfew__image *image = curfew__image_create(NULL, length, &layout, numbers, pages, length / CURFEW__PAGE);
	CHECK(image != NULL);
	free(numbers);
	free(pages);
	return image;
}

/* Whether the memory equals its image, and is zero after it, up to `end`. */
static void assert_fresh(curfew__region *region, size_t end)
{
	static const uint8_t zeros[CURFEW__PAGE];
	size_t length = region->image ? region->image->length : 0;

	for (size_t at = 0; at < end; at += CURFEW__PAGE)
		CHECK_BYTES(region->base + at, at < length ? region->image->bytes + at : zeros, CURFEW__PAGE);
}

static void give(curfew__pool *pool, curfew__region *region)
{
	size_t lowest;
	curfew__pool_give(pool, region, &lowest);
}

static void grow(curfew__region *region, size_t size)
{
	CHECK(curfew__region_grow(region, size));
	CHECK_EQUAL(region->size, size);
}

/* ---- What is accessible ----------------------------------------------------------------------------------- */

static void exactly_the_size_is_open(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	curfew__region *region = curfew__pool_take(pool, image, LIMIT);
	CHECK(can_write(region->base + IMAGE_BYTES - 1));
	CHECK(!can_read(region->base + IMAGE_BYTES));
	CHECK(!can_read(region->base + LIMIT - 1));
	grow(region, IMAGE_BYTES + CURFEW__WASM_PAGE);
	CHECK(can_write(region->base + IMAGE_BYTES + CURFEW__WASM_PAGE - 1));
	CHECK(!can_read(region->base + IMAGE_BYTES + CURFEW__WASM_PAGE));
	CHECK(!curfew__region_grow(region, LIMIT + CURFEW__WASM_PAGE));
	CHECK(!can_read(region->base + IMAGE_BYTES + CURFEW__WASM_PAGE));

	/* Memory that one run has grown into is not accessible to the next one. */
	grow(region, LIMIT);
	CHECK(can_write(region->base + LIMIT - 1));
	give(pool, region);
	CHECK(curfew__pool_take(pool, image, LIMIT) == region);
	CHECK_EQUAL(region->size, IMAGE_BYTES);
	CHECK(!can_read(region->base + IMAGE_BYTES));
	give(pool, region);
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

static void a_plain_region_is_open_to_its_size(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__region *region = curfew__pool_take_plain(pool, 4 * MIB);
	CHECK(can_write(region->base + 4 * MIB - 1));
	CHECK(!can_read(region->base + 4 * MIB));
	grow(region, 5 * MIB);
	memset(region->base, 1, 5 * MIB);
	curfew__pool_give_plain(pool, region, false);
	CHECK(curfew__pool_take_plain(pool, CURFEW__WASM_PAGE) == region);
	CHECK(!can_read(region->base + CURFEW__WASM_PAGE));
	grow(region, 5 * MIB);
	assert_fresh(region, 5 * MIB);
	curfew__pool_give_plain(pool, region, false);
	curfew__pool_destroy(pool);
}

/* With huge pages more than the size may be accessible. Then that is what is reset. */
static void huge_pages_open_by_their_own_size(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, true);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	curfew__region *region = curfew__pool_take(pool, image, LIMIT);
	grow(region, IMAGE_BYTES + CURFEW__WASM_PAGE);
	CHECK(can_write(region->base + 2 * IMAGE_BYTES - 1));
	CHECK(!can_read(region->base + 2 * IMAGE_BYTES));
	memset(region->base + IMAGE_BYTES, 1, IMAGE_BYTES);
	give(pool, region);
	CHECK(curfew__pool_take(pool, image, LIMIT) == region);
	grow(region, 2 * IMAGE_BYTES);
	assert_fresh(region, 2 * IMAGE_BYTES);
	give(pool, region);
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

/* ---- The last resort of a stop ---------------------------------------------------------------------------- */

static void protection_takes_all_of_it(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	curfew__region *region = curfew__pool_take(pool, image, LIMIT);
	grow(region, LIMIT);
	region->size = IMAGE_BYTES; /* a guest that could write this might claim it */
	CHECK(curfew__region_protect(region));
	for (size_t at = 0; at < LIMIT; at += CURFEW__WASM_PAGE)
		CHECK(!can_read(region->base + at));
	CHECK(curfew__region_unprotect(region));
	CHECK(can_write(region->base));
	CHECK(can_write(region->base + LIMIT - 1));
	give(pool, region);
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

static void what_grows_meanwhile_is_taken_too(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	curfew__region *region = curfew__pool_take(pool, image, LIMIT);
	CHECK(curfew__region_protect(region));
	grow(region, 8 * MIB);
	CHECK(!can_read(region->base));
	CHECK(!can_read(region->base + 8 * MIB - 1));

	/* A region that is returned in this state serves the next run like any other. */
	give(pool, region);
	CHECK(curfew__pool_take(pool, image, LIMIT) == region);
	CHECK(can_write(region->base + IMAGE_BYTES - 1));
	grow(region, 8 * MIB);
	CHECK(can_write(region->base + 8 * MIB - 1));
	give(pool, region);
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

/* ---- Resetting -------------------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Writes to few or many random pages within the accessible memory. */
static void scribble(curfew__region *region, uint64_t *random)
{
	static const unsigned counts[] = {0, 1, 5, 60, 90, 110, 400, 2000};
	unsigned count = counts[next_random(random) % (sizeof counts / sizeof *counts)];

	for (unsigned i = 0; i < count; i++)
		region->base[next_random(random) % region->open_end] ^= (uint8_t)(1 + next_random(random) % 255);
}

typedef struct scribbling {
	curfew__region *region;
	uint64_t random;
} scribbling;

static void *scribble_elsewhere(void *argument)
{
	scribbling *work = argument;
	curfew__region_note_use(work->region);
	scribble(work->region, &work->random);
	return NULL;
}

static void on_other_thread(curfew__region *region, uint64_t *random)
{
	scribbling work = {region, *random};
	pthread_t thread;

	CHECK_EQUAL(pthread_create(&thread, NULL, scribble_elsewhere, &work), 0);
	pthread_join(thread, NULL);
}

/* One run changes everything that it can reach. The next one sees all of it fresh. */
static void one_run(curfew__pool *pool, curfew__image *image, uint64_t *random)
{
	curfew__region *region = curfew__pool_take(pool, image, LIMIT);
	uint64_t kind = next_random(random);

	CHECK(region != NULL);
	assert_fresh(region, IMAGE_BYTES);
	if (kind % 3 == 0)
		grow(region, IMAGE_BYTES + kind / 3 % 32 * CURFEW__WASM_PAGE);
	assert_fresh(region, region->size);
	scribble(region, random);
	if (kind % 5 == 0)
		on_other_thread(region, random);
	if (kind % 7 == 0)
		curfew__pool_trim(pool, region);
	if (kind % 11 == 0)
		region->size = IMAGE_BYTES;
	give(pool, region);
}

static void put_back_whatever_was_written(curfew__pool *pool)
{
	curfew__image *images[2] = {make_image(IMAGE_BYTES, 7), make_image(IMAGE_BYTES, 9)};
	uint64_t random = 0x9e3779b97f4a7c15;

	for (int i = 0; i < 400; i++)
		one_run(pool, images[i % 16 == 0], &random);
	curfew__image_unref(images[0]);
	curfew__image_unref(images[1]);
	curfew__pool_destroy(pool);
}

static void a_reset_is_exact(void)
{
	/* Claim T17. */
	put_back_whatever_was_written(curfew__pool_create(64 * MIB, 0, false));
}

static void a_reset_is_exact_without_scans(void)
{
	put_back_whatever_was_written(curfew__pool_create(64 * MIB, open("/dev/null", O_RDONLY | O_CLOEXEC), false));
}

static void a_reset_is_exact_where_nothing_may_stay(void)
{
	put_back_whatever_was_written(curfew__pool_create(CURFEW__PAGE, 0, false));
}

static void a_reset_is_exact_with_huge_pages(void)
{
	put_back_whatever_was_written(curfew__pool_create(64 * MIB, 0, true));
}

/* The system may merge a few small pages into a huge page at any time. Writing to it then causes no page fault. */
static void pages_that_the_system_made_are_put_back(void)
{
	enum { COLLAPSE = 25 }; /* MADV_COLLAPSE of Linux 6.1 */
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, true);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	curfew__region *region = NULL;
	for (int round = 0; round < 20; round++) {
		region = curfew__pool_take(pool, image, LIMIT);
		grow(region, 2 * IMAGE_BYTES);
		madvise(region->base + IMAGE_BYTES, IMAGE_BYTES, MADV_NOHUGEPAGE); /* so that only one page is used */
		region->base[IMAGE_BYTES] = 1;
		madvise(region->base + IMAGE_BYTES, IMAGE_BYTES, MADV_HUGEPAGE);
		give(pool, region);
	}
	CHECK(curfew__pool_take(pool, image, LIMIT) == region);
	grow(region, 2 * IMAGE_BYTES);
	madvise(region->base + IMAGE_BYTES, IMAGE_BYTES, COLLAPSE);
	region->base[IMAGE_BYTES + 100 * CURFEW__PAGE] = 1;
	give(pool, region);
	CHECK(curfew__pool_take(pool, image, LIMIT) == region);
	grow(region, 2 * IMAGE_BYTES);
	assert_fresh(region, 2 * IMAGE_BYTES);
	give(pool, region);
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

/* A second region on the same thread does not hide the first one's changes. */
static void regions_in_turns_are_exact(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	curfew__region *regions[3];
	uint64_t random = 1;
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 3; i++)
			regions[i] = curfew__pool_take(pool, image, LIMIT);
		for (int i = 0; i < 3; i++) {
			assert_fresh(regions[i], IMAGE_BYTES);
			scribble(regions[i], &random);
		}
		for (int i = 0; i < 3; i++)
			give(pool, regions[(i + round) % 3]);
	}
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

/* A thread that writes one byte of another page on each request. */
typedef struct helper {
	curfew__region *_Atomic region; /* NULL: it has written */
	atomic_bool ending;
	size_t at;
} helper;

static void *write_on_request(void *argument)
{
	helper *h = argument;

	while (!atomic_load(&h->ending)) {
		curfew__region *region = atomic_load(&h->region);
		if (!region) {
			sched_yield();
			continue;
		}
		curfew__region_note_use(region);
		region->base[h->at] ^= 1;
		h->at += 3 * CURFEW__PAGE;
		atomic_store(&h->region, NULL);
	}
	return NULL;
}

/*
 * The thread that takes and gives a region has no page fault meanwhile, so its count does not show what others wrote.
 */
static void what_another_thread_wrote_is_put_back(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	helper h = {.at = STACK_TOP};
	pthread_t thread;
	CHECK_EQUAL(pthread_create(&thread, NULL, write_on_request, &h), 0);
	for (int round = 0; round < 60; round++) {
		curfew__region *region = curfew__pool_take(pool, image, LIMIT);
		assert_fresh(region, IMAGE_BYTES);
		atomic_store(&h.region, region);
		while (atomic_load(&h.region))
			sched_yield();
		give(pool, region);
	}
	atomic_store(&h.ending, true);
	pthread_join(thread, NULL);
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

/* A thread that uses a plain region as a clean one on each request. */
typedef struct cleaner {
	curfew__pool *_Atomic pool; /* NULL: it has done so */
	atomic_bool ending;
} cleaner;

static void *use_on_request(void *argument)
{
	cleaner *c = argument;

	while (!atomic_load(&c->ending)) {
		curfew__pool *pool = atomic_load(&c->pool);
		if (pool) {
			curfew__region *region = curfew__pool_take_plain(pool, CURFEW__WASM_PAGE);
			region->base[0] = 1;
			curfew__pool_give_plain(pool, region, true);
			atomic_store(&c->pool, NULL);
		}
		sched_yield();
	}
	return NULL;
}

static void what_was_clean_is_looked_at(void)
{
	cleaner c = {.ending = false};
	pthread_t thread;
	CHECK_EQUAL(pthread_create(&thread, NULL, use_on_request, &c), 0);
	for (int round = 0; round < 60; round++) {
		curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
		curfew__region *region = NULL;
		for (int i = 0; i < 3; i++) {
			region = curfew__pool_take_plain(pool, CURFEW__WASM_PAGE);
			curfew__pool_give_plain(pool, region, false);
		}
		atomic_store(&c.pool, pool);
		while (atomic_load(&c.pool))
			sched_yield();
		CHECK(curfew__pool_take_plain(pool, CURFEW__WASM_PAGE) == region);
		region->base[100] = 1;
		curfew__pool_give_plain(pool, region, false);
		CHECK(curfew__pool_take_plain(pool, CURFEW__WASM_PAGE) == region);
		CHECK_EQUAL(region->base[100], 0);
		curfew__pool_give_plain(pool, region, false);
		curfew__pool_destroy(pool);
	}
	atomic_store(&c.ending, true);
	pthread_join(thread, NULL);
}

/* The pages that a run touched stay in memory for the next one, even those that it had grown into. */
static void touched_memory_stays(void)
{
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__image *image = make_image(IMAGE_BYTES, 7);
	unsigned char resident[MIB / CURFEW__PAGE];
	curfew__region *region = curfew__pool_take(pool, image, LIMIT);
	grow(region, IMAGE_BYTES + MIB);
	memset(region->base + IMAGE_BYTES, 1, MIB);
	give(pool, region);
	if (curfew__pool_count(pool).resident_bytes == 0) {
		curfew__image_unref(image);
		curfew__pool_destroy(pool);
		harness_skip("before Linux 6.7");
	}
	CHECK_EQUAL(curfew__pool_count(pool).resident_bytes, MIB);
	CHECK_EQUAL(mincore(region->base + IMAGE_BYTES, MIB, resident), 0);
	for (size_t i = 0; i < sizeof resident; i++)
		CHECK(resident[i] & 1);
	curfew__image_unref(image);
	curfew__pool_destroy(pool);
}

/* ---- Address space ---------------------------------------------------------------------------------------- */

/* Runs in a process of its own, with address space for eight regions. */
static void in_little_space(void (*body)(curfew__pool *pool, curfew__image *image))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct rlimit limit = {(rlim_t)36 << 30, (rlim_t)36 << 30};
		curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
		curfew__image *image = make_image(IMAGE_BYTES, 7);
		if (setrlimit(RLIMIT_AS, &limit))
			_exit(2);
		body(pool, image);
		curfew__image_unref(image);
		curfew__pool_destroy(pool);
		_exit(0);
	}
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK_EQUAL(status, 0);
}

static void expect(bool holds)
{
	if (!holds)
		_exit(3);
}

static void use_up_and_heal(curfew__pool *pool, curfew__image *image)
{
	curfew__region *plain[16], *region;
	size_t count = 0;

	while (count < 16 && (plain[count] = curfew__pool_take_plain(pool, CURFEW__WASM_PAGE)))
		count++;
	expect(count >= 4 && count < 16);
	expect(!curfew__pool_take(pool, image, LIMIT));
	while (count)
		curfew__pool_give_plain(pool, plain[--count], false);

	/* The pool kept regions of the other kind; and the other way round. */
	expect((region = curfew__pool_take(pool, image, LIMIT)));
	give(pool, region);
	while (count < 16 && (plain[count] = curfew__pool_take_plain(pool, CURFEW__WASM_PAGE)))
		count++;
	expect(count >= 4);
	while (count)
		curfew__pool_give_plain(pool, plain[--count], false);
	expect(curfew__pool_count(pool).in_use == 0);
}

static void running_out_of_address_space_heals(void)
{
	/* Claim T14. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	harness_skip("they take more address space than there is here");
#endif
	in_little_space(use_up_and_heal);
}

/* The system does not make it writable again: it is not used, and not kept. */
static void a_region_that_stays_protected_is_given_up(void)
{
	struct rlimit before, few;
	curfew__pool *pool = curfew__pool_create(64 * MIB, 0, false);
	curfew__region *region = curfew__pool_take_plain(pool, 4 * MIB);
	CHECK(curfew__region_protect(region));
	getrlimit(RLIMIT_DATA, &before);
	few = before;
	few.rlim_cur = CURFEW__PAGE;
	setrlimit(RLIMIT_DATA, &few);
	curfew__pool_give_plain(pool, region, true);
	setrlimit(RLIMIT_DATA, &before);
	curfew__pool_counts counts = curfew__pool_count(pool);
	CHECK_EQUAL(counts.in_use, 0);
	CHECK_EQUAL(counts.pooled, 0);
	curfew__pool_destroy(pool);
}

static const harness_test tests[] = {
	{"exactly_the_size_is_open", exactly_the_size_is_open},
	{"a_plain_region_is_open_to_its_size", a_plain_region_is_open_to_its_size},
	{"huge_pages_open_by_their_own_size", huge_pages_open_by_their_own_size},
	{"protection_takes_all_of_it", protection_takes_all_of_it},
	{"what_grows_meanwhile_is_taken_too", what_grows_meanwhile_is_taken_too},
	{"a_reset_is_exact", a_reset_is_exact},
	{"a_reset_is_exact_without_scans", a_reset_is_exact_without_scans},
	{"a_reset_is_exact_where_nothing_may_stay", a_reset_is_exact_where_nothing_may_stay},
	{"a_reset_is_exact_with_huge_pages", a_reset_is_exact_with_huge_pages},
	{"pages_that_the_system_made_are_put_back", pages_that_the_system_made_are_put_back},
	{"regions_in_turns_are_exact", regions_in_turns_are_exact},
	{"what_another_thread_wrote_is_put_back", what_another_thread_wrote_is_put_back},
	{"what_was_clean_is_looked_at", what_was_clean_is_looked_at},
	{"touched_memory_stays", touched_memory_stays},
	{"running_out_of_address_space_heals", running_out_of_address_space_heals},
	{"a_region_that_stays_protected_is_given_up", a_region_that_stays_protected_is_given_up},
};

int main(int count, char **words)
{
	if (pipe(pipes))
		return 1;
	return harness_main(count, words, tests, sizeof tests / sizeof tests[0]);
}
