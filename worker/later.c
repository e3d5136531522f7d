/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in JSON and reports, as workers send them. If they are long, they are checked in a thread of the run's own,
 * because that takes about ten seconds for each GiB, in which the pool's thread would serve nobody else.
 */
#include "inside.h"

#include "common/thread.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/* ---- What messages say ------------------------------------------------------------------------------------- */

static const char *take_event(worker_run *run, const char *body, size_t length)
{
	worker_event_head head;
	memcpy(&head, body, sizeof head);
	body += sizeof head;
	length -= sizeof head;
	if (head.kind != CURFEW_EVENT_PROGRESS && head.kind != CURFEW_EVENT_CHECKPOINT)
		return "an event of no kind";
	if (curfew_json_check(body, length, NULL) != CURFEW_OK)
		return "an event that is not JSON";

	if (head.kind == CURFEW_EVENT_CHECKPOINT) {
		worker_bytes_take(&run->partial, worker_bytes_count(&run->partial));
		/* Keep it with its NUL, for the report. */
		if (!worker_bytes_add(&run->partial, body, length) || !worker_bytes_add(&run->partial, "", 1))
			return "no memory for its checkpoint";
	}
	if (run->job.on_event != NULL)
		run->job.on_event(run->job.context, (curfew_event_kind)head.kind, body, length);
	return NULL;
}

/*
 * Parses the report of this run: one line, in the library's form, with its id, and the outcome that came with it. NULL:
 * it is not that.
 */
static curfew_report *parse(const worker_run *run, const worker_done_head *head, const char *text, size_t length)
{
	curfew_report *report;
	if (memchr(text, '\n', length) != NULL || curfew_report_parse(text, length, &report, NULL) != CURFEW_OK)
		return NULL;
	if (strcmp(report->id, run->id) == 0 && report->outcome == (curfew_outcome)head->outcome &&
	    (head->exit_code == 0 || report->outcome == CURFEW_OUTCOME_EXITED) &&
	    report->outcome != CURFEW_OUTCOME_CRASHED && report->stop_mode != CURFEW_STOP_PROCESS)
		return report;
	curfew_report_destroy(report);
	return NULL;
}

static const char *read_done(const worker_run *run, const char *body, size_t length, worker_result *result,
                             curfew_report **report)
{
	worker_done_head head;
	memcpy(&head, body, sizeof head);
	body += sizeof head;
	length -= sizeof head;
	*result = (worker_result){.outcome = (curfew_outcome)head.outcome, .exit_code = head.exit_code};
	*report = NULL;
	if ((run->job.flags & WORKER_JOB_INSPECT) != 0 && head.outcome == CURFEW_OUTCOME_FINISHED) {
		if (length > WORKER_DESCRIPTION_MAX || curfew_json_check(body, length, NULL) != CURFEW_OK)
			return "a malformed description";
		result->description = body;
		result->description_length = length;
		return NULL;
	}

	*report = parse(run, &head, body, length);
	if (*report == NULL)
		return "a report that is not its run's";
	result->report = body;
	result->report_length = length;
	result->parsed = *report;
	return NULL;
}

/* memory: what body is in, which may become the report; NULL: it belongs to others. */
static const char *take_done(worker_run *run, const char *body, size_t length, char **memory)
{
	worker_result result;
	curfew_report *report;
	const char *wrong = read_done(run, body, length, &result, &report);
	if (wrong != NULL)
		return wrong;

	result.memory = memory;
	if (run->state != RUN_DONE)
		worker_run_detach(run);
	if (run->job.on_done != NULL)
		run->job.on_done(run->job.context, &result);
	curfew_report_destroy(report);
	worker_run_unref(run);
	return NULL;
}

/* ---- The thread -------------------------------------------------------------------------------------------- */

static const char *take_message(worker_run *run, worker_message *message)
{
	if (message->kind == WORKER_FRAME_EVENT)
		return take_event(run, message->body, message->length);
	return take_done(run, message->body, message->length, &message->body);
}

/* Under the lock. NULL: there is nothing left, and the run has no thread from here on. */
static worker_message *next_message(worker_run *run)
{
	worker_message *message = run->later;
	if (message != NULL)
		run->later = message->next;
	else
		run->has_thread = false;
	return message;
}

