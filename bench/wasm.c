/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly under Curfew. Reads one command per line and answers each with one line of JSON; a program exports run.
 *   speed deadline|fuel FILE     the CPU time of a run under a deadline, or a deadline and a fuel limit
 *   late deadline|fuel US MIB FILE   how late a run with this time and memory is stopped, and its outcome
 *   fresh COUNT                  the times of runs of a small program
 *   timer                        how late a bare timer thread was since the last time, every 10 ms
 *   crowd COUNT HOSTILE          COUNT runs on two threads, of which HOSTILE have to be stopped
 *   spin COUNT                   COUNT runs loop beside the following commands; 0: none
 *   together COUNT MS US         COUNT runs that have to be stopped at once, the first after MS, each US after the last
 *   bare COUNT MS US             the same with threads that loop, to which another thread sends a signal in time
 *
 * bench/peers/epochs answers the first three for Wasmtime alone.
 */
#include "common.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { ENTRIES = 512, CROWD_MAX = 1024, HOSTILE_MS = 20 };

struct entry {
	char path[1024];
	curfew_program *program;
};

static curfew_engine *engine;
static struct entry entries[ENTRIES];
static size_t entry_count;

static const char small_text[] =
	"(module (memory 1) (func (export \"run\") (param i32) (result i32)\n"
	" (i32.store (i32.const 8) (local.get 0)) (i32.add (i32.load (i32.const 8)) (i32.const 1))))";
static const char honest_text[] =
	"(module (memory 1) (func (export \"run\") (result i32) (local $n i32) (local $x i32)\n"
	" (loop $l (local.set $x (i32.xor (i32.mul (local.get $x) (i32.const 31)) (local.get $n)))\n"
	"  (i32.store (i32.and (local.get $x) (i32.const 65528)) (local.get $n))\n"
	"  (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5000000))))\n"
	" (local.get $x)))";
static const char *const hostile_texts[] = {
	"(module (func (export \"run\") (loop $l br $l)))",
	"(module (memory 900) (func (export \"run\") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 58982400)) br $l)))",
	"(module (func $f (export \"run\") (call $f) (call $f)))",
	"(module (memory 1) (func (export \"run\") (loop $l (drop (memory.grow (i32.const 1))) br $l)))",
};

static curfew_program *program_from_text(const char *name, const char *text)
{
	return bench_program_create(engine, name, text, strlen(text), 0, NULL);
}

/* A program, compiled once. The commands limit its runs. */
static struct entry *entry_get(const char *path)
{
	struct entry *entry = &entries[entry_count];
	curfew_limits limits;
	size_t length;
	char *text;

	for (size_t i = 0; i < entry_count; i++)
		if (strcmp(entries[i].path, path) == 0)
			return &entries[i];
	if (entry_count == ENTRIES)
		bench_die("too many programs");
	text = bench_file_read(path, &length);
	bench_limits_widest(&limits);
	snprintf(entry->path, sizeof entry->path, "%s", path);
	entry->program = bench_program_create(engine, path, text, length, 0, NULL);
	curfew_program_compile(entry->program, &limits, NULL, NULL); /* if it does not load, its runs report that */
	free(text);
	entry_count++;
	return entry;
}

static curfew_report *run(const struct entry *entry, const curfew_limits *limits)
{
	curfew_run_options options = {.size = sizeof options, .limits = limits, .call = "run"};
	curfew_report *report = NULL;
	curfew_failure failure = {0};

	bench_check(curfew_program_run(entry->program, &options, &report, &failure), &failure, entry->path);
	return report;
}

static void speed(const char *variant, const char *path)
{
	curfew_limits limits;
	const struct entry *entry = entry_get(path);

	bench_limits_widest(&limits);
	limits.timeout_ns = 60000000000u;
	limits.fuel = strcmp(variant, "fuel") ? CURFEW_UNLIMITED : 1000000000000000u;
	curfew_report *report = run(entry, &limits);
	if (report->outcome == CURFEW_OUTCOME_FINISHED)
		printf("{\"ns\": %" PRIu64 ", \"value\": %s}\n", report->used.cpu_ns, report->value ? report->value : "null");
	else
		printf("{\"error\": \"%s\"}\n", curfew_outcome_name(report->outcome));
	curfew_report_destroy(report);
}

