/* SPDX-License-Identifier: Apache-2.0 */
/* Sends requests to a server, and reports errors in one line. */
#include "client.h"

#include "common/clock.h"
#include "format.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TOKEN_MAX = 1024 };

/* ---- Where it is ------------------------------------------------------------------------------------------- */

/* Whether a URL is http(s)://HOST[:PORT][/PATH], without a user: a token does not belong on a command line. */
static bool is_url(const char *url)
{
	size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
	size_t length = strlen(url);
	for (const char *at = url; *at != '\0'; at++) {
		if ((unsigned char)*at <= ' ' || strchr("@?#\x7f", *at) != NULL)
			return false;
	}
	return scheme > 0 && length > scheme && url[scheme] != '/' && length < 1024;
}

static int set_url(const cli_arguments *arguments, cli_server *server)
{
	const char *given = arguments->values[CLI_OPTION_SERVER], *from = "--server";
	if (given == NULL) {
		given = getenv("CURFEW_SERVER");
		from = "CURFEW_SERVER";
	}
	if (given == NULL || given[0] == '\0')
		given = "http://127.0.0.1:7433";
	if (!is_url(given))
		return cli_usage_error("%s %s: must be a URL such as http://127.0.0.1:7433 or https://runs.example.com", from,
		                       given);
	server->url = strdup(given);
	size_t length = server->url != NULL ? strlen(server->url) : 0;
	while (length > 0 && server->url[length - 1] == '/')
		server->url[--length] = '\0';
	return CLI_GO_ON;
}

static bool is_token(const char *words)
{
	for (; *words > ' ' && *words < 0x7f; words++)
		;
	return *words == '\0';
}

static int set_token(cli_server *server, const char *words, const char *from)
{
	if (words[0] == '\0' || !is_token(words))
		return cli_usage_error("%s does not hold a token: printable characters without spaces", from);
	if (asprintf(&server->authorization, "Authorization: Bearer %s", words) >= 0)
		return CLI_GO_ON;
	server->authorization = NULL;
	cli_say("out of memory");
	return CLI_EXIT_INTERNAL;
}

static int read_token(cli_server *server, const char *path)
{
	char words[TOKEN_MAX + 1], from[300];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t length = fd >= 0 ? read(fd, words, TOKEN_MAX) : -1;
	int error = errno;
	if (fd >= 0)
		(void)close(fd);
	if (length < 0)
		return cli_usage_error("--token-file %s: %s", path, strerror(error));
	words[length] = '\0';
	words[strcspn(words, "\r\n")] = '\0';
	(void)snprintf(from, sizeof from, "--token-file %.200s", path);
	int code = set_token(server, words, from);
	explicit_bzero(words, sizeof words);
	return code;
}

static int find_token(const cli_arguments *arguments, cli_server *server)
{
	const char *path = arguments->values[CLI_OPTION_TOKEN_FILE];
	const char *words = getenv("CURFEW_TOKEN");
	if (path != NULL)
		return read_token(server, path);
	return words != NULL && words[0] != '\0' ? set_token(server, words, "CURFEW_TOKEN") : CLI_GO_ON;
}

int cli_server_init(const cli_arguments *arguments, cli_server *server)
{
	*server = (cli_server){.ca_file = arguments->values[CLI_OPTION_CA_FILE]};
	if (server->ca_file != NULL && access(server->ca_file, R_OK) != 0)
		return cli_usage_error("--ca-file %s: %s", server->ca_file, strerror(errno));
	int code = set_url(arguments, server);
	if (code == CLI_GO_ON)
		code = find_token(arguments, server);
	if (code != CLI_GO_ON || server->url != NULL)
		return code;
	cli_say("out of memory");
	return CLI_EXIT_INTERNAL;
}

void cli_server_finish(cli_server *server)
{
	if (server->authorization != NULL)
		explicit_bzero(server->authorization, strlen(server->authorization));
	free(server->authorization);
	free(server->url);
}

cli_http *cli_server_connect(const cli_server *server, int interrupt_fd)
{
	curfew_failure failure;
	const cli_http_options options = {server->url, server->authorization, server->ca_file, interrupt_fd};
	cli_http *http = cli_http_create(&options, &failure);
	if (http == NULL)
		cli_say("%s", failure.message);
	return http;
}

