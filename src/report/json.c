/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report as one JSON object on one line. Keys and their order are the contract's (docs/report.schema.json); every
 * key is always there. Limits come from the one table, so that a limit added there shows up here.
 */
#include "common/json.h"
#include "curfew.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const while_names[] = {
	[CURFEW_WHILE_NONE] = "running",        [CURFEW_WHILE_RUNNING] = "running", [CURFEW_WHILE_WAITING] = "waiting",
	[CURFEW_WHILE_COMPILING] = "compiling", [CURFEW_WHILE_LOADING] = "loading",
};

static const char *const mode_names[] = {
	[CURFEW_STOP_NONE] = NULL,   [CURFEW_STOP_COOPERATIVE] = "cooperative", [CURFEW_STOP_SOFT] = "soft",
	[CURFEW_STOP_HARD] = "hard", [CURFEW_STOP_PROCESS] = "process",
};

static void write_duration_key(curfew__json_writer *writer, const char *key, uint64_t ns)
{
	curfew__json_key(writer, key);
	curfew__json_u64(writer, ns / 1000);
}

static void write_count_key(curfew__json_writer *writer, const char *key, uint64_t count)
{
	curfew__json_key(writer, key);
	if (count == CURFEW_UNLIMITED)
		curfew__json_null(writer);
	else
		curfew__json_u64(writer, count);
}

static void write_text_key(curfew__json_writer *writer, const char *key, const char *text)
{
	curfew__json_key(writer, key);
	curfew__json_text(writer, text);
}

static void write_raw_key(curfew__json_writer *writer, const char *key, const char *json)
{
	curfew__json_key(writer, key);
	if (json == NULL)
		curfew__json_null(writer);
	else
		curfew__json_raw(writer, json, strlen(json));
}

/* A number from 1, or null where it is not known. */
static void write_place_key(curfew__json_writer *writer, const char *key, uint32_t number)
{
	curfew__json_key(writer, key);
	if (number == 0)
		curfew__json_null(writer);
	else
		curfew__json_u64(writer, number);
}

static void write_tripped(curfew__json_writer *writer, const curfew_report *report)
{
	curfew__json_key(writer, "tripped");
	curfew__json_begin_array(writer);
	for (uint32_t i = 0; i < report->tripped_count && i < CURFEW_TRIPPED_MAX; i++)
		curfew__json_text(writer, curfew_outcome_name(report->tripped[i]));
	curfew__json_end_array(writer);
}

static void write_stop(curfew__json_writer *writer, const curfew_report *report)
{
	curfew__json_key(writer, "stop");
	if (report->stop_mode == CURFEW_STOP_NONE) {
		curfew__json_null(writer);
		return;
	}
	curfew__json_begin_object(writer);
	write_text_key(writer, "cause", curfew_outcome_name(report->stop_cause));
	write_text_key(writer, "mode", mode_names[report->stop_mode]);
	write_text_key(writer, "while", while_names[report->stop_while]);
	write_duration_key(writer, "latency_us", report->stop_latency_ns);
	curfew__json_end_object(writer);
}

static void write_frame(curfew__json_writer *writer, const curfew_frame *frame)
{
	curfew__json_begin_object(writer);
	write_text_key(writer, "function", frame->function);
	write_text_key(writer, "file", frame->file);
	write_place_key(writer, "line", frame->line);
	write_place_key(writer, "column", frame->column);
	curfew__json_key(writer, "native");
	curfew__json_bool(writer, frame->native);
	write_count_key(writer, "wasm_offset", frame->has_wasm_offset ? frame->wasm_offset : CURFEW_UNLIMITED);
	curfew__json_end_object(writer);
}

static void write_frames(curfew__json_writer *writer, const curfew_frame *frames, size_t count)
{
	curfew__json_key(writer, "stack");
	curfew__json_begin_array(writer);
	for (size_t i = 0; i < count; i++)
		write_frame(writer, &frames[i]);
	curfew__json_end_array(writer);
}

static void write_held(curfew__json_writer *writer, const char *properties, const curfew_error *cause,
                       const curfew_error *errors, size_t error_count);

static void write_nested(curfew__json_writer *writer, const curfew_error *error)
{
	curfew__json_begin_object(writer);
	write_text_key(writer, "name", error->name);
	write_text_key(writer, "message", error->message);
	write_frames(writer, error->frames, error->frame_count);
	write_held(writer, error->properties, error->cause, error->errors, error->error_count);
	curfew__json_end_object(writer);
}

/* What an error holds. */
static void write_held(curfew__json_writer *writer, const char *properties, const curfew_error *cause,
                       const curfew_error *errors, size_t error_count)
{
	write_raw_key(writer, "properties", properties);
	curfew__json_key(writer, "cause");
	if (cause != NULL)
		write_nested(writer, cause);
	else
		curfew__json_null(writer);
	curfew__json_key(writer, "errors");
	if (errors == NULL) {
		curfew__json_null(writer);
		return;
	}
	curfew__json_begin_array(writer);
	for (size_t i = 0; i < error_count; i++)
		write_nested(writer, &errors[i]);
	curfew__json_end_array(writer);
}

