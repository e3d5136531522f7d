/* SPDX-License-Identifier: Apache-2.0 */
/* Creating, filling and destroying reports: ownership is one allocation for each string. */
#include "report/report.h"

#include "base/random.h"
#include "common/clock.h"
#include "common/id.h"
#include "common/json.h"
#include "common/utf8.h"

#include <stdlib.h>
#include <string.h>

void curfew_id_create(char id[CURFEW__ID_LENGTH + 1])
{
	int64_t wall_us = clock_wall_us();
	unsigned char random[CURFEW__ID_DIGITS];

	/* Without entropy (early boot) the time alone distinguishes ids well enough. */
	if (!curfew__random_few(random, sizeof random))
		memset(random, (int)(wall_us & 31), sizeof random);
	curfew__id_write(id, (uint64_t)(wall_us / 1000), random);
}

curfew_report *curfew__report_create(void)
{
	curfew_report *report = calloc(1, sizeof *report);
	if (report == NULL)
		return NULL;
	report->size = sizeof *report;
	report->used.fuel = CURFEW_UNLIMITED;
	report->limits.size = sizeof report->limits;
	curfew_id_create(report->id);
	return report;
}

static void free_text(const char *text)
{
	free((void *)(uintptr_t)text);
}

static void free_frames(const curfew_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free_text(frames[i].function);
		free_text(frames[i].file);
	}
	free((void *)(uintptr_t)frames);
}

void curfew__report_free_errors(const curfew_error *errors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free_text(errors[i].name);
		free_text(errors[i].message);
		free_text(errors[i].properties);
		free_frames(errors[i].frames, errors[i].frame_count);
		curfew__report_free_errors(errors[i].cause, errors[i].cause != NULL);
		curfew__report_free_errors(errors[i].errors, errors[i].error_count);
	}
	free((void *)(uintptr_t)errors);
}

void curfew_report_destroy(curfew_report *report)
{
	if (report == NULL)
		return;
	free_text(report->value);
	free_text(report->partial);
	free_text(report->error_name);
	free_text(report->error_message);
	free_frames(report->frames, report->frame_count);
	free_text(report->source_line);
	free_text(report->stdout_text);
	free_text(report->stderr_text);
	free_text(report->program_name);
	free_text(report->program_kind);
	free_text(report->value_note);
	free_text(report->error_properties);
	curfew__report_free_errors(report->error_cause, report->error_cause != NULL);
	curfew__report_free_errors(report->error_errors, report->error_error_count);
	free(report);
}

/* A NUL-terminated copy, repaired and at most `most` bytes long; NULL: out of memory. */
static char *copy_clean(const char *text, size_t length, size_t most, size_t *copied)
{
	/* Repair can triple a byte, so what is read is bounded as well as what is kept. */
	size_t cut = length <= most ? length : curfew__utf8_cut(text, length, most);

	/* A text that needs no repair is copied once, without partial copies that nobody wipes. */
	if (cut > 0 && curfew__utf8_check(text, cut, NULL)) {
		char *whole = malloc(cut + 1);
		if (whole == NULL)
			return NULL;
		memcpy(whole, text, cut);
		whole[cut] = '\0';
		if (copied != NULL)
			*copied = cut;
		return whole;
	}

	curfew__buffer buffer;
	curfew__buffer_init(&buffer, cut < SIZE_MAX / 3 ? cut * 3 : SIZE_MAX);
	if (!curfew__utf8_add_clean(&buffer, text, cut)) {
		curfew__buffer_finish(&buffer);
		return NULL;
	}

	char *copy = curfew__buffer_take(&buffer, &length);
	if (copy != NULL && length > most) {
		length = curfew__utf8_cut(copy, length, most);
		copy[length] = '\0';
	}

	if (copied != NULL)
		*copied = length;
	return copy;
}

static bool replace_text(const char **field, char *copy)
{
	if (copy == NULL)
		return false;
	free_text(*field);
	*field = copy;
	return true;
}

bool curfew__report_set_program(curfew_report *report, const char *name, const char *kind, const char *sha256)
{
	if (!replace_text(&report->program_name, copy_clean(name, strlen(name), SIZE_MAX, NULL)) ||
	    !replace_text(&report->program_kind, copy_clean(kind, strlen(kind), SIZE_MAX, NULL)))
		return false;
	if (sha256 != NULL && strlen(sha256) < sizeof report->program_sha256)
		memcpy(report->program_sha256, sha256, strlen(sha256) + 1);
	return true;
}