static void late(const char *variant, uint64_t us, uint64_t mib, const char *path)
{
	const struct entry *entry = entry_get(path);
	curfew_limits limits = {.size = sizeof limits,
	                        .timeout_ns = us * 1000,
	                        .memory_bytes = mib << 20,
	                        .output_bytes = 64u << 10,
	                        .fuel = strcmp(variant, "fuel") ? CURFEW_UNLIMITED : 1000000000000000u};
	curfew_report *report = run(entry, &limits);

	printf("{\"outcome\": \"%s\", \"stopped\": %s, \"late_ns\": %" PRIu64 "}\n", curfew_outcome_name(report->outcome),
	       report->stop_mode != CURFEW_STOP_NONE ? "true" : "false", report->stop_latency_ns);
	curfew_report_destroy(report);
}

static void fresh(size_t count)
{
	static curfew_program *program;
	curfew_run_options options = {.size = sizeof options, .call = "run", .params = "[41]", .params_length = 4};
	uint64_t *samples_ns = calloc(count, sizeof *samples_ns);
	uint64_t start_phase_ns = 0, run_phase_ns = 0;
	size_t wrong = 0;

	if (!program)
		program = program_from_text("small.wat", small_text);
	for (size_t i = 0; samples_ns && i < count; i++) {
		curfew_report *report = NULL;
		curfew_failure failure = {0};
		uint64_t start_ns = bench_now_ns();

		bench_check(curfew_program_run(program, &options, &report, &failure), &failure, "small.wat");
		wrong += !report->value || strcmp(report->value, "42") != 0;
		start_phase_ns += report->used.load_ns + report->used.compile_ns + report->used.start_ns;
		run_phase_ns += report->used.run_ns;
		curfew_report_destroy(report);
		samples_ns[i] = bench_now_ns() - start_ns;
	}
	printf("{\"wrong\": %zu, \"start_mean_ns\": %" PRIu64 ", \"run_mean_ns\": %" PRIu64 ", ", wrong,
	       start_phase_ns / count, run_phase_ns / count);
	bench_print_list("samples_ns", samples_ns, count);
	printf("}\n");
	free(samples_ns);
}

/* Runs programs that have to be stopped and others, in the order in which they were submitted. */
static void crowd(size_t count, size_t hostile)
{
	static curfew_program *programs[1 + sizeof hostile_texts / sizeof *hostile_texts];
	static curfew_engine *two;
	curfew_run *runs[CROWD_MAX];
	uint64_t honest_ns[CROWD_MAX], late_ns[CROWD_MAX], hostile_ns = 0, start_ns, end_ns = 0;
	size_t honest = 0, stopped = 0, unexpected = 0, begun = 0;

	if (!two) {
		curfew_engine *one = engine;
		engine = two = bench_engine_create(2);
		programs[0] = program_from_text("honest.wat", honest_text);
		for (size_t i = 0; i < sizeof hostile_texts / sizeof *hostile_texts; i++)
			programs[1 + i] = program_from_text("hostile.wat", hostile_texts[i]);
		for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
			bench_check(curfew_program_compile(programs[i], NULL, NULL, NULL), NULL, "crowd");
		engine = one;
	}
	start_ns = bench_now_ns();
	for (size_t i = 0; i < count; i++) {
		/* Spread the hostile ones evenly. */
		bool is_hostile = (i + 1) * hostile / count > i * hostile / count;
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = is_hostile ? HOSTILE_MS * 1000000u : 60000000000u};
		curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = "run"};
		curfew_failure failure = {0};

		bench_check(curfew_run_start(programs[is_hostile ? 1 + begun++ % 4 : 0], &options, &runs[i], &failure),
		            &failure, "crowd");
	}
	for (size_t i = 0; i < count; i++) {
		bool is_hostile = (i + 1) * hostile / count > i * hostile / count;
		const curfew_report *report = curfew_run_wait(runs[i]);
		uint64_t now_ns = bench_now_ns();

		if (is_hostile) {
			unexpected += report->outcome == CURFEW_OUTCOME_FINISHED;
			hostile_ns += report->used.cpu_ns;
			if (report->stop_mode != CURFEW_STOP_NONE)
				late_ns[stopped++] = report->stop_latency_ns;
		} else {
			unexpected += report->outcome != CURFEW_OUTCOME_FINISHED;
			honest_ns[honest++] = report->used.cpu_ns;
			end_ns = now_ns;
		}
	}
	for (size_t i = 0; i < count; i++)
		curfew_run_destroy(runs[i]);
	printf("{\"unexpected\": %zu, \"all_ns\": %" PRIu64 ", \"hostile_ns\": %" PRIu64 ", ", unexpected,
	       end_ns - start_ns, hostile_ns);
	bench_print_list("honest_ns", honest_ns, honest);
	printf(", ");
	bench_print_list("late_ns", late_ns, stopped);
	printf("}\n");
}

