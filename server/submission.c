/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads submissions. The parameters are not converted to values: they are passed to the guest unchanged, so that no
 * number loses digits and no string loses half of a surrogate pair.
 */
#include "submission.h"

#include "hosts.h"
#include "limits_text.h"
#include "common/json_scan.h"
#include "common/text.h"
#include "wasi.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ZONE_MAX = 64,
	URL_MAX = 2048,
	NAME_LENGTH_MAX = 128,
	CALL_MAX = 1024,
	USER_MAX = CURFEW_USER_BYTES,
	HOSTS_MAX = 64,
	REST_MAX = 64 << 10
};

#define DELAY_MAX_US (UINT64_C(366) * 24 * 3600 * 1000000)

bool submission_language(const char *name, curfew_language *language)
{
	const char *known;
	for (int i = 0; (known = curfew_language_name((curfew_language)i)) != NULL; i++) {
		if (strcmp(known, name) == 0) {
			*language = (curfew_language)i;
			return true;
		}
	}
	return false;
}

/* Large members bypass the JSON parser. The rest is small, or is refused. */
typedef struct parts {
	span params, source, input, files;
	char rest[REST_MAX]; /* the body with placeholders for these */
	size_t rest_length;
} parts;

/* ---- Fields ---------------------------------------------------------------------------------------------- */

static void decode_base64(submission *sub, const char *words, size_t length)
{
	size_t room = length / 4 * 3 + 3;
	sub->source = malloc(room);
	if (sub->source == NULL || sodium_base642bin(sub->source, room, words, length, "\r\n", &sub->source_length, NULL,
	                                             sodium_base64_VARIANT_ORIGINAL) != 0)
		fields_fail(&sub->fields, "source", "must be base64, for the languages wasm and tar");
}

static void decode_source(submission *sub, span source)
{
	char *words = malloc(source.len + 1);
	size_t length = 0;
	if (words == NULL || !scan_decode(source, words, &length)) {
		fields_fail(&sub->fields, "source", "%s",
		            words == NULL ? "does not fit into memory" : "is not UTF-8, or has half of a surrogate pair");
		free(words);
		return;
	}
	words[length] = '\0';
	if (sub->language != CURFEW_LANGUAGE_WASM && sub->language != CURFEW_LANGUAGE_BUNDLE) {
		sub->source = words;
		sub->source_length = length;
		return;
	}
	decode_base64(sub, words, length);
	free(words);
}

static void read_source(submission *sub, span given)
{
	fields *f = &sub->fields;
	const char *lang = fields_text(f, "lang", 16);
	json_t *source = fields_take(f, "source");
	sub->program = fields_text(f, "program", NAME_LENGTH_MAX);
	if (lang != NULL && !submission_language(lang, &sub->language))
		fields_fail(f, "lang", "must be js, mjs, ts, mts, wasm, wat or tar");
	if ((sub->program != NULL) == (source != NULL))
		fields_fail(f, sub->program != NULL ? "source" : "program", "exactly one of program and source must be given");
	else if (sub->program != NULL && lang != NULL)
		fields_fail(f, "lang", "belongs to source, not to program");
	if (f->failed || source == NULL)
		return;
	if (given.data == NULL)
		fields_fail(f, "source", "must be a string");
	else
		decode_source(sub, given);
}

static void read_params(submission *sub, span params)
{
	curfew_failure failure;
	(void)fields_take(&sub->fields, "params");
	sub->params = "[]";
	sub->params_length = 2;
	if (params.data == NULL || (params.len == 4 && memcmp(params.data, "null", 4) == 0))
		return;
	if (curfew_params_check(params.data, params.len, &failure) != CURFEW_OK)
		fields_fail(&sub->fields, "params", "%s", failure.message);
	sub->params = params.data;
	sub->params_length = params.len;
}

/* Reads one limit in the form of its flag; an integer may be a JSON number. */
static void read_limit(submission *sub, fields *f, const curfew_limit_info *info, const char *name)
{
	char words[64];
	curfew_failure failure;
	json_t *value = fields_take(f, name);
	if (value == NULL)
		return;
	int64_t number;
	if (fields_whole(value, &number))
		(void)snprintf(words, sizeof words, "%lld", (long long)number);
	else if (json_is_string(value) && json_string_length(value) < sizeof words &&
	         strlen(json_string_value(value)) == json_string_length(value))
		(void)snprintf(words, sizeof words, "%s", json_string_value(value));
	else {
		fields_fail(f, name, "must be a string as for the flag, or an integer");
		return;
	}
	if (curfew_limits_set(&sub->limits, info->name, words, &failure) != CURFEW_OK)
		fields_fail(f, name, "%s", failure.message);
}

