/* SPDX-License-Identifier: Apache-2.0 */
/* curfew programs: the programs that a server stores. */
#include "client.h"
#include "commands.h"
#include "format.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_SILENCE_MS = 60000 };

/* One use of the command. */
typedef struct session {
	const cli_arguments *arguments;
	bool json;
	cli_server server;
	cli_http *http;
} session;

static int make_path(const char *name, char *path, size_t size)
{
	return cli_server_path("programs", "program", name, path, size);
}

static int print_json(span json)
{
	int code = cli_print(json.data, json.len);
	return code != CLI_EXIT_OK ? code : cli_print("\n", 1);
}

/* ---- list ------------------------------------------------------------------------------------------------ */

static void write_program(FILE *out, int width, span program)
{
	char name[CLI_SERVER_NAME_MAX + 1], kind[16], sha256[65], size[CLI_QUANTITY], age[CLI_QUANTITY];
	int64_t bytes = cli_json_number(cli_json_member(program, "size"));
	cli_json_line(cli_json_member(program, "name"), name, sizeof name);
	cli_json_line(cli_json_member(program, "kind"), kind, sizeof kind);
	cli_json_line(cli_json_member(program, "sha256"), sha256, sizeof sha256);
	cli_format_bytes(bytes > 0 ? (uint64_t)bytes : 0, size);
	cli_format_age(cli_json_number(cli_json_member(program, "updated_ms")), age, sizeof age);
	fprintf(out, "%-*s  %-9s  %9s  %7s  %.12s\n", width, name, kind, size, age, sha256);
}

static void write_heading(FILE *out, int width)
{
	fprintf(out, "%-*s  %-9s  %9s  %7s  %s\n", width, "NAME", "KIND", "SIZE", "AGE", "SHA256");
}

static int list(const session *s)
{
	cli_http_answer answer;
	const cli_http_request request = {.method = "GET", .path = "/v1/programs", .silence_ms = ANSWER_SILENCE_MS};
	int code = cli_server_ask(&s->server, s->http, &request, NULL, &answer);
	if (code == CLI_GO_ON)
		code = cli_server_print_list(&s->server, cli_json_member(cli_json(&answer), "programs"), s->json, write_heading,
		                             write_program);
	cli_http_answer_finish(&answer);
	return code;
}

/* ---- put ------------------------------------------------------------------------------------------------- */

static int print_stored(const session *s, const char *name, const cli_http_answer *answer)
{
	char words[256];
	if (s->json)
		return print_json(cli_json(answer));
	bool is_replaced = cli_json_member(cli_json(answer), "replaced").data != NULL;
	const char *what = answer->status == 201 ? "stored" : is_replaced ? "replaced" : "is up to date";
	int length = snprintf(words, sizeof words, "%s %s\n", name, what);
	return cli_print(words, (size_t)length);
}

static int send_program(const session *s, const char *name, const cli_source *source)
{
	const char *lang = s->arguments->values[CLI_OPTION_LANG];
	char path[192], query[224];
	cli_http_answer answer;
	int code = make_path(name, path, sizeof path);

	if (code != CLI_GO_ON)
		return code;
	(void)snprintf(query, sizeof query, "%s?lang=%s", path,
	               lang != NULL && source->language != CURFEW_LANGUAGE_BUNDLE ? lang
	                                                                          : curfew_language_name(source->language));
	const cli_http_request request = {
		.method = "PUT",
		.path = query,
		.type = "application/octet-stream",
		.body = source->text,
		.body_length = source->length,
	};

	code = cli_server_ask(&s->server, s->http, &request, NULL, &answer);
	if (code == CLI_GO_ON)
		code = print_stored(s, name, &answer);
	cli_http_answer_finish(&answer);
	return code;
}

/* Send the program's imports along. */
static int send_with_imports(const session *s, cli_source *source)
{
	const cli_list *words = &s->arguments->operands;
	curfew_failure failure = {.message = ""};
	source->has_node = s->arguments->values[CLI_OPTION_NODE] != NULL;
	if (!cli_source_set_imports(source, words->items[1], s->arguments, &failure))
		return cli_usage_error("%s", failure.message);
	int code = cli_bundle(source);
	return code != CLI_GO_ON ? code : send_program(s, words->items[0], source);
}

static int put_program(const session *s)
{
	const cli_list *words = &s->arguments->operands;
	const char *lang = s->arguments->values[CLI_OPTION_LANG];
	curfew_failure failure;
	cli_source source;
	if (words->count != 2)
		return cli_usage_error("programs put needs a NAME and a FILE");
	if (strcmp(words->items[1], "-") == 0 && lang == NULL)
		return cli_usage_error("- (standard input) needs --lang js, mjs, ts, mts, wasm, wat or tar");
	int code = CLI_EXIT_BAD_PROGRAM;
	if (!cli_source_read(words->items[1], lang, &source, &failure))
		cli_say("%s", failure.message);
	else if (source.is_image)
		cli_say("%s is an image, which only curfew run takes: store its source", words->items[1]);
	else
		code = send_with_imports(s, &source);
	cli_source_finish(&source);
	return code;
}

