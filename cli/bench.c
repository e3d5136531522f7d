/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curfew bench: repeats a program, or two in turns so that both meet the same noise, and prints distributions. Every
 * run is fresh and isolated and starts from the program's image. A run that does not end "ok" stops the bench, because
 * the times of runs that were cut short mean nothing.
 */
#include "calibrate.h"
#include "commands.h"
#include "common/clock.h"
#include "format.h"
#include "samples.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS_MAX = 10000000, PROGRAMS = 2, PROGRESS_AFTER_MS = 1000, PROGRESS_EVERY_MS = 200 };

typedef enum measure { WALL, START, CPU, FUEL, MEMORY, MEASURES } measure;

static const struct {
	const char *name;
	const char *key; /* in the JSON */
	uint64_t scale;  /* of the JSON's unit */
	cli_format_function format;
} measures[MEASURES] = {
	[WALL] = {"wall", "wall_us", 1000, cli_format_time},
	[START] = {"start", "start_us", 1000, cli_format_time},
	[CPU] = {"cpu", "cpu_us", 1000, cli_format_time},
	[FUEL] = {"fuel", "fuel", 1, cli_format_count},
	[MEMORY] = {"memory", "memory_peak_bytes", 1, cli_format_bytes},
};

/* One program and its measurements. */
typedef struct subject {
	const char *path;
	cli_source source;
	curfew_program *program;
	curfew_limits limits;
	char *params;
	size_t params_length;
	cli_samples samples[MEASURES];
	cli_summary summaries[MEASURES];
	bool metered;
	curfew_report *stopped; /* report of the run that did not end "ok" */
} subject;

typedef struct bench {
	const cli_arguments *arguments;
	curfew_engine *engine;
	curfew_run_options options;
	cli_grants grants;
	cli_wasi wasi;
	size_t runs;
	bool quiet; /* no progress on stderr */
	subject subjects[PROGRAMS];
	size_t subject_count;
	cli_samples ratios; /* wall of the second to the first of each pair, in thousandths */
	cli_summary ratio;
} bench;

static void subject_finish(subject *s)
{
	for (int i = 0; i < MEASURES; i++)
		free(s->samples[i].values);
	curfew_report_destroy(s->stopped);
	curfew_program_destroy(s->program);
	free(s->params);
	cli_source_finish(&s->source);
}

static void finish_bench(bench *b)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		subject_finish(&b->subjects[i]);
	curfew_engine_destroy(b->engine);
	cli_grants_finish(&b->grants);
	free(b->ratios.values);
	cli_wasi_finish(&b->wasi);
}

/* ---- Setting up ------------------------------------------------------------------------------------------ */

/* Checks the options. -1: they are valid. */
static int parse_runs(bench *b)
{
	const char *text = b->arguments->values[CLI_OPTION_RUNS];
	b->runs = 100;
	if (text == NULL)
		return CLI_GO_ON;
	char *end;
	unsigned long long runs = strtoull(text, &end, 10);
	unsigned long long scale = strcmp(end, "k") == 0 ? 1000 : strcmp(end, "M") == 0 ? 1000000 : 1;
	bool number = text[0] >= '0' && text[0] <= '9' && (*end == '\0' || scale > 1);
	if (!number || runs == 0)
		return cli_usage_error("--runs %s: must be a number from 1, such as 500 or 10k", text);
	runs = runs > RUNS_MAX ? runs : runs * scale;
	if (runs > RUNS_MAX)
		return cli_usage_error("--runs %s: above the ceiling of %d", text, RUNS_MAX);
	b->runs = (size_t)runs;
	return CLI_GO_ON;
}

static int check_arguments(bench *b)
{
	int code = parse_runs(b);
	if (code != CLI_GO_ON)
		return code;
	b->subjects[0].path = b->arguments->program;
	b->subjects[1].path = b->arguments->values[CLI_OPTION_VS];
	b->subject_count = b->subjects[1].path != NULL ? 2 : 1;
	for (size_t i = 0; i < b->subject_count; i++) {
		if (strcmp(b->subjects[i].path, "-") == 0)
			return cli_usage_error("bench needs a file, not - (standard input)");
	}
	code = cli_check_params(b->arguments);
	if (code == CLI_GO_ON)
		code = cli_wasi_init(b->arguments, &b->wasi);
	return code == CLI_GO_ON ? cli_grants_init(b->arguments, &b->grants) : code;
}

