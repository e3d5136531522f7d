/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/schedules: recurring runs. schedules.c begins them. */
#include "schedule_routes.h"

#include "common/clock.h"
#include "log.h"
#include "programs.h"
#include "routes.h"
#include "run_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 64 << 20, BODY_BYTES_MAX = 256 << 10, SECOND_US = 1000000 };

static answer reply_store(request *q)
{
	return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_STORE, "store", "the database cannot be used", 5);
}

static answer reply_stopping(request *q)
{
	return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_STOPPING, "stopping", "the server is ending", 5);
}

static answer reply_unknown(request *q)
{
	return reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-schedule", "there is no schedule of that name", NULL);
}

/* ---- Looking --------------------------------------------------------------------------------------------- */

static void write_ms(text *out, const char *key, int64_t wall_us)
{
	if (wall_us > 0)
		text_print(out, ",\"%s\":%lld", key, (long long)(wall_us / 1000));
	else
		text_print(out, ",\"%s\":null", key);
}

static void write_words(text *out, const char *key, const char *words)
{
	text_print(out, ",\"%s\":", key);
	text_say_json(out, words[0] != '\0' ? words : NULL);
}

static void write_schedule(text *out, const stored_schedule *one)
{
	text_print(out, "{\"name\":\"%s\",\"schedule\":", one->name);
	text_say_json(out, one->cron);
	text_print(out, ",\"zone\":\"%s\",\"overlap\":\"%s\",\"paused\":%s", one->zone,
	           submission_overlaps[one->overlap % OVERLAPS], one->is_paused ? "true" : "false");
	write_ms(out, "next_ms", one->next_us);
	write_ms(out, "last_ms", one->last_us);
	write_words(out, "last_run", one->last_run);
	write_words(out, "problem", one->problem);
	text_print(out, ",\"runs\":%llu,\"skipped\":%llu", (unsigned long long)one->runs, (unsigned long long)one->skipped);
	write_ms(out, "created_ms", one->created_us);
	write_ms(out, "updated_ms", one->updated_us);
	write_words(out, "token", one->owner);
}

typedef struct listing {
	text out;
	size_t count;
} listing;

static void add_schedule(void *context, const stored_schedule *one)
{
	listing *l = context;
	text_say(&l->out, l->count++ > 0 ? "," : "");
	write_schedule(&l->out, one);
	text_say(&l->out, "}");
}

static bool is_admin(const request *q)
{
	return (q->who->scopes & SCOPE_ADMIN) != 0;
}

/*
 * The token whose schedules a request is about. "?token=ID" names it for an administrator, who otherwise sees those of
 * all (NULL). False: it may not.
 */
static bool find_asked(const request *q, const char **owner)
{
	const char *token = http_argument(q, "token");
	*owner = token != NULL ? token : is_admin(q) ? NULL : q->who->id;
	return token == NULL || is_admin(q) || strcmp(token, q->who->id) == 0;
}

static answer reply_not_yours(request *q)
{
	return reply_problem(q, MHD_HTTP_FORBIDDEN, "scope", "schedules of another token are for administrators", NULL);
}

static answer list_schedules(request *q)
{
	listing l = {0};
	const char *owner;
	if (!find_asked(q, &owner))
		return reply_not_yours(q);
	text_init(&l.out, LIST_BYTES_MAX);
	text_say(&l.out, "{\"schedules\":[");
	if (!store_read_schedules(q->server->store, owner, NULL, add_schedule, &l)) {
		text_finish(&l.out);
		return reply_store(q);
	}
	text_say(&l.out, "]}");
	return reply_json(q, MHD_HTTP_OK, &l.out);
}

answer route_list_schedules(request *q)
{
	return http_help(q, list_schedules);
}

/* The schedule of a name: the token's own, or else the only one of that name that it may see. */
typedef struct search {
	const char *own;
	stored_schedule *found; /* NULL: there is none, or out of memory */
	size_t count;
} search;

static void take_found(void *context, const stored_schedule *one)
{
	search *s = context;
	bool is_own = strcmp(one->owner, s->own) == 0;
	if (s->count++ > 0 && !is_own)
		return;
	free(s->found);
	s->found = store_copy_schedule(one);
	s->count = is_own ? 1 : s->count;
}

/* NULL: the request is answered. */
static stored_schedule *find_schedule(request *q, const char *name, answer *result)
{
	search s = {.own = q->who->id};
	const char *owner;
	bool may = find_asked(q, &owner);
	bool good = may && store_read_schedules(q->server->store, owner, name, take_found, &s);
	if (good && s.count == 1 && s.found != NULL)
		return s.found;
	free(s.found);
	*result = !may    ? reply_not_yours(q)
	          : !good ? reply_store(q)
	          : s.count > 1
	              ? reply_problem(q, MHD_HTTP_CONFLICT, "ambiguous",
	                              "several tokens have a schedule of that name; name its token with ?token=ID", NULL)
	          : s.count > 0 ? reply_no_memory(q)
	                        : reply_unknown(q);
	return NULL;
}

