/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receives messages of a worker, as if an attacker had written them. Every length is checked before memory is allocated
 * for it, every run must be one of this worker's, and every text must have the form that the library gives it. A worker
 * that breaks a rule is killed.
 */
#include "inside.h"

#include "common/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often one worker is read before the others have their turn. */
enum { TURNS = 4 };

static bool refuse_message(process *p, const char *what)
{
	(void)snprintf(p->why, sizeof p->why, "the worker process was killed: %s", what);
	return false;
}

/* ---- Lengths ----------------------------------------------------------------------------------------------- */

static bool length_fits(const worker_frame *frame, const worker_run *run)
{
	uint64_t length = frame->length;
	switch (frame->kind) {
	case WORKER_FRAME_READY: return length == sizeof(uint32_t);
	case WORKER_FRAME_FAILED: return length < sizeof(curfew_failure);
	case WORKER_FRAME_STARTED:
	case WORKER_FRAME_STOPPED: return length == 0;
	case WORKER_FRAME_USAGE: return length == sizeof(curfew_run_usage);
	case WORKER_FRAME_MEMORY: return length == sizeof(worker_memory);
	case WORKER_FRAME_COMPILE: return length == sizeof(worker_compile_head);
	case WORKER_FRAME_EVENT:
		return run != NULL && length >= sizeof(worker_event_head) &&
		       length - sizeof(worker_event_head) <= run->limits.output_bytes;
	case WORKER_FRAME_REQUEST: return run != NULL && run->broker != NULL && length <= CURFEW_REQUEST_BYTES;
	case WORKER_FRAME_DONE:
		return run != NULL && length >= sizeof(worker_done_head) &&
		       length - sizeof(worker_done_head) <= worker_report_max(&run->limits);
	default: return false;
	}
}

/* ---- Frames of a run --------------------------------------------------------------------------------------- */

static bool on_output(process *p, worker_run *run, bool is_error, const char *data, size_t length)
{
	size_t before = run->streams[0].length + run->streams[1].length;
	if (length > run->limits.output_bytes - before)
		return refuse_message(p, "more output than the run's limit");
	return worker_bytes_add(&run->streams[is_error], data, length) || refuse_message(p, "no memory for its output");
}

static bool on_json(process *p, worker_run *run, bool is_checkpoint, const char *data, size_t length)
{
	if (curfew_json_check(data, length, NULL) != CURFEW_OK)
		return refuse_message(p, "an event that is not JSON");
	if (!is_checkpoint)
		return true;
	worker_bytes_take(&run->partial, worker_bytes_count(&run->partial));
	/* Keep it with its NUL, for the report. */
	return (worker_bytes_add(&run->partial, data, length) && worker_bytes_add(&run->partial, "", 1)) ||
	       refuse_message(p, "no memory for its checkpoint");
}

static bool on_event(process *p, worker_run *run, const char *body, size_t length)
{
	worker_event_head head;
	memcpy(&head, body, sizeof head);
	body += sizeof head;
	length -= sizeof head;
	bool fits;
	switch (head.kind) {
	case CURFEW_EVENT_STDOUT:
	case CURFEW_EVENT_STDERR: fits = on_output(p, run, head.kind == CURFEW_EVENT_STDERR, body, length); break;
	case CURFEW_EVENT_PROGRESS:
	case CURFEW_EVENT_CHECKPOINT: fits = on_json(p, run, head.kind == CURFEW_EVENT_CHECKPOINT, body, length); break;
	default: return refuse_message(p, "an event of no kind");
	}
	if (!fits)
		return false;
	worker_run_publish(run);
	if (run->job.on_event != NULL)
		run->job.on_event(run->job.context, (curfew_event_kind)head.kind, body, length);
	return true;
}

static bool on_done(process *p, worker_run *run, const worker_frame *frame, const char *body)
{
	worker_done_head head;
	curfew_report *report = NULL;
	size_t length = (size_t)frame->length;

	memcpy(&head, body, sizeof head);
	body += sizeof head;
	length -= sizeof head;
	worker_result result = {.outcome = (curfew_outcome)head.outcome, .exit_code = head.exit_code};
	if ((run->job.flags & WORKER_JOB_INSPECT) != 0 && head.outcome == CURFEW_OUTCOME_FINISHED) {
		if (length > WORKER_DESCRIPTION_MAX || curfew_json_check(body, length, NULL) != CURFEW_OK)
			return refuse_message(p, "a malformed description");
		result.description = body;
		result.description_length = length;
	} else {
		char *large = worker_frame_keep(&p->in, frame);
		if (large != NULL) {
			/* The frame's own memory may become the report. */
			size_t at = (size_t)(body - large);
			if (worker_done_later(p, run, &head, large, at, length))
				return true;
			free(large);
			return refuse_message(p, "no memory for its report");
		}
		report = worker_done_parse(run, &head, body, length);
		if (report == NULL)
			return refuse_message(p, "a report that is not its run's");
		result.report = body;
		result.report_length = length;
		result.parsed = report;
	}

	worker_run_detach(run);
	if (run->job.on_done != NULL)
		run->job.on_done(run->job.context, &result);
	curfew_report_destroy(report);
	worker_run_unref(run);
	return true;
}