/* Runs each of the hostile programs and a loop of JavaScript in turns, all at once. */
static void together(size_t count, uint64_t ms, uint64_t apart_us)
{
	enum { KINDS = 1 + sizeof hostile_texts / sizeof *hostile_texts };
	static curfew_program *programs[KINDS];
	static curfew_engine *many;
	curfew_run *runs[CROWD_MAX];
	uint64_t late_ns[CROWD_MAX];
	size_t stopped = 0, unexpected = 0;

	if (!many) {
		curfew_engine *one = engine;
		engine = many = bench_engine_create(CROWD_MAX / 16);
		for (size_t i = 0; i + 1 < KINDS; i++)
			programs[i] = program_from_text("hostile.wat", hostile_texts[i]);
		programs[KINDS - 1] = program_from_text("hostile.js", "for (;;) [3, 1, 2].sort();");
		for (size_t i = 0; i < KINDS; i++)
			bench_check(curfew_program_compile(programs[i], NULL, NULL, NULL), NULL, "together");
		engine = one;
	}
	for (size_t i = 0; i < count; i++) {
		curfew_limits limits = {.size = sizeof limits, .timeout_ns = ms * 1000000 + i * apart_us * 1000};
		curfew_run_options options = {
			.size = sizeof options, .limits = &limits, .call = i % KINDS + 1 < KINDS ? "run" : NULL};
		curfew_failure failure = {0};

		bench_check(curfew_run_start(programs[i % KINDS], &options, &runs[i], &failure), &failure, "together");
	}
	for (size_t i = 0; i < count; i++) {
		const curfew_report *report = curfew_run_wait(runs[i]);

		unexpected += report->outcome == CURFEW_OUTCOME_FINISHED || report->outcome == CURFEW_OUTCOME_INTERNAL_ERROR;
		if (report->outcome == CURFEW_OUTCOME_DEADLINE)
			late_ns[stopped++] = report->stop_latency_ns;
	}
	for (size_t i = 0; i < count; i++)
		curfew_run_destroy(runs[i]);
	printf("{\"unexpected\": %zu, ", unexpected);
	bench_print_list("late_ns", late_ns, stopped);
	printf("}\n");
}

/* ---- The limit of the machine: threads that loop until a signal arrives ------------------------------------ */

static _Thread_local _Atomic uint64_t *arrived_ns;

static void on_signal(int number)
{
	(void)number;
	if (arrived_ns && !atomic_load(arrived_ns))
		atomic_store(arrived_ns, bench_now_ns());
}

static atomic_size_t looping;

static void *loop_until_signal(void *at)
{
	arrived_ns = at;
	atomic_fetch_add(&looping, 1);
	while (!atomic_load((_Atomic uint64_t *)at))
		;
	return NULL;
}

struct bare_task {
	size_t count;
	uint64_t first_ns, apart_ns;
	pthread_t threads[CROWD_MAX];
	_Atomic uint64_t arrived_ns[CROWD_MAX];
};