static answer reply_schedule(request *q, unsigned status, const stored_schedule *one)
{
	text out;
	text_init(&out, LIST_BYTES_MAX);
	write_schedule(&out, one);
	text_say(&out, ",\"submission\":");
	text_add(&out, one->body, one->body_length);
	text_say(&out, "}");
	return reply_json(q, status, &out);
}

static answer get_schedule(request *q)
{
	answer result;
	stored_schedule *one = find_schedule(q, q->parameter, &result);
	if (one == NULL)
		return result;
	result = reply_schedule(q, MHD_HTTP_OK, one);
	free(one);
	return result;
}

answer route_get_schedule(request *q)
{
	return http_help(q, get_schedule);
}

/* ---- Changing -------------------------------------------------------------------------------------------- */

/* A change that is being written, and the answer for when it is on disk. */
typedef struct change {
	server *server;
	request *request;
	stored_schedule *schedule; /* the new schedule; NULL: it is deleted */
	unsigned status;
	const char *what;   /* for the log */
	bool is_on_its_way; /* a callback is to come */
	bool abandoned;     /* the request is gone */
	account *reserves;  /* the token that it reserved a place of, or NULL */
} change;

/* Under the lock. */
static void free_change(server *s, void *work)
{
	change *c = work;
	(void)s;
	if (c->is_on_its_way) {
		c->abandoned = true;
		return;
	}
	if (c->reserves != NULL)
		c->reserves->schedules_reserved--;
	free(c->schedule);
	free(c);
}

static void on_changed(void *context, const char *problem)
{
	change *c = context;
	c->is_on_its_way = false;
	if (c->abandoned) {
		free_change(c->server, c);
		return;
	}
	if (problem != NULL)
		(void)snprintf(c->request->problem, sizeof c->request->problem, "%s", problem);
	c->request->is_done = true;
	http_wake(c->request);
}

static answer resume_changed(request *q)
{
	change *c = q->work;
	server *s = q->server;
	server_lock(s);
	bool waits = !q->is_done, closing = s->closing;
	if (waits && !closing)
		http_suspend(q, resume_changed);
	server_unlock(s);
	if (waits)
		return closing ? reply_stopping(q) : MHD_YES;
	if (q->problem[0] != '\0')
		return reply_store(q);
	log_event(LOG_INFO, "schedule",
	          (log_field[]){{"name", c->schedule != NULL ? c->schedule->name : q->parameter, 0},
	                        {"what", c->what, 0},
	                        {"token", q->who->id[0] != '\0' ? q->who->id : "-", 0},
	                        {0}});
	return c->schedule != NULL ? reply_schedule(q, c->status, c->schedule) : reply_nothing(q, c->status);
}

/* Drops the request's earlier data, and takes ownership of c. */
static answer write_change(request *q, change *c, const char *owner)
{
	server *s = q->server;
	server_lock(s);
	c->is_on_its_way = true;
	bool good = c->schedule != NULL ? store_put_schedule(s->store, c->schedule, on_changed, c)
	                                : store_delete_schedule(s->store, owner, q->parameter, on_changed, c);
	c->is_on_its_way = good;
	if (q->free_work != NULL)
		q->free_work(s, q->work);
	q->work = c;
	q->free_work = free_change;
	server_unlock(s);
	return good ? resume_changed(q) : reply_no_memory(q);
}

/* Takes ownership of schedule; NULL: it is deleted. NULL: no memory. */
static change *make_change(request *q, stored_schedule *schedule, unsigned status, const char *what)
{
	change *c = calloc(1, sizeof *c);
	if (c == NULL) {
		free(schedule);
		return NULL;
	}
	*c = (change){.server = q->server, .request = q, .schedule = schedule, .status = status, .what = what};
	return c;
}

/* Writes schedule, which it takes ownership of; NULL: deletes it. */
static answer begin_change(request *q, stored_schedule *schedule, unsigned status, const char *what, const char *owner)
{
	change *c = make_change(q, schedule, status, what);
	return c != NULL ? write_change(q, c, owner) : reply_no_memory(q);
}

/* ---- Storing --------------------------------------------------------------------------------------------- */

typedef struct account_use {
	const char *name;
	size_t count;
	size_t reserved; /* places of the token, this request's among them; 0: this request has none */
	bool has_name, is_same;
	const text *body;
	stored_schedule *before;
} account_use;

