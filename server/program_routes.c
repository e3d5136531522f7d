/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/programs. A program is stored under a name after a worker has loaded it once and described it. */
#include "common/clock.h"
#include "common/hash.h"
#include "helpers.h"
#include "log.h"
#include "programs.h"
#include "report.h"
#include "routes.h"
#include "common/json_scan.h"
#include "store.h"
#include "submission.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The time limit for loading a program when it is stored. */
#define PUT_NS (UINT64_C(300) * 1000000000)

enum {
	PROGRAM_BYTES_MAX = 64 << 20, /* of one program in an answer */
	PAGE_BYTES = 256 << 10,       /* of a list, that are read at once; the last program may exceed it */
	BUFFER_BYTES = 64 << 10,
};

/* more: further members, each with a comma in front of it */
static void write_program(text *out, const stored_program *p, bool with_owner, const char *more)
{
	text_print(out, "{\"name\":\"%s\",\"sha256\":\"%s\",\"kind\":\"%s\",\"lang\":\"%s\",\"exports\":", p->name,
	           p->sha256, p->kind, curfew_language_name(p->language));
	text_say(out, p->exports[0] != '\0' ? p->exports : "null");
	if (with_owner && p->owner != NULL && p->owner[0] != '\0') {
		text_say(out, ",\"token\":");
		text_say_json(out, p->owner);
	}
	text_print(out, ",\"size\":%llu,\"created_ms\":%lld,\"updated_ms\":%lld%s}", (unsigned long long)p->size_bytes,
	           (long long)(p->created_us / 1000), (long long)(p->updated_us / 1000), more);
}

/* ---- Looking --------------------------------------------------------------------------------------------- */

typedef struct listing {
	text out;
	bool with_owners;
	size_t count;
} listing;

static bool add_program(void *context, const stored_program *p)
{
	listing *l = context;
	l->count++;
	write_program(&l->out, p, l->with_owners, "");
	return true;
}

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
	return reply_problem(q, MHD_HTTP_NOT_FOUND, "no-such-program", "there is no program of that name", NULL);
}

static bool is_admin(const request *q)
{
	return (q->who->scopes & SCOPE_ADMIN) != 0;
}

/* The token whose programs a request is about: its own, or the one of "?token=ID", which is for administrators. NULL:
 * it may not. */
static const char *asked_owner(const request *q)
{
	const char *token = http_argument(q, "token");
	if (token == NULL)
		return program_owner(q->who);
	return is_admin(q) || strcmp(token, q->who->id) == 0 ? token : NULL;
}

static answer reply_not_yours(request *q)
{
	return reply_problem(q, MHD_HTTP_FORBIDDEN, "scope", "programs of another token are for administrators", NULL);
}

/*
 * A list may be of any size, because one token can store very many programs, and an administrator's list has those of
 * all. So a helper reads it page by page, while it is sent.
 */
typedef struct pages {
	request *request;
	const char *owners[2]; /* whose programs are listed, one after the other; NULL: all */
	unsigned owner_count, done_count;
	char after_owner[TOKEN_ID_SIZE], after_name[NAME_MAX_BYTES + 1]; /* the last one that was read; "": none */
	bool with_owners, has_any, is_complete;
	/* The page that is being sent. Guarded by the lock while a helper reads it. */
	text page;
	size_t sent;
	bool is_reading, has_failed;
} pages;

static bool add_to_page(void *context, const stored_program *p)
{
	pages *l = context;
	if (l->has_any)
		text_say(&l->page, ",");
	l->has_any = true;
	write_program(&l->page, p, l->with_owners, "");
	(void)snprintf(l->after_owner, sizeof l->after_owner, "%s", p->owner);
	(void)snprintf(l->after_name, sizeof l->after_name, "%s", p->name);
	return l->page.length < PAGE_BYTES;
}