/* A requested limit above a ceiling is refused; a default is lowered. */
static void apply_ceiling(submission *sub, fields *f, const curfew_limit_info *info, uint64_t ceiling, bool was_asked,
                          const char *whose)
{
	char words[32];
	if (ceiling == 0 || curfew_limits_get(&sub->limits, info) <= ceiling)
		return;
	curfew_limit_format(info, ceiling, words, sizeof words);
	if (was_asked)
		fields_fail(f, info->name, "is above the ceiling of this %s, %s", whose, words);
	else
		curfew_limits_put(&sub->limits, info, ceiling);
}

/* Applies the ceilings of the server and of the account. */
static void apply_ceilings(submission *sub, fields *f, const account *who, const curfew_limits *server_ceilings)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	curfew_limits asked = sub->limits;
	if (curfew_limits_resolve(&asked, &sub->limits, NULL) != CURFEW_OK)
		fields_fail(f, NULL, "exclude each other");
	for (size_t i = 0; i < count; i++) {
		bool was_asked = curfew_limits_get(&asked, &table[i]) != 0;
		apply_ceiling(sub, f, &table[i], curfew_limits_get(&who->ceilings, &table[i]), was_asked, "token");
		apply_ceiling(sub, f, &table[i], curfew_limits_get(server_ceilings, &table[i]), was_asked, "server");
	}
}

/* Copies the failure of a part to the whole. */
static void adopt(submission *sub, const fields *f)
{
	if (!sub->fields.failed)
		sub->fields = *f;
	sub->fields.failed = true;
}

static void read_limits(submission *sub, const account *who, const curfew_limits *server_ceilings)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	json_t *object = fields_take(&sub->fields, "limits");
	fields f = {.base = "/limits"};

	sub->limits = (curfew_limits){.size = sizeof sub->limits};
	if (object != NULL)
		fields_begin(&f, object, "/limits");
	for (size_t i = 0; object != NULL && i < count; i++) {
		char name[64];
		read_limit(sub, &f, &table[i], table[i].name);
		/* The name of a flag may also have "_" in place of "-", as in reports. */
		(void)snprintf(name, sizeof name, "%s", table[i].name);
		for (char *at = name; (at = strchr(at, '-')) != NULL;)
			*at = '_';
		if (strcmp(name, table[i].name) == 0)
			continue;
		const json_t *other = json_object_get(object, name);
		if (curfew_limits_get(&sub->limits, &table[i]) != 0 && other != NULL && !json_is_null(other))
			fields_fail(&f, name, "is given twice, also as %s", table[i].name);
		read_limit(sub, &f, &table[i], name);
	}

	apply_ceilings(sub, &f, who, server_ceilings);
	if ((object == NULL || fields_end(&f)) && !f.failed)
		return;
	adopt(sub, &f);
}

/* Fails because of missing grants, which has another status than an invalid field. */
static void forbid(submission *sub, fields *f, const char *name, const char *why)
{
	sub->forbidden |= !f->failed && !sub->fields.failed;
	fields_fail(f, name, "%s", why);
}

/* A token may be bound to a user. Otherwise the submission names the user. */
static void read_user(submission *sub, const account *who)
{
	sub->user = fields_text(&sub->fields, "user", USER_MAX);
	if (who->user[0] == '\0')
		return;
	if (sub->user != NULL && strcmp(sub->user, who->user) != 0)
		forbid(sub, &sub->fields, "user", "is not the user of this token");
	sub->user = who->user;
}

static bool is_within(const char *host, const char *words)
{
	hosts ceiling;
	bool within = hosts_split(&ceiling, words) &&
	              curfew_allow_fetch_within(host, ceiling.items, ceiling.count, NULL) == CURFEW_OK;
	hosts_finish(&ceiling);
	return within;
}