static int say_failure(curfew_status status, const curfew_failure *failure)
{
	curfew_outcome outcome = cli_is_program_fault(status) ? CURFEW_OUTCOME_BAD_PROGRAM : CURFEW_OUTCOME_INTERNAL_ERROR;
	cli_say("%s: %s", curfew_outcome_name(outcome),
	        failure->message[0] != '\0' ? failure->message : curfew_status_text(status));
	return curfew_outcome_exit_code(outcome);
}

static bool allocate_samples(bench *b, subject *s)
{
	for (int i = 0; i < MEASURES; i++) {
		s->samples[i].values = calloc(b->runs, sizeof(uint64_t));
		if (s->samples[i].values == NULL)
			return false;
	}
	return true;
}

static int prepare_run(const bench *b, subject *s)
{
	bool is_js = strcmp(curfew_program_kind(s->program), "js") == 0;
	s->limits = b->arguments->limits;
	int code = cli_fuel_apply(b->arguments, is_js, &s->limits);
	return code != CLI_GO_ON ? code : cli_make_params(b->arguments, is_js, &s->params, &s->params_length);
}

static int prepare_subject(bench *b, subject *s)
{
	curfew_failure failure = {.message = ""};
	curfew_report *report = NULL;

	if (!cli_source_read(s->path, b->arguments->values[CLI_OPTION_LANG], &s->source, &failure))
		return say_failure(CURFEW_BAD_PROGRAM, &failure);
	s->source.has_node = b->arguments->values[CLI_OPTION_NODE] != NULL;
	if (!cli_source_set_imports(&s->source, s->path, b->arguments, &failure))
		return cli_usage_error("%s", failure.message);
	if (!allocate_samples(b, s))
		return say_failure(CURFEW_NO_MEMORY, &failure);
	curfew_status status = cli_program_create(b->engine, &s->source, 0, &s->program, &failure);
	if (status == CURFEW_OK && !s->source.is_image)
		status = curfew_program_compile(s->program, &b->arguments->limits, &report, &failure);
	int code = status == CURFEW_OK ? prepare_run(b, s) : 0;
	if (status != CURFEW_OK && report != NULL) {
		cli_report_lines(report);
		code = curfew_outcome_exit_code(report->outcome);
	} else if (status != CURFEW_OK) {
		code = say_failure(status, &failure);
	}
	curfew_report_destroy(report);
	return code;
}

static int prepare_bench(bench *b)
{
	curfew_failure failure = {.message = ""};
	curfew_status status = cli_engine_create(1, cli_engine_flags(b->arguments), &b->engine, &failure);
	if (status != CURFEW_OK)
		return say_failure(status, &failure);
	b->ratios.values = calloc(b->runs, sizeof(uint64_t));
	if (b->ratios.values == NULL)
		return say_failure(CURFEW_NO_MEMORY, &failure);
	b->options = (curfew_run_options){
		.size = sizeof b->options,
		.flags = b->arguments->values[CLI_OPTION_DETERMINISTIC] != NULL ? CURFEW_RUN_DETERMINISTIC : 0,
		.call = b->arguments->values[CLI_OPTION_CALL],
	};
	cli_grants_put(&b->grants, b->arguments, &b->options);
	cli_wasi_apply(&b->wasi, b->arguments, &b->options);
	int code = CLI_GO_ON;
	for (size_t i = 0; i < b->subject_count && code == CLI_GO_ON; i++)
		code = prepare_subject(b, &b->subjects[i]);
	return code;
}

/* ---- Running --------------------------------------------------------------------------------------------- */

static void keep_sample(subject *s, const curfew_used *used)
{
	const uint64_t values[MEASURES] = {
		[WALL] = used->wall_ns,
		[START] = used->load_ns + used->compile_ns + used->start_ns,
		[CPU] = used->cpu_ns,
		[FUEL] = used->fuel != CURFEW_UNLIMITED ? used->fuel : 0,
		[MEMORY] = used->memory_peak_bytes,
	};
	s->metered = used->fuel != CURFEW_UNLIMITED;
	for (int i = 0; i < MEASURES; i++)
		s->samples[i].values[s->samples[i].count++] = values[i];
}