/* Reads the next page. False: the database or memory failed. */
static bool read_page(pages *l)
{
	text_finish(&l->page);
	text_init(&l->page, PAGE_BYTES + PROGRAM_BYTES_MAX);
	l->sent = 0;
	if (!l->has_any && l->done_count == 0)
		text_say(&l->page, "{\"programs\":[");
	while (l->page.length < PAGE_BYTES && l->done_count < l->owner_count) {
		const char *owner = l->owners[l->done_count];
		bool goes_on = l->after_name[0] != '\0';
		const program_filter filter = {.owner = owner,
		                               .after_owner = goes_on ? l->after_owner : NULL,
		                               .after_name = goes_on ? l->after_name : NULL};
		if (!store_read_programs(l->request->server->store, &filter, add_to_page, l))
			return false;
		if (l->page.length >= PAGE_BYTES)
			break;
		l->done_count++;
		l->after_name[0] = '\0';
	}
	l->is_complete = l->done_count == l->owner_count;
	if (l->is_complete)
		text_say(&l->page, "]}");
	return !l->page.failed;
}

static void read_page_aside(void *context)
{
	pages *l = context;
	server *s = l->request->server;
	bool good = read_page(l);
	server_lock(s);
	l->has_failed = !good;
	l->is_reading = false;
	http_release(l->request);
	server_unlock(s);
}

/* Reads the next page if this one is sent. Returns 1: it has something that is to be sent; 0: not yet, the connection
 * is suspended; or an end of the stream. */
static ssize_t prepare_page(pages *l)
{
	server *s = l->request->server;
	ssize_t next = 0;
	server_lock(s);
	if (!l->is_reading && !l->has_failed && !l->is_complete && l->sent == l->page.length) {
		l->is_reading = helpers_run(s->helpers, l->request->who, read_page_aside, l);
		l->has_failed = !l->is_reading;
		if (l->is_reading)
			http_hold(l->request); /* in time: the helper releases it under the lock */
	}
	/* While a helper reads, nothing else of the page may be looked at. */
	if (l->is_reading)
		http_suspend(l->request, NULL);
	else if (l->has_failed)
		next = MHD_CONTENT_READER_END_WITH_ERROR;
	else
		next = l->sent < l->page.length ? 1 : MHD_CONTENT_READER_END_OF_STREAM;
	server_unlock(s);
	return next;
}

static ssize_t send_list(void *context, uint64_t position, char *buffer, size_t max)
{
	pages *l = context;
	(void)position;
	ssize_t next = prepare_page(l);
	if (next != 1)
		return next;
	size_t left = l->page.length - l->sent, taken = left < max ? left : max;
	if (l->sent == 0)
		http_note_progress(l->request);
	memcpy(buffer, l->page.data + l->sent, taken);
	l->sent += taken;
	return (ssize_t)taken;
}

static void free_list(void *context)
{
	pages *l = context;
	text_finish(&l->page);
	free(l);
}

/* Lists the token's own programs and everybody's. An administrator's list has those of all tokens. */
static pages *make_list(request *q, const char *owner)
{
	pages *l = calloc(1, sizeof *l);
	bool is_of_one = http_argument(q, "token") != NULL;
	if (l == NULL)
		return NULL;
	*l = (pages){.request = q, .owners = {owner, ""}, .owner_count = 1, .with_owners = is_admin(q)};
	if (is_admin(q) && !is_of_one)
		l->owners[0] = NULL;
	else if (owner[0] != '\0' && !is_of_one)
		l->owner_count = 2;
	return l;
}

static answer list_programs(request *q)
{
	const char *owner = asked_owner(q);
	if (owner == NULL)
		return reply_not_yours(q);
	pages *l = make_list(q, owner);
	if (l == NULL)
		return reply_no_memory(q);
	if (!read_page(l)) {
		free_list(l);
		return reply_store(q);
	}
	if (l->is_complete) {
		answer result = reply_json(q, MHD_HTTP_OK, &l->page);
		free(l);
		return result;
	}
	struct MHD_Response *response = reply_make_open(q, BUFFER_BYTES, send_list, l, free_list);
	if (response == NULL) {
		free_list(l);
		return reply_no_memory(q);
	}
	reply_add_data_headers(response, "application/json");
	return reply_queue(q, MHD_HTTP_OK, response);
}

/* Finds a program by name, the owner's or else everybody's; l.count says whether it exists. */
static bool read_one(request *q, const char *owner, const char *name, listing *l)
{
	*l = (listing){.with_owners = is_admin(q)};
	text_init(&l->out, PROGRAM_BYTES_MAX);
	bool good = store_read_programs(q->server->store, &(program_filter){.owner = owner, .name = name}, add_program, l);
	if (good && l->count == 0 && owner[0] != '\0' && http_argument(q, "token") == NULL)
		good = store_read_programs(q->server->store, &(program_filter){.owner = "", .name = name}, add_program, l);
	return good;
}

