/* SPDX-License-Identifier: Apache-2.0 */
/* Neither memory, nor open files, nor threads grow with the number of runs. */
#include "../api/engine.h"

#define MIB (1u << 20)

static size_t resident_bytes(void)
{
	unsigned long pages = 0;
	unsigned long resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file != NULL);
	CHECK_EQUAL(fscanf(file, "%lu %lu", &pages, &resident), 2);
	(void)fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* One of an engine's own threads may destroy it, shortly after its owner has released it. */
static size_t resident_bytes_below(size_t bound)
{
	size_t now = resident_bytes();
	for (int i = 0; i < 200 && now > bound; i++) {
		(void)usleep(10000);
		now = resident_bytes();
	}
	return now;
}

typedef void (*round_function)(curfew_engine *engine, curfew_program *program);

/* After a tenth of the rounds, everything that is kept has been created. */
static void stays_flat(const char *text, unsigned rounds, round_function round)
{
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, text);
	for (unsigned i = 0; i < rounds / 10 + 1; i++)
		round(engine, program);
	size_t before = resident_bytes();
	unsigned files = harness_count_entries("/proc/self/fd");
	unsigned threads = harness_count_entries("/proc/self/task");
	for (unsigned i = 0; i < rounds; i++)
		round(engine, program);
	size_t after = resident_bytes_below(before + 2 * MIB);
	if (after > before + 2 * MIB)
		(void)fprintf(stderr, "%zu KiB before, %zu KiB after %u runs\n", before >> 10, after >> 10, rounds);
	/* Sanitizers keep freed memory. */
	CHECK(after <= before + 2 * MIB || harness_factor("CURFEW_TEST_SCALE") > 1);
	/* Files that were being closed in the background when they were counted are closed by now. */
	CHECK(harness_count_entries("/proc/self/fd") <= files);
	/* One thread stands by, and one was needed for a moment and is leaving. */
	CHECK(harness_count_entries("/proc/self/task") <= threads + 2);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static void run_once(curfew_engine *engine, curfew_program *program)
{
	(void)engine;
	curfew_report_destroy(harness_run(program, NULL));
}

static void short_runs(void)
{
	stays_flat("const a = []; for (let i = 0; i < 100; i++) a.push({ i, s: 'x' + i }); a.length", harness_count(20000),
	           run_once);
}

static void start_once(curfew_engine *engine, curfew_program *program)
{
	(void)engine;
	curfew_run *run = NULL;
	CHECK_OK(curfew_run_start(program, NULL, &run, NULL));
	CHECK(curfew_run_wait(run) != NULL);
	curfew_run_destroy(run);
}

static void started_runs(void)
{
	stays_flat("console.log('x'.repeat(1000)); curfew.checkpoint({ a: 1 }); throw new Error('x')", harness_count(5000),
	           start_once);
}

static void stop_once(curfew_engine *engine, curfew_program *program)
{
	static unsigned turn;
	(void)engine;
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 1000000, .memory_bytes = 16 * MIB};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = turn++ % 2 == 0 ? "spin" : "grow"};
	curfew_report *report = NULL;
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	CHECK(report->outcome == CURFEW_OUTCOME_DEADLINE || report->outcome == CURFEW_OUTCOME_MEMORY);
	curfew_report_destroy(report);
}

static void stopped_runs(void)
{
	stays_flat("export function spin() { for(;;) [].indexOf.call({ length: 1e9 }, 1) }"
	           "export function grow() { const a = []; for(;;) a.push(new Array(1000).fill(0)) }",
	           harness_count(1000), stop_once);
}

static void program_once(curfew_engine *engine, curfew_program *program)
{
	(void)program;
	curfew_program *own = harness_program(engine, "export default 1");
	CHECK_OK(curfew_program_compile(own, NULL, NULL, NULL));
	curfew_report_destroy(harness_run(own, NULL));
	curfew_program_destroy(own);
}

static void programs(void)
{
	stays_flat("1", harness_count(1000), program_once);
}

static void engine_once(curfew_engine *engine, curfew_program *program)
{
	(void)engine, (void)program;
	curfew_engine *own = harness_engine(2);
	harness_expect(own, "1", NULL, CURFEW_OUTCOME_FINISHED, "1");
	curfew_engine_destroy(own);
}

static void engines(void)
{
	stays_flat("1", harness_count(150), engine_once);
}

static const harness_test tests[] = {
	{"short_runs", short_runs}, {"started_runs", started_runs}, {"stopped_runs", stopped_runs},
	{"programs", programs},     {"engines", engines},
};

HARNESS_MAIN(tests)