/* ---- get, remove ----------------------------------------------------------------------------------------- */

static void write_exports(FILE *out, span exports)
{
	char name[128], type[256];
	const char *heading = "exports";
	for (span item; scan_next_item(&exports, &item); heading = "") {
		cli_json_line(item.data[0] == '{' ? cli_json_member(item, "name") : item, name, sizeof name);
		cli_json_line(cli_json_member(item, "type"), type, sizeof type);
		fprintf(out, "%-8s %s%s%s\n", heading, name, type[0] != '\0' ? ": " : "", type);
	}
}

static int print_program(const session *s, span program)
{
	static const char *const keys[] = {"name", "kind", "lang", "sha256"};
	char value[129], size[CLI_QUANTITY], age[CLI_QUANTITY], *words = NULL;
	size_t length = 0;
	int64_t bytes = cli_json_number(cli_json_member(program, "size"));

	if (bytes < 0)
		return cli_server_strange(&s->server);
	FILE *out = open_memstream(&words, &length);
	if (out == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		cli_json_line(cli_json_member(program, keys[i]), value, sizeof value);
		fprintf(out, "%-8s %s\n", keys[i], value);
	}

	cli_format_bytes((uint64_t)bytes, size);
	cli_format_age(cli_json_number(cli_json_member(program, "updated_ms")), age, sizeof age);
	fprintf(out, "%-8s %s\n%-8s %s ago\n", "size", size, "stored", age);
	write_exports(out, cli_json_member(program, "exports"));
	return cli_print_stream(out, &words, &length);
}

/* Gets or deletes a program by its name. */
static int ask_one(const session *s, const char *method, const char *name, cli_http_answer *answer)
{
	char path[192], what[192];
	*answer = (cli_http_answer){0};
	int code = make_path(name, path, sizeof path);
	if (code != CLI_GO_ON)
		return code;
	(void)snprintf(what, sizeof what, "program %s", name);
	const cli_http_request request = {.method = method, .path = path, .silence_ms = ANSWER_SILENCE_MS};
	return cli_server_ask(&s->server, s->http, &request, what, answer);
}

static int get_program(const session *s)
{
	const cli_list *words = &s->arguments->operands;
	cli_http_answer answer;
	if (words->count != 1)
		return cli_usage_error("programs get needs one NAME");
	int code = ask_one(s, "GET", words->items[0], &answer);
	if (code == CLI_GO_ON)
		code = s->json ? print_json(cli_json(&answer)) : print_program(s, cli_json(&answer));
	cli_http_answer_finish(&answer);
	return code;
}

static int remove_one(const session *s, const char *name)
{
	char words[256];
	cli_http_answer answer;
	int code = ask_one(s, "DELETE", name, &answer);
	if (code == CLI_GO_ON) {
		int length = snprintf(words, sizeof words, s->json ? "{\"name\":\"%s\",\"removed\":true}\n" : "%s removed\n",
		                      name);
		code = cli_print(words, (size_t)length);
	}
	cli_http_answer_finish(&answer);
	return code;
}

/* Deletes each program. The exit code is the last one that is not 0. */
static int remove_all(const session *s)
{
	const cli_list *words = &s->arguments->operands;
	int code = CLI_EXIT_OK;
	if (words->count == 0)
		return cli_usage_error("programs remove needs a NAME");
	for (size_t i = 0; i < words->count; i++) {
		int one = remove_one(s, words->items[i]);
		code = one != CLI_EXIT_OK ? one : code;
	}
	return code;
}

/* ---- The command ----------------------------------------------------------------------------------------- */

static int list_alone(const session *s)
{
	const cli_list *words = &s->arguments->operands;
	if (words->count > 0)
		return cli_usage_error("unexpected argument %s after programs list", words->items[0]);
	return list(s);
}

int cli_programs(const cli_arguments *arguments)
{
	static const struct {
		const char *name;
		int (*act)(const session *s);
	} actions[] = {{"list", list_alone}, {"put", put_program}, {"get", get_program}, {"remove", remove_all}};
	session s = {.arguments = arguments, .json = arguments->values[CLI_OPTION_JSON] != NULL};
	const char *action = arguments->action != NULL ? arguments->action : "list";
	size_t at = 0;
	while (at < sizeof actions / sizeof actions[0] && strcmp(actions[at].name, action) != 0)
		at++;
	if (at == sizeof actions / sizeof actions[0])
		return cli_usage_error("programs %s: must be list, put, get or remove", action);
	int code = cli_server_init(arguments, &s.server);
	if (code == CLI_GO_ON) {
		s.http = cli_server_connect(&s.server, -1);
		code = s.http != NULL ? actions[at].act(&s) : CLI_EXIT_INTERNAL;
	}
	cli_http_destroy(s.http);
	cli_server_finish(&s.server);
	return code;
}
