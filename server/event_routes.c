/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /v1/runs/ID/events: the event log of a run as server-sent events. Each event has a number, which a client that
 * reconnects sends as Last-Event-ID. A stream without news holds no thread; one whose client does not read holds only
 * its position.
 */
#include "cluster.h"
#include "pieces.h"
#include "record.h"
#include "routes.h"
#include "store.h"
#include "subscription.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_BLOCK_BYTES = 16 << 10 };

static const char *const event_names[EVENT_KINDS] = {"state", "progress", "checkpoint", "output", "report"};

static void write_head(text *out, uint64_t number, event_kind kind)
{
	text_print(out, "id: %llu\nevent: %s\ndata: ", (unsigned long long)number, event_names[kind]);
}

static void write_event(text *out, uint64_t number, event_kind kind, const char *data, size_t length)
{
	write_head(out, number, kind);
	text_add(out, data, length);
	text_say(out, "\n\n");
}

/* ---- Of a run in memory ---------------------------------------------------------------------------------- */

/* The report that is only in the store, or the event's own data, of which each stream has one at a time. */
static piece_report data_of(const run *r, const event *e)
{
	piece_report made = {
		.here = blob_ref(e->data), .number = PIECE_OF_RUN, .length = e->data != NULL ? e->data->len : r->report_length};
	memcpy(made.id, r->id, sizeof made.id);
	return made;
}

/*
 * A large event is not copied. As long as a client does not read it, it stays in memory, so a token whose share is used
 * up gets none, except for reports, which their runs hold anyway.
 */
static bool is_withheld(const run *r, const event *e, const server *s)
{
	return e->kind != EVENT_REPORT && e->data->len > BLOB_SMALL &&
	       scheduler_keeps_too_much(&s->scheduler, &r->owner->tenant);
}

static bool is_large(const event *e)
{
	return e->data == NULL || e->data->len > STREAM_BLOCK_BYTES;
}

/* Under the lock: begins to send a large event. False: out of memory. */
static bool start_large(request *q, const event *e)
{
	text head;
	text_init(&head, 256);
	write_head(&head, e->number, e->kind);
	q->work = pieces_create(q, &head, data_of(q->run, e), "\n\n");
	q->next_event = e->number + 1;
	return q->work != NULL;
}

/* Under the lock: makes the next events the chunk. False: there is nothing yet. *ends: nothing will follow. */
static bool make_chunk(request *q, bool *ends)
{
	run *r = q->run;
	text out;

	*ends = false;
	if (q->next_event < r->first_event)
		q->next_event = r->first_event;
	if (!run_has_event(r, q->next_event)) {
		*ends = r->state == RUN_DONE || q->server->closing;
		if (*ends || !q->wants_ping)
			return false;
	}

	text_init(&out, SIZE_MAX / 2);
	q->wants_ping = false;
	if (!run_has_event(r, q->next_event))
		text_say(&out, ": ping\n\n");
	while (run_has_event(r, q->next_event) && out.length < STREAM_BLOCK_BYTES) {
		const event *e = run_get_event(r, q->next_event);
		if (!is_large(e)) {
			write_event(&out, e->number, e->kind, e->data->data, e->data->len);
		} else if (is_withheld(r, e, q->server)) {
			text_say(&out, ": left out\n\n");
		} else if (out.length > 0) {
			break; /* it is the next chunk */
		} else {
			text_finish(&out);
			*ends = !start_large(q, e);
			return !*ends;
		}
		q->next_event = e->number + 1;
	}

	free(q->chunk);
	q->chunk = text_take(&out, &q->chunk_length);
	q->chunk_sent = 0;
	*ends = q->chunk == NULL;
	return q->chunk != NULL;
}

static void free_large(server *s, void *work)
{
	(void)s;
	if (work != NULL)
		pieces_free(work);
}

static ssize_t read_large(request *q, char *buffer, size_t most)
{
	ssize_t length = pieces_read(q->work, buffer, most);
	if (length != MHD_CONTENT_READER_END_OF_STREAM)
		return length;
	pieces_free(q->work);
	q->work = NULL;
	return 0;
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t most)
{
	request *q = context;
	bool ends = false;
	if (q->work != NULL) {
		ssize_t length = read_large(q, buffer, most);
		if (length != 0 || q->work != NULL)
			return length;
	}
	if (q->chunk == NULL || q->chunk_sent == q->chunk_length) {
		server_lock(q->server);
		ends = q->is_gone;
		if (ends || !make_chunk(q, &ends)) {
			if (!ends)
				http_suspend(q, NULL);
			server_unlock(q->server);
			return ends ? MHD_CONTENT_READER_END_OF_STREAM : 0;
		}
		server_unlock(q->server);
		if (q->work != NULL)
			return read_large(q, buffer, most);
	}
	size_t left = q->chunk_length - q->chunk_sent;
	size_t length = left < most ? left : most;
	memcpy(buffer, q->chunk + q->chunk_sent, length);
	q->chunk_sent += length;
	return (ssize_t)length;
}

