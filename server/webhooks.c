/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store knows which ends are still to be reported. An attempt is noted there when it is over. If the server ended
 * before that, the attempt is repeated. So a receiver may get an end twice, with the same webhook-id.
 */
#include "webhooks.h"

#include "accounts.h"
#include "common/clock.h"
#include "hosts.h"
#include "log.h"
#include "record.h"
#include "common/json_scan.h"
#include "store.h"
#include "submission.h"
#include "common/text.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	GOING_MAX = 64,
	GOING_EACH_MAX = 16,
	REPORT_MAX = 64 << 10,
	BODY_MAX = 1 << 20,
	KEY_MAX = 1024,
	SECOND_US = 1000000
};

static const char program_source[] =
	"export default async (url, headers, body) => {\n"
	"	try {\n"
	"		const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual' });\n"
	"		await answer.body?.cancel();\n"
	"		const after = answer.headers.get('retry-after') ?? '';\n"
	"		const seconds = /^\\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000;\n"
	"		return { status: answer.status, after: Math.ceil(Math.min(Math.max(seconds || 0, 0), 86400)) };\n"
	"	} catch (error) {\n"
	"		return { problem: String(error?.message ?? error) };\n"
	"	}\n"
	"};\n";

/* Seconds from each attempt to the next one. After the last entry there is none. */
static const int32_t waits_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
enum { WAITS = sizeof waits_s / sizeof waits_s[0], AFTER_MAX_S = 86400 };

struct webhooks {
	worker_program *program;
	curfew_limits limits;
	struct delivery *going; /* under the server's lock */
	size_t going_count;
};

/* One end that is being reported. */
typedef struct delivery {
	struct delivery *next;
	server *server;
	char id[ID_SIZE];
	char owner[TOKEN_ID_SIZE];
	char user[CURFEW_USER_BYTES + 1]; /* "": none */
	char *url, *secret;               /* secret may be NULL */
	run_hook before;                  /* the state before this attempt, without the texts */
	char before_problem[128];
	text body;
	int64_t report_number;
	size_t report_length;
} delivery;

/* ---- What became of it ----------------------------------------------------------------------------------- */

static void free_delivery(delivery *d)
{
	free(d->url);
	free(d->secret);
	text_finish(&d->body);
	free(d);
}

/* Updates the run in memory as well. */
static void show_attempt(server *s, const stored_attempt *a)
{
	run *r = run_find(s, a->id);
	if (r == NULL)
		return;
	r->hook = (run_hook){.state = a->state,
	                     .attempts = a->attempts,
	                     .status = a->status,
	                     .last_us = a->at_us,
	                     .due_us = a->state == HOOK_WAITING ? clock_wall_us() + a->wait_us : 0};
	(void)snprintf(r->hook_problem, sizeof r->hook_problem, "%s", a->problem != NULL ? a->problem : "");
}

/*
 * Notes the result of an attempt: status 0 and why, or an answer. final: another attempt would not help. after_s: the
 * pause that the answer asks for.
 */
static void record_attempt(delivery *d, unsigned status, const char *problem, bool final, int64_t after_s)
{
	server *s = d->server;
	unsigned attempts = d->before.attempts + 1;
	stored_attempt a = {
		.id = d->id, .attempts = attempts, .status = status, .at_us = clock_wall_us(), .problem = problem};
	bool good = status >= 200 && status < 300;
	a.state = good ? HOOK_DELIVERED : final || attempts > WAITS ? HOOK_GIVEN_UP : HOOK_WAITING;
	if (a.state == HOOK_WAITING)
		a.wait_us = (after_s > waits_s[attempts - 1] ? after_s : waits_s[attempts - 1]) * SECOND_US;
	log_event(good ? LOG_DEBUG : LOG_INFO, "webhook",
	          (log_field[]){{"id", d->id, 0},
	                        {"attempt", NULL, (int64_t)attempts},
	                        {"status", NULL, (int64_t)status},
	                        {"problem", problem != NULL ? problem : "-", 0},
	                        {0}});
	server_lock(s);
	s->metrics.deliveries[a.state]++;
	show_attempt(s, &a);
	server_unlock(s);
	(void)store_note_attempt(s->store, &a);
}

