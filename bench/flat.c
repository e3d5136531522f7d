/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Very many short runs in one process, of programs that return, print, throw and take memory, with the process's
 * memory sampled in between. flat [RUNS]; prints one line of JSON.
 */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 100, PROGRAMS = 4 };

static const char *const texts[PROGRAMS] = {
	"export default x => x + 1",
	"export default x => { console.log('run', x); return { x }; }",
	"export default x => { throw new Error('run ' + x); }",
	"export default x => new Array(20000).fill('x' + x).join('').length",
};

/* One in a hundred runs is one of the last three. */
static size_t pick(size_t index)
{
	size_t place = index % 100;

	return place < PROGRAMS ? place : 0;
}

struct task {
	curfew_engine *engine;
	size_t runs;
	size_t unexpected;
	uint64_t elapsed_ns;
	uint64_t resident[SAMPLES];
};

static void run(curfew_program *program, size_t index, struct task *task)
{
	char params[32];
	curfew_run_options options = {.size = sizeof options, .params = params};
	curfew_report *report = NULL;
	curfew_failure failure = {0};
	curfew_outcome expected = pick(index) == 2 ? CURFEW_OUTCOME_THREW : CURFEW_OUTCOME_FINISHED;

	options.params_length = (size_t)snprintf(params, sizeof params, "[%zu]", index);
	bench_check(curfew_program_run(program, &options, &report, &failure), &failure, "run");
	task->unexpected += report->outcome != expected;
	curfew_report_destroy(report);
}

static void measure(void *context)
{
	struct task *task = context;
	curfew_limits limits = {.size = sizeof limits};
	curfew_program *programs[PROGRAMS];
	uint64_t start_ns = bench_now_ns();

	for (size_t i = 0; i < PROGRAMS; i++) {
		size_t length = 0;

		while (texts[i][length])
			length++;
		programs[i] = bench_program_create(task->engine, "flat.mjs", texts[i], length, 0, &limits);
	}
	for (size_t sample = 0; sample < SAMPLES; sample++) {
		for (size_t i = 0; i < task->runs / SAMPLES; i++)
			run(programs[pick(i)], i, task);
		task->resident[sample] = bench_resident_bytes();
	}
	task->elapsed_ns = bench_now_ns() - start_ns;
	for (size_t i = 0; i < PROGRAMS; i++)
		curfew_program_destroy(programs[i]);
}

int main(int argc, char **argv)
{
	static struct task task;

	task.runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	if (task.runs < SAMPLES)
		bench_die("usage: flat [RUNS], at least %d", SAMPLES);
	task.engine = bench_engine_create(1);
	bench_on_run_stack(task.engine, measure, &task);
	curfew_engine_destroy(task.engine);
	printf("{\"runs\": %zu, \"unexpected\": %zu, \"elapsed_ns\": %" PRIu64 ", ", task.runs, task.unexpected,
	       task.elapsed_ns);
	bench_print_list("resident_bytes", task.resident, SAMPLES);
	printf("}\n");
	return 0;
}
