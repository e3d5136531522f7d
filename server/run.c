/* SPDX-License-Identifier: Apache-2.0 */
/* One run: its tables, its story, its way through the pool, and its end. */
#include "run.h"

#include "clock.h"
#include "hosts.h"
#include "http.h"
#include "log.h"
#include "metrics.h"
#include "programs.h"
#include "queue.h"
#include "report.h"
#include "scan.h"
#include "store.h"
#include "wasi.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS_MOST = 10000, EVENT_BYTES_MOST = 4 << 20, KEPT_MOST = 4096, KEPT_BYTES_MOST = 64 << 20 };

const char *const run_state_names[RUN_STATES] = {"scheduled", "queued", "running", "stopping", "done"};

/* ---- Ids ------------------------------------------------------------------------------------------------- */

/* Crockford's base 32. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

bool run_is_id(const char *id)
{
	return strlen(id) == ID_ROOM - 1 && strspn(id, alphabet) == ID_ROOM - 1 && id[0] <= '7';
}

/* One more than before: the next id of the same millisecond. */
static void add_one(unsigned char digits[16])
{
	for (int i = 15; i >= 0; i--) {
		digits[i] = (digits[i] + 1) & 31;
		if (digits[i] != 0)
			return;
	}
}

void run_make_id(char id[ID_ROOM])
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint64_t last_ms;
	static unsigned char digits[16];
	(void)pthread_mutex_lock(&lock);
	uint64_t ms = (uint64_t)clock_wall_us() / 1000;
	if (ms > last_ms) {
		randombytes_buf(digits, sizeof digits);
		for (int i = 0; i < 16; i++)
			digits[i] &= i == 0 ? 15 : 31; /* room to count in */
		last_ms = ms;
	} else {
		add_one(digits);
	}
	ms = last_ms;
	for (int i = 9; i >= 0; i--, ms >>= 5)
		id[i] = alphabet[ms & 31];
	for (int i = 0; i < 16; i++)
		id[10 + i] = alphabet[digits[i]];
	id[ID_ROOM - 1] = '\0';
	(void)pthread_mutex_unlock(&lock);
}

/* ---- Tables ---------------------------------------------------------------------------------------------- */

static run **bucket(server *s, const char *id)
{
	unsigned index = 0;
	/* The last characters differ most. */
	for (int i = ID_ROOM - 7; i < ID_ROOM - 1; i++)
		index = index * 33 + (unsigned char)id[i];
	return &s->runs[index % RUN_BUCKETS];
}

static run **key_bucket(server *s, const char *key)
{
	unsigned index = 0;
	for (; *key != '\0'; key++)
		index = index * 33 + (unsigned char)*key;
	return &s->keys[index % RUN_BUCKETS];
}

run *run_create(account *owner)
{
	run *r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	r->refs = 1;
	r->owner = owner;
	r->queue_us = -1;
	r->first_event = 1;
	r->priority = PRIORITY_USUAL;
	run_make_id(r->id);
	return r;
}

void run_ref(run *r)
{
	r->refs++;
}

void run_unref(server *s, run *r)
{
	if (--r->refs > 0)
		return;
	for (size_t i = 0; i < r->event_count; i++)
		blob_unref(r->events[i].data);
	free(r->events);
	blob_unref(r->report);
	blob_unref(r->checkpoint);
	program_unref(s, r->program);
	worker_run_unref(r->worker);
	free(r->program_name);
	free(r->call);
	free(r->params);
	free(r->user);
	free(r->allow_fetch);
	free(r->wasi);
	free(r->idempotency_key);
	free(r);
}

void run_register(server *s, run *r)
{
	run **at = bucket(s, r->id);
	r->chain = *at;
	*at = r;
	if (r->idempotency_key != NULL) {
		at = key_bucket(s, r->idempotency_key);
		r->key_chain = *at;
		*at = r;
	}
	run_ref(r);
}

void run_unregister(server *s, run *r)
{
	run **at = bucket(s, r->id);
	while (*at != r)
		at = &(*at)->chain;
	*at = r->chain;
	if (r->idempotency_key != NULL) {
		at = key_bucket(s, r->idempotency_key);
		while (*at != r)
			at = &(*at)->key_chain;
		*at = r->key_chain;
	}
	run_unref(s, r);
}

run *run_find(server *s, const char *id)
{
	run *r = *bucket(s, id);
	while (r != NULL && strcmp(r->id, id) != 0)
		r = r->chain;
	return r;
}