static bool set_json(const char **field, const char *json, size_t length)
{
	if (!curfew__json_check(json, length, NULL, NULL))
		return false;
	char *copy = malloc(length + 1);
	if (copy == NULL)
		return false;
	memcpy(copy, json, length);
	copy[length] = '\0';
	return replace_text(field, copy);
}

bool curfew__report_set_value(curfew_report *report, const char *json, size_t length)
{
	return set_json(&report->value, json, length);
}

bool curfew__report_set_partial(curfew_report *report, const char *json, size_t length)
{
	return set_json(&report->partial, json, length);
}

/* An error's texts are NUL-terminated in the report, so that a NUL of the guest's would cut them: make it visible. */
static char *copy_error_text(const char *text, size_t length, size_t most)
{
	char *copy = copy_clean(text, length, most, &length);
	for (size_t i = 0; copy != NULL && i < length; i++) {
		if (copy[i] == '\0')
			copy[i] = ' ';
	}
	return copy;
}

bool curfew__report_set_error(curfew_report *report, const char *name, size_t name_length, const char *message,
                              size_t message_length)
{
	report->has_error = true;
	if (name != NULL && !replace_text(&report->error_name, copy_error_text(name, name_length, CURFEW__ERROR_NAME_MAX)))
		return false;
	return message == NULL ||
	       replace_text(&report->error_message, copy_error_text(message, message_length, CURFEW__ERROR_MESSAGE_MAX));
}

bool curfew__report_set_value_note(curfew_report *report, const char *text, size_t length)
{
	return replace_text(&report->value_note, copy_error_text(text, length, CURFEW__ERROR_MESSAGE_MAX));
}

/* ---- Trace ----------------------------------------------------------------------------------------------- */

/* A piece of the trace; not NUL-terminated. */
typedef struct span {
	const char *text;
	size_t length;
} span;

static span span_between(const char *start, const char *end)
{
	return (span){start, (size_t)(end - start)};
}

static bool span_is(span s, const char *text)
{
	return s.length == strlen(text) && memcmp(s.text, text, s.length) == 0;
}

static bool span_begins(span s, const char *text)
{
	return s.length >= strlen(text) && memcmp(s.text, text, strlen(text)) == 0;
}

/* Removes ":NUMBER" from the end. False, with the span unchanged, if there is none; 0 and overflow count as none. */
static bool take_number(span *s, uint32_t *number)
{
	size_t at = s->length;
	uint64_t value = 0;
	uint64_t scale = 1;
	while (at > 0 && s->text[at - 1] >= '0' && s->text[at - 1] <= '9' && s->length - at < 10) {
		value += scale * (uint64_t)(s->text[at - 1] - '0');
		scale *= 10;
		at--;
	}
	if (at == s->length || at == 0 || s->text[at - 1] != ':' || value == 0 || value > UINT32_MAX)
		return false;
	*number = (uint32_t)value;
	s->length = at - 1;
	return true;
}

/*
 * Splits "NAME (PLACE)". The bracket that opens PLACE is the one that matches the last byte: a file's name may hold
 * brackets, and so may a function's, which the guest chooses.
 */
static bool split_place(span line, span *name, span *place)
{
	if (line.length == 0 || line.text[line.length - 1] != ')')
		return false;
	size_t depth = 0;
	for (size_t at = line.length; at-- > 0;) {
		if (line.text[at] == ')')
			depth++;
		if (line.text[at] != '(' || --depth > 0)
			continue;
		if (at == 0 || line.text[at - 1] != ' ')
			return false;
		*name = (span){line.text, at - 1};
		*place = (span){line.text + at + 1, line.length - at - 2};
		return true;
	}
	return false;
}

/* The parts of a line, before anything is copied. */
typedef struct parsed_frame {
	span function;
	span file;
	uint32_t line;
	uint32_t column;
	bool native;
} parsed_frame;

