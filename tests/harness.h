/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests in C. Without an argument a program lists its tests; with a name it runs that test. Each test is a process
 * of its own, because tests may hang and crash.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <dirent.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct harness_test {
	const char *name;
	void (*run)(void);
	void (*run_on)(void *fixture); /* instead of run; the fixture is the result of set_up */
	void *(*set_up)(void);         /* NULL: no fixture is needed */
	void (*tear_down)(void *fixture);
} harness_test;

/*
 * The exit code of a test that cannot run here, after it has printed the reason. tests/integration/programs.py has the
 * same number.
 */
enum { HARNESS_SKIPPED = 77 };

#define CHECK(condition) harness_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQUAL(seen, expected) harness_equal((long long)(seen), (long long)(expected), __FILE__, __LINE__, #seen)
#define CHECK_TEXT(seen, expected) harness_text((seen), (expected), __FILE__, __LINE__, #seen)
#define CHECK_BYTES(seen, expected, length) harness_bytes((seen), (expected), (length), __FILE__, __LINE__, #seen)
/* Checks a call of the library: 0 is CURFEW_OK. */
#define CHECK_OK(call) harness_equal((long long)(call), 0, __FILE__, __LINE__, #call)
#define harness_skip(why) harness_end(HARNESS_SKIPPED, "%s\n", why)
#define harness_fail(...) harness_end(1, __VA_ARGS__)

static inline void harness_check(bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: %s does not hold\n", file, line, what);
	_exit(1);
}

static inline void harness_equal(long long seen, long long expected, const char *file, int line, const char *what)
{
	if (seen == expected)
		return;
	(void)fprintf(stderr, "%s:%d: %s: expected %lld, seen %lld\n", file, line, what, expected, seen);
	_exit(1);
}

static inline void harness_text(const char *seen, const char *expected, const char *file, int line, const char *what)
{
	if ((seen == NULL && expected == NULL) || (seen != NULL && expected != NULL && strcmp(seen, expected) == 0))
		return;
	(void)fprintf(stderr, "%s:%d: %s: expected %s, seen %s\n", file, line, what, expected != NULL ? expected : "NULL",
	              seen != NULL ? seen : "NULL");
	_exit(1);
}

static inline void harness_bytes(const void *seen, const void *expected, size_t length, const char *file, int line,
                                 const char *what)
{
	const unsigned char *a = seen, *b = expected;
	for (size_t i = 0; i < length; i++) {
		if (a[i] == b[i])
			continue;
		(void)fprintf(stderr, "%s:%d: %s: byte %zu of %zu: expected %02x, seen %02x\n", file, line, what, i, length,
		              b[i], a[i]);
		_exit(1);
	}
}

__attribute__((format(printf, 2, 3), noreturn)) static inline void harness_end(int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	_exit(code);
}

enum { HARNESS_PATH = 64 };

/* Makes an empty directory, which the test removes; what a test leaves in TMPDIR, the runner removes at its end. */
static inline void harness_directory(char path[HARNESS_PATH], const char *name)
{
	const char *parent = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
	CHECK(snprintf(path, HARNESS_PATH, "%s/%s-XXXXXX", parent, name) < HARNESS_PATH - 16);
	CHECK(mkdtemp(path) != NULL);
}

static inline double harness_factor(const char *name)
{
	const char *text = getenv(name);
	double factor = text != NULL ? strtod(text, NULL) : 1;
	return factor > 0 ? factor : 1;
}

/* A number of repetitions. It is smaller under a sanitizer, where each is slow. */
static inline unsigned harness_count(unsigned count)
{
	unsigned scaled = (unsigned)(count / harness_factor("CURFEW_TEST_SCALE"));
	return scaled > 1 ? scaled : 1;
}

/* A duration. It is longer where everything is slower. */
static inline uint64_t harness_ms(uint64_t ms)
{
	return (uint64_t)((double)ms * 1e6 * harness_factor("CURFEW_TEST_SLOWER"));
}

/*
 * A machine that is slower by this factor than the one for which bounds were chosen passes as well. Nothing waits
 * longer because of that, except that a hang is detected later.
 */
enum { HARNESS_SLOWEST = 4 };

/* How many threads want each processor. */
static inline double harness_crowd(void)
{
	double load = 0;
	unsigned running = 0;
	FILE *file = fopen("/proc/loadavg", "r");
	if (file != NULL) {
		if (fscanf(file, "%lf %*f %*f %u", &load, &running) != 2)
			load = 0;
		(void)fclose(file);
	}
	cpu_set_t processors;
	CHECK(sched_getaffinity(0, sizeof processors, &processors) == 0);
	return (load > running ? load : running) / CPU_COUNT(&processors);
}

/* An upper bound for work that takes at most this long on an idle machine, because others may use this one as well. */
static inline uint64_t harness_patience_ms(uint64_t ms)
{
	double crowd = harness_crowd();
	return (uint64_t)((double)harness_ms(ms) * HARNESS_SLOWEST * (crowd > 1 ? crowd : 1));
}

static inline uint64_t harness_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void harness_sleep_us(unsigned us)
{
	struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
	(void)nanosleep(&time, NULL);
}

/* A small generator whose sequence is the same on every machine (xorshift64*). */
static inline uint32_t harness_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 32);
}

/* The number of names in a directory, for example of /proc. */
static inline unsigned harness_count_entries(const char *path)
{
	unsigned count = 0;
	DIR *directory = opendir(path);
	CHECK(directory != NULL);
	while (readdir(directory) != NULL)
		count++;
	(void)closedir(directory);
	return count;
}

static inline void harness_run_one(const harness_test *test)
{
	void *fixture = test->set_up != NULL ? test->set_up() : NULL;
	if (test->run_on != NULL)
		test->run_on(fixture);
	else
		test->run();
	if (test->tear_down != NULL)
		test->tear_down(fixture);
}

static inline int harness_main(int count, char **words, const harness_test *tests, size_t test_count)
{
	for (size_t i = 0; i < test_count; i++) {
		if (count < 2) {
			(void)printf("%s\n", tests[i].name);
		} else if (strcmp(words[1], tests[i].name) == 0) {
			harness_run_one(&tests[i]);
			return 0;
		}
	}
	return count < 2 ? 0 : 2;
}

#define HARNESS_MAIN(tests)                                                                                            \
	int main(int count, char **words)                                                                                  \
	{                                                                                                                  \
		return harness_main(count, words, tests, sizeof(tests) / sizeof((tests)[0]));                                  \
	}

#endif