run *run_find_key(server *s, const account *owner, const char *key)
{
	run *r = *key_bucket(s, key);
	while (r != NULL && (r->owner != owner || strcmp(r->idempotency_key, key) != 0))
		r = r->key_chain;
	return r;
}

bool run_is_visible(const run *r, const account *who)
{
	return r->owner == who || (who->scopes & SCOPE_ADMIN) != 0;
}

/* Ended runs stay for a while, for those who come late or again. */
static void keep(server *s, run *r)
{
	r->kept = true;
	r->newer = NULL;
	r->older = s->newest;
	*(r->older != NULL ? &r->older->newer : &s->oldest) = r;
	s->newest = r;
	s->kept_count++;
	s->kept_bytes += r->event_bytes + r->report->len;
	/* One that the store does not have is only here. */
	while ((s->kept_count > KEPT_MOST || s->kept_bytes > KEPT_BYTES_MOST) && s->oldest->written) {
		run *oldest = s->oldest;
		s->oldest = oldest->newer;
		*(s->oldest != NULL ? &s->oldest->older : &s->newest) = NULL;
		s->kept_count--;
		s->kept_bytes -= oldest->event_bytes + oldest->report->len;
		run_unregister(s, oldest);
	}
}

/* ---- Story ----------------------------------------------------------------------------------------------- */

static void drop_first_event(run *r)
{
	r->event_bytes -= r->events[0].data->len;
	blob_unref(r->events[0].data);
	memmove(r->events, r->events + 1, --r->event_count * sizeof r->events[0]);
	r->first_event++;
}

static bool make_event_room(run *r)
{
	if (r->event_count < r->event_room)
		return true;
	size_t room = r->event_room == 0 ? 4 : r->event_room * 2;
	event *grown = realloc(r->events, room * sizeof *grown);
	if (grown == NULL)
		return false;
	r->events = grown;
	r->event_room = room;
	return true;
}

void run_add_event(server *s, run *r, event_kind kind, blob *data)
{
	if (data == NULL || !make_event_room(r))
		return;
	r->events[r->event_count++] = (event){kind, blob_ref(data)};
	r->event_bytes += data->len;
	while (r->event_count > 1 && (r->event_count > EVENTS_MOST || r->event_bytes > EVENT_BYTES_MOST))
		drop_first_event(r);
	http_wake_watchers(r);
}

void run_set_state(server *s, run *r, run_state state)
{
	char words[128];
	int length = r->queue_us >= 0 && state >= RUN_RUNNING
	                     ? snprintf(words, sizeof words, "{\"state\":\"%s\",\"queue_us\":%lld,\"started_ms\":%lld}",
	                                run_state_names[state], (long long)r->queue_us, (long long)(r->started_wall_us / 1000))
	                     : snprintf(words, sizeof words, "{\"state\":\"%s\"}", run_state_names[state]);
	blob *data = blob_create(words, (size_t)length);
	r->state = state;
	run_add_event(s, r, EVENT_STATE, data);
	blob_unref(data);
}

/* ---- What the pool tells --------------------------------------------------------------------------------- */

typedef struct flight {
	server *server;
	run *run;
} flight;

static blob *take_text(text *t)
{
	blob *made = t->failed || t->data == NULL ? NULL : blob_create(t->data, t->len);
	text_finish(t);
	return made;
}

/* JSON of a guest, on one line as an event needs it; NULL if it is none. */
static blob *copy_json(const char *data, size_t length)
{
	blob *made = scan_is_json(data, length) ? blob_create(data, length) : NULL;
	for (size_t i = 0; made != NULL && i < made->len; i++) {
		if (made->data[i] == '\n' || made->data[i] == '\r')
			made->data[i] = ' ';
	}
	return made;
}

static blob *make_output(curfew_event_kind kind, const char *data, size_t length)
{
	text t;
	text_init(&t, 6 * length + 64);
	text_print(&t, "{\"stream\":\"%s\",\"text\":", kind == CURFEW_EVENT_STDOUT ? "stdout" : "stderr");
	text_add_json(&t, data, length);
	text_say(&t, "}");
	return take_text(&t);
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	flight *f = context;
	bool is_output = kind == CURFEW_EVENT_STDOUT || kind == CURFEW_EVENT_STDERR;
	blob *made = is_output ? make_output(kind, data, length) : copy_json(data, length);
	if (made == NULL)
		return;
	server_lock(f->server);
	run *r = f->run;
	if (kind == CURFEW_EVENT_CHECKPOINT) {
		blob_unref(r->checkpoint);
		r->checkpoint = blob_ref(made);
	}
	run_add_event(f->server, r, is_output ? EVENT_OUTPUT : kind == CURFEW_EVENT_CHECKPOINT ? EVENT_CHECKPOINT : EVENT_PROGRESS,
	              made);
	if (r->durable && kind != CURFEW_EVENT_PROGRESS)
		store_note_news(f->server->store, r);
	server_unlock(f->server);
	blob_unref(made);
}