static void write_error(curfew__json_writer *writer, const curfew_report *report)
{
	curfew__json_key(writer, "error");
	if (!report->has_error) {
		curfew__json_null(writer);
		return;
	}
	curfew__json_begin_object(writer);
	write_text_key(writer, "name", report->error_name);
	/* A stop has no message of its own. */
	write_text_key(writer, "message",
	               report->error_message != NULL ? report->error_message : curfew_outcome_text(report->outcome));
	write_frames(writer, report->frames, report->frame_count);
	write_text_key(writer, "source_line", report->source_line);
	write_held(writer, report->error_properties, report->error_cause, report->error_errors, report->error_error_count);
	curfew__json_end_object(writer);
}

/* A limit's duration is what the user gave, so it keeps its nanoseconds: 1500 ns are 1.5 us. */
static void write_limit_duration(curfew__json_writer *writer, uint64_t ns)
{
	if (ns % 1000 == 0) {
		curfew__json_u64(writer, ns / 1000);
		return;
	}
	char number[32];
	int length = snprintf(number, sizeof number, "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
	while (length > 0 && number[length - 1] == '0')
		length--;
	curfew__json_raw(writer, number, (size_t)length);
}

static void write_limits(curfew__json_writer *writer, const curfew_limits *limits)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	curfew__json_key(writer, "limits");
	curfew__json_begin_object(writer);
	for (size_t i = 0; i < count; i++) {
		uint64_t value = curfew_limits_get(limits, &table[i]);
		if (value == CURFEW_UNLIMITED || table[i].unit != CURFEW_UNIT_DURATION) {
			write_count_key(writer, table[i].report_key, value);
			continue;
		}
		curfew__json_key(writer, table[i].report_key);
		write_limit_duration(writer, value);
	}
	curfew__json_end_object(writer);
}

static void write_used(curfew__json_writer *writer, const curfew_used *used)
{
	curfew__json_key(writer, "used");
	curfew__json_begin_object(writer);
	write_duration_key(writer, "wall_us", used->wall_ns);
	write_duration_key(writer, "cpu_us", used->cpu_ns);
	write_count_key(writer, "fuel", used->fuel);
	write_count_key(writer, "loops", used->loops);
	write_count_key(writer, "memory_peak_bytes", used->memory_peak_bytes);
	write_count_key(writer, "stack_peak_bytes", used->stack_peak_bytes);
	write_count_key(writer, "output_bytes", used->output_bytes);
	write_count_key(writer, "host_calls", used->host_calls);
	write_count_key(writer, "timers_peak", used->timers_peak);
	write_duration_key(writer, "load_us", used->load_ns);
	write_duration_key(writer, "compile_us", used->compile_ns);
	write_duration_key(writer, "start_us", used->start_ns);
	write_duration_key(writer, "run_us", used->run_ns);
	curfew__json_end_object(writer);
}

static void write_stream(curfew__json_writer *writer, const char *key, const char *text, size_t length)
{
	curfew__json_key(writer, key);
	curfew__json_string(writer, text != NULL ? text : "", text != NULL ? length : 0);
}

static void write_program(curfew__json_writer *writer, const curfew_report *report)
{
	curfew__json_key(writer, "program");
	curfew__json_begin_object(writer);
	write_text_key(writer, "name", report->program_name);
	write_text_key(writer, "kind", report->program_kind);
	write_text_key(writer, "sha256", report->program_sha256[0] != '\0' ? report->program_sha256 : NULL);
	curfew__json_end_object(writer);
}

static void write_engine(curfew__json_writer *writer)
{
	curfew__json_key(writer, "engine");
	curfew__json_begin_object(writer);
	write_text_key(writer, "curfew", CURFEW_VERSION);
	write_text_key(writer, "wasmtime", curfew_wasmtime_version());
	write_text_key(writer, "quickjs", curfew_quickjs_version());
	curfew__json_end_object(writer);
}

static void write_report(curfew__json_writer *writer, const curfew_report *report)
{
	curfew__json_begin_object(writer);
	write_text_key(writer, "schema", "curfew.report/1");
	write_text_key(writer, "id", report->id);
	write_text_key(writer, "outcome", curfew_outcome_name(report->outcome));
	write_tripped(writer, report);
	write_stop(writer, report);
	write_raw_key(writer, "value", report->value);
	write_text_key(writer, "value_note", report->value_note);
	write_raw_key(writer, "partial", report->partial);
	write_error(writer, report);
	write_limits(writer, &report->limits);
	write_used(writer, &report->used);
	write_stream(writer, "stdout", report->stdout_text, report->stdout_length);
	write_stream(writer, "stderr", report->stderr_text, report->stderr_length);
	curfew__json_key(writer, "output_truncated");
	curfew__json_bool(writer, report->output_truncated);
	curfew__json_key(writer, "trace_truncated");
	curfew__json_bool(writer, report->trace_truncated);
	write_program(writer, report);
	write_engine(writer);
	curfew__json_end_object(writer);
}

curfew_status curfew_report_to_json(const curfew_report *report, char **text, size_t *length)
{
	if (report == NULL || text == NULL)
		return CURFEW_INVALID;
	curfew__buffer buffer;
	curfew__buffer_init(&buffer, SIZE_MAX);
	curfew__json_writer writer;
	curfew__json_init(&writer, &buffer);
	write_report(&writer, report);
	if (buffer.failed) {
		curfew__buffer_finish(&buffer);
		return CURFEW_NO_MEMORY;
	}
	*text = curfew__buffer_take(&buffer, length);
	return *text != NULL ? CURFEW_OK : CURFEW_NO_MEMORY;
}