static bool parse_place(span place, parsed_frame *frame)
{
	if (span_is(place, "native")) {
		frame->native = true;
		return true;
	}
	uint32_t last;
	if (!take_number(&place, &last))
		return false;
	uint32_t before;
	bool both = take_number(&place, &before);
	frame->line = both ? before : last;
	frame->column = both ? last : 0;
	frame->file = place;
	if (span_begins(place, "curfew:")) {
		frame->native = true;
		frame->line = 0;
		frame->column = 0;
	}
	return place.length > 0;
}

static bool parse_frame(span line, parsed_frame *frame)
{
	*frame = (parsed_frame){.function = {"", 0}, .file = {"", 0}};
	while (line.length > 0 && (line.text[0] == ' ' || line.text[0] == '\t'))
		line = (span){line.text + 1, line.length - 1};
	if (!span_begins(line, "at "))
		return false;
	line = (span){line.text + 3, line.length - 3};
	if (line.length > 0 && line.text[line.length - 1] == '\r')
		line.length--;
	span place = line;
	if (split_place(line, &frame->function, &place))
		return parse_place(place, frame);
	return parse_place(line, frame);
}

static bool copy_frame(const parsed_frame *parsed, curfew_frame *frame)
{
	span function = parsed->function;
	/* The engine's own names for code outside any function. */
	if (function.length == 0 || span_is(function, "<eval>") || span_is(function, "<module>"))
		function = (span){"<anonymous>", strlen("<anonymous>")};
	frame->function = copy_error_text(function.text, function.length, CURFEW__FRAME_TEXT_MAX);
	frame->native = parsed->native;
	frame->line = parsed->line;
	frame->column = parsed->column;
	if (parsed->native)
		return frame->function != NULL;
	frame->file = copy_error_text(parsed->file.text, parsed->file.length, CURFEW__FRAME_TEXT_MAX);
	return frame->function != NULL && frame->file != NULL;
}

/* Fills frames (room for CURFEW__FRAMES_MAX); *count says how many were begun, also on failure. */
static bool parse_lines(const char *text, size_t length, curfew_frame *frames, size_t *count)
{
	const char *at = text;
	const char *end = text + length;
	while (at < end && *count < CURFEW__FRAMES_MAX) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		if (line_end == NULL)
			line_end = end;
		parsed_frame parsed;
		if (parse_frame(span_between(at, line_end), &parsed) && !copy_frame(&parsed, &frames[(*count)++]))
			return false;
		at = line_end < end ? line_end + 1 : end;
	}
	return true;
}

bool curfew__report_frames_of(const char *text, size_t length, const curfew_frame **frames, size_t *count)
{
	curfew_frame parsed[CURFEW__FRAMES_MAX] = {0};
	size_t found = 0;
	bool good = parse_lines(text, length, parsed, &found);
	curfew_frame *copy = good && found > 0 ? malloc(found * sizeof *copy) : NULL;
	if (!good || (copy == NULL && found > 0)) {
		for (size_t i = 0; i < found; i++) {
			free_text(parsed[i].function);
			free_text(parsed[i].file);
		}
		return false;
	}
	if (found > 0)
		memcpy(copy, parsed, found * sizeof *copy);
	*frames = copy;
	*count = found;
	return true;
}

bool curfew__report_parse_trace(curfew_report *report, const char *text, size_t length)
{
	const curfew_frame *frames;
	size_t count;
	if (!curfew__report_frames_of(text, length, &frames, &count))
		return false;
	free_frames(report->frames, report->frame_count);
	report->frames = frames;
	report->frame_count = count;
	report->has_error = report->has_error || count > 0;
	return true;
}

bool curfew__report_add_frame(curfew_report *report, const curfew_frame *frame)
{
	report->has_error = true;
	if (report->frame_count == CURFEW__FRAMES_MAX)
		return true;
	curfew_frame *frames = realloc((void *)(uintptr_t)report->frames, (report->frame_count + 1) * sizeof *frames);
	if (frames == NULL)
		return false;
	report->frames = frames;
	curfew_frame *copy = &frames[report->frame_count];
	*copy = *frame;
	copy->function = copy_error_text(frame->function, strlen(frame->function), CURFEW__FRAME_TEXT_MAX);
	copy->file = copy_error_text(frame->file, strlen(frame->file), CURFEW__FRAME_TEXT_MAX);
	if (copy->function == NULL || copy->file == NULL) {
		free_text(copy->function);
		free_text(copy->file);
		return false;
	}
	report->frame_count++;
	return true;
}

