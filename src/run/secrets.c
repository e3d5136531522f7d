/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of a run, from its start to its end: they are removed from everything that leaves it. A run without
 * secrets pays nothing for this.
 */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "report/report.h"
#include "run/stop.h"

/* The maximum that labels may add to JSON of the report that has no other bound. */
#define LABELS_MAX ((size_t)64 << 10)

static bool pass_stdout(void *context, const char *bytes, size_t length)
{
	return curfew__run_pass_output(context, false, bytes, length);
}

static bool pass_stderr(void *context, const char *bytes, size_t length)
{
	return curfew__run_pass_output(context, true, bytes, length);
}

void curfew__run_take_given(curfew_run *run, curfew__given *given)
{
	run->given = given;
	if (!given->redactor)
		return;
	curfew__redact_init(&run->output.redacted[0], given->redactor, pass_stdout, run);
	curfew__redact_init(&run->output.redacted[1], given->redactor, pass_stderr, run);
}

bool curfew__run_prepare_secrets(curfew_run *run)
{
	while (run->given->redactor && !curfew__redactor_is_ready(run->given->redactor)) {
		/* Check for a stop between two pieces. */
		int64_t now = clock_now_ns();
		curfew__run_look_at_clock(run, now);
		(void)curfew__run_next_alarm(run, now);
		if (atomic_load(&run->stop.cause) || curfew__redactor_build(run->given->redactor) == CURFEW__REDACTOR_FAILED)
			return false;
	}
	return true;
}

void curfew__run_end_output(curfew_run *run)
{
	/* A stop may have cut off the rest of a secret. */
	bool cut = atomic_load(&run->stop.cause);

	for (int i = 0; run->given->redactor && i < 2; i++)
		curfew__redact_end(&run->output.redacted[i], cut);
}

bool curfew__run_redact_json(const curfew_run *run, curfew__buffer *buffer, const char **json, size_t *length)
{
	/* Labels can make the text longer. The length after the search counts. */
	curfew__buffer_init(buffer, (size_t)run->limits.output_bytes);
	if (!run->given->redactor)
		return true;
	if (!curfew__redact_json(run->given->redactor, buffer, *json, *length, &run->stop.cause))
		return false;
	*json = buffer->data;
	*length = buffer->length;
	return true;
}

void curfew__run_set_value(curfew_run *run, const char *json, size_t length)
{
	curfew__buffer buffer;
	uint64_t limit = run->limits.output_bytes;

	/* A value that is longer than the limit is charged with that length, and dropped. */
	if (length <= limit && !curfew__run_redact_json(run, &buffer, &json, &length))
		length = (size_t)limit + 1;
	else if (length > limit)
		curfew__buffer_init(&buffer, 0);
	if (curfew__run_charge_output(run, length) == length)
		curfew__report_set_value(run->report, json, length);
	curfew__buffer_finish(&buffer);
}

/* Whether a text may have been cut, perhaps inside a character: it has nearly its maximum length. */
static bool may_be_cut(size_t length, size_t most)
{
	/* The guest has already cut the names of functions and files. */
	bool is_frame = most == CURFEW__FRAME_TEXT_MAX;
	return length + 4 > most || (is_frame && length + 8 > CURFEW_GUEST_NAME_BYTES);
}

/* Returns a text of the report without secrets. NULL: out of memory. */
static char *redact(void *context, const char *text, size_t most)
{
	const curfew_run *run = context;
	size_t length = strlen(text);
	curfew__buffer buffer;

	/* A text is cut to its bound. JSON cannot be cut, so it is left out if it has become much longer. */
	curfew__buffer_init(&buffer, !most ? length + LABELS_MAX : most > SIZE_MAX - LABELS_MAX ? SIZE_MAX : most);
	bool done = most ? curfew__redact_text(run->given->redactor, &buffer, text, length, may_be_cut(length, most)) ||
	                       buffer.failed
	                 : curfew__redact_json(run->given->redactor, &buffer, text, length, NULL);
	char *made = done ? curfew__buffer_take(&buffer, NULL) : NULL;
	curfew__buffer_finish(&buffer);
	return made;
}

void curfew__run_redact_report(curfew_run *run)
{
	/* Without the redactor nothing of the program has run, so there is nothing to search. */
	if (run->given->redactor && curfew__redactor_is_ready(run->given->redactor))
		curfew__report_change_texts(run->report, redact, run);
}

void curfew__run_give_back(curfew_run *run)
{
	curfew__redact_finish(&run->output.redacted[0]);
	curfew__redact_finish(&run->output.redacted[1]);
	if (run->kept && run->wasm == run->kept->wasm)
		run->wasm = NULL;
	run->kept = NULL;
	curfew__given_unref(run->given);
	run->given = NULL;
}
