/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the report of a run whose worker sent none, from what the pool itself knows and what had arrived until then. */
#include "inside.h"

#include "common/clock.h"
#include <string.h>

static bool begins_with(const char *text, size_t length, const char *word, size_t word_length)
{
	return length >= word_length && memcmp(text, word, word_length) == 0;
}

/* Skips spaces and one-line comments. Other comments are rare, and nothing depends on this. */
static size_t skip_blanks(const char *text, size_t length)
{
	size_t at = 0;
	while (at < length) {
		const char *line_end = memchr(text + at, '\n', length - at);
		if (strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0')
			at++;
		else if (begins_with(text + at, length - at, ";;", 2) && line_end != NULL)
			at = (size_t)(line_end - text);
		else
			break;
	}
	return at;
}

/* Guesses the kind by its beginning, because nothing of a program is parsed here. */
static const char *kind_of(const worker_program *program)
{
	static const char binary[] = {'\0', 'a', 's', 'm', 0x0d, 0, 1, 0}, word[] = "(component";
	const char *text = program->bytes;
	if (program->head.language != CURFEW_LANGUAGE_WASM && program->head.language != CURFEW_LANGUAGE_WAT)
		return "js";
	size_t at = skip_blanks(text, program->length);
	bool is_component = begins_with(text, program->length, binary, sizeof binary) ||
	                    begins_with(text + at, program->length - at, word, sizeof word - 1);
	return is_component ? "component" : "module";
}

static void fill_outcome(curfew_report *report, const worker_end *end)
{
	report->outcome = report->stop_cause = end->outcome;
	report->stop_mode = end->mode;
	report->stop_latency_ns = end->late_ns > 0 ? (uint64_t)end->late_ns : 0;
	if (end->mode != CURFEW_STOP_NONE)
		report->tripped[report->tripped_count++] = end->outcome;
	report->has_error = true;
	report->error_name = curfew_outcome_name(end->outcome);
	report->error_message = end->message != NULL ? end->message : curfew_outcome_text(end->outcome);
}

static void fill_known(curfew_report *report, const worker_run *run)
{
	int64_t now = clock_now_ns();
	memcpy(report->id, run->id, sizeof report->id);
	report->partial = worker_bytes_count(&run->partial) > 0 ? run->partial.data + run->partial.at : NULL;
	report->limits = run->limits;
	report->used.wall_ns = (uint64_t)(now - run->submitted_ns);
	report->used.run_ns = run->was_started ? report->used.wall_ns : 0;
	report->used.cpu_ns = run->usage.cpu_ns;
	report->used.memory_peak_bytes = run->usage.memory_bytes;
	report->used.fuel = run->limits.fuel == CURFEW_UNLIMITED ? CURFEW_UNLIMITED : 0;
	report->used.output_bytes = run->streams[0].length + run->streams[1].length;
	report->stdout_text = run->streams[0].data;
	report->stdout_length = run->streams[0].length;
	report->stderr_text = run->streams[1].data;
	report->stderr_length = run->streams[1].length;
	report->program_name = run->program->name;
	report->program_kind = kind_of(run->program);
	memcpy(report->program_sha256, worker_program_hash(run->program), sizeof report->program_sha256);
}

void worker_run_report(worker_run *run, const worker_end *end)
{
	curfew_report report = {.size = sizeof report};
	char *text = NULL;
	size_t length = 0;
	fill_known(&report, run);
	fill_outcome(&report, end);
	/* Without memory there is no report, but the run still ends. */
	(void)curfew_report_to_json(&report, &text, &length);
	worker_result result = {.outcome = end->outcome, .report = text, .report_length = length, .parsed = &report};
	if (run->job.on_done != NULL)
		run->job.on_done(run->job.context, &result);
	curfew_free(text);
	worker_run_unref(run);
}
