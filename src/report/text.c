/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report as text for people: what happened, where, and how much of each limit was used. Texts that the guest chose
 * (messages, names, a source line) are shown so that they can neither control the terminal nor pass for a line of ours.
 */
#include "common/utf8.h"
#include "curfew.h"
#include "limits/limits.h"
#include "limits/quantity.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The maximum number of bytes and lines of an error's message that are shown; the JSON report has all of it. */
enum { MESSAGE_BYTES = 4096, MESSAGE_LINES = 20, SOURCE_BYTES = 100, QUANTITY = 48 };

typedef struct writer {
	curfew__buffer buffer;
	bool colour;
} writer;

static const char bold_red[] = "\033[1;31m";
static const char bold[] = "\033[1m";
static const char faint[] = "\033[2m";
static const char plain[] = "\033[0m";

static void append_text(writer *w, const char *text)
{
	curfew__buffer_add_text(&w->buffer, text);
}

static void add_style(writer *w, const char *style)
{
	if (w->colour)
		append_text(w, style);
}

/* ---- Text of the guest's --------------------------------------------------------------------------------- */

/* Characters that move the cursor, start an escape sequence or change the direction of writing. */
static bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 || character == 0x2029 ||
	       (character >= 0x202a && character <= 0x202e) || (character >= 0x2066 && character <= 0x2069);
}

/* One character, or its escape; returns its length. A tab is shown as one space, so that columns can be counted. */
static size_t add_visible(writer *w, const char *text, size_t length)
{
	uint32_t character;
	size_t step = curfew__utf8_decode(text, length, &character);
	if (step == 0) {
		append_text(w, "?");
		return curfew__utf8_skip(text, length);
	}
	if (character == '\t')
		append_text(w, " ");
	else if (is_control(character) && character < 0x100)
		curfew__buffer_printf(&w->buffer, "\\x%02" PRIx32, character);
	else if (is_control(character))
		curfew__buffer_printf(&w->buffer, "\\u%04" PRIx32, character);
	else
		curfew__buffer_add(&w->buffer, text, step);
	return step;
}

static void add_guest_text(writer *w, const char *text)
{
	size_t length = strlen(text);
	for (size_t at = 0; at < length;)
		at += add_visible(w, text + at, length - at);
}

/* A mark before each line but the first distinguishes the guest's lines from ours. */
static void add_guest_lines(writer *w, const char *text)
{
	size_t whole = strlen(text);
	size_t length = curfew__utf8_cut(text, whole, MESSAGE_BYTES);
	int lines = 1;
	size_t at = 0;
	while (at < length && lines <= MESSAGE_LINES) {
		if (text[at] == '\n') {
			lines++;
			at++;
			append_text(w, at < length ? "\n  | " : "");
			continue;
		}
		at += add_visible(w, text + at, length - at);
	}
	if (at < whole)
		append_text(w, " ...");
}

/* ---- Quantities ------------------------------------------------------------------------------------------ */

/* A number with one decimal, or none where that is 0. */
static void format_tenths(uint64_t tenths, const char *unit, char text[QUANTITY])
{
	if (tenths % 10 == 0)
		(void)snprintf(text, QUANTITY, "%" PRIu64 "%s", tenths / 10, unit);
	else
		(void)snprintf(text, QUANTITY, "%" PRIu64 ".%" PRIu64 "%s", tenths / 10, tenths % 10, unit);
}

/* Tenths of a unit, rounded down so that something below a limit does not look as if it had reached it. */
static uint64_t tenths_of(uint64_t value, uint64_t scale)
{
	return value / scale * 10 + value % scale * 10 / scale;
}