/* Whether it is to be run again, after its process died. */
static bool may_run_again(const server *s, const run *r, curfew_outcome outcome)
{
	return outcome == CURFEW_OUTCOME_CRASHED && r->attempt <= r->retry && r->cancels == 0 && !s->stopping;
}

static void leave_running(server *s, run *r)
{
	if (!r->launched)
		return;
	r->launched = false;
	s->running_count--;
	r->owner->running--;
	worker_run_unref(r->worker);
	r->worker = NULL;
}

static void on_done(void *context, const worker_result *result)
{
	flight *f = context;
	server *s = f->server;
	run *r = f->run;
	report_facts facts = {0};
	blob *report = report_check(result->report, result->report_length, &facts) ? blob_create(result->report, result->report_length)
	                                                                            : NULL;
	server_lock(s);
	if (may_run_again(s, r, result->outcome)) {
		leave_running(s, r);
		blob_unref(report);
		if (!queue_add(s, r))
			run_end_without_worker(s, r, CURFEW_OUTCOME_CRASHED, "the process that ran the program died");
	} else if (report == NULL) {
		run_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, "the worker's report could not be read");
	} else {
		report_count(s, &facts);
		run_end(s, r, result->outcome, report);
	}
	queue_dispatch(s);
	run_unref(s, r);
	server_unlock(s);
	free(f);
}

/* ---- To the pool ----------------------------------------------------------------------------------------- */

/* What it was allowed, as far as that is allowed still: the server may have been started anew. */
static bool find_hosts(const server *s, const run *r, hosts *allowed)
{
	hosts server_s, token_s;
	bool good = hosts_split(allowed, r->allow_fetch);
	good = hosts_split(&server_s, s->config->allow_fetch) && good;
	good = hosts_split(&token_s, r->owner->allow_fetch) && good;
	hosts_keep_within(allowed, &server_s);
	if (token_s.count > 0)
		hosts_keep_within(allowed, &token_s);
	hosts_finish(&server_s);
	hosts_finish(&token_s);
	return good;
}

static curfew_status submit(server *s, run *r, worker_program *ready, curfew_failure *failure)
{
	flight *f = malloc(sizeof *f);
	worker_run *handle = NULL;
	hosts allowed;
	wasi given;
	bool found = find_hosts(s, r, &allowed);
	if (!wasi_split(&given, r->wasi) || !found || f == NULL) {
		hosts_finish(&allowed);
		wasi_finish(&given);
		free(f);
		return CURFEW_NO_MEMORY;
	}
	*f = (flight){s, r};
	worker_job job = {.program = ready,
	                  .id = r->id,
	                  .limits = &r->limits,
	                  .flags = r->flags,
	                  .call = r->call,
	                  .params = r->params,
	                  .params_length = r->params_length,
	                  .user = r->user,
	                  .store = r->user != NULL ? s->secrets : NULL,
	                  .allow_fetch = allowed.items,
	                  .allow_fetch_count = allowed.count,
	                  .args = given.args,
	                  .arg_count = given.arg_count,
	                  .env = (const char *const *)given.env,
	                  .env_count = given.env_count,
	                  .context = f,
	                  .on_event = on_event,
	                  .on_done = on_done};
	server_lock(s);
	run_ref(r); /* the flight's */
	server_unlock(s);
	curfew_status status = worker_pool_submit(s->pool, &job, &handle, failure);
	hosts_finish(&allowed);
	wasi_finish(&given);
	server_lock(s);
	if (status != CURFEW_OK) {
		run_unref(s, r);
		free(f);
	} else if (r->launched && r->worker == NULL) {
		r->worker = handle;
		for (unsigned i = 0; i < r->cancels && i < 2; i++)
			worker_run_cancel(handle);
	} else {
		worker_run_unref(handle); /* it is over already */
	}
	server_unlock(s);
	return status;
}

void run_launch(server *s, run *r)
{
	curfew_failure failure = {0};
	curfew_status status = CURFEW_SYSTEM;
	worker_program *ready = program_make_ready(s, r->program, NULL, 0, &failure);
	if (ready != NULL)
		status = submit(s, r, ready, &failure);
	worker_program_unref(ready);
	if (status == CURFEW_OK)
		return;
	server_lock(s);
	run_end_without_worker(s, r, CURFEW_OUTCOME_INTERNAL_ERROR, failure.message[0] != '\0' ? failure.message : "out of memory");
	queue_dispatch(s);
	server_unlock(s);
}

