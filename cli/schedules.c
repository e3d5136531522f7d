/* SPDX-License-Identifier: Apache-2.0 */
/* curfew schedules: a server's recurring runs. */
#include "client.h"
#include "commands.h"
#include "format.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ANSWER_SILENCE_MS = 60000, TIME_SIZE = 32, CRON_SHOWN = 24 };

/* One use of the command. */
typedef struct session {
	const cli_arguments *arguments;
	bool json;
	cli_server server;
	cli_http *http;
} session;

static int ask_schedules(const session *s, const char *method, const char *name, const char *body,
                         cli_http_answer *answer)
{
	char path[CLI_SERVER_NAME_MAX + 32] = "/v1/schedules", what[CLI_SERVER_NAME_MAX + 32];
	*answer = (cli_http_answer){0};
	int code = name != NULL ? cli_server_path("schedules", "schedule", name, path, sizeof path) : CLI_GO_ON;
	if (code != CLI_GO_ON)
		return code;
	(void)snprintf(what, sizeof what, "schedule %s", name != NULL ? name : "");
	const cli_http_request request = {.method = method,
	                                  .path = path,
	                                  .type = body != NULL ? "application/json" : NULL,
	                                  .body = body,
	                                  .body_length = body != NULL ? strlen(body) : 0,
	                                  .silence_ms = ANSWER_SILENCE_MS};
	return cli_server_ask(&s->server, s->http, &request, name != NULL ? what : NULL, answer);
}

/* ---- Looking --------------------------------------------------------------------------------------------- */

/* Formats a time in the local zone of this command; "-": none. */
static void format_time(span schedule, const char *key, char words[TIME_SIZE])
{
	int64_t ms = cli_json_number(cli_json_member(schedule, key));
	time_t seconds = (time_t)(ms / 1000);
	struct tm parts;
	(void)snprintf(words, TIME_SIZE, "-");
	if (ms > 0 && localtime_r(&seconds, &parts) != NULL)
		(void)strftime(words, TIME_SIZE, "%Y-%m-%d %H:%M %Z", &parts);
}

static bool is_paused(span schedule)
{
	span paused = cli_json_member(schedule, "paused");
	return paused.len == 4 && memcmp(paused.data, "true", 4) == 0;
}

static void write_row(FILE *out, int width, span schedule)
{
	char name[CLI_SERVER_NAME_MAX + 1], cron[CRON_SHOWN + 1], zone[65], next[TIME_SIZE];
	cli_json_line(cli_json_member(schedule, "name"), name, sizeof name);
	cli_json_line(cli_json_member(schedule, "schedule"), cron, sizeof cron);
	cli_json_line(cli_json_member(schedule, "zone"), zone, sizeof zone);
	format_time(schedule, "next_ms", next);
	int64_t runs = cli_json_number(cli_json_member(schedule, "runs"));
	fprintf(out, "%-*s  %-*s  %-22s  %6lld  %s\n", width, name, CRON_SHOWN, cron, is_paused(schedule) ? "paused" : next,
	        (long long)(runs > 0 ? runs : 0), zone);
}

static void write_heading(FILE *out, int width)
{
	fprintf(out, "%-*s  %-*s  %-22s  %6s  %s\n", width, "NAME", CRON_SHOWN, "SCHEDULE", "NEXT", "RUNS", "ZONE");
}

static int list(const session *s)
{
	const cli_list *words = &s->arguments->operands;
	cli_http_answer answer;
	if (words->count > 0)
		return cli_usage_error("unexpected argument %s after schedules list", words->items[0]);
	int code = ask_schedules(s, "GET", NULL, NULL, &answer);
	if (code == CLI_GO_ON)
		code = cli_server_print_list(&s->server, cli_json_member(cli_json(&answer), "schedules"), s->json,
		                             write_heading, write_row);
	cli_http_answer_finish(&answer);
	return code;
}