/* Runs a subject once. CLI_GO_ON, or the exit code if the bench cannot continue. */
static int run_once(bench *b, subject *s, bool measured)
{
	curfew_failure failure = {.message = ""};
	curfew_report *report = NULL;
	b->options.limits = &s->limits;
	b->options.params = s->params;
	b->options.params_length = s->params_length;
	curfew_status status = curfew_program_run(s->program, &b->options, &report, &failure);
	if (status == CURFEW_INVALID)
		return cli_usage_error("%s", failure.message);
	if (status != CURFEW_OK)
		return say_failure(status, &failure);
	if (report->outcome != CURFEW_OUTCOME_FINISHED) {
		s->stopped = report;
		return curfew_outcome_exit_code(report->outcome);
	}
	if (measured)
		keep_sample(s, &report->used);
	curfew_report_destroy(report);
	return CLI_GO_ON;
}

static void keep_ratio(bench *b)
{
	const cli_samples *first = &b->subjects[0].samples[WALL];
	const cli_samples *second = &b->subjects[1].samples[WALL];
	uint64_t base = first->values[first->count - 1];
	b->ratios.values[b->ratios.count++] = second->values[second->count - 1] * 1000 / (base > 0 ? base : 1);
}

static int run_round(bench *b, size_t round, bool measured)
{
	int code = CLI_GO_ON;
	for (size_t i = 0; i < b->subject_count && code == CLI_GO_ON; i++) {
		/* Alternate which program is first, so that a trend of the machine favours neither. */
		subject *s = &b->subjects[(i + round) % b->subject_count];
		/* Taking over memory that the other program left must not count for either. */
		if (b->subject_count > 1)
			code = run_once(b, s, false);
		if (code == CLI_GO_ON)
			code = run_once(b, s, measured);
	}
	if (code == CLI_GO_ON && measured && b->subject_count == 2)
		keep_ratio(b);
	return code;
}

/* Shows progress on a terminal; done at the end erases it. */
static void show_progress(const bench *b, size_t round, bool done)
{
	static const char erase[] = "\r\033[K";
	char line[96];
	if (b->quiet)
		return;
	int length = done ? snprintf(line, sizeof line, "%s", erase)
	                  : snprintf(line, sizeof line, "\r\033[2mrun %zu of %zu\033[0m\033[K", round + 1, b->runs);
	(void)cli_write(STDERR_FILENO, line, (size_t)length, NULL);
}

static int run_measured(bench *b)
{
	uint64_t next_ms = (uint64_t)clock_now_ms() + PROGRESS_AFTER_MS;
	bool shown = false;
	int code = CLI_GO_ON;
	for (size_t i = 0; i < b->runs && code == CLI_GO_ON; i++) {
		code = run_round(b, i, true);
		if ((uint64_t)clock_now_ms() < next_ms)
			continue;
		show_progress(b, i, false);
		shown = true;
		next_ms = (uint64_t)clock_now_ms() + PROGRESS_EVERY_MS;
	}
	if (shown)
		show_progress(b, 0, true);
	return code;
}

static int run_all(bench *b)
{
	size_t warm_up = b->arguments->values[CLI_OPTION_WARM] != NULL ? b->runs / 10 + 1 : 0;
	int code = CLI_GO_ON;
	for (size_t i = 0; i < warm_up && code == CLI_GO_ON; i++)
		code = run_round(b, i, false);
	return code == CLI_GO_ON ? run_measured(b) : code;
}

static void summarize(bench *b)
{
	for (size_t i = 0; i < b->subject_count; i++) {
		subject *s = &b->subjects[i];
		for (int m = 0; m < MEASURES && s->samples[m].count > 0; m++)
			s->summaries[m] = cli_samples_summarize(&s->samples[m]);
	}
	if (b->ratios.count > 0)
		b->ratio = cli_samples_summarize(&b->ratios);
}

/* ---- Printing -------------------------------------------------------------------------------------------- */

static void print_row(FILE *out, const char *name, const cli_summary *summary, cli_format_function format)
{
	const uint64_t values[] = {summary->minimum, summary->p50, summary->p90, summary->p99, summary->maximum};
	char text[48];
	fprintf(out, "  %-8s", name);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		format(values[i], text);
		fprintf(out, " %11s", text);
	}
	fputc('\n', out);
}

static void format_ratio(uint64_t thousandths, char *text)
{
	(void)snprintf(text, CLI_QUANTITY, "%" PRIu64 ".%03" PRIu64, thousandths / 1000, thousandths % 1000);
}

