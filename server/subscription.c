/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as listeners of runs. If only requests can ever see a run, it is cancelled when the last one leaves. */
#include "subscription.h"

#include "record.h"
#include "service.h"

/*
 * A request for the report is not woken before there is one: each time costs the HTTP thread as much as a request. When
 * its run has been written, one that gave up its wait is answered, and one with a large body frees it.
 */
static void on_news(run_listener *l, run_news news)
{
	request *q = (request *)(void *)((char *)l - offsetof(request, listener));
	const run *r = q->run;
	bool is_answerable = !q->wants_report || q->is_gone || q->body.length > REQUEST_BODY_SMALL ||
	                     r->state == RUN_DONE || r->refused;
	if (q->is_stream || (news == NEWS_CHANGE && is_answerable))
		http_wake(q);
}

static void unsubscribe(request *q)
{
	server *s = q->server;
	run *r = q->run;
	server_lock(s);
	bool is_last = r->listeners == &q->listener && q->listener.next == NULL;
	if (r->is_attended && is_last && !s->closing) {
		service_cancel(s, r);
		service_dispatch(s);
	}
	store_release_run(s->store, &q->hold);
	run_unlisten(s, r, &q->listener);
	q->run = NULL;
	server_unlock(s);
	service_launch(s);
}

void subscribe(request *q, run *r)
{
	q->run = r;
	q->listener.notify = on_news;
	q->leave = unsubscribe;
	q->notices_end = true;
	run_listen(r, &q->listener);
	/* What it waits for must still be there when it is sent. */
	if (r->durable)
		(void)store_hold_run(q->server->store, &q->hold, r->id);
	if (q->is_stream)
		http_add_stream(q);
}
