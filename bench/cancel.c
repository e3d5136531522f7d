/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every attack of a directory a number of times. Another thread cancels each at some moment of its first
 * milliseconds. Measures how long after that it was stopped, and when its report was there, beside a bare timer thread
 * in the same process. JavaScript is parsed each time. WebAssembly is compiled before, and its function run is called.
 * cancel ROUNDS FILE... prints one line of JSON for each file and one for the timer.
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EARLIEST_NS 2000000u
#define SPREAD_NS 38000000u

static curfew_engine *engine;
static uint64_t random_state = 88172645463325252u;

struct attack {
	bench_attack file;
	curfew_program *compiled; /* NULL: JavaScript */
	size_t count, unexpected;
	uint64_t *late_ns; /* from the cancel to the stop, according to the report */
	uint64_t *done_ns; /* from the cancel to the completion callback */
};

/* xorshift64, so that every measurement uses the same moments. */
static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void on_done(void *context, curfew_run *run)
{
	atomic_store((_Atomic uint64_t *)context, bench_now_ns());
}

static void note(struct attack *attack, const curfew_report *report, uint64_t cancelled_ns, uint64_t done_ns)
{
	/* A run that ended by itself, or exceeded another limit first, was not cancelled. */
	if (report->outcome != CURFEW_OUTCOME_CANCELLED) {
		attack->unexpected += report->outcome == CURFEW_OUTCOME_INTERNAL_ERROR;
		return;
	}
	attack->late_ns[attack->count] = report->stop_latency_ns;
	attack->done_ns[attack->count++] = done_ns - cancelled_ns;
}

static void run_once(struct attack *attack)
{
	curfew_limits limits = {.size = sizeof limits,
	                        .timeout_ns = UINT64_C(10000000000),
	                        .memory_bytes = 64u << 20,
	                        .output_bytes = 64u << 10,
	                        .timers = 1000};
	_Atomic uint64_t done_ns = 0;
	curfew_run_options options = {.size = sizeof options,
	                              .limits = &limits,
	                              .call = attack->compiled ? "run" : NULL,
	                              .on_done = on_done,
	                              .on_done_context = &done_ns};
	struct timespec delay = {0, (long)(EARLIEST_NS + next_random() % SPREAD_NS)};
	curfew_program *program = attack->compiled ? attack->compiled : bench_attack_program(engine, &attack->file);
	curfew_run *run = NULL;
	curfew_failure failure = {0};

	bench_check(curfew_run_start(program, &options, &run, &failure), &failure, attack->file.name);
	nanosleep(&delay, NULL);
	uint64_t cancelled_ns = bench_now_ns();
	curfew_run_cancel(run);
	const curfew_report *report = curfew_run_wait(run);
	/* The report is complete before the callback is called. */
	while (!atomic_load(&done_ns))
		nanosleep(&(struct timespec){0, 20000}, NULL);
	note(attack, report, cancelled_ns, atomic_load(&done_ns));
	curfew_run_destroy(run);
	if (!attack->compiled)
		curfew_program_destroy(program);
}

static void attack_read(struct attack *attack, const char *path, size_t rounds)
{
	bench_attack_read(&attack->file, path);
	if (strstr(path, ".wat")) {
		attack->compiled = bench_program_create(engine, attack->file.name, attack->file.text, attack->file.length, 0,
		                                        NULL);
		curfew_program_compile(attack->compiled, NULL, NULL, NULL); /* if it does not load, its runs report that */
	}
	attack->late_ns = bench_list_create(rounds);
	attack->done_ns = bench_list_create(rounds);
}

static void attack_print(const struct attack *attack)
{
	printf("{\"name\": \"%s\", \"unexpected\": %zu, ", attack->file.name, attack->unexpected);
	bench_print_list("late_ns", attack->late_ns, attack->count);
	printf(", ");
	bench_print_list("done_ns", attack->done_ns, attack->count);
	printf("}\n");
}

static void attack_finish(struct attack *attack)
{
	bench_attack_finish(&attack->file);
	curfew_program_destroy(attack->compiled);
	free(attack->late_ns);
	free(attack->done_ns);
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, count = rounds ? (size_t)argc - 2 : 0;
	struct attack *attacks = calloc(count ? count : 1, sizeof *attacks);
	bench_timer timer;

	if (!rounds || !attacks)
		bench_die("usage: cancel ROUNDS FILE...");
	engine = bench_engine_create(1);
	for (size_t i = 0; i < count; i++)
		attack_read(&attacks[i], argv[i + 2], rounds);
	bench_timer_start(&timer, 10000000);
	for (size_t round = 0; round < rounds; round++)
		for (size_t i = 0; i < count; i++)
			run_once(&attacks[i]);
	bench_timer_stop(&timer);
	for (size_t i = 0; i < count; i++) {
		attack_print(&attacks[i]);
		attack_finish(&attacks[i]);
	}
	bench_timer_print(&timer);
	free(attacks);
	curfew_engine_destroy(engine);
	return 0;
}
