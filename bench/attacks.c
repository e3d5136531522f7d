/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every attack of a directory a number of times. Measures whether its outcome is an expected one, and how late it
 * was stopped, beside a bare timer thread in the same process and a number of runs that loop. attacks ROUNDS TIMEOUT_MS
 * SPINNERS FILE... prints one line of JSON for each file and one for the timer.
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static curfew_engine *engine;
static uint64_t timeout_ns;

struct attack {
	bench_attack file;
	size_t held;
	size_t without_stack;
	size_t late_count, returned_count;
	uint64_t *late_ns;     /* according to the report */
	uint64_t *returned_ns; /* from the deadline to the return of the call, as the caller measures it */
	const char *outcome;   /* of the last run */
};

struct task {
	size_t rounds;
	size_t count;
	struct attack *attacks;
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

static void run_once(struct attack *attack)
{
	curfew_limits limits = {.size = sizeof limits,
	                        .timeout_ns = timeout_ns,
	                        .memory_bytes = 64u << 20,
	                        .output_bytes = 64u << 10,
	                        .timers = 1000};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	curfew_program *program = bench_attack_program(engine, &attack->file);
	curfew_report *report = NULL;
	curfew_failure failure = {0};
	uint64_t due_ns, done_ns;
	curfew_status status;

	due_ns = bench_now_ns() + timeout_ns;
	status = curfew_program_run(program, &options, &report, &failure);
	done_ns = bench_now_ns();
	/* A program that cannot be parsed under these limits has a report too, and no error. */
	if (!report)
		bench_check(status, &failure, attack->file.name);
	attack->outcome = curfew_outcome_name(report->outcome);
	attack->held += expects(attack->file.text, attack->outcome);
	if (report->stop_mode != CURFEW_STOP_NONE)
		attack->late_ns[attack->late_count++] = report->stop_latency_ns;
	if (report->outcome == CURFEW_OUTCOME_DEADLINE) {
		attack->without_stack += report->frame_count == 0;
		attack->returned_ns[attack->returned_count++] = done_ns > due_ns ? done_ns - due_ns : 0;
	}
	curfew_report_destroy(report);
	curfew_program_destroy(program);
}

/* Runs every file once, then every file again, so that a slow spell of the machine does not affect only one of them. */
static void measure(void *context)
{
	struct task *task = context;

	for (size_t round = 0; round < task->rounds; round++)
		for (size_t i = 0; i < task->count; i++)
			run_once(&task->attacks[i]);
}

static void attack_read(struct attack *attack, const char *path, size_t rounds)
{
	bench_attack_read(&attack->file, path);
	attack->late_ns = bench_list_create(rounds);
	attack->returned_ns = bench_list_create(rounds);
}

static void attack_print(const struct attack *attack, size_t rounds)
{
	printf("{\"name\": \"%s\", \"outcome\": \"%s\", \"rounds\": %zu, \"held\": %zu, \"without_stack\": %zu, ",
	       attack->file.name, attack->outcome, rounds, attack->held, attack->without_stack);
	bench_print_list("late_ns", attack->late_ns, attack->late_count);
	printf(", ");
	bench_print_list("returned_ns", attack->returned_ns, attack->returned_count);
	printf("}\n");
}

static void attack_finish(struct attack *attack)
{
	bench_attack_finish(&attack->file);
	free(attack->late_ns);
	free(attack->returned_ns);
}

int main(int argc, char **argv)
{
	struct task task = {.rounds = argc > 4 ? strtoul(argv[1], NULL, 10) : 0};
	bench_spinners spinners;
	bench_timer timer;

	if (!task.rounds)
		bench_die("usage: attacks ROUNDS TIMEOUT_MS SPINNERS FILE...");
	timeout_ns = strtoull(argv[2], NULL, 10) * 1000000;
	task.count = (size_t)argc - 4;
	task.attacks = calloc(task.count, sizeof *task.attacks);
	if (!task.attacks)
		bench_die("out of memory");
	for (size_t i = 0; i < task.count; i++)
		attack_read(&task.attacks[i], argv[i + 4], task.rounds);
	engine = bench_engine_create(1);
	bench_spinners_start(&spinners, strtoul(argv[3], NULL, 10));
	bench_timer_start(&timer, 10000000);
	bench_on_run_stack(engine, measure, &task);
	bench_timer_stop(&timer);
	bench_spinners_stop(&spinners);
	for (size_t i = 0; i < task.count; i++) {
		attack_print(&task.attacks[i], task.rounds);
		attack_finish(&task.attacks[i]);
	}
	bench_timer_print(&timer);
	free(task.attacks);
	curfew_engine_destroy(engine);
	return 0;
}