static void format_bytes(uint64_t bytes, char text[QUANTITY])
{
	if (bytes < UINT64_C(1) << 10)
		(void)snprintf(text, QUANTITY, "%" PRIu64 " B", bytes);
	else if (bytes < UINT64_C(1) << 20)
		format_tenths(tenths_of(bytes, UINT64_C(1) << 10), " KiB", text);
	else if (bytes < UINT64_C(1) << 30)
		format_tenths(tenths_of(bytes, UINT64_C(1) << 20), " MiB", text);
	else
		format_tenths(tenths_of(bytes, UINT64_C(1) << 30), " GiB", text);
}

static void format_count(uint64_t count, char text[QUANTITY])
{
	if (count < 10000)
		(void)snprintf(text, QUANTITY, "%" PRIu64, count);
	else if (count < 1000000)
		format_tenths(tenths_of(count, 1000), " k", text);
	else if (count < 1000000000)
		format_tenths(tenths_of(count, 1000000), " M", text);
	else
		format_tenths(tenths_of(count, 1000000000), " G", text);
}

/* Formats a measured time: in seconds to the millisecond, or in milliseconds below `seconds_from`. */
static void format_time_from(uint64_t seconds_from, uint64_t ns, char text[QUANTITY])
{
	if (ns >= seconds_from)
		(void)snprintf(text, QUANTITY, "%" PRIu64 ".%03" PRIu64 " s", ns / 1000000000, ns % 1000000000 / 1000000);
	else if (ns >= 10000000)
		(void)snprintf(text, QUANTITY, "%" PRIu64 ".%" PRIu64 " ms", ns / 1000000, ns % 1000000 / 100000);
	else
		(void)snprintf(text, QUANTITY, "%" PRIu64 ".%02" PRIu64 " ms", ns / 1000000, ns % 1000000 / 10000);
}

static void format_time(uint64_t ns, char text[QUANTITY])
{
	format_time_from(100000000, ns, text);
}

/* Formats a duration that a user chose, exactly. */
static void format_limit_time(uint64_t ns, char text[QUANTITY])
{
	const uint64_t second = 1000000000;
	if (ns >= second && ns < 60 * second && ns % second != 0 && ns % 1000000 == 0) {
		int length = snprintf(text, QUANTITY, "%" PRIu64 ".%03" PRIu64, ns / second, ns % second / 1000000);
		while (text[length - 1] == '0')
			length--;
		memcpy(text + length, " s", sizeof " s");
		return;
	}
	curfew__quantity_format(CURFEW_UNIT_DURATION, ns, " ", text, QUANTITY);
	size_t length = strlen(text);
	if (length > 2 && strcmp(text + length - 2, " m") == 0)
		memcpy(text + length, "in", sizeof "in"); /* "5 m" would be five metres */
}

static void format_amount(curfew_unit unit, uint64_t value, char text[QUANTITY])
{
	if (unit == CURFEW_UNIT_BYTES)
		format_bytes(value, text);
	else
		format_count(value, text);
}

static void format_limit(curfew_unit unit, uint64_t value, char text[QUANTITY])
{
	if (unit == CURFEW_UNIT_DURATION)
		format_limit_time(value, text);
	else
		format_amount(unit, value, text);
}

/* What was used, in a unit that compares well with the limit. */
static void format_used(curfew_unit unit, uint64_t value, uint64_t limit, char text[QUANTITY])
{
	const uint64_t second = 1000000000;
	if (unit != CURFEW_UNIT_DURATION)
		format_amount(unit, value, text);
	else if (limit < second)
		format_time_from(second, value, text);
	else
		format_time(value, text);
}

/* ---- Usage: "wall 1.000 s of 1 s · cpu 0.998 s · ..." ---------------------------------------------------- */

/* How a limit's usage is shown; in the order of the line. */
typedef struct usage {
	const char *label;
	const char *phrase; /* "stopped after AMOUNT PHRASE" */
	uint64_t used;
	const curfew_limit_info *info;
	uint64_t limit;
	uint64_t compare; /* another limit of the same unit that it is read beside; CURFEW_UNLIMITED: none */
} usage;

enum { USAGES = 9 };