void run_cancel(server *s, run *r)
{
	if (r->ended)
		return;
	r->cancels++;
	if (r->state <= RUN_QUEUED) {
		queue_remove(s, r);
		run_end_without_worker(s, r, CURFEW_OUTCOME_CANCELLED, "the run was cancelled before it started");
		return;
	}
	if (r->state == RUN_RUNNING)
		run_set_state(s, r, RUN_STOPPING);
	if (r->worker != NULL)
		worker_run_cancel(r->worker);
}

/* ---- End ------------------------------------------------------------------------------------------------- */

static void log_end(const run *r)
{
	const char *name = r->program_name != NULL ? r->program_name : "-";
	log_event(r->outcome == CURFEW_OUTCOME_INTERNAL_ERROR ? LOG_ERROR : LOG_INFO, "run",
	          (log_field[]){{"id", r->id, 0},
	                        {"outcome", curfew_outcome_name(r->outcome), 0},
	                        {"token", r->owner->id[0] != '\0' ? r->owner->id : "-", 0},
	                        {"program", name, 0},
	                        {"attempt", NULL, (int64_t)r->attempt},
	                        {"queue_us", NULL, r->queue_us},
	                        {"total_us", NULL, r->ended_wall_us - r->created_wall_us},
	                        {0}});
}

static void on_end_written(server *s, void *context, const char *problem)
{
	run *r = context;
	r->written = problem == NULL;
	run_publish(s, r);
}

void run_end(server *s, run *r, curfew_outcome outcome, blob *report)
{
	leave_running(s, r);
	s->ending_count++;
	r->ended = true;
	r->dirty = false;
	r->outcome = outcome;
	r->report = report;
	r->ended_wall_us = clock_wall_us();
	if (s->stopping)
		(*(r->cancels > 0 ? &s->cancelled_since_stop : &s->finished_since_stop))++;
	metrics_add_end(&s->metrics, outcome);
	if (r->durable && store_end_run(s->store, r, on_end_written, r))
		return;
	r->written = true;
	run_publish(s, r);
}

void run_end_without_worker(server *s, run *r, curfew_outcome outcome, const char *message)
{
	blob *report = report_make(r, outcome, message, NULL);
	if (report == NULL)
		report = blob_create("null", 4);
	if (report == NULL)
		return; /* without memory for four letters it stays as it is; at the next start it is closed */
	run_end(s, r, outcome, report);
}

void run_publish(server *s, run *r)
{
	if (r->state == RUN_DONE)
		return;
	s->ending_count--;
	run_set_state(s, r, RUN_DONE);
	run_add_event(s, r, EVENT_REPORT, r->report);
	http_wake_waiters(r);
	log_end(r);
	keep(s, r);
}

/* ---- Showing --------------------------------------------------------------------------------------------- */

void run_fill_view(run_view *view, const run *r)
{
	*view = (run_view){
		.id = r->id,
		.owner = r->owner->id,
		.program = r->program_name,
		.sha256 = r->program->sha256,
		.call = r->call,
		.user = r->user,
		.allow_fetch = r->allow_fetch,
		.state = r->state,
		.language = r->program->language,
		.priority = r->priority,
		.retry = r->retry,
		.attempt = r->attempt,
		.durable = r->durable,
		.created_us = r->created_wall_us,
		.due_us = r->due_wall_us,
		.started_us = r->started_wall_us,
		.ended_us = r->state == RUN_DONE ? r->ended_wall_us : 0,
		.queue_us = r->queue_us,
		.outcome = r->state == RUN_DONE ? curfew_outcome_name(r->outcome) : NULL,
		.checkpoint = r->state != RUN_DONE && r->checkpoint != NULL ? r->checkpoint->data : NULL,
		.report = r->state == RUN_DONE ? r->report->data : NULL,
		.report_length = r->state == RUN_DONE ? r->report->len : 0,
		.last_event = r->first_event + r->event_count - 1,
		.limits = r->limits,
		.has_usage = r->worker != NULL,
	};
	if (r->worker != NULL) {
		view->usage.size = sizeof view->usage;
		worker_run_get_usage(r->worker, &view->usage);
	}
}

static const char *const language_names[] = {"js", "mjs", "wasm", "wat"};

