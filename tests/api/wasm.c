/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebAssembly programs through the library: every attack of tests/attacks/wat is stopped on its caller's own thread;
 * several threads may run one program at once; waiting runs hold no thread; nothing is left behind.
 */
#include "engine.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>

#define MS UINT64_C(1000000)
#define MIB (UINT64_C(1) << 20)

static curfew_program *program_of(curfew_engine *engine, const char *name, const char *text)
{
	curfew_source source = {.size = sizeof source,
	                        .language = CURFEW_LANGUAGE_WAT,
	                        .name = name,
	                        .text = text,
	                        .text_length = strlen(text)};
	curfew_program *program = NULL;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	return program;
}

/* ---- Attacks --------------------------------------------------------------------------------------------- */

typedef struct attack {
	char name[256];
	char text[32768];
	char expected[128];
	char params[128]; /* "": none */
	bool waits_for_input;
} attack;

/* The first text between two others. */
static void take_between(const char *text, const char *before, char after, char *out, size_t size)
{
	const char *at = strstr(text, before);
	out[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(before);
	const char *end = strchr(at, after);
	CHECK(end != NULL && (size_t)(end - at) < size);
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = '\0';
}

static void read_attack(const char *name, attack *read)
{
	char path[1024];
	(void)snprintf(path, sizeof path, "%s/%s", ATTACKS, name);
	(void)snprintf(read->name, sizeof read->name, "%s", name);
	FILE *file = fopen(path, "r");
	CHECK(file != NULL);
	size_t length = fread(read->text, 1, sizeof read->text - 1, file);
	CHECK(length > 0 && length < sizeof read->text - 1);
	read->text[length] = '\0';
	(void)fclose(file);
	take_between(read->text, "expect: ", '\n', read->expected, sizeof read->expected);
	take_between(read->text, "--params '", '\'', read->params, sizeof read->params);
	read->waits_for_input = strstr(read->text, ";; stdin: open\n") != NULL;
}

static curfew_outcome run_attack(curfew_engine *engine, const attack *given)
{
	int input[2] = {-1, -1};
	/* An attack that exceeds another limit first needs the time for that on a busy machine. */
	bool by_time = strstr(given->expected, "deadline") != NULL;
	curfew_limits limits = {.size = sizeof limits,
	                        .timeout_ns = harness_ms(by_time ? 100 : 60000),
	                        .memory_bytes = 64 * MIB,
	                        .output_bytes = 65536};
	curfew_run_options options = {.size = sizeof options, .limits = &limits, .call = "run"};
	if (given->params[0] != '\0') {
		options.params = given->params;
		options.params_length = strlen(given->params);
	}
	if (given->waits_for_input) {
		CHECK_EQUAL(pipe(input), 0);
		options.flags = CURFEW_RUN_STDIN;
		options.stdin_fd = input[0];
	}
	curfew_program *program = program_of(engine, given->name, given->text);
	curfew_report *report = NULL;
	/* A deadline that passes while the program is compiled finds no frame. */
	CHECK_OK(curfew_program_compile(program, NULL, NULL, NULL));
	CHECK_OK(curfew_program_run(program, &options, &report, NULL));
	curfew_outcome outcome = report->outcome;
	const char *name = curfew_outcome_name(outcome);
	bool expected = strstr(given->expected, name) != NULL;
	if (!expected)
		(void)fprintf(stderr, "%s: expected %s, seen %s: %s\n", given->name, given->expected, name,
		              report->error_message != NULL ? report->error_message : "-");
	CHECK(expected);
	CHECK(outcome != CURFEW_OUTCOME_DEADLINE || report->frame_count > 0);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	for (int i = 0; i < 2; i++)
		if (input[i] >= 0)
			(void)close(input[i]);
	return outcome;
}

static void attacks_from_their_callers_thread(void)
{
	/* Claim L17. */
	static attack given;
	curfew_engine *engine = NULL;
	unsigned count = 0;
	CHECK_OK(curfew_engine_create(NULL, &engine, NULL));
	DIR *directory = opendir(ATTACKS);
	CHECK(directory != NULL);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		if (strstr(entry->d_name, ".wat") == NULL)
			continue;
		read_attack(entry->d_name, &given);
		run_attack(engine, &given);
		count++;
	}
	(void)closedir(directory);
	CHECK(count > 40);
	curfew_engine_destroy(engine);
}

/* ---- Many at once ---------------------------------------------------------------------------------------- */

/* Threads that wait for a guest's input end by themselves shortly after. Nothing waits for them. */
static void check_no_more_entries(const char *path, unsigned expected)
{
	uint64_t until = harness_now() + harness_patience_ms(5000);
	while (harness_count_entries(path) > expected && harness_now() < until)
		harness_sleep_us(2000);
	CHECK(harness_count_entries(path) <= expected);
}

typedef struct guest {
	const char *text;
	curfew_outcome outcome;
	const char *value;
} guest;

static const guest guests[] = {
	{"(module (func $fib (export \"run\") (param i32) (result i32) (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))"
     " (then (local.get 0)) (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))"
     " (call $fib (i32.sub (local.get 0) (i32.const 2))))))))",
     CURFEW_OUTCOME_FINISHED, "610"},
	{"(module (func (export \"run\") (param i32) (loop $l (br $l))))", CURFEW_OUTCOME_DEADLINE, NULL},
	{"(module (memory 1) (func (export \"run\") (param i32) (result i32) (memory.fill (i32.const 0) (local.get 0)"
     " (i32.const 60000)) (i32.load8_u (i32.const 59999))))",
     CURFEW_OUTCOME_FINISHED, "15"},
	{"(module (memory 1) (func (export \"run\") (param i32) (loop $l (drop (memory.grow (i32.const 1))) (br $l))))",
     CURFEW_OUTCOME_MEMORY, NULL},
	{"(component (core module $m (func (export \"run\") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))"
     " (core instance $i (instantiate $m)) (func (export \"run\") (param \"n\" u32) (result u32)"
     " (canon lift (core func $i \"run\"))))",
     CURFEW_OUTCOME_FINISHED, "30"},
	{"(module (func $f (export \"run\") (param i32) (call $f (local.get 0))))", CURFEW_OUTCOME_STACK, NULL},
};
enum { GUESTS = sizeof guests / sizeof guests[0], THREADS = 6, ROUNDS = 30 };

