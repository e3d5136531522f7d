/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses a report from its JSON, which is untrusted. The text is checked as JSON first, so that the rest of the parser
 * needs no checks of syntax. Then every key must occur once, and no unknown key may occur.
 */
#include "report/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"
#include "common/id.h"
#include "common/json.h"
#include "common/json_reader.h"
#include "common/utf8.h"

typedef struct reader {
	curfew__json_reader in;
	curfew_report *report;
	size_t error_count, nesting; /* of errors within other errors */
	char problem[200];
} reader;

typedef struct member {
	const char *key;
	bool (*take)(reader *r, void *target);
	void *target;
	bool optional; /* it may be missing */
} member;

enum { MEMBERS_MAX = 32 };

static bool refuse_report(reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse_report(reader *r, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(r->problem, sizeof r->problem, format, arguments);
	va_end(arguments);
	return false;
}

/* ---- JSON ------------------------------------------------------------------------------------------------- */

static const char *here(const reader *r)
{
	return r->in.text + r->in.at;
}

static bool accept(reader *r, char byte)
{
	if (curfew__json_peek(&r->in) != byte)
		return false;
	r->in.at++;
	return true;
}

static bool accept_null(reader *r)
{
	if (curfew__json_peek(&r->in) != 'n')
		return false;
	curfew__json_skip(&r->in);
	return true;
}

/* Reads a string, NUL-terminated. Half of a surrogate pair becomes U+FFFD. */
static char *take_string(reader *r, size_t *length)
{
	curfew__buffer text;
	if (curfew__json_peek(&r->in) != '"') {
		refuse_report(r, "is no string");
		return NULL;
	}
	curfew__buffer_init(&text, SIZE_MAX);
	(void)curfew__json_read_string(&r->in, &text);
	char *taken = text.failed ? NULL : curfew__buffer_take(&text, length);
	if (taken == NULL)
		refuse_report(r, "does not fit into memory");
	curfew__buffer_finish(&text);
	return taken;
}

/* ---- Members ---------------------------------------------------------------------------------------------- */

static bool take_member(reader *r, const member *members, size_t count, uint32_t *seen)
{
	size_t length, i = 0;
	char *key = take_string(r, &length);
	if (key == NULL)
		return false;
	while (i < count && (strlen(members[i].key) != length || memcmp(members[i].key, key, length) != 0))
		i++;
	if (i == count)
		refuse_report(r, "has an unknown key %.40s", key);
	else if ((*seen & 1u << i) != 0)
		refuse_report(r, "has the key %s twice", members[i].key);
	free(key);
	if (r->problem[0] != '\0' || !accept(r, ':'))
		return false;
	*seen |= 1u << i;
	if (members[i].take(r, members[i].target))
		return true;
	char inner[sizeof r->problem];
	memcpy(inner, r->problem, sizeof inner);
	return refuse_report(r, "%s %.150s", members[i].key, inner);
}

/* Reads an object with exactly these keys, in any order. Optional keys may be missing. */
static bool take_object(reader *r, const member *members, size_t count)
{
	uint32_t seen = 0;
	if (!accept(r, '{'))
		return refuse_report(r, "is no object");
	if (curfew__json_peek(&r->in) != '}') {
		do
			if (curfew__json_peek(&r->in) != '"' || !take_member(r, members, count, &seen))
				return false;
		while (accept(r, ','));
	}
	for (size_t i = 0; i < count; i++) {
		if ((seen & 1u << i) == 0 && !members[i].optional)
			return refuse_report(r, "lacks the key %s", members[i].key);
	}
	return accept(r, '}');
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Values ----------------------------------------------------------------------------------------------- */

static bool take_any_text(reader *r, void *target)
{
	size_t length;
	(void)target;
	char *text = take_string(r, &length);
	free(text);
	return text != NULL;
}

/* A string without NULs, or null. */
static bool take_text(reader *r, void *target)
{
	const char **field = target;
	size_t length;
	if (accept_null(r))
		return true;
	*field = take_string(r, &length);
	return *field != NULL && (strlen(*field) == length || refuse_report(r, "holds a NUL"));
}

static bool take_fixed(reader *r, char *field, size_t size)
{
	const char *text = NULL;
	bool taken = take_text(r, &text) && text != NULL && strlen(text) < size;
	if (taken)
		memcpy(field, text, strlen(text) + 1);
	free((void *)(uintptr_t)text);
	return taken || refuse_report(r, "has another form");
}

/* Output may contain NULs, so its length is stored as well. */
static bool take_stdout(reader *r, void *target)
{
	curfew_report *report = target;
	return (report->stdout_text = take_string(r, &report->stdout_length)) != NULL;
}

static bool take_stderr(reader *r, void *target)
{
	curfew_report *report = target;
	return (report->stderr_text = take_string(r, &report->stderr_length)) != NULL;
}

/* A JSON value as it stands, or null. */
static bool take_json(reader *r, void *target)
{
	const char **field = target;
	if (accept_null(r))
		return true;
	(void)curfew__json_peek(&r->in);
	const char *start = here(r);
	curfew__json_skip(&r->in);
	size_t length = (size_t)(here(r) - start);
	char *copy = malloc(length + 1);
	if (copy == NULL)
		return refuse_report(r, "does not fit into memory");
	memcpy(copy, start, length);
	copy[length] = '\0';
	*field = copy;
	return true;
}

static bool take_bool(reader *r, void *target)
{
	bool *field = target;
	int byte = curfew__json_peek(&r->in);
	if (byte != 't' && byte != 'f')
		return refuse_report(r, "is neither true nor false");
	*field = byte == 't';
	curfew__json_skip(&r->in);
	return true;
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* A number from 0 on, in thousandths. */
static bool take_thousandths(reader *r, uint64_t *whole, unsigned *thousandths)
{
	size_t length = 0, at = 0;
	unsigned places = 0;
	(void)curfew__json_peek(&r->in);
	bool is_number = curfew__json_next_kind(&r->in) == CURFEW__JSON_NUMBER;
	const char *text = is_number ? curfew__json_number_text(&r->in, &length) : "";
	bool fits = length > 0 && is_digit(text[0]);
	*whole = *thousandths = 0;
	for (; fits && at < length && is_digit(text[at]); at++) {
		fits = *whole <= (UINT64_MAX - 9) / 10;
		*whole = *whole * 10 + (uint64_t)(text[at] - '0');
	}
	if (fits && at < length && text[at] == '.') {
		for (at++; at < length && is_digit(text[at]); at++, places++)
			*thousandths = *thousandths * 10 + (unsigned)(text[at] - '0') * (places < 3);
		for (fits = places <= 3; places < 3; places++)
			*thousandths *= 10;
	}
	return (fits && at == length) || refuse_report(r, "is not a number in its range");
}

static bool take_number(reader *r, void *target)
{
	unsigned rest;
	return take_thousandths(r, target, &rest) && (rest == 0 || refuse_report(r, "is no whole number"));
}

/* A number, or null where there is none: no limit, not metered. */
static bool take_count(reader *r, void *target)
{
	uint64_t *field = target;
	*field = CURFEW_UNLIMITED;
	return accept_null(r) || take_number(r, target);
}

/* Microseconds, held in ns; null as above. */
static bool take_duration(reader *r, void *target)
{
	uint64_t *field = target, us;
	unsigned rest;
	*field = CURFEW_UNLIMITED;
	if (accept_null(r))
		return true;
	if (!take_thousandths(r, &us, &rest))
		return false;
	if (us > (UINT64_MAX - 1000) / 1000)
		return refuse_report(r, "is out of range");
	*field = us * 1000 + rest;
	return true;
}

/* A line or column: null is 0. */
static bool take_place(reader *r, void *target)
{
	uint32_t *field = target;
	uint64_t number = 0;
	if (!accept_null(r) && (!take_number(r, &number) || number > UINT32_MAX))
		return refuse_report(r, "is out of range");
	*field = (uint32_t)number;
	return true;
}

static bool take_outcome(reader *r, void *target)
{
	curfew_outcome *field = target;
	char name[32];
	int value = 0;
	if (!take_fixed(r, name, sizeof name))
		return false;
	while (value < CURFEW_OUTCOME_COUNT && strcmp(curfew_outcome_name((curfew_outcome)value), name) != 0)
		value++;
	*field = (curfew_outcome)value;
	return value < CURFEW_OUTCOME_COUNT || refuse_report(r, "is no outcome");
}

/* Reads one of these names, as its index. */
static bool take_name(reader *r, const char *const *names, size_t count, size_t *place, const char *refusal)
{
	char name[16];
	if (!take_fixed(r, name, sizeof name))
		return false;
	for (*place = 0; *place < count; ++*place)
		if (strcmp(names[*place], name) == 0)
			return true;
	return refuse_report(r, refusal);
}

static bool take_mode(reader *r, void *target)
{
	static const char *const names[] = {"cooperative", "soft", "hard", "process"};
	size_t place;
	if (!take_name(r, names, COUNT(names), &place, "is no mode"))
		return false;
	*(curfew_stop_mode *)target = (curfew_stop_mode)(CURFEW_STOP_COOPERATIVE + place);
	return true;
}

static bool take_while(reader *r, void *target)
{
	static const char *const names[] = {"running", "waiting", "compiling", "loading"};
	size_t place;
	if (!take_name(r, names, COUNT(names), &place, "is not a CURFEW_WHILE_* name"))
		return false;
	*(curfew_stop_while *)target = (curfew_stop_while)(CURFEW_WHILE_RUNNING + place);
	return true;
}

static bool take_schema(reader *r, void *target)
{
	char name[32];
	(void)target;
	return take_fixed(r, name, sizeof name) &&
	       (strcmp(name, "curfew.report/1") == 0 || refuse_report(r, "is not curfew.report/1"));
}

static bool take_id(reader *r, void *target)
{
	char *id = target;
	return take_fixed(r, id, sizeof r->report->id) && (curfew__id_is_valid(id) || refuse_report(r, "is no ULID"));
}

static bool take_sum(reader *r, void *target)
{
	char *sum = target;
	if (accept_null(r))
		return true;
	return take_fixed(r, sum, sizeof r->report->program_sha256) &&
	       (strspn(sum, "0123456789abcdef") == 64 || refuse_report(r, "is no SHA-256"));
}

/* ---- Parts of the report ---------------------------------------------------------------------------------- */

static bool take_tripped(reader *r, void *target)
{
	curfew_report *report = target;
	if (!accept(r, '['))
		return refuse_report(r, "is no list");
	while (curfew__json_peek(&r->in) != ']') {
		curfew_outcome outcome;
		if (!take_outcome(r, &outcome))
			return false;
		curfew__report_add_tripped(report, outcome);
		(void)accept(r, ',');
	}
	return accept(r, ']');
}

static bool take_stop(reader *r, void *target)
{
	curfew_report *report = target;
	const member members[] = {
		{"cause", take_outcome, &report->stop_cause},
		{"mode", take_mode, &report->stop_mode},
		{"while", take_while, &report->stop_while},
		{"latency_us", take_duration, &report->stop_latency_ns},
	};
	report->stop_cause = report->outcome;
	return accept_null(r) || take_object(r, members, COUNT(members));
}

static bool take_frame(reader *r, curfew_frame *frame)
{
	const member members[] = {
		{"function", take_text, &frame->function}, {"file", take_text, &frame->file},
		{"line", take_place, &frame->line},        {"column", take_place, &frame->column},
		{"native", take_bool, &frame->native},     {"wasm_offset", take_count, &frame->wasm_offset},
	};
	if (!take_object(r, members, COUNT(members)))
		return false;
	frame->has_wasm_offset = frame->wasm_offset != CURFEW_UNLIMITED;
	if (!frame->has_wasm_offset)
		frame->wasm_offset = 0;
	return frame->function != NULL || refuse_report(r, "lacks a function");
}

typedef struct frame_list {
	const curfew_frame **frames;
	size_t *count;
} frame_list;

static bool take_frames(reader *r, void *target)
{
	frame_list *list = target;
	curfew_frame *frames = calloc(CURFEW__FRAMES_MAX, sizeof *frames);
	*list->frames = frames;
	if (frames == NULL || !accept(r, '['))
		return refuse_report(r, "is no list");
	while (curfew__json_peek(&r->in) != ']') {
		if (*list->count == CURFEW__FRAMES_MAX)
			return refuse_report(r, "is too long");
		if (!take_frame(r, &frames[(*list->count)++]))
			return false;
		(void)accept(r, ',');
	}
	return accept(r, ']');
}

/* Reads the engine's record of a stack, as text. */
static bool take_trace(reader *r, void *target)
{
	frame_list *list = target;
	size_t length;
	char *text = take_string(r, &length);
	bool taken = text != NULL && curfew__report_frames_of(text, length, list->frames, list->count);
	free(text);
	return taken;
}

/* Reads an error's text, cut to its maximum length. */
static bool take_error_text(reader *r, void *target)
{
	const char **field = target;
	size_t length;
	if (accept_null(r))
		return true;
	char *text = take_string(r, &length);
	*field = text;
	for (size_t i = 0; text != NULL && i < length; i++) {
		if (text[i] == '\0')
			text[i] = ' ';
	}
	if (text != NULL && length > CURFEW__ERROR_MESSAGE_MAX)
		text[curfew__utf8_cut(text, length, CURFEW__ERROR_MESSAGE_MAX)] = '\0';
	return text != NULL;
}

static bool take_properties(reader *r, void *target)
{
	return curfew__json_peek(&r->in) == 'n' || curfew__json_peek(&r->in) == '{' ? take_json(r, target)
	                                                                            : refuse_report(r, "are no object");
}

typedef struct error_list {
	const curfew_error **errors;
	size_t *count;
} error_list;

static bool take_cause(reader *r, void *target);
static bool take_errors(reader *r, void *target);

/* An error within another: as a report has it, or as the guest describes it, with a trace for its stack. */
static bool take_nested(reader *r, curfew_error *error)
{
	frame_list frames = {&error->frames, &error->frame_count};
	error_list errors = {&error->errors, &error->error_count};
	const member members[] = {
		{"name", take_error_text, &error->name, true},
		{"message", take_error_text, &error->message, true},
		{"stack", take_frames, &frames, true},
		{"trace", take_trace, &frames, true},
		{"properties", take_properties, &error->properties, true},
		{"cause", take_cause, &error->cause, true},
		{"errors", take_errors, &errors, true},
	};
	if (r->error_count++ == CURFEW__ERRORS_MAX || r->nesting == CURFEW__ERROR_NESTING_MAX)
		return refuse_report(r, "has too many errors");
	r->nesting++;
	bool taken = take_object(r, members, COUNT(members));
	r->nesting--;
	return taken;
}

static bool take_cause(reader *r, void *target)
{
	const curfew_error **field = target;
	if (accept_null(r))
		return true;
	curfew_error *cause = calloc(1, sizeof *cause);
	*field = cause;
	return cause != NULL ? take_nested(r, cause) : refuse_report(r, "does not fit into memory");
}

static bool take_errors(reader *r, void *target)
{
	error_list *list = target;
	curfew_error *errors = NULL;
	if (accept_null(r))
		return true;
	if (!accept(r, '['))
		return refuse_report(r, "is no list");
	while (curfew__json_peek(&r->in) != ']') {
		curfew_error *more = realloc(errors, (*list->count + 1) * sizeof *more);
		if (more == NULL)
			return refuse_report(r, "does not fit into memory");
		*list->errors = errors = more;
		errors[*list->count] = (curfew_error){0};
		if (!take_nested(r, &errors[(*list->count)++]))
			return false;
		(void)accept(r, ',');
	}
	return accept(r, ']');
}

static bool take_error(reader *r, void *target)
{
	curfew_report *report = target;
	frame_list frames = {&report->frames, &report->frame_count};
	error_list errors = {&report->error_errors, &report->error_error_count};
	const member members[] = {
		{"name", take_text, &report->error_name},
		{"message", take_text, &report->error_message},
		{"stack", take_frames, &frames},
		{"source_line", take_text, &report->source_line, true},
		{"properties", take_properties, &report->error_properties, true},
		{"cause", take_cause, &report->error_cause, true},
		{"errors", take_errors, &errors, true},
	};
	if (accept_null(r))
		return true;
	report->has_error = true;
	return take_object(r, members, COUNT(members));
}

static bool take_limits(reader *r, void *target)
{
	curfew_limits *limits = target;
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	member members[MEMBERS_MAX];
	for (size_t i = 0; i < count; i++) {
		bool is_time = table[i].unit == CURFEW_UNIT_DURATION;
		members[i] = (member){table[i].report_key, is_time ? take_duration : take_count,
		                      (char *)limits + table[i].offset};
	}
	return take_object(r, members, count);
}

static bool take_used(reader *r, void *target)
{
	curfew_used *used = target;
	const member members[] = {
		{"wall_us", take_duration, &used->wall_ns},
		{"cpu_us", take_duration, &used->cpu_ns},
		{"fuel", take_count, &used->fuel},
		{"loops", take_count, &used->loops},
		{"memory_peak_bytes", take_count, &used->memory_peak_bytes},
		{"stack_peak_bytes", take_count, &used->stack_peak_bytes},
		{"output_bytes", take_count, &used->output_bytes},
		{"host_calls", take_count, &used->host_calls},
		{"timers_peak", take_count, &used->timers_peak},
		{"load_us", take_duration, &used->load_ns},
		{"compile_us", take_duration, &used->compile_ns},
		{"start_us", take_duration, &used->start_ns},
		{"run_us", take_duration, &used->run_ns},
	};
	return take_object(r, members, COUNT(members));
}

static bool take_program(reader *r, void *target)
{
	curfew_report *report = target;
	const member members[] = {
		{"name", take_text, &report->program_name},
		{"kind", take_text, &report->program_kind},
		{"sha256", take_sum, report->program_sha256},
	};
	return take_object(r, members, COUNT(members)) && ((report->program_name != NULL && report->program_kind != NULL) ||
	                                                   refuse_report(r, "lacks its name or kind"));
}

static bool take_engine(reader *r, void *target)
{
	static const member members[] = {
		{"curfew", take_any_text, NULL},
		{"wasmtime", take_any_text, NULL},
		{"quickjs", take_any_text, NULL},
	};
	(void)target;
	return take_object(r, members, COUNT(members));
}

static bool take_report(reader *r)
{
	curfew_report *report = r->report;
	const member members[] = {
		{"schema", take_schema, NULL},
		{"id", take_id, report->id},
		{"outcome", take_outcome, &report->outcome},
		{"tripped", take_tripped, report},
		{"stop", take_stop, report},
		{"value", take_json, &report->value},
		{"value_note", take_text, &report->value_note, true},
		{"partial", take_json, &report->partial},
		{"error", take_error, report},
		{"limits", take_limits, &report->limits},
		{"used", take_used, &report->used},
		{"stdout", take_stdout, report},
		{"stderr", take_stderr, report},
		{"output_truncated", take_bool, &report->output_truncated},
		{"trace_truncated", take_bool, &report->trace_truncated},
		{"program", take_program, report},
		{"engine", take_engine, NULL},
	};

	if (!take_object(r, members, COUNT(members)))
		return false;

	/* Check this last, because the outcome may come after it in the text. */
	if (report->stop_mode == CURFEW_STOP_NONE)
		report->stop_cause = report->outcome;
	return true;
}

curfew_status curfew_report_parse(const char *json, size_t length, curfew_report **report, curfew_failure *failure)
{
	char message[256];
	size_t offset = 0;
	const char *why = "";

	curfew__refuse(failure, CURFEW_OK, "");
	if (json == NULL || report == NULL)
		return curfew__refuse(failure, CURFEW_INVALID, "json or report is NULL");
	if (!curfew__json_check(json, length, &offset, &why)) {
		(void)snprintf(message, sizeof message, "the report is not JSON: %s at byte %zu", why, offset);
		return curfew__refuse(failure, CURFEW_INVALID, message);
	}

	reader r = {.report = curfew__report_create()};
	curfew__json_reader_init(&r.in, json, length, NULL);
	if (r.report == NULL)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	if (take_report(&r)) {
		*report = r.report;
		return CURFEW_OK;
	}

	curfew_report_destroy(r.report);
	(void)snprintf(message, sizeof message, "the report %s", r.problem[0] != '\0' ? r.problem : "has another form");
	return curfew__refuse(failure, CURFEW_INVALID, message);
}

bool curfew__report_set_error_details(curfew_report *report, const char *json, size_t length)
{
	size_t offset;
	const char *why;
	curfew_error held = {0};
	error_list errors = {&held.errors, &held.error_count};
	const member members[] = {
		{"properties", take_properties, &held.properties, true},
		{"cause", take_cause, &held.cause, true},
		{"errors", take_errors, &errors, true},
	};
	reader r = {.report = report};

	if (!curfew__json_check(json, length, &offset, &why))
		return false;
	curfew__json_reader_init(&r.in, json, length, NULL);
	if (!take_object(&r, members, COUNT(members)) || report->error_cause != NULL || report->error_errors != NULL ||
	    report->error_properties != NULL) {
		curfew__report_free_errors(held.cause, held.cause != NULL);
		curfew__report_free_errors(held.errors, held.error_count);
		free((void *)(uintptr_t)held.properties);
		return false;
	}

	report->error_cause = held.cause;
	report->error_errors = held.errors;
	report->error_error_count = held.error_count;
	report->error_properties = held.properties;
	return true;
}

curfew_status curfew_report_set_source(curfew_report *report, const char *text, size_t length)
{
	if (report == NULL || (text == NULL && length > 0))
		return CURFEW_INVALID;
	bool is_error = report->outcome == CURFEW_OUTCOME_BAD_PROGRAM || report->outcome == CURFEW_OUTCOME_THREW;
	const curfew_frame *frame = is_error && report->source_line == NULL ? curfew__report_placed_frame(report) : NULL;
	if (frame == NULL || report->program_name == NULL || strcmp(frame->file, report->program_name) != 0)
		return CURFEW_OK;
	curfew__budget budget = curfew__budget_begin(CURFEW__AFTER_CPU_NS, CURFEW__AFTER_BYTES);
	bool done = curfew__report_set_source_line(report, text, length, frame->line, &budget);
	report->trace_truncated = report->trace_truncated || budget.is_spent;
	return done ? CURFEW_OK : CURFEW_NO_MEMORY;
}