static answer get_program(request *q)
{
	listing l;
	const char *owner = asked_owner(q);
	if (owner == NULL)
		return reply_not_yours(q);
	bool good = read_one(q, owner, q->parameter, &l);
	if (good && l.count > 0)
		return reply_json(q, MHD_HTTP_OK, &l.out);
	text_finish(&l.out);
	return good ? reply_unknown(q) : reply_store(q);
}

answer route_list_programs(request *q)
{
	return http_help(q, list_programs);
}

answer route_get_program(request *q)
{
	return http_help(q, get_program);
}

/* ---- Storing --------------------------------------------------------------------------------------------- */

/* The steps of a PUT: a worker loads the program, then it is written. */
typedef struct put {
	server *server;
	request *request;
	account *who;
	stored_program program; /* kind and exports are owned, the name is the request's */
	bool is_new;
	program *made;
	bool loaded;
	bool refused; /* the program is bad */
	bool lost;    /* the worker could not load it, so nothing is known of the program */
	char detail[512];
	unsigned waits;          /* number of expected callbacks */
	bool abandoned;          /* the request is gone */
	uint64_t reserved_bytes; /* of what its token may store */
} put;

static void free_put(server *s, void *work)
{
	put *p = work;
	if (p->waits > 0) {
		p->abandoned = true;
		return;
	}
	p->who->programs_reserved_bytes -= p->reserved_bytes;
	program_unref(s, p->made);
	free((char *)(uintptr_t)p->program.kind);
	free((char *)(uintptr_t)p->program.exports);
	free(p);
}

/* Under the lock: notes a callback. */
static void arrive(server *s, put *p)
{
	p->waits--;
	if (p->abandoned)
		free_put(s, p);
	else
		http_wake(p->request);
}

static void note_written(put *p, const char *problem)
{
	if (p->abandoned)
		return;
	if (problem != NULL)
		(void)snprintf(p->request->problem, sizeof p->request->problem, "%s", problem);
	p->request->is_done = true;
}

static void on_written(void *context, const char *problem)
{
	put *p = context;
	if (problem == NULL)
		p->made->stored = true;
	note_written(p, problem);
	arrive(p->server, p);
}

static void log_change(const request *q, const char *what, const char *sha256)
{
	log_event(LOG_INFO, "program",
	          (log_field[]){{"name", q->parameter, 0},
	                        {"what", what, 0},
	                        {"sha256", sha256, 0},
	                        {"token", q->who->id[0] != '\0' ? q->who->id : "-", 0},
	                        {0}});
}

static answer resume_put(request *q)
{
	put *p = q->work;
	server *s = q->server;
	server_lock(s);
	bool waits = !q->is_done, closing = s->closing;
	if (waits && !closing)
		http_suspend(q, resume_put);
	server_unlock(s);
	if (waits)
		return closing ? reply_stopping(q) : MHD_YES;
	if (q->problem[0] != '\0')
		return reply_store(q);
	log_change(q, p->is_new ? "stored" : "replaced", p->program.sha256);
	text out;
	text_init(&out, PROGRAM_BYTES_MAX);
	write_program(&out, &p->program, false, p->is_new ? "" : ",\"replaced\":true");
	return reply_json(q, p->is_new ? MHD_HTTP_CREATED : MHD_HTTP_OK, &out);
}

static answer write_put(request *q)
{
	put *p = q->work;
	server *s = q->server;
	p->program.size_bytes = q->body.length;
	server_lock(s);
	p->waits++;
	p->program.owner = program_owner(q->who);
	if (!store_put_program(s->store, &p->program, q->body.data, on_written, p)) {
		p->waits--;
		server_unlock(s);
		return reply_no_memory(q);
	}
	server_unlock(s);
	return resume_put(q);
}