/* What is no libcurl's of http.h. */
char *cli_http_escape(const char *words)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	char *escaped = malloc(3 * strlen(words) + 1), *at = escaped;
	for (; escaped != NULL && *words != '\0'; words++) {
		if (strchr(plain, *words) != NULL)
			*at++ = *words;
		else
			at += sprintf(at, "%%%02X", (unsigned char)*words);
	}
	if (escaped != NULL)
		*at = '\0';
	return escaped;
}

void cli_http_answer_finish(cli_http_answer *answer)
{
	text_finish(&answer->body);
}

/* ---- What goes wrong ------------------------------------------------------------------------------------- */

static const char *type_of(const cli_http_answer *answer, char *type, size_t size)
{
	cli_json_line(cli_json_member(cli_json(answer), "type"), type, size);
	return type;
}

static int exit_of(const cli_http_answer *answer, bool is_missing)
{
	char type[64];
	switch (answer->status) {
	case 400:
	case 413:
	case 415:
	case 422:
		return strcmp(type_of(answer, type, sizeof type), "urn:curfew:problem:bad-program") == 0 ? CLI_EXIT_BAD_PROGRAM
		                                                                                         : CLI_EXIT_USAGE;
	case 404: return is_missing ? CLI_EXIT_FAILED : CLI_EXIT_INTERNAL;
	default: return CLI_EXIT_INTERNAL;
	}
}

int cli_server_strange(const cli_server *server)
{
	cli_say("the answer of %s is not that of curfew serve: is it one?", server->url);
	return CLI_EXIT_INTERNAL;
}

static int width_of_names(span items)
{
	int width = (int)strlen("NAME");
	for (span one; scan_next_item(&items, &one);) {
		char name[CLI_SERVER_NAME_MAX + 1];
		cli_json_line(cli_json_member(one, "name"), name, sizeof name);
		width = (int)strlen(name) > width ? (int)strlen(name) : width;
	}
	return width;
}