typedef struct shared {
	curfew_program *programs[GUESTS];
	atomic_uint next;
} shared;

static void *run_all(void *context)
{
	shared *all = context;
	/* Enough for programs that finish on a busy machine too. The endless ones use all of it. */
	curfew_limits limits = {.size = sizeof limits, .memory_bytes = 4 * MIB};
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned at = atomic_fetch_add(&all->next, 1) % GUESTS;
		limits.timeout_ns = guests[at].outcome == CURFEW_OUTCOME_DEADLINE ? 20 * MS : harness_ms(60000);
		curfew_run_options options = {
			.size = sizeof options, .limits = &limits, .call = "run", .params = "[15]", .params_length = 4};
		curfew_report *report = NULL;
		CHECK_OK(curfew_program_run(all->programs[at], &options, &report, NULL));
		CHECK_EQUAL(report->outcome, guests[at].outcome);
		CHECK_TEXT(report->value, guests[at].value);
		curfew_report_destroy(report);
	}
	return NULL;
}

static void run_by_threads(curfew_engine *engine)
{
	shared all = {.next = 0};
	pthread_t threads[THREADS];
	for (int i = 0; i < GUESTS; i++)
		all.programs[i] = program_of(engine, "shared.wat", guests[i].text);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, run_all, &all), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < GUESTS; i++)
		curfew_program_destroy(all.programs[i]);
	harness_check_idle(engine);
}

static void programs_shared_by_threads(void)
{
	curfew_engine *engine = harness_engine(2);
	run_by_threads(engine);
	unsigned files = harness_count_entries("/proc/self/fd");
	unsigned threads = harness_count_entries("/proc/self/task");
	run_by_threads(engine);
	check_no_more_entries("/proc/self/fd", files);
	check_no_more_entries("/proc/self/task", threads);
	curfew_engine_destroy(engine);
}

/* ---- Waiting --------------------------------------------------------------------------------------------- */

static const char sleeper[] =
	"(module (import \"wasi_snapshot_preview1\" \"poll_oneoff\" (func $poll (param i32 i32 i32 i32) (result i32)))"
	" (memory (export \"memory\") 1) (func (export \"_start\") (i32.store (i32.const 16) (i32.const 1))"
	" (i64.store (i32.const 24) (i64.const 3600000000000))"
	" (drop (call $poll (i32.const 0) (i32.const 104) (i32.const 1) (i32.const 200)))))";

enum { SLEEPERS = 100 };

static void sleep_at_once(curfew_engine *engine, bool cancel)
{
	curfew_program *program = program_of(engine, "sleeper.wat", sleeper);
	curfew_run *runs[SLEEPERS];
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = cancel ? harness_ms(60000) : harness_ms(500)};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};
	for (int i = 0; i < SLEEPERS; i++)
		CHECK_OK(curfew_run_start(program, &options, &runs[i], NULL));
	harness_sleep_us(50000);
	for (int i = 0; i < SLEEPERS && cancel; i++)
		curfew_run_cancel(runs[i]);
	for (int i = 0; i < SLEEPERS; i++) {
		CHECK_EQUAL(curfew_run_wait(runs[i])->outcome, cancel ? CURFEW_OUTCOME_CANCELLED : CURFEW_OUTCOME_DEADLINE);
		curfew_run_destroy(runs[i]);
	}
	curfew_program_destroy(program);
	harness_check_idle(engine);
}

static void a_hundred_sleep_at_once(void)
{
	curfew_engine *engine = harness_engine(2);
	uint64_t begin = harness_now();
	sleep_at_once(engine, false);
	/* One after the other they would take 50 s. */
	CHECK(harness_now() - begin < harness_patience_ms(6000));
	/* From the second program on a compiler is kept ready. */
	sleep_at_once(engine, false);
	unsigned files = harness_count_entries("/proc/self/fd");
	unsigned threads = harness_count_entries("/proc/self/task");
	sleep_at_once(engine, false);
	sleep_at_once(engine, true);
	check_no_more_entries("/proc/self/fd", files);
	check_no_more_entries("/proc/self/task", threads);
	curfew_engine_destroy(engine);
}

static void engines_leave_nothing(void)
{
	unsigned files = harness_count_entries("/proc/self/fd");
	unsigned threads = harness_count_entries("/proc/self/task");
	for (uint32_t i = 0; i < 6; i++) {
		curfew_engine_options options = {.size = sizeof options, .threads = 2};
		curfew_engine *engine = NULL;
		CHECK_OK(curfew_engine_create(&options, &engine, NULL));
		sleep_at_once(engine, true);
		curfew_engine_destroy(engine);
	}
	check_no_more_entries("/proc/self/fd", files);
	check_no_more_entries("/proc/self/task", threads);
}

static const harness_test tests[] = {
	{"attacks_from_their_callers_thread", attacks_from_their_callers_thread},
	{"programs_shared_by_threads", programs_shared_by_threads},
	{"a_hundred_sleep_at_once", a_hundred_sleep_at_once},
	{"engines_leave_nothing", engines_leave_nothing},
};

HARNESS_MAIN(tests)
