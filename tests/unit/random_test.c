/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes that are fetched in batches: no byte is used twice, even by other threads and after a fork. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../harness.h"
#include "base/random.h"

enum { COUNT = 1000 };

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint64_t));
}

static void fill(uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		CHECK(curfew__random_few(&numbers[i], sizeof *numbers));
}

static void assert_different(uint64_t *numbers, size_t count)
{
	qsort(numbers, count, sizeof *numbers, compare);
	for (size_t i = 1; i < count; i++)
		CHECK(memcmp(&numbers[i - 1], &numbers[i], sizeof *numbers) != 0);
}

static void *fill_elsewhere(void *numbers)
{
	fill(numbers, COUNT);
	return NULL;
}

static void none_come_twice(void)
{
	static uint64_t numbers[2 * COUNT];
	pthread_t thread;
	fill(numbers, COUNT);
	CHECK_EQUAL(pthread_create(&thread, NULL, fill_elsewhere, numbers + COUNT), 0);
	pthread_join(thread, NULL);
	assert_different(numbers, 2 * COUNT);
}

static void a_child_has_its_own(void)
{
	uint64_t numbers[6];
	int ends[2];
	fill(numbers, 1);
	CHECK_EQUAL(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		fill(numbers + 3, 3);
		_exit(write(ends[1], numbers + 3, 3 * sizeof *numbers) < 0);
	}
	fill(numbers, 3);
	CHECK_EQUAL(read(ends[0], numbers + 3, 3 * sizeof *numbers), 3 * sizeof *numbers);
	CHECK_EQUAL(waitpid(child, NULL, 0), child);
	assert_different(numbers, 6);
}

static void many_at_once_are_refused(void)
{
	unsigned char bytes[1000];
	CHECK(!curfew__random_few(bytes, sizeof bytes));
	CHECK(curfew__random_few(bytes, 64));
}

static const harness_test tests[] = {
	{"none_come_twice", none_come_twice},
	{"a_child_has_its_own", a_child_has_its_own},
	{"many_at_once_are_refused", many_at_once_are_refused},
};

HARNESS_MAIN(tests)