static const curfew_limit_info *find_limit(size_t offset)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (table[i].offset == offset)
			return &table[i];
	}
	return table;
}

#define USAGE(label_, phrase_, used_, field)                                                                           \
	(usage)                                                                                                            \
	{                                                                                                                  \
		label_, phrase_, report->used.used_, find_limit(offsetof(curfew_limits, field)), report->limits.field,         \
			CURFEW_UNLIMITED                                                                                           \
	}

static void list_usages(const curfew_report *report, usage list[USAGES])
{
	list[0] = USAGE("wall", "", wall_ns, timeout_ns);
	list[1] = USAGE("cpu", " of CPU time", cpu_ns, cpu_ns);
	list[2] = USAGE("fuel", " of fuel", fuel, fuel);
	list[3] = USAGE("loops", " loops and calls", loops, loops);
	list[4] = USAGE("memory", " of memory", memory_peak_bytes, memory_bytes);
	list[5] = USAGE("stack", " of stack", stack_peak_bytes, stack_bytes);
	list[6] = USAGE("output", " of output", output_bytes, output_bytes);
	list[7] = USAGE("host calls", " host calls", host_calls, host_calls);
	list[8] = USAGE("timers", " pending timers", timers_peak, timers);
	list[1].compare = report->limits.timeout_ns;
}

static bool is_tripped(const curfew_report *report, curfew_outcome outcome)
{
	for (uint32_t i = 0; i < report->tripped_count && i < CURFEW_TRIPPED_MAX; i++) {
		if (report->tripped[i] == outcome)
			return true;
	}
	return report->outcome == outcome;
}

/* Whether to show a limit: it was exceeded, was set by the user, or was used enough to matter. */
static bool is_interesting(const curfew_report *report, const usage *u)
{
	if (is_tripped(report, u->info->outcome))
		return true;
	switch (u->info->outcome) {
	case CURFEW_OUTCOME_DEADLINE:
	case CURFEW_OUTCOME_CPU:
	case CURFEW_OUTCOME_MEMORY: return true;
	case CURFEW_OUTCOME_FUEL: return u->used != CURFEW_UNLIMITED;
	case CURFEW_OUTCOME_LOOPS:
	case CURFEW_OUTCOME_OUTPUT: return u->used > 0 || u->limit != u->info->default_value;
	default: return u->limit != u->info->default_value || u->used > u->limit / 2;
	}
}

/* Formats "3.1 of 64 MiB", with the unit only once if both have the same. */
static void add_amount(writer *w, const usage *u)
{
	char used[QUANTITY];
	char limit[QUANTITY];
	format_used(u->info->unit, u->used, u->limit < u->compare ? u->limit : u->compare, used);
	if (u->limit == CURFEW_UNLIMITED) {
		append_text(w, used);
		return;
	}
	format_limit(u->info->unit, u->limit, limit);
	char *used_unit = strchr(used, ' ');
	const char *limit_unit = strchr(limit, ' ');
	bool same = used_unit != NULL && limit_unit != NULL && strcmp(used_unit, limit_unit) == 0;
	if (same && u->info->unit != CURFEW_UNIT_DURATION)
		*used_unit = '\0';
	curfew__buffer_printf(&w->buffer, "%s of %s", used, limit);
}

static void add_usage_line(writer *w, const curfew_report *report)
{
	usage list[USAGES];
	list_usages(report, list);
	add_style(w, faint);
	append_text(w, "  ");
	for (size_t i = 0, shown = 0; i < USAGES; i++) {
		if (!is_interesting(report, &list[i]))
			continue;
		curfew__buffer_printf(&w->buffer, "%s%s ", shown++ > 0 ? " \xc2\xb7 " : "", list[i].label);
		add_amount(w, &list[i]);
	}
	add_style(w, plain);
	append_text(w, "\n");
}

/* ---- First line ------------------------------------------------------------------------------------------ */