static void print_heading(FILE *out, const char *name)
{
	fprintf(out, "  %-8s %11s %11s %11s %11s %11s\n", name, "min", "p50", "p90", "p99", "max");
}

static void print_subject(FILE *out, const bench *b, const subject *s)
{
	fprintf(out, "%s: %zu runs%s\n\n", s->path, s->samples[WALL].count,
	        b->arguments->values[CLI_OPTION_WARM] != NULL ? ", warm" : "");
	print_heading(out, "");
	for (int m = 0; m < MEASURES; m++) {
		if (m != FUEL || s->metered)
			print_row(out, measures[m].name, &s->summaries[m], measures[m].format);
	}
	fputs("\n  wall\n", out);
	cli_samples_draw(out, &s->samples[WALL], cli_format_time_finely);
	fputc('\n', out);
}

static void print_table(FILE *out, const bench *b)
{
	for (size_t i = 0; i < b->subject_count; i++)
		print_subject(out, b, &b->subjects[i]);
	if (b->subject_count < 2)
		return;
	fprintf(out, "%s to %s, wall of each pair\n\n", b->subjects[1].path, b->subjects[0].path);
	print_heading(out, "");
	print_row(out, "ratio", &b->ratio, format_ratio);
}

static void print_json_summary(FILE *out, const char *key, const cli_summary *summary, uint64_t scale)
{
	double divisor = (double)scale;
	fprintf(out, "\"%s\":{\"min\":%.10g,\"p50\":%.10g,\"p90\":%.10g,\"p99\":%.10g,\"max\":%.10g}", key,
	        (double)summary->minimum / divisor, (double)summary->p50 / divisor, (double)summary->p90 / divisor,
	        (double)summary->p99 / divisor, (double)summary->maximum / divisor);
}

static void print_json_subject(FILE *out, const subject *s)
{
	fputs("{\"program\":", out);
	cli_write_json_string(out, s->path);
	fprintf(out, ",\"runs\":%zu", s->samples[WALL].count);
	for (int m = 0; m < MEASURES; m++) {
		fputc(',', out);
		if (m == FUEL && !s->metered)
			fprintf(out, "\"%s\":null", measures[m].key);
		else
			print_json_summary(out, measures[m].key, &s->summaries[m], measures[m].scale);
	}
	fputc('}', out);
}

static void print_json(FILE *out, const bench *b)
{
	fprintf(out, "{\"schema\":\"curfew.bench/1\",\"warm\":%s,\"programs\":[",
	        b->arguments->values[CLI_OPTION_WARM] != NULL ? "true" : "false");
	for (size_t i = 0; i < b->subject_count; i++) {
		fputs(i > 0 ? "," : "", out);
		print_json_subject(out, &b->subjects[i]);
	}
	fputs("],", out);
	if (b->subject_count == 2)
		print_json_summary(out, "ratio", &b->ratio, 1000);
	else
		fputs("\"ratio\":null", out);
	fputs("}\n", out);
}

static int print_results(const bench *b)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	if (b->arguments->values[CLI_OPTION_JSON] != NULL)
		print_json(out, b);
	else
		print_table(out, b);
	int code = fclose(out) == 0 ? cli_print(text, length) : CLI_EXIT_INTERNAL;
	free(text);
	return code;
}

/* Reports which run was cut short, and the results of those before it. */
static void report_stopped(const bench *b)
{
	for (size_t i = 0; i < b->subject_count; i++) {
		const subject *s = &b->subjects[i];
		if (s->stopped == NULL)
			continue;
		cli_report_lines(s->stopped);
		cli_say("bench stops here: %s did not end ok (measured runs: %zu ok, then 1 %s)", s->path,
		        s->samples[WALL].count, curfew_outcome_name(s->stopped->outcome));
	}
}

int cli_bench(const cli_arguments *arguments)
{
	bench b = {.arguments = arguments};
	b.quiet = arguments->values[CLI_OPTION_JSON] != NULL || isatty(STDERR_FILENO) == 0;
	int code = check_arguments(&b);
	if (code == CLI_GO_ON)
		code = prepare_bench(&b);
	if (code == CLI_GO_ON)
		code = run_all(&b);
	report_stopped(&b);
	if (code == CLI_GO_ON) {
		summarize(&b);
		code = print_results(&b);
	}
	finish_bench(&b);
	return code;
}
