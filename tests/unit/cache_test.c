/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled code on disk: what is kept, how much of it, and what is dropped first. */
#include "../harness.h"
#include "engine/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES = 6, ENTRY_BYTES = 1000 };

static char directory[HARNESS_PATH];

static void *make_directory(void)
{
	harness_directory(directory, "cache");
	return directory;
}

static void remove_directory(void *state)
{
	(void)state;
	curfew__cache_trim(directory, 0);
	CHECK_EQUAL(rmdir(directory), 0);
}

static void name_of(int number, char name[CURFEW__CACHE_NAME])
{
	curfew__cache_name("test", &number, sizeof number, name);
}

/* Writes an entry that was last used this many seconds ago. */
static void write_entry(int number, time_t age)
{
	static const char bytes[ENTRY_BYTES];
	struct timespec times[2] = {{.tv_sec = time(NULL) - age}, {.tv_sec = time(NULL) - age}};
	char name[CURFEW__CACHE_NAME], path[256];

	name_of(number, name);
	curfew__cache_write(directory, name, bytes, sizeof bytes);
	snprintf(path, sizeof path, "%s/%s", directory, name);
	CHECK_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_kept(int number)
{
	char name[CURFEW__CACHE_NAME];

	name_of(number, name);
	int file = curfew__cache_open(directory, name);
	if (file >= 0)
		close(file);
	return file >= 0;
}

/* Claim L421. */
static void test_oldest_go_first(void)
{
	char path[256];

	for (int i = 0; i < ENTRIES; i++)
		write_entry(i, 100000 - i * 10000);
	/* Using the first one makes it the last to be dropped. A file that is no entry stays. */
	CHECK(is_kept(0));
	snprintf(path, sizeof path, "%s/image.key", directory);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	curfew__cache_trim(directory, ENTRIES * 2 * ENTRY_BYTES);
	for (int i = 0; i < ENTRIES; i++)
		CHECK(is_kept(i));
	for (int i = 1; i < ENTRIES; i++)
		write_entry(i, 100000 - i * 10000);
	curfew__cache_trim(directory, 3 * ENTRY_BYTES);
	CHECK(is_kept(0));
	for (int i = 1; i < ENTRIES - 1; i++)
		CHECK(!is_kept(i));
	CHECK(is_kept(ENTRIES - 1));
	CHECK_EQUAL(unlink(path), 0);
}

/* The unfinished file of a killed process counts too, and is dropped. */
static void test_unfinished_entries_go(void)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - 1000}, {.tv_sec = time(NULL) - 1000}};
	char path[256];

	snprintf(path, sizeof path, "%s/.%040d.%016d", directory, 7, 7);
	int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_EQUAL(ftruncate(file, ENTRY_BYTES), 0);
	close(file);
	CHECK_EQUAL(utimensat(AT_FDCWD, path, times, 0), 0);
	write_entry(0, 10);
	curfew__cache_trim(directory, 3 * ENTRY_BYTES);
	CHECK_EQUAL(access(path, F_OK), 0);
	curfew__cache_trim(directory, 2 * ENTRY_BYTES - 1);
	CHECK(access(path, F_OK) != 0);
	CHECK(is_kept(0));
}

/* The fixture of each test. */
#define FIXTURE .set_up = make_directory, .tear_down = remove_directory

static const harness_test tests[] = {
	{"oldest_go_first", test_oldest_go_first, FIXTURE},
	{"unfinished_entries_go", test_unfinished_entries_go, FIXTURE},
};

HARNESS_MAIN(tests)
