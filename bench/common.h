/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that the measuring programs share: clock, files, memory of this process, a thread with a stack of its own, and a
 * bare timer thread whose lateness shows the machine's noise. They include only include/curfew.h, like any embedder.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curfew.h>

uint64_t bench_now_ns(void);

/* Prints one line on standard error and ends the process. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Calls bench_die with the failure's message unless status is CURFEW_OK. */
void bench_check(curfew_status status, const curfew_failure *failure, const char *what);

/* Reads a file. The bytes are NUL-terminated; free them with free. */
char *bench_file_read(const char *path, size_t *length);

/* Prints "name": [v, v, ...] without a comma after it. */
void bench_print_list(const char *name, const uint64_t *values, size_t count);

uint64_t bench_resident_bytes(void);     /* RSS */
uint64_t bench_proportional_bytes(void); /* PSS; slow if there are many mappings */

curfew_engine *bench_engine_create(uint32_t threads);
/* Sets every limit to the maximum that the table allows, and memory to 1 GiB. */
void bench_limits_widest(curfew_limits *limits);
/* A program from text. The end of its name decides its language. It is compiled under limits unless they are NULL. */
curfew_program *bench_program_create(curfew_engine *engine, const char *name, const char *text, size_t length,
                                     uint32_t flags, const curfew_limits *limits);

/* A file that is compiled and run once at a time. */
typedef struct bench_attack {
	const char *name; /* the last part of the path; borrowed */
	char *directory;  /* relative imports may read it */
	char *text;
	size_t length;
} bench_attack;

void bench_attack_read(bench_attack *attack, const char *path);
curfew_program *bench_attack_program(curfew_engine *engine, const bench_attack *attack);
void bench_attack_finish(bench_attack *attack);

/* A list of `count` zeros; free it with free. */
uint64_t *bench_list_create(size_t count);

/* Runs body(context) on a thread with the stack that a run of this engine needs, and waits. */
void bench_on_run_stack(const curfew_engine *engine, void (*body)(void *context), void *context);

/* A number of runs that loop beside the measurement, on an engine of their own. */
typedef struct bench_spinners {
	curfew_engine *engine;
	curfew_program *program;
	curfew_run **runs;
	size_t count;
} bench_spinners;

void bench_spinners_start(bench_spinners *spinners, size_t count);
void bench_spinners_stop(bench_spinners *spinners);

/* A thread that only wakes at the multiples of a period and notes how late it was. */
typedef struct bench_timer {
	pthread_t thread;
	atomic_bool stopping;
	uint64_t period_ns;
	uint64_t *late_ns;
	size_t count;
	size_t capacity;
} bench_timer;

void bench_timer_start(bench_timer *timer, uint64_t period_ns);
/* Ends the thread. Afterwards late_ns[0..count) has the results, until the process ends. */
void bench_timer_stop(bench_timer *timer);
/* Prints the results as one line of JSON. */
void bench_timer_print(const bench_timer *timer);

#endif
