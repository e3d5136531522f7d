/* SPDX-License-Identifier: Apache-2.0 */
/* Code that the measuring programs share; see common.h. */
#include "common.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

void bench_check(curfew_status status, const curfew_failure *failure, const char *what)
{
	if (status != CURFEW_OK)
		bench_die("%s: %s: %s", what, curfew_status_text(status), failure ? failure->message : "");
}

char *bench_file_read(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	long size;
	char *text;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		bench_die("%s: cannot be read", path);
	rewind(file);
	text = malloc((size_t)size + 1);
	if (!text || fread(text, 1, (size_t)size, file) != (size_t)size)
		bench_die("%s: cannot be read", path);
	text[size] = 0;
	fclose(file);
	*length = (size_t)size;
	return text;
}

void bench_print_list(const char *name, const uint64_t *values, size_t count)
{
	printf("\"%s\": [", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%" PRIu64, i ? ", " : "", values[i]);
	printf("]");
}

uint64_t bench_resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long total = 0, resident = 0;

	if (!file || fscanf(file, "%lu %lu", &total, &resident) != 2)
		bench_die("/proc/self/statm: cannot be read");
	fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t bench_proportional_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	unsigned long kib = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "Pss: %lu kB", &kib) == 1)
			break;
	fclose(file);
	return (uint64_t)kib * 1024;
}

curfew_engine *bench_engine_create(uint32_t threads)
{
	curfew_engine_options options = {.size = sizeof options, .threads = threads, .max_runs = 1000000};
	curfew_engine *engine = NULL;
	curfew_failure failure = {0};

	bench_check(curfew_engine_create(&options, &engine, &failure), &failure, "engine");
	return engine;
}

void bench_limits_widest(curfew_limits *limits)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);

	memset(limits, 0, sizeof *limits);
	limits->size = sizeof *limits;
	for (size_t i = 0; i < count; i++) {
		uint64_t *field = (uint64_t *)((char *)limits + table[i].offset);

		if (table[i].may_be_unlimited)
			*field = CURFEW_UNLIMITED;
		else if (table[i].unit != CURFEW_UNIT_BYTES && strcmp(table[i].name, "grace") != 0)
			*field = table[i].ceiling;
	}
	limits->memory_bytes = (uint64_t)1 << 30;
}

static curfew_language language_of(const char *name)
{
	const char *ending = strrchr(name, '.');

	if (ending && strcmp(ending, ".wasm") == 0)
		return CURFEW_LANGUAGE_WASM;
	return ending && strcmp(ending, ".wat") == 0 ? CURFEW_LANGUAGE_WAT : CURFEW_LANGUAGE_JS;
}

curfew_program *bench_program_create(curfew_engine *engine, const char *name, const char *text, size_t length,
                                     uint32_t flags, const curfew_limits *limits)
{
	curfew_source source = {.size = sizeof source,
	                        .language = language_of(name),
	                        .name = name,
	                        .text = text,
	                        .text_length = length,
	                        .flags = flags};
	curfew_program *program = NULL;
	curfew_report *report = NULL;
	curfew_failure failure = {0};
	char *why = NULL;

	bench_check(curfew_program_create(engine, &source, &program, &failure), &failure, name);
	if (limits && curfew_program_compile(program, limits, &report, &failure) == CURFEW_BAD_PROGRAM) {
		curfew_report_to_text(report, false, &why, &(size_t){0});
		bench_die("%s", why ? why : name);
	}
	if (limits && failure.message[0])
		bench_die("%s: %s", name, failure.message);
	return program;
}

void bench_attack_read(bench_attack *attack, const char *path)
{
	const char *slash = strrchr(path, '/');

	attack->name = slash ? slash + 1 : path;
	attack->directory = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
	attack->text = bench_file_read(path, &attack->length);
	if (!attack->directory)
		bench_die("out of memory");
}