static void count_one(void *context, const stored_schedule *one)
{
	account_use *use = context;
	use->count++;
	if (strcmp(one->name, use->name) != 0)
		return;
	use->has_name = true;
	use->is_same = one->body_length == use->body->length && memcmp(one->body, use->body->data, one->body_length) == 0;
	use->before = store_copy_schedule(one);
}

static int64_t next_time(const cron *times, const char *zone, int64_t now_us)
{
	int64_t next = cron_next(times, zone, now_us / SECOND_US);
	return next == CRON_NEVER ? 0 : next * SECOND_US;
}

static answer store_schedule(request *q, const submission *sub, account_use *use)
{
	int64_t now_us = clock_wall_us();
	stored_schedule one = {.owner = q->who->id,
	                       .name = use->name,
	                       .cron = sub->schedule,
	                       .zone = sub->zone,
	                       .body = q->body.data,
	                       .body_length = q->body.length,
	                       .overlap = sub->overlap,
	                       .is_paused = sub->is_paused,
	                       .created_us = now_us,
	                       .updated_us = now_us,
	                       .next_us = sub->is_paused ? 0 : next_time(&sub->times, sub->zone, now_us),
	                       .last_run = "",
	                       .problem = ""};

	if (use->before != NULL) {
		one.created_us = use->before->created_us;
		one.last_us = use->before->last_us;
		one.last_run = use->before->last_run;
		one.runs = use->before->runs;
		one.skipped = use->before->skipped;
	}

	stored_schedule *copy = store_copy_schedule(&one);
	change *c = NULL;
	if (copy != NULL && use->has_name)
		c = make_change(q, copy, MHD_HTTP_OK, "replaced");
	else if (copy != NULL)
		c = make_change(q, copy, MHD_HTTP_CREATED, "stored");
	if (c == NULL)
		return reply_no_memory(q);
	c->reserves = q->who;
	use->reserved = 0;
	return write_change(q, c, NULL);
}

/* Whether the token may have the schedule. If not, the request is answered. */
static bool check_put(request *q, const submission *sub, const account_use *use, answer *result)
{
	server *s = q->server;
	program_search found;
	if (s->stopping)
		*result = reply_stopping(q);
	else if (q->body.length > BODY_BYTES_MAX)
		*result = reply_problem(q, MHD_HTTP_CONTENT_TOO_LARGE, "too-large",
		                        "a schedule's submission has at most 256 KiB: store the program, and name it", NULL);
	else if (!use->has_name && use->count + use->reserved > s->config->schedules_max)
		*result = reply_later(q, MHD_HTTP_TOO_MANY_REQUESTS, REFUSAL_QUOTA, "quota",
		                      "this token has reached its maximum number of schedules (--max-schedules)", 60);
	else if (sub->program != NULL && !program_find(s->store, q->who, sub->program, &found) && found.has_failed)
		*result = reply_unreadable(q);
	else if (sub->program != NULL && found.found != 1)
		*result = reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-program", "/program: there is no program of that name",
		                        "/program");
	else
		return true;
	return false;
}

/* The name of a schedule that was submitted with an Idempotency-Key, or without one. */
static void make_name(char name[NAME_MAX_BYTES + 1], const char *key)
{
	char sha256[SHA256_SIZE], id[ID_SIZE];
	if (key == NULL) {
		id_create(id);
		(void)snprintf(name, NAME_MAX_BYTES + 1, "%s", id);
		return;
	}
	program_hash(key, strlen(key), sha256);
	(void)snprintf(name, NAME_MAX_BYTES + 1, "key-%.32s", sha256);
}

/* is_again: an existing one of that name must be the same. */
static answer put_counted(request *q, const submission *sub, account_use *use, bool is_again)
{
	answer result;

	if (!store_read_schedules(q->server->store, q->who->id, NULL, count_one, use))
		return reply_store(q);
	if (use->has_name && use->before == NULL)
		return reply_no_memory(q);
	if (use->has_name && use->is_same)
		return reply_schedule(q, MHD_HTTP_OK, use->before); /* it exists already, so nothing is written */
	if (use->has_name && is_again)
		return reply_problem(q, MHD_HTTP_UNPROCESSABLE_CONTENT, "key-reused",
		                     "this Idempotency-Key was used for another body", NULL);
	if (!check_put(q, sub, use, &result))
		return result;
	return store_schedule(q, sub, use);
}

/* A place of the token is reserved until the schedule is written, because others may be on their way. It is reserved
 * before the count: what is written meanwhile may count twice, and is not missed. */
