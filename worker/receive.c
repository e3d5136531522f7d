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

/* The length of a whole event or report. */
static bool whole_fits(uint8_t kind, uint64_t length, const worker_run *run)
{
	if (kind == WORKER_FRAME_EVENT)
		return length >= sizeof(worker_event_head) && length - sizeof(worker_event_head) <= run->limits.output_bytes;
	return length >= sizeof(worker_done_head) && length - sizeof(worker_done_head) <= worker_report_max(&run->limits);
}

static bool length_fits(const worker_frame *frame, const worker_run *run)
{
	uint64_t length = frame->length;
	if (frame->more != 0 && frame->kind != WORKER_FRAME_EVENT && frame->kind != WORKER_FRAME_DONE)
		return false;
	switch (frame->kind) {
	case WORKER_FRAME_READY: return length == sizeof(uint32_t);
	case WORKER_FRAME_FAILED: return length < sizeof(curfew_failure);
	case WORKER_FRAME_STARTED:
	case WORKER_FRAME_STOPPED: return length == 0;
	case WORKER_FRAME_USAGE: return length == sizeof(curfew_run_usage);
	case WORKER_FRAME_MEMORY: return length == sizeof(worker_memory);
	case WORKER_FRAME_COMPILE: return length == sizeof(worker_compile_head);
	case WORKER_FRAME_EVENT:
	case WORKER_FRAME_DONE:
		return run != NULL && length <= WORKER_PART_BYTES &&
		       (frame->more == 0 ? run->incoming != NULL || whole_fits(frame->kind, length, run)
		                         : length == WORKER_PART_BYTES);
	case WORKER_FRAME_REQUEST: return run != NULL && run->broker != NULL && length <= CURFEW_REQUEST_BYTES;
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

static bool on_event(process *p, worker_run *run, const char *body, size_t length)
{
	worker_event_head head;
	memcpy(&head, body, sizeof head);
	bool is_output = head.kind == CURFEW_EVENT_STDOUT || head.kind == CURFEW_EVENT_STDERR;
	const char *data = body + sizeof head, *wrong = NULL;
	size_t data_length = length - sizeof head;
	worker_run_publish(run);
	if (!is_output)
		wrong = worker_run_take(run, p->id, WORKER_FRAME_EVENT, body, length);
	else if (!on_output(p, run, head.kind == CURFEW_EVENT_STDERR, data, data_length))
		return false;
	else if (run->job.on_event != NULL)
		run->job.on_event(run->job.context, (curfew_event_kind)head.kind, data, data_length);
	return wrong == NULL || refuse_message(p, wrong);
}

static bool on_done(process *p, worker_run *run, const char *body, size_t length)
{
	const char *wrong = worker_run_take(run, p->id, WORKER_FRAME_DONE, body, length);
	return wrong == NULL || refuse_message(p, wrong);
}

/* A part of a long event or report. */
static bool on_part(process *p, worker_run *run, const worker_frame *frame, const char *body)
{
	size_t length = (size_t)frame->length;
	worker_message *message = run->incoming;
	if (message == NULL) {
		uint64_t whole;
		memcpy(&whole, body, sizeof whole);
		body += sizeof whole;
		length -= sizeof whole;
		if (whole <= length || !whole_fits(frame->kind, whole, run))
			return refuse_message(p, "a message that it may not send");
		message = run->incoming = worker_message_create(p->id, frame->kind, (size_t)whole);
		if (message == NULL)
			return refuse_message(p, "no memory for its message");
	}
	if (message->kind != frame->kind || length > message->length - message->received)
		return refuse_message(p, "a message that it may not send");

	memcpy(message->body + message->received, body, length);
	message->received += length;
	worker_lock(run->pool);
	run->overdue_since_ns = -1; /* it responds */
	worker_unlock(run->pool);
	if (frame->more != 0)
		return true;
	if (message->received < message->length)
		return refuse_message(p, "a message that it may not send");
	run->incoming = NULL;
	if (frame->kind == WORKER_FRAME_EVENT)
		worker_run_publish(run);
	worker_run_take_later(run, message);
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
	bool is_part = frame->more != 0 || (run != NULL && run->incoming != NULL);
	switch (frame->kind) {
	case WORKER_FRAME_READY: return on_ready(pool, p, body);
	case WORKER_FRAME_FAILED: return on_failed(p, body, length);
	case WORKER_FRAME_MEMORY: return on_memory(pool, p, body);
	case WORKER_FRAME_COMPILE: return on_compile(pool, p, frame->number, body);
	case WORKER_FRAME_STARTED: return on_started(p, run);
	case WORKER_FRAME_EVENT: return is_part ? on_part(p, run, frame, body) : on_event(p, run, body, length);
	case WORKER_FRAME_STOPPED: return on_stopped(p, run);
	case WORKER_FRAME_REQUEST: return on_request(p, run, body, length);
	case WORKER_FRAME_DONE: return is_part ? on_part(p, run, frame, body) : on_done(p, run, body, length);
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
			return true;
		if (!on_frame(pool, p, run, &frame, body)) {
			p->fault = run != NULL ? FAULT_RULE : FAULT_UNKNOWN;
			p->blamed = run;
			return false;
		}
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