static void add_head(writer *w, const curfew_report *report)
{
	const char *name = curfew_outcome_name(report->outcome);
	bool fine = report->outcome == CURFEW_OUTCOME_FINISHED;
	add_style(w, fine ? bold : bold_red);
	curfew__buffer_printf(&w->buffer, "curfew: %s:", name != NULL ? name : "unknown");
	add_style(w, plain);
	append_text(w, " ");
}

static const usage *find_usage(const usage *list, curfew_outcome outcome)
{
	for (size_t i = 0; i < USAGES; i++) {
		if (list[i].info->outcome == outcome)
			return &list[i];
	}
	return NULL;
}

static void add_lateness(writer *w, const curfew_report *report)
{
	if (report->stop_mode == CURFEW_STOP_NONE || report->stop_latency_ns < 5000)
		return;
	char late[QUANTITY];
	format_time(report->stop_latency_ns, late);
	curfew__buffer_printf(&w->buffer, ", %s late", late);
}

/* "stopped after 1.000 s (limit 1 s), 0.06 ms late" */
static void add_stop(writer *w, const curfew_report *report)
{
	usage list[USAGES];

	list_usages(report, list);
	const usage *u = find_usage(list, report->outcome);
	char text[QUANTITY];
	bool level = report->outcome == CURFEW_OUTCOME_MEMORY || report->outcome == CURFEW_OUTCOME_STACK ||
	             report->outcome == CURFEW_OUTCOME_TIMERS;

	/* A cancel has no limit, so show the elapsed time. */
	if (u != NULL)
		format_used(u->info->unit, u->used, u->limit, text);
	else
		format_time(report->used.wall_ns, text);
	curfew__buffer_printf(&w->buffer, "stopped %s %s%s", level ? "at" : "after", text, u != NULL ? u->phrase : "");
	if (u != NULL && u->limit != CURFEW_UNLIMITED) {
		format_limit(u->info->unit, u->limit, text);
		curfew__buffer_printf(&w->buffer, " (limit %s", text);
		if (report->outcome == CURFEW_OUTCOME_DEADLINE && report->limits.grace_ns > 0) {
			format_limit_time(report->limits.grace_ns, text);
			curfew__buffer_printf(&w->buffer, ", grace %s", text);
		}
		append_text(w, ")");
	}

	add_lateness(w, report);

	/* What the message says beyond the outcome's sentence is where it was, or advice. */
	const char *sentence = curfew_outcome_text(report->outcome), *message = report->error_message;
	if (message != NULL && strncmp(message, sentence, strlen(sentence)) == 0)
		append_text(w, message + strlen(sentence));
}

static void add_error(writer *w, const curfew_report *report)
{
	const char *name = report->error_name != NULL ? report->error_name : "";
	const char *message = report->error_message;
	if (message == NULL)
		message = name[0] == '\0' ? curfew_outcome_text(report->outcome) : "";
	add_guest_text(w, name);
	if (name[0] != '\0' && message != NULL && message[0] != '\0')
		append_text(w, ": ");
	if (message != NULL)
		add_guest_lines(w, message);
}

static void add_finished(writer *w, const curfew_report *report)
{
	char text[QUANTITY];
	format_time(report->used.wall_ns, text);
	curfew__buffer_printf(&w->buffer, "finished after %s", text);
	if (report->stop_mode == CURFEW_STOP_COOPERATIVE)
		curfew__buffer_printf(&w->buffer, ", by itself, after it was notified of the %s",
		                      report->stop_cause == CURFEW_OUTCOME_CANCELLED ? "cancel" : "deadline");
}

/* The outcome already shows its name. */
static void add_unsettled(writer *w, const curfew_report *report)
{
	const char *message = report->error_message;
	add_guest_lines(w, message != NULL ? message : curfew_outcome_text(report->outcome));
}

