/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted of the reports of workers; others are made with the library's own writer. */
#include "report.h"

#include "metrics.h"
#include "common/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int64_t in_us(uint64_t ns)
{
	return (int64_t)(ns / 1000);
}

/* A worker that an attacker controls may report any number. */
static int64_t in_bytes(uint64_t bytes)
{
	return bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX;
}

void report_read(const curfew_report *report, report_facts *facts)
{
	const curfew_used *used = &report->used;
	facts->was_stopped = report->stop_mode != CURFEW_STOP_NONE;
	facts->summary = (run_summary){.wall_us = in_us(used->wall_ns),
	                               .cpu_us = in_us(used->cpu_ns),
	                               .memory_peak_bytes = in_bytes(used->memory_peak_bytes),
	                               .output_bytes = in_bytes(used->output_bytes),
	                               .stop_latency_us = facts->was_stopped ? in_us(report->stop_latency_ns) : -1};
	facts->start_us = in_us(used->load_ns) + in_us(used->compile_ns) + in_us(used->start_ns);
}

void report_count(run_figures *f, const report_facts *facts)
{
	if (facts->was_stopped)
		metrics_add_time(&f->stop_latency, facts->summary.stop_latency_us);
	metrics_add_time(&f->start_time, facts->start_us);
	metrics_add_time(&f->wall_time, facts->summary.wall_us);
}

/* Joins everything that a run had printed to a stream. */
static void add_output(text *out, const json_t *events, const char *stream)
{
	size_t index;
	const json_t *e;
	json_array_foreach(events, index, e)
	{
		const json_t *words = json_object_get(e, "text");
		const char *name = json_string_value(json_object_get(e, "stream"));
		if (name != NULL && strcmp(name, stream) == 0)
			text_add(out, json_string_value(words), json_string_length(words));
	}
}

static blob *write_report(const curfew_report *report)
{
	char *words = NULL;
	size_t length = 0;
	if (curfew_report_to_json(report, &words, &length) != CURFEW_OK)
		return NULL;
	blob *made = blob_create(words, length);
	curfew_free(words);
	return made;
}

/* Fills a copy of the library's report; its texts are borrowed. */
static blob *fill_and_write(curfew_report copy, const run *r, curfew_outcome outcome, const char *output)
{
	text out, err;
	json_t *events = output != NULL ? json_loads(output, JSON_ALLOW_NUL, NULL) : NULL;

	text_init(&out, SIZE_MAX / 2);
	text_init(&err, SIZE_MAX / 2);
	add_output(&out, events, "stdout");
	add_output(&err, events, "stderr");
	copy.outcome = outcome;
	memcpy(copy.id, r->id, sizeof copy.id);
	memcpy(copy.program_sha256, r->program->sha256, sizeof copy.program_sha256);
	copy.partial = r->checkpoint != NULL ? r->checkpoint->data : NULL;
	copy.error_name = outcome != CURFEW_OUTCOME_BAD_PROGRAM ? curfew_outcome_name(outcome) : NULL;
	if (outcome == CURFEW_OUTCOME_CANCELLED)
		copy.tripped[copy.tripped_count++] = outcome;
	if (out.data != NULL) {
		copy.stdout_text = out.data;
		copy.stdout_length = out.length;
	}

	if (err.data != NULL) {
		copy.stderr_text = err.data;
		copy.stderr_length = err.length;
	}

	copy.used.output_bytes = out.length + err.length;
	blob *made = write_report(&copy);
	text_finish(&out);
	text_finish(&err);
	json_decref(events);
	return made;
}

blob *report_make(const run *r, curfew_outcome outcome, const char *message, const char *output)
{
	curfew_report *base = NULL;
	if (curfew_report_create_failed(CURFEW_OUTCOME_INTERNAL_ERROR, r->program->name, message, &r->limits, &base) !=
	    CURFEW_OK)
		return NULL;
	blob *made = fill_and_write(*base, r, outcome, output);
	curfew_report_destroy(base);
	return made;
}