/* ---- Source line, output, tripped limits ----------------------------------------------------------------- */

/* Whether a line ends with this byte: ECMAScript's line ends that are one byte, and CR LF with its second one. */
static bool ends_line(const char *at, const char *end)
{
	return *at == '\n' || (*at == '\r' && (at + 1 == end || at[1] != '\n'));
}

typedef uint8_t lanes __attribute__((vector_size(16)));

static lanes load(const char *at)
{
	lanes bytes;
	memcpy(&bytes, at, sizeof bytes);
	return bytes;
}

static uint32_t add_lanes(lanes counts)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < sizeof counts; i++)
		sum += counts[i];
	return sum;
}

/* Lines that end in a piece; behind it there is at least one byte more. Sixteen bytes at a time: sources are large. */
static uint32_t count_lines(const char *at, const char *piece_end, const char *end)
{
	uint32_t count = 0;
	while (piece_end - at >= (ptrdiff_t)sizeof(lanes)) {
		lanes counts = {0};
		for (int step = 0; step < 255 && piece_end - at >= (ptrdiff_t)sizeof(lanes); step++, at += sizeof(lanes))
			counts -= (lanes)((load(at) == '\n') | ((load(at) == '\r') & (load(at + 1) != '\n')));
		count += add_lanes(counts);
	}
	for (; at < piece_end; at++)
		count += ends_line(at, end);
	return count;
}

/* Where line number `line` starts; NULL if there is none, or if the budget is spent before. */
static const char *find_line(const char *source, const char *end, uint32_t line, curfew__budget *budget)
{
	const char *at = source;
	uint32_t number = 1;

	/* Skip whole pieces that end before the line begins. */
	while (number < line && end - at > (ptrdiff_t)CURFEW__BUDGET_PIECE) {
		if (!curfew__budget_has_time(budget))
			return NULL;
		uint32_t ended = count_lines(at, at + CURFEW__BUDGET_PIECE, end);
		if (ended >= line - number)
			break;
		number += ended;
		at += CURFEW__BUDGET_PIECE;
	}

	for (; number < line && at < end; at++)
		number += ends_line(at, end);
	return number == line ? at : NULL;
}

const curfew_frame *curfew__report_placed_frame(const curfew_report *report)
{
	for (size_t i = 0; i < report->frame_count; i++) {
		const curfew_frame *frame = &report->frames[i];
		/* "<input>" is what JSON.parse reads. */
		if (!frame->native && frame->line > 0 && frame->file != NULL && frame->file[0] != '<')
			return frame;
	}
	return NULL;
}

bool curfew__report_set_source_line(curfew_report *report, const char *source, size_t length, uint32_t line,
                                    curfew__budget *budget)
{
	const char *end = source + length;
	const char *start = line > 0 ? find_line(source, end, line, budget) : NULL;
	if (start == NULL)
		return true;
	/* More of a line is not kept. */
	if (end - start > CURFEW__SOURCE_LINE_MAX + 1)
		end = start + CURFEW__SOURCE_LINE_MAX + 1;
	const char *stop = start;
	while (stop < end && *stop != '\n' && *stop != '\r')
		stop++;
	return replace_text(&report->source_line, copy_error_text(start, (size_t)(stop - start), CURFEW__SOURCE_LINE_MAX));
}

/* Length without a character at the end whose last bytes were cut off. */
static size_t whole_length(const char *text, size_t length)
{
	for (size_t back = 1; back <= 3 && back <= length; back++) {
		unsigned char byte = (unsigned char)text[length - back];
		if (byte < 0x80)
			return length;
		if (byte < 0xc0)
			continue;
		uint32_t character;
		bool whole = curfew__utf8_decode(text + length - back, back, &character) != 0;
		bool cut = !whole && curfew__utf8_skip(text + length - back, back) == back;
		return cut ? length - back : length;
	}
	return length;
}

static bool set_stream(const char **field, size_t *field_length, const char *text, size_t length, bool truncated)
{
	size_t copied;
	char *copy = copy_clean(text, truncated ? whole_length(text, length) : length, SIZE_MAX, &copied);
	if (!replace_text(field, copy))
		return false;
	*field_length = copied;
	return true;
}

