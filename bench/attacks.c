/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every attack of a folder, a number of times: whether its outcome is one of those expected, and how late it was
 * stopped, beside a bare timer thread in the same process. attacks ROUNDS FILE...; prints one line of JSON for each
 * file and one for the timer.
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static curfew_engine *engine;
static const uint64_t timeout_ns = 300000000u;

struct task {
	size_t rounds;
	int file_count;
	char **files;
};

struct tally {
	size_t held;
	size_t without_stack;
	size_t late_count, returned_count;
	uint64_t *late_ns;     /* the report's word */
	uint64_t *returned_ns; /* deadline to the return of the call, as the caller sees it */
	const char *outcome;   /* the last one */
};

/* The first line of an attack says "expect: outcome outcome...". */
static bool expects(const char *text, const char *outcome)
{
	const char *word = strstr(text, "expect:");
	const char *end = text + strcspn(text, "\n");
	size_t length = strlen(outcome);

	if (!word || word > end)
		return false;
	for (word += strlen("expect:"); word < end; word += strcspn(word, " \n")) {
		word += strspn(word, " ");
		if (strncmp(word, outcome, length) == 0 && strchr(" \r\n", word[length]))
			return true;
		if (*word == '\n')
			break;
	}
	return false;
}

static void run_once(const char *name, const char *text, size_t length, struct tally *tally)
{
	curfew_limits limits = {.size = sizeof limits,
	                        .timeout_ns = timeout_ns,
	                        .memory_bytes = 64u << 20,
	                        .output_bytes = 64u << 10,
	                        .timers = 1000};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_report *report = NULL;
	curfew_failure failure = {0};
	curfew_program *program = bench_program_create(engine, name, text, length, CURFEW_SOURCE_ONCE, NULL);
	uint64_t due_ns = bench_now_ns() + timeout_ns, done_ns;
	curfew_status status = curfew_program_run(program, &options, &report, &failure);

	done_ns = bench_now_ns();
	/* A program that cannot be parsed under these limits has a report too. */
	if (status != CURFEW_OK && !report)
		bench_check(status, &failure, name);
	tally->outcome = curfew_outcome_name(report->outcome);
	tally->held += expects(text, tally->outcome);
	if (report->stop_mode != CURFEW_STOP_NONE)
		tally->late_ns[tally->late_count++] = report->stop_latency_ns;
	if (report->outcome == CURFEW_OUTCOME_DEADLINE) {
		tally->without_stack += report->frame_count == 0;
		tally->returned_ns[tally->returned_count++] = done_ns > due_ns ? done_ns - due_ns : 0;
	}
	curfew_report_destroy(report);
	curfew_program_destroy(program);
}

static void measure(void *context)
{
	struct task *task = context;
	size_t capacity = task->rounds * sizeof(uint64_t);
	bench_timer timer;

	bench_timer_start(&timer, 10000000);
	for (int file = 0; file < task->file_count; file++) {
		struct tally tally = {.late_ns = malloc(capacity), .returned_ns = malloc(capacity)};
		const char *name = strrchr(task->files[file], '/') ? strrchr(task->files[file], '/') + 1 : task->files[file];
		size_t length;
		char *text = bench_file_read(task->files[file], &length);

		if (!tally.late_ns || !tally.returned_ns)
			bench_die("out of memory");
		for (size_t round = 0; round < task->rounds; round++)
			run_once(name, text, length, &tally);
		printf("{\"name\": \"%s\", \"outcome\": \"%s\", \"rounds\": %zu, \"held\": %zu, \"without_stack\": %zu, ", name,
		       tally.outcome, task->rounds, tally.held, tally.without_stack);
		bench_print_list("late_ns", tally.late_ns, tally.late_count);
		printf(", ");
		bench_print_list("returned_ns", tally.returned_ns, tally.returned_count);
		printf("}\n");
		fflush(stdout);
		free(text);
		free(tally.late_ns);
		free(tally.returned_ns);
	}
	bench_timer_stop(&timer);
	printf("{");
	bench_print_list("timer_ns", timer.late_ns, timer.count);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct task task = {.file_count = argc - 2, .files = argv + 2};

	task.rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (!task.rounds)
		bench_die("usage: attacks ROUNDS FILE...");
	engine = bench_engine_create(1);
	bench_on_run_stack(engine, measure, &task);
	curfew_engine_destroy(engine);
	return 0;
}