int cli_server_print_list(const cli_server *server, span items, bool as_json,
                          void (*write_heading)(FILE *out, int width),
                          void (*write_row)(FILE *out, int width, span item))
{
	char *words = NULL;
	size_t length = 0;
	int width = width_of_names(items);
	if (items.data == NULL)
		return cli_server_strange(server);
	FILE *out = open_memstream(&words, &length);
	if (out == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	if (!as_json)
		write_heading(out, width);
	for (span one; scan_next_item(&items, &one);) {
		if (as_json)
			fprintf(out, "%.*s\n", (int)one.len, one.data);
		else
			write_row(out, width, one);
	}
	return cli_print_stream(out, &words, &length);
}

/* Reports an answer that is an error. */
static int say_refusal(const cli_server *server, const cli_http_answer *answer, const char *what)
{
	char detail[400], pointer[200], type[64];

	cli_json_line(cli_json_member(cli_json(answer), "detail"), detail, sizeof detail);
	cli_json_line(cli_json_member(cli_json(answer), "pointer"), pointer, sizeof pointer);
	bool shows_pointer = pointer[0] != '\0' && strstr(detail, pointer) == NULL;
	if (!answer->is_problem)
		return cli_server_strange(server);
	if (answer->status == 401)
		cli_say("%s %s", server->url,
		        server->authorization == NULL ? "needs a token: set CURFEW_TOKEN, or give --token-file FILE"
		                                      : "does not know this token: was it revoked?");
	else if (answer->status == 403 && strcmp(type_of(answer, type, sizeof type), "urn:curfew:problem:scope") == 0)
		cli_say("this token lacks the scope %s, which %s needs for this",
		        strcmp(answer->method, "GET") == 0 ? "read" : "run", server->url);
	else if (answer->status == 404 && what != NULL)
		cli_say("there is no %s on %s (or it is another token's)", what, server->url);
	else if (answer->retry_after_s > 0)
		cli_say("%s: %s; try again in %u s", server->url, detail, answer->retry_after_s);
	else
		cli_say("%s refuses this: %s%s%s", server->url, detail, shows_pointer ? ", at " : "",
		        shows_pointer ? pointer : "");
	return exit_of(answer, answer->is_problem && what != NULL);
}

int cli_server_fail(const cli_server *server, cli_http_result result, const cli_http_answer *answer, const char *what)
{
	if (result == CLI_HTTP_ANSWERED)
		return say_refusal(server, answer, what);
	if (result == CLI_HTTP_UNREACHABLE)
		cli_say("cannot reach %s: %s; is curfew serve running there? (--server names another)", server->url,
		        answer->message);
	else if (result == CLI_HTTP_SILENT)
		cli_say("%s does not answer", server->url);
	else
		cli_say("%s: %s", server->url, answer->message);
	return CLI_EXIT_INTERNAL;
}

int cli_server_ask(const cli_server *server, cli_http *http, const cli_http_request *request, const char *what,
                   cli_http_answer *answer)
{
	cli_http_result result = cli_http_exchange(http, request, answer);
	if (result == CLI_HTTP_ANSWERED && answer->status >= 200 && answer->status < 300)
		return CLI_GO_ON;
	return cli_server_fail(server, result, answer, what);
}

int cli_check_id(const char *id)
{
	return curfew__id_is_valid(id)
	           ? CLI_GO_ON
	           : cli_usage_error("%s is not the id of a run: an id has 26 letters and digits (curfew ps --all)", id);
}

/* ---- JSON ------------------------------------------------------------------------------------------------ */

span cli_json(const cli_http_answer *answer)
{
	return (span){answer->body.data, answer->body.length};
}

span cli_json_member(span object, const char *key)
{
	span value = object.data != NULL ? scan_member(object.data, object.len, key) : (span){0};
	return value.len == 4 && memcmp(value.data, "null", 4) == 0 ? (span){0} : value;
}

char *cli_json_string(span value, size_t *length)
{
	json_t *parsed = value.data != NULL ? json_loadb(value.data, value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
	                                    : NULL;
	*length = json_string_length(parsed);
	char *words = json_is_string(parsed) ? text_copy(json_string_value(parsed), *length) : NULL;
	json_decref(parsed);
	return words;
}

void cli_json_line(span value, char *line, size_t size)
{
	size_t length;
	char *words = cli_json_string(value, &length);
	line[0] = '\0';
	if (words != NULL)
		cli_format_line(words, length, line, size);
	free(words);
}

int64_t cli_json_number(span value)
{
	char words[24], *end;
	if (value.data == NULL || value.len >= sizeof words)
		return -1;
	memcpy(words, value.data, value.len);
	words[value.len] = '\0';
	errno = 0;
	long long number = strtoll(words, &end, 10);
	return *end == '\0' && errno == 0 ? number : -1;
}

/* ---- Tables ---------------------------------------------------------------------------------------------- */

void cli_format_age(int64_t at_ms, char *words, size_t size)
{
	int64_t seconds = clock_wall_us() / 1000000 - at_ms / 1000;
	seconds = seconds > 0 ? seconds : 0;
	if (seconds < 120)
		(void)snprintf(words, size, "%" PRId64 " s", seconds);
	else if (seconds < 2 * 3600)
		(void)snprintf(words, size, "%" PRId64 " min", seconds / 60);
	else if (seconds < 48 * 3600)
		(void)snprintf(words, size, "%" PRId64 " h", seconds / 3600);
	else
		(void)snprintf(words, size, "%" PRId64 " d", seconds / 86400);
}

int cli_print_stream(FILE *out, char **words, size_t *length)
{
	int code = CLI_EXIT_INTERNAL;
	if (fclose(out) == 0)
		code = cli_print(*words, *length);
	else
		cli_say("out of memory");
	free(*words);
	return code;
}

int cli_server_path(const char *directory, const char *what, const char *name, char *path, size_t size)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t length = strlen(name);
	if (length == 0 || length > CLI_SERVER_NAME_MAX || strspn(name, letters) != length ||
	    strchr("._-", name[0]) != NULL)
		return cli_usage_error(
			"%s is not a name of a %s: 1 to 128 letters, digits, dots, dashes and underscores, a letter or digit first",
			name, what);
	(void)snprintf(path, size, "/v1/%s/%s", directory, name);
	return CLI_GO_ON;
}