/* The message of a report's error, for the answer. */
static void take_message(put *p, const char *report, size_t length)
{
	span error = scan_member(report, length, "error");
	json_t *parsed = error.data != NULL ? json_loadb(error.data, error.len, 0, NULL) : NULL;
	const char *message = json_string_value(json_object_get(parsed, "message"));
	const char *name = json_string_value(json_object_get(parsed, "name"));
	const json_t *frame = json_array_get(json_object_get(parsed, "stack"), 0);
	int used = snprintf(p->detail, sizeof p->detail, "the program does not load: %.100s%s%.300s",
	                    name != NULL ? name : "", name != NULL ? ": " : "", message != NULL ? message : "");
	if (json_is_integer(json_object_get(frame, "line")) && (size_t)used < sizeof p->detail)
		(void)snprintf(p->detail + used, sizeof p->detail - (size_t)used, " (line %lld, column %lld)",
		               (long long)json_integer_value(json_object_get(frame, "line")),
		               (long long)json_integer_value(json_object_get(frame, "column")));
	json_decref(parsed);
}

/* Whether these are exports in the form of curfew_program_inspect: null, or objects that have a name. */
static bool are_exports(span exports)
{
	json_t *list = json_loadb(exports.data, exports.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool good = json_is_null(list) || json_is_array(list);
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
	{
		good = good && json_is_string(json_object_get(item, "name")) && json_is_string(json_object_get(item, "kind"));
	}
	json_decref(list);
	return good;
}

/* Reads kind and exports from a worker's description, which is untrusted: another program may control the worker. */
static bool take_description(put *p, const char *description, size_t length)
{
	static const char *const kinds[] = {"\"js\"", "\"module\"", "\"component\""};
	span kind = scan_member(description, length, "kind"), exports = scan_member(description, length, "exports");
	if (kind.data == NULL || exports.data == NULL || !are_exports(exports))
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (kind.len == strlen(kinds[i]) && memcmp(kind.data, kinds[i], kind.len) == 0)
			p->program.kind = text_copy(kind.data + 1, kind.len - 2);
	}
	p->program.exports = text_copy(exports.data, exports.len);
	return p->program.kind != NULL && p->program.exports != NULL;
}

static bool is_lost(const worker_result *result)
{
	return result->report == NULL || result->outcome == CURFEW_OUTCOME_CRASHED ||
	       result->outcome == CURFEW_OUTCOME_CANCELLED || result->outcome == CURFEW_OUTCOME_INTERNAL_ERROR;
}

static void on_loaded(void *context, const worker_result *result)
{
	put *p = context;
	server *s = p->server;
	server_lock(s);
	p->loaded = true;
	if (result->description != NULL)
		p->lost = !take_description(p, result->description, result->description_length);
	else if (is_lost(result))
		p->lost = true;
	else
		p->refused = true;
	if (p->refused)
		take_message(p, result->report, result->report_length);
	arrive(s, p);
	server_unlock(s);
}

static answer resume_loaded(request *q)
{
	put *p = q->work;
	server *s = q->server;
	server_lock(s);
	bool waits = !p->loaded, closing = s->closing;
	if (waits && !closing)
		http_suspend(q, resume_loaded);
	server_unlock(s);
	if (waits)
		return closing ? reply_stopping(q) : MHD_YES;
	if (p->refused)
		return reply_problem(q, MHD_HTTP_UNPROCESSABLE_CONTENT, "bad-program", p->detail, NULL);
	if (p->lost)
		return reply_later(q, MHD_HTTP_SERVICE_UNAVAILABLE, REFUSAL_WORKER, "worker",
		                   "the process that loaded the program died", 1);
	return write_put(q);
}

/* Makes a worker load it. */
static answer load_put(request *q)
{
	put *p = q->work;
	server *s = q->server;
	curfew_failure failure = {0};

	server_lock(s);
	p->made = program_get(s, p->program.sha256, p->program.language, p->program.name);
	if (p->made != NULL)
		p->made->uses++; /* a stored program will run repeatedly, so an image is worthwhile */
	p->waits++;
	server_unlock(s);
	worker_program *ready = p->made != NULL
	                            ? program_make_ready(s, p->made, q->body.data, q->body.length, NULL, &failure)
	                            : NULL;

	/* Allow much time: a large program is compiled here, once, and not again for any run. */
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = PUT_NS};
	worker_job job = {.program = ready,
	                  .flags = WORKER_JOB_INSPECT,
	                  .limits = &limits,
	                  .owner = hash_of(q->who->id),
	                  .context = p,
	                  .on_done = on_loaded};
	curfew_status status = ready != NULL ? worker_pool_submit(s->pool, &job, NULL, &failure) : CURFEW_SYSTEM;
	worker_program_unref(ready);
	if (status == CURFEW_OK)
		return resume_loaded(q);
	p->waits--;
	return reply_problem(q, MHD_HTTP_BAD_REQUEST, "program",
	                     failure.message[0] != '\0' ? failure.message : "out of memory", NULL);
}