/* Whether it ended by itself or was stopped. */
static bool has_own_end(curfew_outcome outcome)
{
	return outcome == CURFEW_OUTCOME_THREW || outcome == CURFEW_OUTCOME_TRAPPED ||
	       outcome == CURFEW_OUTCOME_BAD_PROGRAM || outcome == CURFEW_OUTCOME_INTERNAL_ERROR ||
	       outcome == CURFEW_OUTCOME_EXITED || outcome == CURFEW_OUTCOME_CRASHED || outcome == CURFEW_OUTCOME_UNSETTLED;
}

static void add_first_line(writer *w, const curfew_report *report)
{
	add_head(w, report);
	if (report->outcome == CURFEW_OUTCOME_FINISHED)
		add_finished(w, report);
	else if (report->outcome == CURFEW_OUTCOME_UNSETTLED)
		add_unsettled(w, report);
	else if (has_own_end(report->outcome))
		add_error(w, report);
	else
		add_stop(w, report);
	append_text(w, "\n");
}

/* ---- Where ----------------------------------------------------------------------------------------------- */

static void add_place(writer *w, const curfew_frame *frame)
{
	if (frame->native || frame->file == NULL) {
		append_text(w, "native");
		return;
	}
	add_guest_text(w, frame->file);
	if (frame->line == 0 && frame->has_wasm_offset)
		curfew__buffer_printf(&w->buffer, ":0x%" PRIx64, frame->wasm_offset);
	if (frame->line > 0)
		curfew__buffer_printf(&w->buffer, ":%" PRIu32, frame->line);
	if (frame->line > 0 && frame->column > 0)
		curfew__buffer_printf(&w->buffer, ":%" PRIu32, frame->column);
}

static void add_frame(writer *w, const curfew_frame *frame)
{
	bool named = frame->function != NULL && strcmp(frame->function, "<anonymous>") != 0;
	append_text(w, "    at ");
	if (named || frame->native) {
		add_guest_text(w, named ? frame->function : "<anonymous>");
		append_text(w, " (");
		add_place(w, frame);
		append_text(w, ")\n");
		return;
	}
	add_place(w, frame);
	append_text(w, "\n");
}

/* The number of characters to skip at the beginning of a long line, so that the mark is visible. */
static uint32_t hidden_characters(uint32_t column)
{
	return column > SOURCE_BYTES * 3 / 4 ? column - SOURCE_BYTES / 2 : 0;
}

/* Bytes of the first `count` characters. */
static size_t skip_characters(const char *text, size_t length, uint32_t count)
{
	size_t at = 0;
	for (; count > 0 && at < length; count--) {
		uint32_t character;
		size_t step = curfew__utf8_decode(text + at, length - at, &character);
		at += step > 0 ? step : 1;
	}
	return at;
}

/* Writes part of a line, and returns the width in cells of its first `before` characters. */
static size_t add_source(writer *w, const char *text, size_t length, uint32_t before)
{
	size_t cells = 0;
	for (size_t at = 0; at < length;) {
		size_t start = w->buffer.length;
		size_t step = add_visible(w, text + at, length - at);
		size_t added = w->buffer.length - start;
		at += step;
		if (before == 0)
			continue;
		before--;
		cells += step > 1 && added == step ? 1 : added;
	}
	return cells + before;
}

/* Writes the line of the error, and a mark below its column (which counts characters, from 1). */
static void add_source_line(writer *w, const curfew_report *report)
{
	const curfew_frame *frame = curfew__report_placed_frame(report);

	if (report->source_line == NULL || frame == NULL)
		return;
	uint32_t column = frame->column;
	uint32_t hidden = hidden_characters(column);
	const char *text = report->source_line;
	size_t start = skip_characters(text, strlen(text), hidden);
	size_t rest = strlen(text + start);
	size_t shown = curfew__utf8_cut(text + start, rest, SOURCE_BYTES);
	const char *left_out = hidden > 0 ? "..." : "";
	curfew__buffer_printf(&w->buffer, "%5" PRIu32 " | %s", frame->line, left_out);
	size_t cells = add_source(w, text + start, shown, column > hidden ? column - hidden - 1 : 0);
	curfew__buffer_printf(&w->buffer, "%s\n", shown < rest ? "..." : "");
	if (column == 0 || cells > (size_t)SOURCE_BYTES * 6)
		return;
	curfew__buffer_printf(&w->buffer, "      | %*s", (int)(cells + strlen(left_out)), "");
	add_style(w, bold_red);
	append_text(w, "^");
	add_style(w, plain);
	append_text(w, "\n");
}