static bool on_started(process *p, worker_run *run)
{
	if (run->state != RUN_SENT)
		return refuse_message(p, "a run that begins twice");
	worker_lock(run->pool);
	worker_run_move(run, RUN_STARTED);
	worker_run_arm(run, clock_now_ns());
	worker_unlock(run->pool);
	if (run->job.on_start != NULL && !run->start_reported)
		run->job.on_start(run->job.context);
	run->start_reported = true;
	return true;
}

static bool on_stopped(process *p, worker_run *run)
{
	if (run->state != RUN_STARTED)
		return refuse_message(p, "a run that is stopped twice, or before it began");
	worker_lock(run->pool);
	worker_run_note_stopped(run);
	worker_unlock(run->pool);
	return true;
}

static bool on_request(process *p, worker_run *run, const char *body, size_t length)
{
	worker_run_publish(run);
	return curfew_broker_receive(run->broker, body, length, NULL) == CURFEW_OK ||
	       refuse_message(p, "a request that no run makes");
}

static void on_usage(worker_run *run, const char *body)
{
	curfew_run_usage usage;
	memcpy(&usage, body, sizeof usage);
	worker_lock(run->pool);
	run->usage = usage;
	worker_unlock(run->pool);
}

/* ---- Frames of the worker itself --------------------------------------------------------------------------- */

static bool on_ready(worker_pool *pool, process *p, const char *body)
{
	if (p->state != PROCESS_STARTING)
		return refuse_message(p, "ready twice");
	worker_process_prefer(p);
	worker_lock(pool);
	memcpy(&pool->stats.has, body, sizeof pool->stats.has);
	p->state = PROCESS_READY;
	worker_unlock(pool);
	return true;
}

static bool on_failed(process *p, const char *body, size_t length)
{
	if (p->state != PROCESS_STARTING)
		return refuse_message(p, "a failure after its start");
	(void)snprintf(p->why, sizeof p->why, "%.*s", (int)length, body);
	return false;
}

static bool on_memory(worker_pool *pool, process *p, const char *body)
{
	if (p->state != PROCESS_READY)
		return refuse_message(p, "memory before its start");
	worker_lock(pool);
	memcpy(&p->memory, body, sizeof p->memory);
	worker_unlock(pool);
	return true;
}

static bool on_compile(worker_pool *pool, process *p, uint64_t number, const char *body)
{
	worker_compile_head head;
	memcpy(&head, body, sizeof head);
	worker_lock(pool);
	bool may = p->state == PROCESS_READY && worker_compile(p, number, &head);
	worker_unlock(pool);
	return may || refuse_message(p, "it asked for code that it does not need");
}

static bool on_frame(worker_pool *pool, process *p, worker_run *run, const worker_frame *frame, const char *body)
{
	size_t length = (size_t)frame->length;
	switch (frame->kind) {
	case WORKER_FRAME_READY: return on_ready(pool, p, body);
	case WORKER_FRAME_FAILED: return on_failed(p, body, length);
	case WORKER_FRAME_MEMORY: return on_memory(pool, p, body);
	case WORKER_FRAME_COMPILE: return on_compile(pool, p, frame->number, body);
	case WORKER_FRAME_STARTED: return on_started(p, run);
	case WORKER_FRAME_EVENT: return on_event(p, run, body, length);
	case WORKER_FRAME_STOPPED: return on_stopped(p, run);
	case WORKER_FRAME_REQUEST: return on_request(p, run, body, length);
	case WORKER_FRAME_DONE: return on_done(p, run, frame, body);
	default: on_usage(run, body); return true;
	}
}

/* Whether the message is about the worker itself, and not about a run. */
static bool is_own(uint8_t kind)
{
	return kind == WORKER_FRAME_READY || kind == WORKER_FRAME_FAILED || kind == WORKER_FRAME_MEMORY ||
	       kind == WORKER_FRAME_COMPILE;
}

static bool take_frames(worker_pool *pool, process *p)
{
	worker_frame frame;
	for (;;) {
		worker_peek peek = worker_frame_peek(&p->in, &frame);
		if (peek == WORKER_PEEK_NOTHING)
			return true;
		bool own = is_own(frame.kind);
		worker_run *run = own ? NULL : worker_process_find(p, frame.number);
		if (peek == WORKER_PEEK_BAD || (!own && run == NULL) || !length_fits(&frame, run))
			return refuse_message(p, "a message that it may not send");
		const char *body = worker_frame_body(&p->in, &frame);
		if (body == NULL)
			return worker_frame_await(&p->in, &frame) || refuse_message(p, "no memory for its message");
		if (!on_frame(pool, p, run, &frame, body)) {
			p->fault = run != NULL ? FAULT_RULE : FAULT_UNKNOWN;
			p->blamed = run;
			return false;
		}
		if (worker_bytes_count(&p->in) > 0) /* else it was kept */
			worker_frame_take(&p->in, &frame);
	}
}

int worker_receive(worker_pool *pool, process *p)
{
	int got = worker_bytes_receive(&p->in, NULL, p->socket);
	for (int turn = 1; got > 0 && turn < TURNS; turn++) {
		if (!take_frames(pool, p))
			return -1;
		got = worker_bytes_receive(&p->in, NULL, p->socket);
	}
	return got > 0 && !take_frames(pool, p) ? -1 : got;
}