static bool is_type(const char *type, const char *name)
{
	size_t length = strlen(name);
	return strncasecmp(type, name, length) == 0 && (type[length] == '\0' || strchr("; \t", type[length]) != NULL);
}

/* Guesses by the name's ending, or else by the first bytes of WebAssembly, binary and text, and of a tar archive. */
static curfew_language guess_language(const request *q)
{
	const char *ending = strrchr(q->parameter, '.');
	curfew_language language;
	if (ending != NULL && submission_language(ending + 1, &language))
		return language;
	if (q->body.length >= 4 && memcmp(q->body.data, "\0asm", 4) == 0)
		return CURFEW_LANGUAGE_WASM;
	if (q->body.length >= 512 && memcmp(q->body.data + 257, "ustar", 5) == 0)
		return CURFEW_LANGUAGE_BUNDLE;
	size_t at = 0;
	while (at < q->body.length && strchr(" \t\r\n", q->body.data[at]) != NULL && q->body.data[at] != '\0')
		at++;
	static const char *const beginnings[] = {"(module", "(component", ";;"};
	for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
		if (q->body.length - at >= strlen(beginnings[i]) &&
		    memcmp(q->body.data + at, beginnings[i], strlen(beginnings[i])) == 0)
			return CURFEW_LANGUAGE_WAT;
	return CURFEW_LANGUAGE_JS;
}

/* The language that the request names, by "?lang=" or the content type, or else a guess. */
static bool read_language(const request *q, curfew_language *language)
{
	static const struct {
		const char *type;
		curfew_language language;
	} types[] = {{"text/javascript", CURFEW_LANGUAGE_JS},
	             {"application/javascript", CURFEW_LANGUAGE_JS},
	             {"application/wasm", CURFEW_LANGUAGE_WASM},
	             {"text/wat", CURFEW_LANGUAGE_WAT},
	             {"application/x-tar", CURFEW_LANGUAGE_BUNDLE}};
	/* Default content types of clients such as curl and browsers, which say nothing. */
	static const char *const unspecific[] = {"application/octet-stream", "application/x-www-form-urlencoded",
	                                         "text/plain"};
	const char *lang = http_argument(q, "lang");
	const char *type = http_header(q, MHD_HTTP_HEADER_CONTENT_TYPE);

	if (lang != NULL)
		return submission_language(lang, language);
	for (size_t i = 0; type != NULL && i < sizeof types / sizeof types[0]; i++) {
		*language = types[i].language;
		if (is_type(type, types[i].type))
			return true;
	}

	bool says_nothing = type == NULL;
	for (size_t i = 0; type != NULL && i < sizeof unspecific / sizeof unspecific[0]; i++)
		says_nothing |= is_type(type, unspecific[i]);
	*language = guess_language(q);
	return says_nothing;
}

typedef struct known {
	bool is_there, is_same;
	const stored_program *wanted;
	int64_t created_us;
	uint64_t size_bytes;
} known;

static bool compare(void *context, const stored_program *p)
{
	known *k = context;
	k->is_there = true;
	k->created_us = p->created_us;
	k->size_bytes = p->size_bytes;
	k->is_same = strcmp(p->sha256, k->wanted->sha256) == 0 && p->language == k->wanted->language &&
	             p->exports[0] != '\0';
	return true;
}

/* Whether the program fits into the size that its token may store, replacing one of that name. What it needs is
 * reserved until it is written, because other programs of the token may be on their way. */
static bool has_capacity(put *p, const char *owner, uint64_t replaced_bytes)
{
	server *s = p->server;
	uint64_t most = p->who->programs_bytes_max, length = p->request->body.length;
	if (owner[0] == '\0')
		return true;
	if (most == UINT64_MAX)
		most = s->config->programs_bytes_max;
	server_lock(s);
	p->reserved_bytes = length;
	p->who->programs_reserved_bytes += length;
	uint64_t reserved = p->who->programs_reserved_bytes;
	server_unlock(s);
	/* Counted afterwards: what is written meanwhile may count twice, and is not missed. */
	uint64_t bytes = store_count_program_bytes(s->store, owner);
	return bytes != UINT64_MAX && bytes - (bytes < replaced_bytes ? bytes : replaced_bytes) + reserved <= most;
}

