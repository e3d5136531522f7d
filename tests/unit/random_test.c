/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes that are fetched some at a time: none come twice, in other threads and in processes made by fork
 * neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"

enum { COUNT = 1000 };

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(uint64_t));
}

static void fill(uint64_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_true(curfew__random_few(&numbers[i], sizeof *numbers));
}

static void assert_different(uint64_t *numbers, size_t count)
{
	qsort(numbers, count, sizeof *numbers, compare);
	for (size_t i = 1; i < count; i++)
		assert_memory_not_equal(&numbers[i - 1], &numbers[i], sizeof *numbers);
}

static void *fill_elsewhere(void *numbers)
{
	fill(numbers, COUNT);
	return NULL;
}

static void none_come_twice(void **state)
{
	static uint64_t numbers[2 * COUNT];
	pthread_t thread;
	(void)state;

	fill(numbers, COUNT);
	assert_int_equal(pthread_create(&thread, NULL, fill_elsewhere, numbers + COUNT), 0);
	pthread_join(thread, NULL);
	assert_different(numbers, 2 * COUNT);
}

static void a_child_has_its_own(void **state)
{
	uint64_t numbers[6];
	int ends[2];
	(void)state;

	fill(numbers, 1);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		fill(numbers + 3, 3);
		_exit(write(ends[1], numbers + 3, 3 * sizeof *numbers) < 0);
	}
	fill(numbers, 3);
	assert_int_equal(read(ends[0], numbers + 3, 3 * sizeof *numbers), 3 * sizeof *numbers);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_different(numbers, 6);
}

static void many_at_once_are_refused(void **state)
{
	unsigned char bytes[1000];
	(void)state;

	assert_false(curfew__random_few(bytes, sizeof bytes));
	assert_true(curfew__random_few(bytes, 64));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_come_twice),
		cmocka_unit_test(a_child_has_its_own),
		cmocka_unit_test(many_at_once_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