static void *take_all(void *context)
{
	worker_run *run = context;
	worker_pool *pool = run->pool;
	uint64_t sender = 0;
	(void)prctl(PR_SET_NAME, "curfew-report");

	worker_lock(pool);
	for (worker_message *message; (message = next_message(run)) != NULL;) {
		const char *wrong = run->wrong;
		worker_unlock(pool);
		if (wrong == NULL) {
			sender = message->sender;
			wrong = take_message(run, message);
		}
		worker_message_free(message);
		worker_lock(pool);
		run->wrong = wrong;
	}

	/* What is wrong with a worker is the business of the pool's thread. */
	bool ends = run->has_end, is_forged = run->wrong != NULL && !ends;
	if (is_forged) {
		run->forger = sender;
		run->next_forged = pool->forged;
		pool->forged = run;
	}
	worker_unlock(pool);
	if (ends)
		worker_run_report(run, &run->end);
	if (is_forged)
		(void)eventfd_write(pool->wake, 1);

	worker_lock(pool);
	pool->checking--;
	(void)pthread_cond_broadcast(&pool->changed);
	worker_unlock(pool);
	if (!is_forged)
		worker_run_unref(run);
	worker_pool_unref(pool);
	return NULL;
}

/* Under the lock. */
static void note_thread(worker_run *run)
{
	run->has_thread = true;
	run->pool->checking++;
	atomic_fetch_add(&run->references, 1);
	atomic_fetch_add(&run->pool->references, 1);
}

static void start_thread(worker_run *run)
{
	pthread_t thread;
	if (thread_start(&thread, NULL, take_all, run))
		(void)pthread_detach(thread);
	else
		(void)take_all(run);
}

/* ---- On the pool's thread ------------------------------------------------------------------------------------ */

static bool is_same_event(const worker_message *a, const worker_message *b)
{
	return a->kind == WORKER_FRAME_EVENT && b->kind == WORKER_FRAME_EVENT &&
	       memcmp(a->body, b->body, sizeof(worker_event_head)) == 0;
}

/* Under the lock. Of progress and of checkpoints that wait only the last one stays. Returns what it replaces, or NULL.
 */
static worker_message *add_message(worker_run *run, worker_message *message)
{
	worker_message **at = &run->later, *old = NULL;
	while (*at != NULL) {
		if (old == NULL && is_same_event(*at, message)) {
			old = *at;
			*at = old->next;
		} else {
			at = &(*at)->next;
		}
	}
	*at = message;
	return old;
}

void worker_run_take_later(worker_run *run, worker_message *message)
{
	worker_pool *pool = run->pool;
	if (message->kind == WORKER_FRAME_DONE)
		worker_run_detach(run);
	worker_lock(pool);
	/* After a wrong message its worker will be killed in a moment. */
	bool is_lost = run->wrong != NULL && !run->has_thread, starts = !run->has_thread && !is_lost;
	worker_message *old = is_lost ? message : add_message(run, message);
	if (starts)
		note_thread(run);
	worker_unlock(pool);
	worker_message_free(old);
	if (starts)
		start_thread(run);
}

const char *worker_run_take(worker_run *run, uint64_t sender, uint8_t kind, const char *body, size_t length)
{
	worker_lock(run->pool);
	bool has_thread = run->has_thread, is_forged = run->wrong != NULL;
	worker_unlock(run->pool);
	if (is_forged)
		return NULL; /* its worker will be killed in a moment */
	if (!has_thread)
		return kind == WORKER_FRAME_EVENT ? take_event(run, body, length) : take_done(run, body, length, NULL);
	worker_message *message = worker_message_create(sender, kind, length);
	if (message == NULL)
		return "no memory for its message";
	memcpy(message->body, body, length);
	worker_run_take_later(run, message);
	return NULL;
}

void worker_run_fail(worker_run *run, const worker_end *end)
{
	worker_pool *pool = run->pool;
	run->was_started = run->was_started || run->state >= RUN_STARTED;
	if (run->state != RUN_DONE)
		worker_run_detach(run);
	worker_message_free(run->incoming);
	run->incoming = NULL;
	(void)worker_program_hash(run->program); /* only this thread may compute it */

	size_t known = worker_bytes_count(&run->streams[0]) + worker_bytes_count(&run->streams[1]);
	worker_lock(pool);
	bool has_thread = run->has_thread, starts = !has_thread && known > WORKER_PART_BYTES;
	run->end = *end;
	if (end->message != NULL) {
		(void)snprintf(run->end_message, sizeof run->end_message, "%s", end->message);
		run->end.message = run->end_message;
	}
	run->has_end = true;
	if (starts)
		note_thread(run);
	worker_unlock(pool);
	if (starts)
		start_thread(run);
	else if (!has_thread)
		worker_run_report(run, end);
}

worker_run *worker_later_forged(worker_pool *pool, uint64_t *sender)
{
	worker_lock(pool);
	worker_run *run = pool->forged;
	if (run != NULL) {
		pool->forged = run->next_forged;
		*sender = run->forger;
	}
	worker_unlock(pool);
	return run;
}

void worker_later_finish(worker_pool *pool)
{
	worker_lock(pool);
	while (pool->checking > 0)
		curfew__mutex_wait(&pool->lock, &pool->changed);
	worker_unlock(pool);
}