static void add_also_tripped(writer *w, const curfew_report *report)
{
	const char *separator = "  also exceeded: ";
	for (uint32_t i = 0; i < report->tripped_count && i < CURFEW_TRIPPED_MAX; i++) {
		const char *name = curfew_outcome_name(report->tripped[i]);
		if (report->tripped[i] == report->outcome || name == NULL)
			continue;
		curfew__buffer_printf(&w->buffer, "%s%s", separator, name);
		separator = ", ";
	}
	if (separator[0] == ',')
		append_text(w, "\n");
}

/* ---- What an error holds --------------------------------------------------------------------------------- */

/* The maximum number of inner errors that are shown, and their depth; the JSON report has all of them. */
enum { HELD_MAX = 10, HELD_NESTING = 4 };

static void add_held(writer *w, const char *properties, const curfew_error *cause, const curfew_error *errors,
                     size_t error_count, int nesting);

static void add_nested(writer *w, const char *label, const curfew_error *error, int nesting)
{
	const char *message = error->message != NULL ? error->message : "";
	curfew__buffer_printf(&w->buffer, "  %s: ", label);
	add_guest_text(w, error->name != NULL ? error->name : "");
	if (error->name != NULL && message[0] != '\0')
		append_text(w, ": ");
	add_guest_lines(w, message);
	append_text(w, "\n");
	for (size_t i = 0; i < error->frame_count; i++)
		add_frame(w, &error->frames[i]);
	add_held(w, error->properties, error->cause, error->errors, error->error_count, nesting + 1);
}

static void add_held(writer *w, const char *properties, const curfew_error *cause, const curfew_error *errors,
                     size_t error_count, int nesting)
{
	char label[48];
	if (properties != NULL) {
		append_text(w, "  with ");
		add_guest_lines(w, properties);
		append_text(w, "\n");
	}
	if (nesting == HELD_NESTING)
		return;
	if (cause != NULL)
		add_nested(w, "caused by", cause, nesting);
	for (size_t i = 0; i < error_count && i < HELD_MAX; i++) {
		(void)snprintf(label, sizeof label, "error %zu of %zu", i + 1, error_count);
		add_nested(w, label, &errors[i], nesting);
	}
}

static void write_report(writer *w, const curfew_report *report)
{
	add_first_line(w, report);
	for (size_t i = 0; i < report->frame_count; i++)
		add_frame(w, &report->frames[i]);
	add_source_line(w, report);
	if (report->trace_truncated)
		append_text(w, "    ... (more did not fit the time for reading the stack)\n");
	add_held(w, report->error_properties, report->error_cause, report->error_errors, report->error_error_count, 0);
	add_also_tripped(w, report);
	if (!has_own_end(report->outcome))
		add_usage_line(w, report);
}

curfew_status curfew_report_to_text(const curfew_report *report, bool colour, char **text, size_t *length)
{
	if (report == NULL || text == NULL)
		return CURFEW_INVALID;
	writer w = {.colour = colour};
	curfew__buffer_init(&w.buffer, SIZE_MAX);
	write_report(&w, report);
	if (w.buffer.failed) {
		curfew__buffer_finish(&w.buffer);
		return CURFEW_NO_MEMORY;
	}
	*text = curfew__buffer_take(&w.buffer, length);
	return *text != NULL ? CURFEW_OK : CURFEW_NO_MEMORY;
}
