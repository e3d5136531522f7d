/* SPDX-License-Identifier: Apache-2.0 */
/* Interprets the events of a run: output, states, figures, and the report, which has the output that the stream has
 * lost. */
#include "follow_private.h"

#include "common/mutex.h"
#include "common/clock.h"
#include "format.h"
#include "say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_LENGTH_MAX = 320 << 20 };

void follow_report(follow *f, const char *format, ...)
{
	char words[512], line[600];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	cli_format_line(words, strlen(words), line, sizeof line);
	(void)snprintf(words, sizeof words, "curfew: %.500s\n", line);
	cli_watch_on_event(&f->watch, CURFEW_EVENT_STDERR, words, strlen(words));
}

bool follow_ends_now(const follow *f)
{
	return f->options->once && !f->was_done;
}

/* ---- Figures --------------------------------------------------------------------------------------------- */

void follow_get_usage(void *context, curfew_run_usage *usage)
{
	follow *f = context;
	curfew__mutex_lock(&f->mutex);
	*usage = f->usage;
	usage->wall_ns += ((uint64_t)clock_now_ms() - f->usage_ms) * 1000000;
	curfew__mutex_unlock(&f->mutex);
}

/* The run's time counts from here. */
static void set_running(follow *f, bool is_running)
{
	curfew__mutex_lock(&f->mutex);
	if (is_running != f->is_running) {
		f->usage = (curfew_run_usage){.size = sizeof f->usage};
		f->usage_ms = (uint64_t)clock_now_ms();
	}
	f->is_running = is_running;
	curfew__mutex_unlock(&f->mutex);
}

uint64_t follow_number_of(span object, const char *key)
{
	int64_t number = cli_json_number(cli_json_member(object, key));
	return number > 0 ? (uint64_t)number : 0;
}

void follow_take_usage(follow *f, span run)
{
	span used = cli_json_member(run, "used");
	if (used.data == NULL)
		return;
	curfew__mutex_lock(&f->mutex);
	f->usage.wall_ns = follow_number_of(used, "wall_us") * 1000;
	f->usage.cpu_ns = follow_number_of(used, "cpu_us") * 1000;
	f->usage.memory_bytes = follow_number_of(used, "memory_peak_bytes");
	f->usage.output_bytes = follow_number_of(used, "output_bytes");
	f->usage_ms = (uint64_t)clock_now_ms();
	f->is_running = true;
	curfew__mutex_unlock(&f->mutex);
}

/* ---- The end --------------------------------------------------------------------------------------------- */

/* Prints the output that the stream did not have. */
static void pass_rest(follow *f, curfew_event_kind kind, const char *words, size_t length)
{
	size_t passed = f->passed[kind];
	if (f->options->kind == CLI_FOLLOW_OUTPUT && !f->has_gap && length > passed)
		cli_watch_on_event(&f->watch, kind, words + passed, length - passed);
}

/* The exit code of a program that exited is only in the report's message. */
static void read_exit_code(curfew_report *report)
{
	static const char words[] = "exit code ";
	if (report->outcome == CURFEW_OUTCOME_EXITED && report->error_message != NULL &&
	    strncmp(report->error_message, words, sizeof words - 1) == 0)
		report->exit_code = (int32_t)strtol(report->error_message + sizeof words - 1, NULL, 10);
}

static void take_report(follow *f, span json)
{
	curfew_failure failure;
	cli_followed *followed = f->followed;
	followed->json = text_copy(json.data, json.len);
	followed->json_length = json.len;
	if (followed->json == NULL || curfew_report_parse(json.data, json.len, &followed->report, &failure) != CURFEW_OK) {
		follow_report(f, "%s sent a malformed report: %s", f->options->server->url,
		              followed->json == NULL ? "it is too large" : failure.message);
		f->code = CLI_EXIT_INTERNAL;
		return;
	}
	read_exit_code(followed->report);
	pass_rest(f, CURFEW_EVENT_STDOUT, followed->report->stdout_text, followed->report->stdout_length);
	pass_rest(f, CURFEW_EVENT_STDERR, followed->report->stderr_text, followed->report->stderr_length);
}

/* ---- Events ---------------------------------------------------------------------------------------------- */

static void take_state(follow *f, span data)
{
	char state[32];
	cli_json_line(cli_json_member(data, "state"), state, sizeof state);
	bool is_running = strcmp(state, "running") == 0, is_stopping = strcmp(state, "stopping") == 0;
	if (is_running) {
		/* If the run starts again, its output begins again. */
		f->has_run = true;
		f->passed[0] = f->passed[1] = 0;
	}
	set_running(f, is_running || is_stopping);
	/* A cancel by this command was reported already. */
	bool shows_figures = is_running || (is_stopping && f->signalled);
	cli_watch_set_state(&f->watch, shows_figures ? "" : state);
}

static void take_output(follow *f, span data)
{
	char stream[16];
	size_t length;
	cli_json_line(cli_json_member(data, "stream"), stream, sizeof stream);
	char *words = cli_json_string(cli_json_member(data, "text"), &length);
	curfew_event_kind kind = strcmp(stream, "stderr") == 0 ? CURFEW_EVENT_STDERR : CURFEW_EVENT_STDOUT;
	if (words != NULL && !f->from_report) {
		f->passed[kind] += length;
		cli_watch_on_event(&f->watch, kind, words, length);
	}
	free(words);
}

/* number 0: the event is not from the stream. */
static void print_event(follow *f, uint64_t number, const char *kind, span data)
{
	text out;
	if (f->options->kind != CLI_FOLLOW_EVENTS)
		return;
	text_init(&out, LINE_LENGTH_MAX);
	text_print(&out, number > 0 ? "{\"id\":%llu,\"event\":" : "{\"id\":null,\"event\":", (unsigned long long)number);
	text_say_json(&out, kind);
	text_say(&out, ",\"data\":");
	text_add(&out, data.data, data.len);
	text_say(&out, "}\n");
	if (!out.failed)
		cli_watch_on_event(&f->watch, CURFEW_EVENT_STDOUT, out.data, out.length);
	text_finish(&out);
}

static void note_gap(follow *f, uint64_t number)
{
	if (number <= f->last + 1 || f->has_gap)
		return;
	f->from_report = f->was_done;
	f->has_gap = !f->was_done;
	if (f->has_gap && !f->options->quiet && f->options->kind == CLI_FOLLOW_OUTPUT)
		follow_report(f, "the server no longer has the beginning of the output");
}

void follow_take_report(follow *f, span json)
{
	print_event(f, 0, "report", json);
	take_report(f, json);
}

bool follow_take_event(void *context, uint64_t number, const char *kind, span data)
{
	follow *f = context;
	bool passes = f->options->kind == CLI_FOLLOW_OUTPUT;
	if (!scan_is_json(data.data, data.len))
		return true;
	note_gap(f, number);
	f->last = number;
	print_event(f, number, kind, data);
	if (strcmp(kind, "report") == 0) {
		take_report(f, data);
		return false;
	}
	if (strcmp(kind, "state") == 0)
		take_state(f, data);
	else if (strcmp(kind, "progress") == 0 && passes)
		cli_watch_on_event(&f->watch, CURFEW_EVENT_PROGRESS, data.data, data.len);
	else if (strcmp(kind, "output") == 0 && passes)
		take_output(f, data);
	return !passes || !follow_ends_now(f) || f->passed[0] + f->passed[1] < f->output_bytes;
}
