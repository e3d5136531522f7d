/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the library. A program lists its tests when it is given no name, and runs the one it is given: each test
 * is a process of its own, because we test things that hang and crash. Only include/curfew.h is used.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "curfew.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct harness_test {
	const char *name;
	void (*run)(void);
} harness_test;

#define CHECK(condition) harness_check((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQUAL(seen, expected) harness_equal((long long)(seen), (long long)(expected), __FILE__, __LINE__, #seen)
#define CHECK_TEXT(seen, expected) harness_text((seen), (expected), __FILE__, __LINE__, #seen)
#define CHECK_OK(call) harness_equal((long long)(call), CURFEW_OK, __FILE__, __LINE__, #call)

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

static inline double harness_factor(const char *name)
{
	const char *text = getenv(name);
	double factor = text != NULL ? strtod(text, NULL) : 1;
	return factor > 0 ? factor : 1;
}

/* A number of repetitions, fewer where a sanitizer makes each of them slow. */
static inline unsigned harness_count(unsigned count)
{
	unsigned scaled = (unsigned)(count / harness_factor("CURFEW_TEST_SCALE"));
	return scaled > 1 ? scaled : 1;
}

/* A duration that something may take, longer where everything is slower. */
static inline uint64_t harness_ms(uint64_t ms)
{
	return (uint64_t)((double)ms * 1e6 * harness_factor("CURFEW_TEST_SLOWER"));
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

static inline curfew_engine *harness_engine(uint32_t threads)
{
	curfew_engine_options options = {.size = sizeof options, .threads = threads};
	curfew_engine *engine = NULL;
	curfew_failure failure;
	curfew_status status = curfew_engine_create(&options, &engine, &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "engine: %s\n", failure.message);
	CHECK_OK(status);
	CHECK(engine != NULL);
	return engine;
}

static inline curfew_program *harness_program(curfew_engine *engine, const char *text)
{
	curfew_source source = {.size = sizeof source, .name = "test.js", .text = text, .text_length = strlen(text)};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK(program != NULL);
	return program;
}

/* Runs with these limits and gives the report. options and limits may be NULL. */
static inline curfew_report *harness_run(curfew_program *program, const curfew_limits *limits)
{
	curfew_run_options options = {.size = sizeof options, .limits = limits};
	curfew_report *report = NULL;
	curfew_failure failure = {.message = ""};
	curfew_status status = curfew_program_run(program, &options, &report, &failure);
	if (status != CURFEW_OK)
		(void)fprintf(stderr, "run: %s\n", failure.message);
	CHECK_OK(status);
	CHECK(report != NULL);
	return report;
}

/* Starts a program that has its answers after 5 ms, and cancels it about then, again and again. */
static inline void harness_cancel_often(curfew_program *program, const curfew_run_options *options)
{
	for (unsigned i = 0; i < harness_count(100); i++) {
		curfew_run *started = NULL;
		CHECK_OK(curfew_run_start(program, options, &started, NULL));
		harness_sleep_us(4900 + i * 5);
		curfew_run_cancel(started);
		CHECK_EQUAL(curfew_run_wait(started)->outcome, CURFEW_OUTCOME_CANCELLED);
		curfew_run_destroy(started);
	}
}

/* Runs a text once in an engine and expects this outcome and value (NULL: any). */
static inline void harness_expect(curfew_engine *engine, const char *text, const curfew_limits *limits,
                                  curfew_outcome outcome, const char *value)
{
	curfew_program *program = harness_program(engine, text);
	curfew_report *report = harness_run(program, limits);
	if (report->outcome != outcome)
		(void)fprintf(stderr, "%.80s: %s: %s\n", text, curfew_outcome_name(report->outcome),
		              report->error_message != NULL ? report->error_message : "-");
	CHECK_EQUAL(report->outcome, outcome);
	if (value != NULL)
		CHECK_TEXT(report->value, value);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
}

/* The names in a folder, of /proc for example. */
static inline unsigned harness_count_entries(const char *path)
{
	unsigned count = 0;
	DIR *folder = opendir(path);
	CHECK(folder != NULL);
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder);
	return count;
}

/* No run goes on, and none holds a memory. */
static inline void harness_check_idle(curfew_engine *engine)
{
	curfew_engine_stats stats = {.size = sizeof stats};
	curfew_engine_get_stats(engine, &stats);
	CHECK_EQUAL(stats.runs_active, 0);
	CHECK_EQUAL(stats.regions_in_use, 0);
}

static inline int harness_main(int count, char **words, const harness_test *tests, size_t test_count)
{
	for (size_t i = 0; i < test_count; i++) {
		if (count < 2) {
			(void)printf("%s\n", tests[i].name);
		} else if (strcmp(words[1], tests[i].name) == 0) {
			tests[i].run();
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