/* The attempt could not begin now. It is due again in a moment. */
static void put_back(const delivery *d)
{
	stored_attempt a = {.id = d->id,
	                    .state = HOOK_WAITING,
	                    .attempts = d->before.attempts,
	                    .status = d->before.status,
	                    .at_us = d->before.last_us,
	                    .wait_us = SECOND_US,
	                    .problem = d->before_problem[0] != '\0' ? d->before_problem : NULL};
	(void)store_note_attempt(d->server->store, &a);
}

static void leave_going(delivery *d)
{
	webhooks *w = d->server->webhooks;
	server_lock(d->server);
	delivery **at = &w->going;
	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	w->going_count--;
	server_unlock(d->server);
}

static void note_answer(delivery *d, unsigned status, const json_t *after)
{
	int64_t after_s = json_integer_value(after);
	after_s = after_s < 0 ? 0 : after_s < AFTER_MAX_S ? after_s : AFTER_MAX_S;
	if (status >= 300 && status < 400)
		record_attempt(d, status, "it redirects to another address, which is not followed", false, after_s);
	else
		record_attempt(d, status, NULL, status == 410, after_s);
}

/* On the pool's thread. */
static void on_done(void *context, const worker_result *result)
{
	delivery *d = context;
	span value = scan_member(result->report, result->report_length, "value");
	json_t *told = value.data != NULL ? json_loadb(value.data, value.len, JSON_DECODE_ANY, NULL) : NULL;
	const json_t *status = json_object_get(told, "status");
	const char *problem = json_string_value(json_object_get(told, "problem"));
	char words[128];
	if (problem == NULL)
		problem = result->outcome == CURFEW_OUTCOME_DEADLINE ? "it did not answer in 15 s"
		                                                     : curfew_outcome_name(result->outcome);
	(void)snprintf(words, sizeof words, "%s", problem);
	leave_going(d);
	/* Cancelled: the server shuts down, and the next one repeats this attempt. */
	if (json_is_integer(status) && json_integer_value(status) > 0 && json_integer_value(status) < 1000)
		note_answer(d, (unsigned)json_integer_value(status), json_object_get(told, "after"));
	else if (result->outcome != CURFEW_OUTCOME_CANCELLED)
		record_attempt(d, 0, words, false, 0);
	json_decref(told);
	free_delivery(d);
}

/* ---- The request ----------------------------------------------------------------------------------------- */

/* Makes the signature "v1,...". False: out of memory. Keys that begin with whsec_ are base64, as in the specification.
 */
static bool sign(const char *id, int64_t now_s, const text *body, const curfew_secret *key, char signature[64])
{
	unsigned char decoded[KEY_MAX], mac[crypto_auth_hmacsha256_BYTES];
	const unsigned char *bytes = (const unsigned char *)key->value;
	size_t length = key->value_length, decoded_length;
	char head[64];

	if (length > 6 && memcmp(key->value, "whsec_", 6) == 0 &&
	    sodium_base642bin(decoded, sizeof decoded, key->value + 6, length - 6, NULL, &decoded_length, NULL,
	                      sodium_base64_VARIANT_ORIGINAL) == 0) {
		bytes = decoded;
		length = decoded_length;
	}

	crypto_auth_hmacsha256_state state;
	(void)crypto_auth_hmacsha256_init(&state, bytes, length);
	int used = snprintf(head, sizeof head, "%s.%lld.", id, (long long)now_s);
	(void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, (size_t)used);
	(void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)body->data, body->length);
	(void)crypto_auth_hmacsha256_final(&state, mac);
	sodium_memzero(&state, sizeof state);
	sodium_memzero(decoded, sizeof decoded);
	memcpy(signature, "v1,", 3);
	return sodium_bin2base64(signature + 3, 61, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL) != NULL;
}