static answer reply_stream(request *q, struct MHD_Response *response)
{
	if (response == NULL)
		return MHD_NO;
	reply_add_headers(response, "text/event-stream");
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	(void)MHD_add_response_header(response, "Content-Security-Policy",
	                              "default-src 'none'; frame-ancestors 'none'; sandbox");
	(void)MHD_add_response_header(response, "X-Accel-Buffering", "no");
	return reply_queue(q, MHD_HTTP_OK, response);
}

/* Under the lock; unlocks. */
static answer start_stream(request *q, run *r, uint64_t last_event) CURFEW__UNCHECKED;
static answer start_stream(request *q, run *r, uint64_t last_event)
{
	server *s = q->server;

	if (http_count_streams(s->http) >= s->config->streams_max && !http_yield_stream(s->http, q->who)) {
		server_unlock(s);
		return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_STREAMS, "too-many-streams",
		                   "too many event streams are open", 2);
	}

	uint64_t newest = r->next_event - 1;

	/*
	 * The stream never had this id. It comes from a copy of the data, or from a mistake, so the stream starts again
	 * from the beginning. If another node has the run, the event may only not have arrived yet.
	 */
	bool may_come = r->is_foreign && last_event >> EVENT_LIFE_SHIFT <= r->epoch;
	if (last_event > newest && !may_come)
		last_event = 0;
	if (r->state == RUN_DONE && last_event == newest) {
		server_unlock(s);
		return reply_nothing(q, MHD_HTTP_NO_CONTENT);
	}

	q->is_stream = true;
	q->free_work = free_large;
	q->next_event = last_event + 1;
	subscribe(q, r);
	server_unlock(s);
	return reply_stream(q, reply_make_open(q, STREAM_BLOCK_BYTES, read_stream, q, NULL));
}

/* ---- Of a run on disk ------------------------------------------------------------------------------------ */

typedef struct replay {
	text head; /* the text before the report */
	piece_report report;
	uint64_t last_event;
	bool is_found, has_more;
} replay;

/* Only the end is left of its event log. */
static bool show_end(void *context, const run_view *view)
{
	static const char done[] = "{\"state\":\"done\"}";
	replay *p = context;
	uint64_t last = view->last_event;
	p->is_found = true;
	if (p->last_event > last)
		p->last_event = 0;
	p->has_more = p->last_event < last;
	if (p->last_event + 1 < last)
		write_event(&p->head, last - 1, EVENT_STATE, done, sizeof done - 1);
	text_print(&p->head, "id: %llu\nevent: report\ndata: ", (unsigned long long)last);
	p->report = piece_of(view, NULL);
	return false;
}

static answer replay_stored(request *q)
{
	run_filter filter = {.id = q->parameter, .outcome = -1, .most = 1};
	replay p = {.last_event = q->next_event};
	if ((q->who->scopes & SCOPE_ADMIN) == 0)
		filter.owner = q->who->id;
	text_init(&p.head, 4096);
	bool good = store_read_runs(q->server->store, &filter, show_end, &p);
	if (p.has_more && p.report.length > 0)
		return reply_pieces(q, "text/event-stream", &p.head, p.report, "\n\n");
	text_finish(&p.head);
	if (!good)
		return reply_unreadable(q);
	return p.is_found ? reply_nothing(q, MHD_HTTP_NO_CONTENT)
	                  : reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-run", "there is no run of that id", NULL);
}

static bool read_number(const char *words, uint64_t *number)
{
	char *end;
	*number = strtoull(words, &end, 10);
	return *words >= '0' && *words <= '9' && *end == '\0' && strlen(words) < 19;
}

/* On a helper's thread: events of a run that this node does not have, or that has ended. */
static answer get_events_elsewhere(request *q)
{
	run *r = NULL;
	if (!q->server->is_shared)
		return replay_stored(q);
	if (!cluster_find(q->server, q->parameter, q->who, &r))
		return reply_unreadable(q);
	return r != NULL ? start_stream(q, r, q->next_event) : replay_stored(q);
}

answer route_get_events(request *q)
{
	server *s = q->server;
	const char *last = http_header(q, "Last-Event-ID");
	uint64_t last_event = 0;
	if (last != NULL && !read_number(last, &last_event))
		return reply_problem(q, MHD_HTTP_BAD_REQUEST, "last-event-id",
		                     "the Last-Event-ID must be the id of an event of this stream", NULL);
	if (!curfew__id_is_valid(q->parameter))
		return reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-run", "there is no run of that id", NULL);
	server_lock(s);
	run *r = run_find(s, q->parameter);
	if (r != NULL && !r->is_foreign && run_is_visible(r, q->who))
		return start_stream(q, r, last_event);
	server_unlock(s);
	q->next_event = last_event;
	return http_help(q, get_events_elsewhere);
}
