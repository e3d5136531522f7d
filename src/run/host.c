/* SPDX-License-Identifier: Apache-2.0 */
/* The imports of a JavaScript guest. Each call is charged before it is executed; exceeding a limit ends the run. */
#include "run/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "host/files.h"
#include "host/input.h"
#include "run/stop.h"

static bool on_write(void *context, uint32_t stream, const char *bytes, size_t length)
{
	return curfew__run_write(context, stream, bytes, length);
}

static bool emit(curfew_run *run, uint32_t kind, const char *json, size_t length)
{
	if (kind == 0) {
		char *copy = malloc(length + 1);
		if (!copy)
			return false;
		curfew__copy_until(copy, json, length, &run->stop.cause);
		copy[length] = 0;
		if (atomic_load(&run->stop.cause)) { /* the text may be incomplete */
			free(copy);
			return false;
		}
		free(run->output.partial);
		run->output.partial = copy;
		run->output.partial_length = length;
	}
	curfew__run_notify(run, kind ? CURFEW_EVENT_PROGRESS : CURFEW_EVENT_CHECKPOINT, json, length);
	return true;
}

static bool on_emit(void *context, uint32_t kind, const char *json, size_t length, int32_t *answer)
{
	curfew_run *run = context;

	if (!curfew__run_charge_call(run))
		return false;
	*answer = -1;
	if (length > run->limits.output_bytes || !curfew__json_check_until(json, length, &run->stop.cause, NULL, NULL))
		return true;
	curfew__buffer buffer;
	if (curfew__run_redact_json(run, &buffer, &json, &length) && emit(run, kind, json, length))
		*answer = 0;
	curfew__buffer_finish(&buffer);
	return true;
}

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t next_seeded(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static bool on_random(void *context, void *bytes, size_t length)
{
	curfew_run *run = context;
	uint8_t *to = bytes;

	if (!curfew__run_charge_call(run))
		return false;
	if (!curfew__run_is_deterministic(run))
		return curfew__run_fill_random(bytes, length);
	for (size_t i = 0; i < length; i++)
		to[i] = (uint8_t)next_seeded(&run->seed);
	return true;
}

static int64_t on_clock(void *context)
{
	return curfew__run_clock(context);
}

/* Answers an import that is not a file: the import map. */
static char *open_import_map(const curfew_program *program, int32_t *answer)
{
	char *text = program->import_map ? malloc(program->import_map_length) : NULL;

	*answer = text ? (int32_t)program->import_map_length : -1;
	if (text)
		memcpy(text, program->import_map, program->import_map_length);
	return text;
}

static bool is_import_map(const char *name, size_t length)
{
	return length == sizeof CURFEW_IMPORT_MAP_NAME - 1 && !memcmp(name, CURFEW_IMPORT_MAP_NAME, length);
}

static bool on_import_open(void *context, const char *name, size_t length, int32_t *answer)
{
	curfew_run *run = context;

	if (run->progress >= CURFEW__RUN_STARTED && !curfew__run_charge_call(run))
		return false;
	free(run->import_text);
	run->import_length = 0;
	*answer = -1;
	run->import_text = NULL;
	if (is_import_map(name, length))
		run->import_text = open_import_map(run->program, answer);
	else if (!run->program->bundle && run->flags & CURFEW_RUN_IMPORTS)
		run->import_text = curfew__remote_import(run->remote, name, length, &run->stop.cause, answer);
	else if (run->program->bundle)
		run->import_text = curfew__bundle_open(run->program->bundle, name, length, answer);
	else if (run->program->import_dir)
		run->import_text = curfew__import_open(run->program->import_dir, name, length, CURFEW__MODULE_BYTES_MAX,
		                                       answer);
	if (run->record && run->import_text && !is_import_map(name, length))
		curfew__bundle_note(run->record, name, length, run->import_text, (size_t)*answer);
	if (run->import_text)
		run->import_length = *answer;
	return true;
}

static void on_import_read(void *context, void *bytes, size_t length)
{
	curfew_run *run = context;
	if (run->import_text && length <= (size_t)run->import_length)
		memcpy(bytes, run->import_text, length);
}

static bool on_secret(void *context, const char *name, size_t name_length, char *bytes, size_t room, int32_t *answer)
{
	curfew_run *run = context;

	if (!curfew__run_charge_call(run))
		return false;
	if (curfew__secret_headers_have(run->given->secret_headers, name, name_length)) {
		size_t length = curfew__secret_placeholder(name, name_length, bytes, room);
		*answer = length <= room ? (int32_t)length : -1;
		return true;
	}
	const curfew_secret *secret = curfew__grants_find(run->given->grants, name, name_length);
	*answer = secret && secret->value_length <= room ? (int32_t)secret->value_length : -1;
	if (*answer >= 0)
		memcpy(bytes, secret->value, secret->value_length);
	return true;
}

static bool on_file(void *context, curfew__guest_file *call, int32_t *answer)
{
	curfew_run *run = context;

	if (call->request.operation != CURFEW_FILE_CLOSE && !curfew__run_charge_call(run))
		return false;
	const curfew__wasi_given *given = run->given->wasi;
	if (call->request.file == CURFEW_FILE_INPUT) {
		/* After a stream has begun to read the input, only the stream reads it. */
		*answer = run->input_taken ? -EAGAIN
		                           : curfew__input_call(given ? given->stdin_file : -1, call, &run->stop.cause);
		return true;
	}
	*answer = -ENOENT;
	if (!given || !given->dir_count)
		return true;
	if (!run->open_files)
		run->open_files = curfew__files_create(given->dirs, given->dir_count);
	*answer = run->open_files ? curfew__files_call(run->open_files, call) : -ENOMEM;
	return true;
}

/* ---- Operations ------------------------------------------------------------------------------------------- */

/* Returns standard input at the first request. -1: there is none. */
static int take_input(curfew_run *run)
{
	if (run->input_taken || !run->given->wasi)
		return -1;
	run->input_taken = true;
	return run->given->wasi->stdin_file;
}

static bool on_op_start(void *context, uint32_t kind, const char *request, size_t length, uint32_t *id)
{
	curfew_run *run = context;

	if (!curfew__run_charge_call(run))
		return false;
	curfew__operations *operations = curfew__run_operations(run);
	if (operations && kind == CURFEW_OPERATION_CALL)
		return curfew__run_call_start(run, operations, request, length, id);
	if (operations && kind == CURFEW_OPERATION_INPUT)
		*id = curfew__input_start(operations, take_input(run));
	if (operations && kind == CURFEW_OPERATION_FETCH)
		*id = curfew__run_fetch(run, request, length);
	return true;
}

static bool on_op_send(void *context, uint32_t id, uint32_t kind, const char *bytes, size_t length)
{
	return curfew__run_send(context, id, kind, bytes, length);
}

static void on_op_cancel(void *context, uint32_t id)
{
	curfew__run_end_operation(context, id);
}

static bool on_op_next(void *context, curfew__event_record *record)
{
	curfew__operations *operations = atomic_load(&((curfew_run *)context)->operations);
	const curfew__operation_event *event = operations ? curfew__operations_next(operations) : NULL;

	if (event)
		*record = (curfew__event_record){event->id, event->kind, (uint32_t)event->length, event->last};
	return event != NULL;
}

static bool on_op_take(void *context, void *bytes, size_t length)
{
	curfew__operations *operations = atomic_load(&((curfew_run *)context)->operations);
	const curfew__operation_event *event = operations ? curfew__operations_current(operations) : NULL;

	if (!event || length != event->length)
		return false;
	if (length)
		memcpy(bytes, event->bytes, length);
	return true;
}

static bool on_call(void *context, uint32_t index, const char *json, size_t length, int32_t *answer)
{
	curfew_run *run = context;
	return curfew__run_charge_call(run) && curfew__run_call(run, index, json, length, answer);
}

static bool on_call_take(void *context, void *bytes, size_t length)
{
	return curfew__run_call_take(context, bytes, length);
}

static void on_exit_asked(void *context, uint32_t code)
{
	curfew_run *run = context;

	run->exited = true;
	run->report->exit_code = (int32_t)(code & 0xff);
}

static void on_stop(void *context, uint32_t cause)
{
	curfew_run *run = context;
	static const curfew_outcome causes[] = {
		[CURFEW_STOP_MEMORY] = CURFEW_OUTCOME_MEMORY,
		[CURFEW_STOP_TIMERS] = CURFEW_OUTCOME_TIMERS,
		[CURFEW_STOP_LOOPS] = CURFEW_OUTCOME_LOOPS,
		[CURFEW_STOP_FUEL] = CURFEW_OUTCOME_FUEL,
	};

	if (cause == CURFEW_STOP_POLL || cause >= sizeof causes / sizeof *causes || atomic_load(&run->stop.cause))
		return;
	curfew__run_latch(run, causes[cause], clock_now_ns());
}

static bool on_stopped(void *context)
{
	const curfew_run *run = context;
	return atomic_load(&run->stop.cause) != 0;
}

/* A session's guest unwinds now. It is watched like any other guest that is being stopped. */
static bool on_unwinds(void *context)
{
	curfew_run *run = context;

	return run->kept && curfew__watch_arm(run->engine->watch, &run->stop.alarm, clock_now_ns());
}

static void on_growth(void *context, size_t bytes, bool refused)
{
	curfew__run_growth(context, bytes, refused);
}

const curfew__guest_host curfew__run_host = {
	on_write,   on_emit,      on_random,  on_clock,     on_import_open, on_import_read, on_op_start,
	on_op_send, on_op_cancel, on_op_next, on_op_take,   on_exit_asked,  on_stop,        on_stopped,
	on_unwinds, on_growth,    on_call,    on_call_take, on_secret,      on_file,
};