static void write_key(text *out, const char *key, const char *words)
{
	text_print(out, ",\"%s\":", key);
	text_say_json(out, words);
}

static void write_ms(text *out, const char *key, int64_t wall_us)
{
	if (wall_us > 0)
		text_print(out, ",\"%s\":%lld", key, (long long)(wall_us / 1000));
	else
		text_print(out, ",\"%s\":null", key);
}

/* Hosts with blanks between, as an array. */
static void write_hosts(text *out, const char *words)
{
	hosts list;
	bool good = hosts_split(&list, words);
	text_say(out, ",\"allow_fetch\":[");
	for (size_t i = 0; good && i < list.count; i++) {
		text_say(out, i > 0 ? "," : "");
		text_say_json(out, list.items[i]);
	}
	text_say(out, "]");
	hosts_finish(&list);
}

static void write_limits(text *out, const curfew_limits *limits)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	text_say(out, ",\"limits\":{");
	for (size_t i = 0; i < count; i++) {
		uint64_t value;
		memcpy(&value, (const char *)limits + table[i].offset, sizeof value);
		text_print(out, "%s\"%s\":", i > 0 ? "," : "", table[i].report_key);
		if (value == CURFEW_UNLIMITED)
			text_say(out, "null");
		else
			text_print(out, "%llu", (unsigned long long)(table[i].unit == CURFEW_UNIT_DURATION ? value / 1000 : value));
	}
	text_say(out, "}");
}

static void write_used(text *out, const run_view *v)
{
	const curfew_run_usage *u = &v->usage;
	if (!v->has_usage)
		text_say(out, ",\"used\":null");
	else
		text_print(out, ",\"used\":{\"wall_us\":%llu,\"cpu_us\":%llu,\"memory_peak_bytes\":%llu,\"output_bytes\":%llu}",
		           (unsigned long long)(u->wall_ns / 1000), (unsigned long long)(u->cpu_ns / 1000),
		           (unsigned long long)u->memory_bytes, (unsigned long long)u->output_bytes);
}

void run_write_view(text *out, const run_view *v)
{
	text_print(out, "{\"id\":\"%s\",\"state\":\"%s\"", v->id, run_state_names[v->state]);
	write_key(out, "outcome", v->outcome);
	write_key(out, "program", v->program);
	write_key(out, "sha256", v->sha256);
	write_key(out, "lang", language_names[v->language]);
	write_key(out, "call", v->call);
	write_key(out, "user", v->user);
	write_hosts(out, v->allow_fetch);
	write_key(out, "token", v->owner[0] != '\0' ? v->owner : NULL);
	text_print(out, ",\"priority\":%u,\"durable\":%s,\"retry\":%u,\"attempt\":%u", v->priority, v->durable ? "true" : "false",
	           v->retry, v->attempt);
	write_ms(out, "created_ms", v->created_us);
	write_ms(out, "due_ms", v->due_us);
	write_ms(out, "started_ms", v->started_us);
	write_ms(out, "ended_ms", v->ended_us);
	if (v->queue_us >= 0)
		text_print(out, ",\"queue_us\":%lld", (long long)v->queue_us);
	else
		text_say(out, ",\"queue_us\":null");
	write_limits(out, &v->limits);
	write_used(out, v);
	text_say(out, ",\"checkpoint\":");
	text_say(out, v->checkpoint != NULL ? v->checkpoint : "null");
	text_say(out, ",\"report\":");
	if (v->report != NULL)
		text_add(out, v->report, v->report_length);
	else
		text_say(out, "null");
	text_say(out, "}");
}

/* ---- Limits as text -------------------------------------------------------------------------------------- */

char *run_limits_to_text(const curfew_limits *limits)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	text out;
	text_init(&out, 4096);
	for (size_t i = 0; i < count; i++) {
		uint64_t value;
		char words[32];
		memcpy(&value, (const char *)limits + table[i].offset, sizeof value);
		if (value == 0)
			continue;
		curfew_limit_format(&table[i], value, words, sizeof words);
		text_print(&out, "%s=%s\n", table[i].name, words);
	}
	return text_take(&out, NULL);
}

bool run_limits_from_text(curfew_limits *limits, const char *words)
{
	char name[64], value[64];
	int used;
	*limits = (curfew_limits){.size = sizeof *limits};
	for (; *words != '\0'; words += used) {
		used = 0;
		if (sscanf(words, "%63[^=\n]=%63[^\n]\n%n", name, value, &used) != 2 || used == 0)
			return false;
		if (curfew_limits_set(limits, name, value, NULL) != CURFEW_OK)
			return false;
	}
	return true;
}