/* Signs with the user's secret of that name. Returns NULL, or why it cannot be signed. */
static const char *sign_delivery(const delivery *d, int64_t now_s, char signature[64])
{
	curfew_secret *list = NULL;
	size_t count = 0;
	bool found = false;
	if (d->secret == NULL)
		return NULL;
	if (d->server->secrets == NULL ||
	    curfew_secrets_collect(NULL, 0, d->server->secrets, d->user, &list, &count, NULL) != CURFEW_OK)
		return "the secrets cannot be read";
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].name, d->secret) == 0)
			found = sign(d->id, now_s, &d->body, &list[i], signature);
	}
	curfew_secrets_wipe(list);
	return found ? NULL : "the user has no secret of that name";
}

/* Makes the program's parameters: the URL, the headers and the body. */
static void write_params(text *out, const delivery *d, int64_t now_s, const char *signature)
{
	text_say(out, "[");
	text_say_json(out, d->url);
	text_print(out, ",{\"Content-Type\":\"application/json\",\"webhook-id\":\"%s\",\"webhook-timestamp\":\"%lld\"",
	           d->id, (long long)now_s);
	if (signature[0] != '\0')
		text_print(out, ",\"webhook-signature\":\"%s\"", signature);
	text_say(out, "},");
	text_add_json(out, d->body.data, d->body.length);
	text_say(out, "]");
}

/* Checks whether the target is still allowed. NULL: it is. */
static const char *check_target(const delivery *d, const char *target)
{
	server *s = d->server;
	hosts wanted, server_s, token_s;
	server_lock(s);
	const account *who = accounts_find_working(s, d->owner);
	server_unlock(s);
	bool good = hosts_split(&wanted, target);
	good = hosts_split(&server_s, s->config->allow_webhook) && good;
	good = hosts_split(&token_s, who != NULL ? who->allow_fetch : NULL) && good;
	hosts_keep_within(&wanted, &server_s);
	if (token_s.count > 0)
		hosts_keep_within(&wanted, &token_s);
	bool may = good && wanted.count > 0;
	hosts_finish(&wanted);
	hosts_finish(&server_s);
	hosts_finish(&token_s);
	return who == NULL ? "its token may no longer be used" : may ? NULL : "its host is no longer allowed";
}

/* Appends the report to the body, unless it is too large. */
static bool finish_body(delivery *d)
{
	blob *report = NULL;
	if (d->report_length > 0 && d->report_length <= REPORT_MAX)
		report = store_read_report(d->server->store, d->report_number, d->report_length);
	if (report != NULL)
		text_add(&d->body, report->data, report->len);
	else
		text_say(&d->body, "null");
	text_say(&d->body, "}}");
	blob_unref(report);
	return !d->body.failed;
}

/* Submits it to the pool, which calls on_done. False: the pool refused it. */
static bool submit(delivery *d, const char *target, const char *params, size_t length)
{
	const webhooks *w = d->server->webhooks;
	worker_job job = {.program = w->program,
	                  .limits = &w->limits,
	                  .params = params,
	                  .params_length = length,
	                  .allow_fetch = &target,
	                  .allow_fetch_count = 1,
	                  .context = d,
	                  .on_done = on_done};
	curfew_failure failure;
	return worker_pool_submit(d->server->pool, &job, NULL, &failure) == CURFEW_OK;
}

/* Whether its owner may have one more in flight. If so, it is added to the deliveries in flight. */
static bool enter_going(delivery *d)
{
	webhooks *w = d->server->webhooks;
	size_t own = 0;
	server_lock(d->server);
	for (const delivery *other = w->going; other != NULL; other = other->next)
		own += strcmp(other->owner, d->owner) == 0;
	bool has_capacity = own < GOING_EACH_MAX && w->going_count < GOING_MAX && !d->server->stopping;
	if (has_capacity) {
		d->next = w->going;
		w->going = d;
		w->going_count++;
	}
	server_unlock(d->server);
	return has_capacity;
}