/* Checks a host, which must be allowed by the server and the token. */
static const char *read_host(submission *sub, fields *f, json_t *value, size_t index, const account *who,
                             const config *c)
{
	char name[24];
	curfew_failure failure;
	const char *host = json_string_value(value);
	(void)snprintf(name, sizeof name, "%zu", index);
	if (host == NULL || strlen(host) != json_string_length(value))
		fields_fail(f, name, "must be a string");
	else if (curfew_allow_fetch_check(host, &failure) != CURFEW_OK)
		fields_fail(f, name, "%s", failure.message);
	else if (!is_within(host, c->allow_fetch))
		forbid(sub, f, name, "is not among the hosts that this server allows");
	else if (who->allow_fetch[0] != '\0' && !is_within(host, who->allow_fetch))
		forbid(sub, f, name, "is not among the hosts that this token allows");
	return host;
}

static void read_hosts(submission *sub, const account *who, const config *c)
{
	json_t *array = fields_take(&sub->fields, "allow_fetch");
	fields f = {.base = "/allow_fetch"};
	const char *items[HOSTS_MAX];
	size_t count = json_array_size(array);
	if (array == NULL)
		return;
	if (!json_is_array(array) || count > HOSTS_MAX)
		fields_fail(&f, NULL, "must be an array of at most %d hosts", HOSTS_MAX);
	for (size_t i = 0; i < count && !f.failed; i++)
		items[i] = read_host(sub, &f, json_array_get(array, i), i, who, c);
	if (f.failed)
		adopt(sub, &f);
	else if (count > 0 && (sub->allow_fetch = hosts_join(items, count)) == NULL)
		fields_fail(&sub->fields, "allow_fetch", "does not fit into memory");
}

/* Refuses fields of the other kind of program. The kind of a stored program is checked later. */
static void read_wasi(submission *sub, const parts *p)
{
	fields wrong;
	fields *f = &sub->fields;
	bool is_wasm = sub->language == CURFEW_LANGUAGE_WASM || sub->language == CURFEW_LANGUAGE_WAT;
	wasi_take(f, p->input, p->files, &sub->wasi, &wrong);
	if (wrong.failed)
		adopt(sub, &wrong);
	sub->has_args = fields_take(f, "args") != NULL;
	(void)fields_take(f, "files"); /* read already */
	if (sub->program == NULL && sub->has_args && !is_wasm)
		fields_fail(f, "args", "%s", SUBMISSION_NOT_WASI);
}

/* Reads "5s", or a number of milliseconds. */
static void read_delay(submission *sub)
{
	fields *f = &sub->fields;
	json_t *value = fields_take(f, "delay");
	bool good = value == NULL;
	int64_t number;
	if (fields_whole(value, &number) && number >= 0) {
		good = number <= (int64_t)(DELAY_MAX_US / 1000);
		sub->delay_us = (uint64_t)number * 1000;
	} else if (json_is_string(value)) {
		good = strlen(json_string_value(value)) == json_string_length(value) &&
		       config_parse_duration(json_string_value(value), &sub->delay_us);
	}
	if (!good || sub->delay_us > DELAY_MAX_US)
		fields_fail(f, "delay", "must be a duration with its unit, such as \"5s\", or milliseconds; at most 8784h");
}

/* Reads how often it may be repeated after a crash: a number, or true for the maximum. */
static void read_retry(submission *sub)
{
	fields *f = &sub->fields;
	json_t *value = fields_take(f, "retry");
	if (json_is_boolean(value))
		sub->retry = json_is_true(value) ? RETRIES_MAX : 0;
	else if (value != NULL)
		sub->retry = (unsigned)fields_integer(f, "retry", 0, RETRIES_MAX, 0);
}

/* Reads the priority. The token's ceiling refuses a higher one, and lowers the default. */
static void read_priority(submission *sub, const account *who)
{
	sub->priority = (unsigned)fields_integer(&sub->fields, "priority", 0, PRIORITIES - 1,
	                                         who->priority_max < PRIORITY_DEFAULT ? who->priority_max
	                                                                              : PRIORITY_DEFAULT);
	if (sub->priority > who->priority_max)
		fields_fail(&sub->fields, "priority", "is above the ceiling of this token, %u", who->priority_max);
}

