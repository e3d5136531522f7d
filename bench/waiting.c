/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many runs that wait on a timer at once, each with its own deadline. Measures how much memory they need, and how
 * exactly their deadlines are kept, beside a bare timer thread in the same process. waiting [COUNT [SPREAD_MS]] prints
 * one line of JSON.
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char wait_text[] = "const late = new Promise(resolve => setTimeout(resolve, 60000));\n"
								"curfew.progress('waits');\n"
								"await late;\n";

static atomic_size_t waiting_count;

struct waiter {
	curfew_run *run;
	uint64_t due_ns;
	_Atomic uint64_t done_ns;
};

static void on_done(void *context, curfew_run *run)
{
	struct waiter *waiter = context;

	atomic_store(&waiter->done_ns, bench_now_ns());
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	if (kind == CURFEW_EVENT_PROGRESS)
		atomic_fetch_add(&waiting_count, 1);
}

static void start(curfew_program *program, struct waiter *waiter, uint64_t due_ns)
{
	uint64_t now_ns = bench_now_ns();
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = due_ns - now_ns};
	curfew_run_options options = {
		.size = sizeof options, .limits = &limits, .on_event = on_event, .on_done = on_done, .on_done_context = waiter};
	curfew_failure failure = {0};

	if (due_ns <= now_ns)
		bench_die("the runs could not be started before the first deadline");
	waiter->due_ns = due_ns;
	bench_check(curfew_run_start(program, &options, &waiter->run, &failure), &failure, "start");
}

static void sleep_until(uint64_t due_ns)
{
	struct timespec due = {(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	uint64_t spread_ns = (argc > 2 ? strtoul(argv[2], NULL, 10) : 2000) * (uint64_t)1000000;
	curfew_engine *engine = bench_engine_create(0);
	curfew_limits limits = {.size = sizeof limits};
	curfew_program *program = bench_program_create(engine, "wait.mjs", wait_text, sizeof wait_text - 1, 0, &limits);
	struct waiter *waiters = calloc(count, sizeof *waiters);
	uint64_t *late_ns = calloc(count, sizeof *late_ns), *done_late_ns = calloc(count, sizeof *done_late_ns);
	size_t unexpected = 0, arrived;
	uint64_t resident, proportional, begin_ns, first_ns, started_ns;
	bench_timer timer;

	if (!count || !waiters || !late_ns || !done_late_ns)
		bench_die("usage: waiting [COUNT [SPREAD_MS]]");
	resident = bench_resident_bytes();
	proportional = bench_proportional_bytes();
	begin_ns = bench_now_ns();
	first_ns = begin_ns + 4000000000u + count * 500000u;
	/* 7919 is prime to the count, so the deadlines are not in the order of the starts. */
	for (size_t i = 0; i < count; i++)
		start(program, &waiters[i], first_ns + i * 7919 % count * (spread_ns / count));
	while (atomic_load(&waiting_count) < count && bench_now_ns() < first_ns - 2000000000u)
		sleep_until(bench_now_ns() + 1000000u);
	started_ns = bench_now_ns();
	arrived = atomic_load(&waiting_count);
	resident = bench_resident_bytes() - resident;
	proportional = bench_proportional_bytes() - proportional;
	sleep_until(first_ns - 20000000u);
	bench_timer_start(&timer, 1000000);
	for (size_t i = 0; i < count; i++) {
		const curfew_report *report = curfew_run_wait(waiters[i].run);

		unexpected += report->outcome != CURFEW_OUTCOME_DEADLINE;
		late_ns[i] = report->stop_latency_ns;
	}
	bench_timer_stop(&timer);
	for (size_t i = 0; i < count; i++) {
		uint64_t done_ns = atomic_load(&waiters[i].done_ns);

		done_late_ns[i] = done_ns > waiters[i].due_ns ? done_ns - waiters[i].due_ns : 0;
		curfew_run_destroy(waiters[i].run);
	}
	printf("{\"count\": %zu, \"waiting\": %zu, \"unexpected\": %zu, \"start_ns\": %" PRIu64
	       ", \"resident_bytes\": %" PRIu64 ", \"proportional_bytes\": %" PRIu64 ", ",
	       count, arrived, unexpected, started_ns - begin_ns, resident, proportional);
	bench_print_list("late_ns", late_ns, count);
	printf(", ");
	bench_print_list("done_late_ns", done_late_ns, count);
	printf(", ");
	bench_print_list("timer_ns", timer.late_ns, timer.count);
	printf("}\n");
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return 0;
}