static void begin_delivery(delivery *d)
{
	char target[SUBMISSION_HOST_SIZE], signature[64] = "";
	int64_t now_s = clock_wall_us() / SECOND_US;
	text params;
	const char *problem = submission_read_target(d->url, target) ? check_target(d, target) : "the address is malformed";
	bool final = problem != NULL;
	bool whole = problem == NULL && finish_body(d);

	if (whole)
		problem = sign_delivery(d, now_s, signature);
	if (problem != NULL) {
		record_attempt(d, 0, problem, final, 0);
		free_delivery(d);
		return;
	}

	text_init(&params, 6 * BODY_MAX);
	write_params(&params, d, now_s, signature);
	size_t length;
	char *words = text_take(&params, &length);
	bool entered = whole && words != NULL && enter_going(d);
	bool good = entered && submit(d, target, words, length);
	free(words);
	if (good)
		return;
	if (entered)
		leave_going(d);
	put_back(d);
	free_delivery(d);
}

/* ---- What is due ----------------------------------------------------------------------------------------- */

typedef struct taken {
	server *server;
	delivery *first, **end;
	size_t count;
} taken;

static char *copy_words(const char *words)
{
	return words != NULL ? text_copy(words, strlen(words)) : NULL;
}

/* Called for each run whose end is due. */
static void add_taken(void *context, const run_view *view)
{
	taken *t = context;
	delivery *d = calloc(1, sizeof *d);

	if (d == NULL)
		return; /* it will be due again later */
	t->count++;
	d->server = t->server;
	(void)snprintf(d->id, sizeof d->id, "%s", view->id);
	(void)snprintf(d->owner, sizeof d->owner, "%s", view->owner);
	(void)snprintf(d->user, sizeof d->user, "%s", view->user != NULL ? view->user : "");
	d->url = copy_words(view->hook.url);
	d->secret = copy_words(view->hook.secret);
	d->before = view->hook;
	(void)snprintf(d->before_problem, sizeof d->before_problem, "%s",
	               view->hook.problem != NULL ? view->hook.problem : "");
	d->report_number = view->report_number;
	d->report_length = view->report_length;
	text_init(&d->body, BODY_MAX);
	text_say(&d->body, "{\"type\":\"run.ended\",\"timestamp\":");
	text_say_time(&d->body, view->ended_us);
	text_say(&d->body, ",\"data\":");
	view_write_head(&d->body, view);
	if (d->url == NULL || (d->secret == NULL) != (view->hook.secret == NULL)) {
		free_delivery(d);
		return;
	}

	*t->end = d;
	t->end = &d->next;
}

static size_t count_free(server *s)
{
	server_lock(s);
	size_t free_count = GOING_MAX - s->webhooks->going_count;
	server_unlock(s);
	return free_count;
}

void webhooks_look(server *s)
{
	for (;;) {
		taken t = {.server = s};
		t.end = &t.first;
		size_t max = s->webhooks != NULL ? count_free(s) : 0;
		if (max == 0)
			return;
		if (!store_take_deliveries(s->store, max, GOING_EACH_MAX, add_taken, &t))
			log_say(LOG_ERROR, "webhook", "due entries cannot be read");
		for (delivery *d = t.first, *next; d != NULL; d = next) {
			next = d->next;
			begin_delivery(d);
		}
		if (t.count < max)
			return;
	}
}

/* ---- Opening --------------------------------------------------------------------------------------------- */

webhooks *webhooks_open(server *s)
{
	webhooks *w = calloc(1, sizeof *w);
	curfew_failure failure;
	worker_source source = {.language = CURFEW_LANGUAGE_JS_MODULE,
	                        .name = "webhook.mjs",
	                        .bytes = program_source,
	                        .length = sizeof program_source - 1};
	if (w == NULL)
		return NULL;
	w->limits = (curfew_limits){.size = sizeof w->limits};
	if (curfew_limits_set(&w->limits, "timeout", "15s", &failure) == CURFEW_OK &&
	    curfew_limits_set(&w->limits, "memory", "32MiB", &failure) == CURFEW_OK &&
	    curfew_limits_resolve(&w->limits, &w->limits, &failure) == CURFEW_OK &&
	    worker_program_create(s->pool, &source, &w->program, &failure) == CURFEW_OK)
		return w;
	free(w);
	return NULL;
}

void webhooks_drop_program(webhooks *w)
{
	if (w == NULL)
		return;
	worker_program_unref(w->program);
	w->program = NULL;
}

void webhooks_close(webhooks *w)
{
	free(w);
}