bool submission_read_target(const char *url, char target[SUBMISSION_HOST_SIZE])
{
	bool is_tls = strncmp(url, "https://", 8) == 0;
	const char *host = url + (is_tls ? 8 : 7);
	if (!is_tls && strncmp(url, "http://", 7) != 0)
		return false;
	for (const char *c = url; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || *c == '\\' || *c == '#')
			return false;
	}
	size_t length = strcspn(host, "/?");
	if (length == 0 || length + sizeof ":65535" > SUBMISSION_HOST_SIZE || memchr(host, '@', length) != NULL)
		return false;
	const char *colon = memchr(host, ']', length);
	colon = memchr(colon != NULL ? colon : host, ':', length - (size_t)((colon != NULL ? colon : host) - host));
	(void)snprintf(target, SUBMISSION_HOST_SIZE, "%.*s%s", (int)length, host,
	               colon != NULL ? ""
	               : is_tls      ? ":443"
	                             : ":80");
	return curfew_allow_fetch_check(target, NULL) == CURFEW_OK && target[0] != '*';
}

/* Checks that the server and the token allow the webhook's host. */
static void read_url(submission *sub, fields *f, const account *who, const config *c)
{
	char target[SUBMISSION_HOST_SIZE];
	sub->hook_url = fields_text(f, "url", URL_MAX);
	if (sub->hook_url == NULL)
		fields_fail(f, "url", "is missing");
	else if (!submission_read_target(sub->hook_url, target))
		fields_fail(f, "url", "must be an address http://... or https://..., in ASCII, without a user or a fragment");
	else if (!is_within(target, c->allow_webhook))
		forbid(sub, f, "url", "is at a host that this server does not send webhooks to (--allow-webhook)");
	else if (who->allow_fetch[0] != '\0' && !is_within(target, who->allow_fetch))
		forbid(sub, f, "url", "is not among the hosts that this token allows");
}

/* Reads the webhook: its URL, and the name of the user's secret that signs it. */
static void read_webhook(submission *sub, const account *who, const server *s)
{
	json_t *object = fields_take(&sub->fields, "webhook");
	fields f;
	if (object == NULL)
		return;
	fields_begin(&f, object, "/webhook");
	if (!f.failed) {
		read_url(sub, &f, who, s->config);
		sub->hook_secret = fields_text(&f, "secret", NAME_LENGTH_MAX);
		if (sub->hook_secret != NULL && s->secrets == NULL)
			fields_fail(&f, "secret", "this server has no secrets (--secrets)");
		else if (sub->hook_secret != NULL && sub->user == NULL)
			fields_fail(&f, "secret", "is a secret of the run's user, and the run has none");
	}
	if (f.failed || !fields_end(&f))
		adopt(sub, &f);
	else if (!sub->durable)
		fields_fail(&sub->fields, "webhook", "is only for durable runs");
}

const char *const submission_overlaps[OVERLAPS] = {"skip", "allow", "replace"};

static void read_overlap(submission *sub)
{
	const char *words = fields_text(&sub->fields, "overlap", 16);
	for (int i = 0; words != NULL && i < OVERLAPS; i++) {
		if (strcmp(words, submission_overlaps[i]) != 0)
			continue;
		sub->overlap = (schedule_overlap)i;
		return;
	}
	if (words != NULL)
		fields_fail(&sub->fields, "overlap", "must be skip, allow or replace");
}

/* Refuses fields that need a schedule, and fields that no schedule may have. */
static void check_schedule(submission *sub)
{
	static const char *const members[] = {"zone", "overlap", "paused"};
	fields *f = &sub->fields;
	for (size_t i = 0; sub->schedule == NULL && i < sizeof members / sizeof members[0]; i++) {
		if (fields_take(f, members[i]) != NULL)
			fields_fail(f, members[i], "belongs to schedule");
	}
	if (sub->schedule == NULL)
		return;
	if (sub->delay_us > 0)
		fields_fail(f, "delay", "a schedule itself says when its runs begin");
	if (sub->wait)
		fields_fail(f, "wait", "a schedule has no report to wait for");
	if (!sub->durable)
		fields_fail(f, "durable", "the runs of a schedule are durable");
}

static void read_schedule(submission *sub)
{
	fields *f = &sub->fields;
	char why[CRON_WHY_SIZE];
	sub->schedule = fields_text(f, "schedule", CRON_WORDS_MAX - 1);
	sub->zone = fields_text(f, "zone", ZONE_MAX);
	sub->is_paused = fields_bool(f, "paused", false);
	read_overlap(sub);
	check_schedule(sub);
	if (sub->schedule != NULL && !cron_parse(&sub->times, sub->schedule, why))
		fields_fail(f, "schedule", "%s", why);
	if (sub->zone != NULL && curfew_timezone_check(sub->zone, NULL) != CURFEW_OK)
		fields_fail(f, "zone", "there is no time zone \"%.60s\"; give an IANA name, such as Europe/Berlin", sub->zone);
	if (sub->zone == NULL)
		sub->zone = "UTC";
}