static bool begin_put(request *q, curfew_language language)
{
	put *p = calloc(1, sizeof *p);
	q->work = p;
	q->free_work = free_put;
	if (p == NULL) {
		q->free_work = NULL;
		return false;
	}
	p->request = q;
	p->who = q->who;
	p->server = q->server;
	p->program.language = language;
	p->program.name = q->parameter;
	p->program.updated_us = p->program.created_us = clock_wall_us();
	program_hash(q->body.data, q->body.length, p->program.sha256);
	return true;
}

static answer put_program(request *q)
{
	curfew_language language;
	listing l;

	if (q->server->stopping)
		return reply_stopping(q);
	if (!id_is_name(q->parameter))
		return reply_problem(
			q, MHD_HTTP_BAD_REQUEST, "name",
			"a program's name is 1 to 128 letters, digits, dots, dashes and underscores, and begins with a letter or digit",
			NULL);
	if (!read_language(q, &language))
		return reply_problem(
			q, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "media-type",
			"the Content-Type must be text/javascript, application/wasm, text/wat or application/x-tar, or ?lang= be js, mjs, ts, mts, wasm, wat or tar",
			NULL);
	if (q->body.length == 0)
		return reply_problem(q, MHD_HTTP_BAD_REQUEST, "empty", "the body is the program, and it is empty", NULL);
	if (!begin_put(q, language))
		return reply_no_memory(q);
	put *p = q->work;
	known k = {.wanted = &p->program};
	const char *owner = program_owner(q->who);
	if (!store_read_programs(q->server->store, &(program_filter){.owner = owner, .name = q->parameter}, compare, &k))
		return reply_store(q);
	if (!k.is_same && !has_capacity(p, owner, k.size_bytes))
		return reply_later(q, MHD_HTTP_TOO_MANY_REQUESTS, REFUSAL_QUOTA, "quota",
		                   "the programs of this token would take more than it may store", 60);
	p->is_new = !k.is_there;
	if (k.is_there)
		p->program.created_us = k.created_us;
	if (!k.is_same)
		return load_put(q);
	if (read_one(q, owner, q->parameter, &l) && l.count > 0)
		return reply_json(q, MHD_HTTP_OK, &l.out);
	text_finish(&l.out);
	return reply_store(q);
}

answer route_put_program(request *q)
{
	return http_help(q, put_program);
}

/* ---- Deleting -------------------------------------------------------------------------------------------- */

static void on_deleted(void *context, const char *problem)
{
	put *p = context;
	note_written(p, problem);
	arrive(p->server, p);
}

static answer resume_deleted(request *q)
{
	server *s = q->server;
	server_lock(s);
	bool waits = !q->is_done, closing = s->closing;
	if (waits && !closing)
		http_suspend(q, resume_deleted);
	server_unlock(s);
	if (waits)
		return closing ? reply_stopping(q) : MHD_YES;
	if (q->problem[0] != '\0')
		return reply_store(q);
	log_change(q, "deleted", "-");
	return reply_nothing(q, MHD_HTTP_NO_CONTENT);
}

static answer delete_program(request *q)
{
	server *s = q->server;
	known k = {.wanted = &(stored_program){0}};
	const char *owner = asked_owner(q);

	if (s->stopping)
		return reply_stopping(q);
	if (owner == NULL)
		return reply_not_yours(q);
	if (!store_read_programs(s->store, &(program_filter){.owner = owner, .name = q->parameter}, compare, &k))
		return reply_store(q);
	if (!k.is_there)
		return reply_unknown(q);
	put *p = calloc(1, sizeof *p);
	if (p == NULL)
		return reply_no_memory(q);
	p->server = s;
	p->who = q->who;
	p->request = q;
	q->work = p;
	q->free_work = free_put;
	server_lock(s);
	p->waits = 1;
	if (!store_delete_program(s->store, owner, q->parameter, on_deleted, p)) {
		p->waits = 0;
		server_unlock(s);
		return reply_no_memory(q);
	}

	server_unlock(s);
	return resume_deleted(q);
}

answer route_delete_program(request *q)
{
	return http_help(q, delete_program);
}
