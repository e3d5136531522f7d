/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled code on disk: what is kept, how much of it, and what goes first. */
#include "engine/cache.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ENTRIES = 6, ENTRY_BYTES = 1000 };

static char folder[] = "/tmp/curfew-cache-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	curfew__cache_trim(folder, 0);
	return rmdir(folder);
}

static void name_of(int number, char name[CURFEW__CACHE_NAME])
{
	curfew__cache_name("test", &number, sizeof number, name);
}

/* An entry that was last used so many seconds ago. */
static void write_entry(int number, time_t age)
{
	static const char bytes[ENTRY_BYTES];
	struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
	char name[CURFEW__CACHE_NAME], path[256];

	name_of(number, name);
	curfew__cache_write(folder, name, bytes, sizeof bytes);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_kept(int number)
{
	char name[CURFEW__CACHE_NAME];

	name_of(number, name);
	int file = curfew__cache_open(folder, name);
	if (file >= 0)
		close(file);
	return file >= 0;
}

/* Claim L421. */
static void test_oldest_go_first(void **state)
{
	char path[256];

	(void)state;
	for (int i = 0; i < ENTRIES; i++)
		write_entry(i, 100000 - i * 10000);
	/* Using the first one makes it the last to go; what is no entry stays. */
	assert_true(is_kept(0));
	snprintf(path, sizeof path, "%s/image.key", folder);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	curfew__cache_trim(folder, ENTRIES * 2 * ENTRY_BYTES);
	for (int i = 0; i < ENTRIES; i++)
		assert_true(is_kept(i));
	for (int i = 1; i < ENTRIES; i++)
		write_entry(i, 100000 - i * 10000);
	curfew__cache_trim(folder, 3 * ENTRY_BYTES);
	assert_true(is_kept(0));
	for (int i = 1; i < ENTRIES - 1; i++)
		assert_false(is_kept(i));
	assert_true(is_kept(ENTRIES - 1));
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_oldest_go_first, make_folder, remove_folder),
	};
	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