static void read_fields(submission *sub, const parts *p, const account *who, const server *s)
{
	fields *f = &sub->fields;
	read_source(sub, p->source);
	read_params(sub, p->params);
	read_limits(sub, who, &s->ceilings);
	read_user(sub, who);
	read_hosts(sub, who, s->config);
	read_wasi(sub, p);
	read_delay(sub);
	read_retry(sub);
	sub->call = fields_text(f, "call", CALL_MAX);
	sub->wait = fields_bool(f, "wait", false);
	sub->durable = fields_bool(f, "durable", true);
	sub->flags = fields_bool(f, "deterministic", false) ? CURFEW_RUN_DETERMINISTIC : 0;
	read_priority(sub, who);
	read_schedule(sub);
	read_webhook(sub, who, s);
}

/* ---- The body -------------------------------------------------------------------------------------------- */

static bool add_rest(parts *p, const char *data, size_t length)
{
	if (length > sizeof p->rest - p->rest_length)
		return false;
	memcpy(p->rest + p->rest_length, data, length);
	p->rest_length += length;
	return true;
}

/* Splits the body. Returns why it cannot, or NULL. *at: where it is malformed. */
static const char *split_body(parts *p, const char *body, size_t length, size_t *at)
{
	static const char too_large[] = "is too large besides source, params, stdin and files";
	scan_object object = scan_begin(body, length);
	span key, value;
	int more;
	bool fits = add_rest(p, "{", 1);
	while ((more = scan_next(&object, &key, &value)) == 1) {
		bool is_params = scan_is_name(key, "params"), is_source = scan_is_name(key, "source") && value.data[0] == '"';
		bool is_null = value.data[0] == 'n';
		bool is_input = !is_null && scan_is_name(key, "stdin"), are_files = !is_null && scan_is_name(key, "files");
		fits = fits && (p->rest_length == 1 || add_rest(p, ",", 1)) && add_rest(p, key.data, key.len) &&
		       add_rest(p, ":", 1);
		if (is_params)
			p->params = value;
		if (is_source)
			p->source = value;
		if (is_input)
			p->input = value;
		if (are_files)
			p->files = value;
		bool stands_in = is_params || is_input || are_files;
		fits = fits && (stands_in   ? add_rest(p, "0", 1)
		                : is_source ? add_rest(p, "\"\"", 2)
		                            : add_rest(p, value.data, value.len));
		if (!fits)
			return too_large;
	}
	*at = object.at;
	if (more < 0)
		return length > 0 && scan_is_json(body, length) ? "must be an object" : "is not JSON";
	return add_rest(p, "}", 1) ? NULL : too_large;
}

static bool refuse_body(submission *sub, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse_body(submission *sub, const char *format, ...)
{
	char words[200];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	sub->fields.base = "";
	fields_fail(&sub->fields, NULL, "%s", words);
	return false;
}

static bool read_body(submission *sub, parts *p, const char *body, size_t length, const account *who, const server *s)
{
	json_error_t error = {.text = "out of memory"};
	size_t at = 0;
	const char *why = split_body(p, body, length, &at);
	if (why != NULL && at > 0)
		return refuse_body(sub, "%s: at byte %zu", why, at);
	if (why != NULL)
		return refuse_body(sub, "%s", why);
	sub->body = json_loadb(p->rest, p->rest_length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (sub->body == NULL)
		return refuse_body(sub, "is not JSON: %.160s", error.text);
	fields_begin(&sub->fields, sub->body, "");
	if (sub->fields.failed)
		return false;
	read_fields(sub, p, who, s);
	return !sub->fields.failed && fields_end(&sub->fields);
}

bool submission_read(submission *sub, const char *body, size_t length, const account *who, const server *s)
{
	*sub = (submission){0};
	parts *p = calloc(1, sizeof *p);
	if (p == NULL)
		return refuse_body(sub, "does not fit into memory");
	bool good = read_body(sub, p, body, length, who, s);
	free(p);
	return good;
}

void submission_finish(submission *sub)
{
	json_decref(sub->body);
	free(sub->source);
	free(sub->allow_fetch);
	free(sub->wasi);
}