curfew_program *bench_attack_program(curfew_engine *engine, const bench_attack *attack)
{
	curfew_source source = {.size = sizeof source,
	                        .name = attack->name,
	                        .text = attack->text,
	                        .text_length = attack->length,
	                        .import_dir = attack->directory,
	                        .flags = CURFEW_SOURCE_ONCE};
	curfew_program *program = NULL;
	curfew_failure failure = {0};

	bench_check(curfew_program_create(engine, &source, &program, &failure), &failure, attack->name);
	return program;
}

void bench_attack_finish(bench_attack *attack)
{
	free(attack->directory);
	free(attack->text);
}

uint64_t *bench_list_create(size_t count)
{
	uint64_t *list = calloc(count, sizeof *list);

	if (!list)
		bench_die("out of memory");
	return list;
}

struct body_call {
	void (*body)(void *context);
	void *context;
};

static void *call_body(void *context)
{
	struct body_call *call = context;

	call->body(call->context);
	return NULL;
}

void bench_on_run_stack(const curfew_engine *engine, void (*body)(void *context), void *context)
{
	struct body_call call = {body, context};
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	/* A run's stack, and some more for the caller's own frames. */
	if (pthread_attr_setstacksize(&attributes, curfew_engine_stack_bytes(engine) + (256u << 10)) != 0 ||
	    pthread_create(&thread, &attributes, call_body, &call) != 0)
		bench_die("a thread could not be started");
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

void bench_spinners_start(bench_spinners *spinners, size_t count)
{
	static const char text[] = "for (;;);";
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = UINT64_C(3600000000000)};
	curfew_run_options options = {.size = sizeof options, .limits = &limits};

	*spinners = (bench_spinners){.count = count, .runs = calloc(count + 1, sizeof *spinners->runs)};
	if (!spinners->runs)
		bench_die("out of memory");
	spinners->engine = bench_engine_create(count ? (uint32_t)count : 1);
	spinners->program = bench_program_create(spinners->engine, "spin.js", text, sizeof text - 1, 0, NULL);
	for (size_t i = 0; i < count; i++) {
		curfew_failure failure = {0};
		bench_check(curfew_run_start(spinners->program, &options, &spinners->runs[i], &failure), &failure, "spin.js");
	}
}

void bench_spinners_stop(bench_spinners *spinners)
{
	for (size_t i = 0; i < spinners->count; i++)
		curfew_run_cancel(spinners->runs[i]);
	for (size_t i = 0; i < spinners->count; i++) {
		curfew_run_wait(spinners->runs[i]);
		curfew_run_destroy(spinners->runs[i]);
	}
	curfew_program_destroy(spinners->program);
	curfew_engine_destroy(spinners->engine);
	free(spinners->runs);
	*spinners = (bench_spinners){0};
}

static void *timer_main(void *context)
{
	bench_timer *timer = context;
	uint64_t due_ns = bench_now_ns() + timer->period_ns;

	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	while (!atomic_load(&timer->stopping) && timer->count < timer->capacity) {
		struct timespec due = {(time_t)(due_ns / 1000000000u), (long)(due_ns % 1000000000u)};
		uint64_t now_ns;

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		now_ns = bench_now_ns();
		timer->late_ns[timer->count++] = now_ns - due_ns;
		/* A wake-up after the next due time counts once, with its full lateness. */
		while (due_ns <= now_ns)
			due_ns += timer->period_ns;
	}
	return NULL;
}

void bench_timer_start(bench_timer *timer, uint64_t period_ns)
{
	memset(timer, 0, sizeof *timer);
	timer->period_ns = period_ns;
	timer->capacity = 1u << 18;
	timer->late_ns = calloc(timer->capacity, sizeof *timer->late_ns);
	if (!timer->late_ns || pthread_create(&timer->thread, NULL, timer_main, timer) != 0)
		bench_die("the timer thread could not be started");
}

void bench_timer_stop(bench_timer *timer)
{
	atomic_store(&timer->stopping, true);
	pthread_join(timer->thread, NULL);
}

void bench_timer_print(const bench_timer *timer)
{
	printf("{");
	bench_print_list("timer_ns", timer->late_ns, timer->count);
	printf("}\n");
}