static answer put_checked(request *q, const submission *sub, const char *name, bool is_again)
{
	server *s = q->server;
	account_use use = {.name = name, .body = &q->body};

	server_lock(s);
	use.reserved = ++q->who->schedules_reserved;
	server_unlock(s);

	answer result = put_counted(q, sub, &use, is_again);

	if (use.reserved > 0) {
		server_lock(s);
		q->who->schedules_reserved--;
		server_unlock(s);
	}
	free(use.before);
	return result;
}

static void note_one(void *context, const stored_schedule *one)
{
	(void)one;
	*(int *)context = 1;
}

int schedule_has_key(request *q, const char *key)
{
	char name[NAME_MAX_BYTES + 1];
	int found = 0;
	make_name(name, key);
	return store_read_schedules(q->server->store, q->who->id, name, note_one, &found) ? found : -1;
}

answer schedule_post(request *q, const submission *sub, const char *key)
{
	char name[NAME_MAX_BYTES + 1];
	make_name(name, key);
	return put_checked(q, sub, name, true);
}

static answer put_schedule(request *q)
{
	submission sub;
	answer result;
	bool good = submission_read(&sub, q->body.data != NULL ? q->body.data : "", q->body.length, q->who, q->server);
	if (good && sub.schedule == NULL) {
		sub.fields.base = "";
		fields_fail(&sub.fields, "schedule", "is missing");
		good = false;
	}
	if (good)
		result = put_checked(q, &sub, q->parameter, false);
	else if (sub.forbidden)
		result = reply_problem(q, MHD_HTTP_FORBIDDEN, "not-granted", sub.fields.detail, sub.fields.pointer);
	else
		result = reply_problem(q, MHD_HTTP_BAD_REQUEST, "field", sub.fields.detail, sub.fields.pointer);
	submission_finish(&sub);
	return result;
}

answer route_put_schedule(request *q)
{
	if (!id_is_name(q->parameter))
		return reply_problem(q, MHD_HTTP_BAD_REQUEST, "name",
		                     "the name must be letters, digits, '.', '_' and '-', and begin with a letter or a digit",
		                     NULL);
	if (!http_has_json_type(q))
		return reply_not_json(q);
	return http_help(q, put_schedule);
}

/* ---- Pausing --------------------------------------------------------------------------------------------- */

/* Reads {"paused": true}. -1: the request is answered. */
static int read_paused(request *q, answer *result)
{
	json_error_t error;
	fields f = {.base = ""};
	json_t *body = json_loadb(q->body.data != NULL ? q->body.data : "", q->body.length, JSON_REJECT_DUPLICATES, &error);
	if (body == NULL)
		fields_fail(&f, NULL, "is not JSON: %.160s", error.text);
	else
		fields_begin(&f, body, "");
	if (!f.failed && fields_take(&f, "paused") == NULL)
		fields_fail(&f, "paused", "is missing");
	bool paused = !f.failed && fields_bool(&f, "paused", false);
	bool good = !f.failed && fields_end(&f);
	json_decref(body);
	if (!good)
		*result = reply_problem(q, MHD_HTTP_BAD_REQUEST, "field", f.detail, f.pointer);
	return good ? paused : -1;
}

static answer pause_schedule(request *q)
{
	answer result;
	char why[CRON_WHY_SIZE];
	cron times;
	int paused = read_paused(q, &result);
	stored_schedule *one = paused >= 0 ? find_schedule(q, q->parameter, &result) : NULL;

	if (one == NULL)
		return result;
	if (q->server->stopping) {
		free(one);
		return reply_stopping(q);
	}

	if (one->is_paused == (paused == 1)) {
		result = reply_schedule(q, MHD_HTTP_OK, one);
		free(one);
		return result;
	}

	int64_t now_us = clock_wall_us();
	one->is_paused = paused == 1;
	one->updated_us = now_us;
	one->problem = "";
	one->next_us = paused == 0 && cron_parse(&times, one->cron, why) ? next_time(&times, one->zone, now_us) : 0;
	return begin_change(q, one, MHD_HTTP_OK, paused == 1 ? "paused" : "resumed", NULL);
}

answer route_pause_schedule(request *q)
{
	return http_has_json_type(q) ? http_help(q, pause_schedule) : reply_not_json(q);
}

/* ---- Deleting -------------------------------------------------------------------------------------------- */

static answer delete_schedule(request *q)
{
	answer result;
	stored_schedule *one = find_schedule(q, q->parameter, &result);
	if (one == NULL)
		return result;
	result = q->server->stopping ? reply_stopping(q)
	                             : begin_change(q, NULL, MHD_HTTP_NO_CONTENT, "deleted", one->owner);
	free(one);
	return result;
}

answer route_delete_schedule(request *q)
{
	return http_help(q, delete_schedule);
}
