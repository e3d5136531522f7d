/* SPDX-License-Identifier: Apache-2.0 */
/* A response with a report in its middle. A helper reads parts from the store, one ahead of what is sent. */
#include "pieces.h"

#include "helpers.h"
#include "log.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 64 << 10 };

typedef struct pieces {
	request *request;
	char *head;
	size_t head_length, tail_length;
	const char *tail;
	piece_report report;
	/* Of a report in the store: the part that is being sent. Guarded by the lock while a helper reads it. */
	blob *part;
	size_t part_index;
	bool is_reading, has_failed;
	store *store;      /* the request may be gone before this */
	store_hold hold;   /* of a report in the store */
	uint64_t position; /* in a stream */
} pieces;

piece_report piece_of(const run_view *view, blob *here)
{
	piece_report made = {.here = blob_ref(here),
	                     .number = view->report_number,
	                     .length = here != NULL ? here->len : view->report_length};
	(void)snprintf(made.id, sizeof made.id, "%s", view->id);
	return made;
}

static bool note_number(void *context, const run_view *view)
{
	*(int64_t *)context = view->report_number;
	return false;
}

/* Reads the number of a run's report; it is left as it is if there is no such run. False: the store cannot be read. */
static bool find_number(const request *q, const char *id, int64_t *number)
{
	const run_filter filter = {.id = id, .outcome = -1, .most = 1};
	return store_read_runs(q->server->store, &filter, note_number, number);
}

static void read_part(void *context)
{
	pieces *p = context;
	server *s = p->request->server;
	if (p->report.number == PIECE_OF_RUN)
		(void)find_number(p->request, p->report.id, &p->report.number);
	blob *part = store_read_part(s->store, p->report.number, p->part_index);
	server_lock(s);
	p->part = part;
	p->has_failed = part == NULL || part->len == 0;
	p->is_reading = false;
	http_release(p->request);
	server_unlock(s);
}

/* Provides the part that contains this offset of the report. Returns 1: it is there; 0: not yet, the connection is
 * suspended; or an end of the stream. */
static ssize_t prepare_part(pieces *p, size_t at)
{
	size_t index = at / STORE_PART_BYTES;
	server *s = p->request->server;
	ssize_t next = 1;
	server_lock(s);
	bool has = p->part != NULL && p->part_index == index && !p->is_reading;
	if (!has && !p->is_reading && !p->has_failed) {
		blob_unref(p->part);
		p->part = NULL;
		p->part_index = index;
		p->is_reading = helpers_run(s->helpers, p->request->who, read_part, p);
		p->has_failed = !p->is_reading;
		if (p->is_reading)
			http_hold(p->request); /* in time: the helper releases it under the lock */
	}
	if (!has)
		next = p->has_failed ? MHD_CONTENT_READER_END_WITH_ERROR : 0;
	if (next == 0)
		http_suspend(p->request, NULL);
	server_unlock(s);
	if (has && at % STORE_PART_BYTES == 0)
		http_note_progress(p->request);
	return next;
}

static ssize_t copy_from(char *buffer, size_t max, const char *data, size_t length)
{
	size_t taken = length < max ? length : max;
	memcpy(buffer, data, taken);
	return (ssize_t)taken;
}

static ssize_t read_pieces(void *context, uint64_t position, char *buffer, size_t max)
{
	pieces *p = context;

	if (position < p->head_length)
		return copy_from(buffer, max, p->head + position, p->head_length - (size_t)position);
	size_t at = (size_t)position - p->head_length;
	if (at >= p->report.length) {
		at -= p->report.length;
		return copy_from(buffer, max, p->tail + at, p->tail_length - at);
	}

	if (p->report.here != NULL) {
		if (at / STORE_PART_BYTES != p->part_index) {
			p->part_index = at / STORE_PART_BYTES;
			http_note_progress(p->request);
		}
		return copy_from(buffer, max, p->report.here->data + at, p->report.length - at);
	}

	ssize_t next = prepare_part(p, at);
	if (next != 1)
		return next;
	size_t within = at % STORE_PART_BYTES;
	if (within >= p->part->len)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return copy_from(buffer, max, p->part->data + within, p->part->len - within);
}

void pieces_free(pieces *p)
{
	store_release_run(p->store, &p->hold);
	blob_unref(p->report.here);
	blob_unref(p->part);
	free(p->head);
	free(p);
}

static void free_pieces(void *context)
{
	pieces_free(context);
}

pieces *pieces_create(request *q, text *head, piece_report report, const char *tail)
{
	pieces *p = calloc(1, sizeof *p);
	if (p == NULL) {
		if (head != NULL)
			text_finish(head);
		blob_unref(report.here);
		return NULL;
	}
	*p = (pieces){.request = q, .tail = tail, .tail_length = strlen(tail), .report = report, .store = q->server->store};
	p->has_failed = report.here == NULL && !store_hold_run(p->store, &p->hold, report.id);
	p->head = head != NULL ? text_take(head, &p->head_length) : NULL;
	if (head == NULL || p->head != NULL)
		return p;
	pieces_free(p);
	return NULL;
}

ssize_t pieces_read(pieces *p, char *buffer, size_t max)
{
	if (p->position == p->head_length + p->report.length + p->tail_length)
		return MHD_CONTENT_READER_END_OF_STREAM;
	ssize_t length = read_pieces(p, p->position, buffer, max);
	if (length > 0)
		p->position += (uint64_t)length;
	return length;
}

/* The store has no report of a run that was found there: the run is dropped since then, or its report is lost. */
static answer reply_without_report(request *q, const piece_report *report, bool is_dropped)
{
	int64_t number = PIECE_OF_RUN;

	if (!is_dropped && !find_number(q, report->id, &number))
		return reply_unreadable(q);
	if (number != report->number)
		return reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-run", "there is no run of that id", NULL);
	log_event_seldom(LOG_ERROR, "report", (log_field[]){{"id", report->id, 0}, {"problem", "unreadable", 0}, {0}});
	return reply_problem(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "report-lost",
	                     "the run has ended, and its report cannot be read: 'curfew admin check' finds out why", NULL);
}

answer reply_pieces(request *q, const char *type, text *head, piece_report report, const char *tail)
{
	pieces *p = pieces_create(q, head, report, tail);

	if (p == NULL)
		return reply_no_memory(q);
	if (report.here == NULL && !p->has_failed)
		p->part = store_read_part(p->store, report.number, 0);
	if (report.here == NULL && p->part == NULL) {
		bool is_dropped = p->has_failed;
		pieces_free(p);
		return reply_without_report(q, &report, is_dropped);
	}
	size_t length = p->head_length + report.length + p->tail_length;
	/* Use a small buffer: it is cleared each time, and most reports are much smaller. */
	struct MHD_Response *response = MHD_create_response_from_callback(
		length, length < BUFFER_BYTES ? length : BUFFER_BYTES, read_pieces, p, free_pieces);
	if (response == NULL) {
		pieces_free(p);
		return reply_no_memory(q);
	}
	reply_add_data_headers(response, type);
	return reply_queue(q, MHD_HTTP_OK, response);
}