/* Sends the signals as promptly as the library's own thread: with its priority, if the system allows that. */
static void *send_all(void *context)
{
	struct bare_task *task = context;

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	for (size_t i = 0; i < task->count; i++) {
		uint64_t due_ns = task->first_ns + i * task->apart_ns;
		struct timespec due = {(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		pthread_kill(task->threads[i], SIGUSR1);
	}
	return NULL;
}

static void bare(size_t count, uint64_t ms, uint64_t apart_us)
{
	static struct bare_task task;
	uint64_t late_ns[CROWD_MAX];
	pthread_t sender;

	signal(SIGUSR1, on_signal);
	task = (struct bare_task){.count = count, .apart_ns = apart_us * 1000};
	atomic_store(&looping, 0);
	for (size_t i = 0; i < count; i++)
		if (pthread_create(&task.threads[i], NULL, loop_until_signal, &task.arrived_ns[i]) != 0)
			bench_die("a thread could not be started");
	/* Wait for all threads, because a signal must not reach one that has not begun. */
	while (atomic_load(&looping) < count)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	task.first_ns = bench_now_ns() + ms * 1000000;
	if (pthread_create(&sender, NULL, send_all, &task) != 0)
		bench_die("a thread could not be started");
	pthread_join(sender, NULL);
	for (size_t i = 0; i < count; i++) {
		pthread_join(task.threads[i], NULL);
		late_ns[i] = atomic_load(&task.arrived_ns[i]) - (task.first_ns + i * task.apart_ns);
	}
	printf("{");
	bench_print_list("late_ns", late_ns, count);
	printf("}\n");
}

/* Prints the results since the last time. */
static void print_timer(bench_timer *timer)
{
	bench_timer_stop(timer);
	bench_timer_print(timer);
	bench_timer_start(timer, 10000000);
}

static void spin(bench_spinners *spinners, size_t count)
{
	if (spinners->runs)
		bench_spinners_stop(spinners);
	if (count)
		bench_spinners_start(spinners, count);
	printf("{}\n");
}

static void serve(void *context)
{
	char line[1200], variant[16];
	uint64_t us, mib;
	size_t count, hostile;
	bench_spinners spinners = {0};
	bench_timer timer;
	int path_at;

	bench_timer_start(&timer, 10000000);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		path_at = 0;
		if (sscanf(line, "speed %15s %n", variant, &path_at) == 1 && path_at > 0)
			speed(variant, line + path_at);
		else if (sscanf(line, "late %15s %" SCNu64 " %" SCNu64 " %n", variant, &us, &mib, &path_at) == 3 && path_at > 0)
			late(variant, us, mib, line + path_at);
		else if (sscanf(line, "fresh %zu", &count) == 1 && count > 0)
			fresh(count);
		else if (sscanf(line, "crowd %zu %zu", &count, &hostile) == 2 && count <= CROWD_MAX && hostile <= count)
			crowd(count, hostile);
		else if (sscanf(line, "together %zu %" SCNu64 " %" SCNu64, &count, &us, &mib) == 3 && count <= CROWD_MAX)
			together(count, us, mib);
		else if (sscanf(line, "bare %zu %" SCNu64 " %" SCNu64, &count, &us, &mib) == 3 && count <= CROWD_MAX)
			bare(count, us, mib);
		else if (sscanf(line, "spin %zu", &count) == 1)
			spin(&spinners, count);
		else if (strcmp(line, "timer") == 0)
			print_timer(&timer);
		else
			printf("{\"error\": \"unknown command\"}\n");
		fflush(stdout);
	}
	bench_timer_stop(&timer);
	if (spinners.runs)
		bench_spinners_stop(&spinners);
}

int main(void)
{
	engine = bench_engine_create(1);
	bench_on_run_stack(engine, serve, NULL);
	for (size_t i = 0; i < entry_count; i++)
		curfew_program_destroy(entries[i].program);
	curfew_engine_destroy(engine);
	return 0;
}