bool curfew__report_set_output(curfew_report *report, const char *stdout_text, size_t stdout_length,
                               const char *stderr_text, size_t stderr_length, bool truncated)
{
	report->output_truncated = truncated;
	return set_stream(&report->stdout_text, &report->stdout_length, stdout_text, stdout_length, truncated) &&
	       set_stream(&report->stderr_text, &report->stderr_length, stderr_text, stderr_length, truncated);
}

static void change_text(const char **field, size_t most, curfew__report_change change, void *context)
{
	if (*field == NULL)
		return;
	char *changed = change(context, *field, most);
	explicit_bzero((void *)(uintptr_t)*field, strlen(*field));
	(void)replace_text(field, changed);
}

/* JSON cannot be cut, so nothing may be left of it. */
static void change_json(const char **field, curfew__report_change change, void *context)
{
	change_text(field, 0, change, context);
	if (*field != NULL && (*field)[0] == '\0') {
		free_text(*field);
		*field = NULL;
	}
}

static void change_frames(const curfew_frame *given, size_t count, curfew__report_change change, void *context)
{
	curfew_frame *frames = (curfew_frame *)(uintptr_t)given;
	for (size_t i = 0; i < count; i++) {
		change_text(&frames[i].function, CURFEW__FRAME_TEXT_MAX, change, context);
		change_text(&frames[i].file, CURFEW__FRAME_TEXT_MAX, change, context);
	}
}

static void change_errors(const curfew_error *given, size_t count, curfew__report_change change, void *context)
{
	curfew_error *errors = (curfew_error *)(uintptr_t)given;
	for (size_t i = 0; i < count; i++) {
		change_text(&errors[i].name, CURFEW__ERROR_NAME_MAX, change, context);
		change_text(&errors[i].message, CURFEW__ERROR_MESSAGE_MAX, change, context);
		change_json(&errors[i].properties, change, context);
		change_frames(errors[i].frames, errors[i].frame_count, change, context);
		change_errors(errors[i].cause, errors[i].cause != NULL, change, context);
		change_errors(errors[i].errors, errors[i].error_count, change, context);
	}
}

void curfew__report_change_texts(curfew_report *report, curfew__report_change change, void *context)
{
	change_text(&report->value_note, CURFEW__ERROR_MESSAGE_MAX, change, context);
	change_json(&report->error_properties, change, context);
	change_errors(report->error_cause, report->error_cause != NULL, change, context);
	change_errors(report->error_errors, report->error_error_count, change, context);
	change_text(&report->error_name, CURFEW__ERROR_NAME_MAX, change, context);
	change_text(&report->error_message, CURFEW__ERROR_MESSAGE_MAX, change, context);
	change_text(&report->source_line, CURFEW__SOURCE_LINE_MAX, change, context);
	change_text(&report->program_name, SIZE_MAX, change, context);
	change_frames(report->frames, report->frame_count, change, context);
}

void curfew__report_add_tripped(curfew_report *report, curfew_outcome outcome)
{
	for (uint32_t i = 0; i < report->tripped_count; i++) {
		if (report->tripped[i] == outcome)
			return;
	}
	if (report->tripped_count < CURFEW_TRIPPED_MAX)
		report->tripped[report->tripped_count++] = outcome;
}

/* ---- A report without a run ------------------------------------------------------------------------------ */

curfew_status curfew_report_create_failed(curfew_outcome outcome, const char *program_name, const char *message,
                                          const curfew_limits *limits, curfew_report **report)
{
	if (program_name == NULL || message == NULL || report == NULL)
		return CURFEW_INVALID;
	if (outcome != CURFEW_OUTCOME_BAD_PROGRAM && outcome != CURFEW_OUTCOME_INTERNAL_ERROR)
		return CURFEW_INVALID;
	curfew_report *made = curfew__report_create();
	if (made == NULL)
		return CURFEW_NO_MEMORY;
	made->outcome = outcome;
	curfew_status status = curfew_limits_resolve(limits, &made->limits, NULL);
	if (status == CURFEW_OK && (!curfew__report_set_program(made, program_name, "js", NULL) ||
	                            !curfew__report_set_error(made, NULL, 0, message, strlen(message))))
		status = CURFEW_NO_MEMORY;
	if (status != CURFEW_OK)
		curfew_report_destroy(made);
	else
		*report = made;
	return status;
}