static int print_schedule(const session *s, span one)
{
	static const char *const keys[] = {"name", "schedule", "zone", "overlap", "last_run", "problem"};
	static const char *const times[] = {"next_ms", "last_ms"};
	char value[400], *words = NULL;
	size_t length = 0;

	if (cli_json_number(cli_json_member(one, "created_ms")) < 0)
		return cli_server_strange(&s->server);
	FILE *out = open_memstream(&words, &length);
	if (out == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		cli_json_line(cli_json_member(one, keys[i]), value, sizeof value);
		if (value[0] != '\0')
			fprintf(out, "%-8s %s\n", keys[i], value);
	}

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		char when[TIME_SIZE];
		format_time(one, times[i], when);
		fprintf(out, "%-8.4s %s\n", times[i], i == 0 && is_paused(one) ? "paused" : when);
	}

	fprintf(out, "%-8s %lld\n%-8s %lld\n", "runs", (long long)cli_json_number(cli_json_member(one, "runs")), "skipped",
	        (long long)cli_json_number(cli_json_member(one, "skipped")));
	return cli_print_stream(out, &words, &length);
}

static int print_json(span json)
{
	int code = cli_print(json.data, json.len);
	return code != CLI_EXIT_OK ? code : cli_print("\n", 1);
}

static int get_schedule(const session *s)
{
	const cli_list *words = &s->arguments->operands;
	cli_http_answer answer;
	if (words->count != 1)
		return cli_usage_error("schedules get needs one NAME");
	int code = ask_schedules(s, "GET", words->items[0], NULL, &answer);
	if (code == CLI_GO_ON)
		code = s->json ? print_json(cli_json(&answer)) : print_schedule(s, cli_json(&answer));
	cli_http_answer_finish(&answer);
	return code;
}

/* ---- Changing -------------------------------------------------------------------------------------------- */

typedef struct change {
	const char *action, *method, *body, *done;
} change;

static int change_one(const session *s, const change *c, const char *name)
{
	char words[CLI_SERVER_NAME_MAX + 64];
	cli_http_answer answer;
	int code = ask_schedules(s, c->method, name, c->body, &answer);
	if (code == CLI_GO_ON && s->json && c->body != NULL) {
		code = print_json(cli_json(&answer));
	} else if (code == CLI_GO_ON) {
		int length = snprintf(words, sizeof words, s->json ? "{\"name\":\"%s\",\"%s\":true}\n" : "%s %s\n", name,
		                      c->done);
		code = cli_print(words, (size_t)length);
	}
	cli_http_answer_finish(&answer);
	return code;
}

/* Changes each schedule. The exit code is the last one that is not 0. */
static int change_all(const session *s, const change *c)
{
	const cli_list *words = &s->arguments->operands;
	int code = CLI_EXIT_OK;
	if (words->count == 0)
		return cli_usage_error("schedules %s needs a NAME", c->action);
	for (size_t i = 0; i < words->count; i++) {
		int one = change_one(s, c, words->items[i]);
		code = one != CLI_EXIT_OK ? one : code;
	}
	return code;
}

/* ---- The command ----------------------------------------------------------------------------------------- */

static int act(const session *s, const char *action)
{
	static const change changes[] = {{"pause", "PATCH", "{\"paused\":true}", "paused"},
	                                 {"resume", "PATCH", "{\"paused\":false}", "resumed"},
	                                 {"remove", "DELETE", NULL, "removed"}};
	if (strcmp(action, "list") == 0)
		return list(s);
	if (strcmp(action, "get") == 0)
		return get_schedule(s);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		if (strcmp(action, changes[i].action) == 0)
			return change_all(s, &changes[i]);
	}
	return cli_usage_error("schedules %s: must be list, get, pause, resume or remove", action);
}

int cli_schedules(const cli_arguments *arguments)
{
	session s = {.arguments = arguments, .json = arguments->values[CLI_OPTION_JSON] != NULL};
	int code = cli_server_init(arguments, &s.server);
	if (code == CLI_GO_ON) {
		s.http = cli_server_connect(&s.server, -1);
		code = s.http != NULL ? act(&s, arguments->action != NULL ? arguments->action : "list") : CLI_EXIT_INTERNAL;
	}
	cli_http_destroy(s.http);
	cli_server_finish(&s.server);
	return code;
}
