/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share that ask a server: where it is, one request, what is said of its refusals, its JSON. */
#ifndef CURFEW_CLI_CLIENT_H
#define CURFEW_CLI_CLIENT_H

#include "common/id.h"
#include "common/json_scan.h"
#include "http.h"
#include "options.h"

#include <stdio.h>

/* An id of a run: a ULID. */
enum { CLI_ID_LENGTH = CURFEW__ID_LENGTH };

/* Where the server is and how to prove who asks. */
typedef struct cli_server {
	char *url;
	char *authorization; /* NULL: no token */
	const char *ca_file;
} cli_server;

/* From options and environment. CLI_GO_ON, or the exit code after an error was said; to be finished in any case. */
int cli_server_init(const cli_arguments *arguments, cli_server *server);
void cli_server_finish(cli_server *server);

/* A handle for exchanges with it, which interrupt_fd (-1: none) ends; NULL after an error was said. */
cli_http *cli_server_connect(const cli_server *server, int interrupt_fd);

/*
 * Makes a request and hands out a good answer (status 200 to 299): CLI_GO_ON. Otherwise says what is wrong and returns
 * the exit code. what names the thing that is asked for ("run 01…"; NULL: nothing that could be missing). The answer is
 * to be finished in any case.
 */
int cli_server_ask(const cli_server *server, cli_http *http, const cli_http_request *request, const char *what,
                   cli_http_answer *answer);
/* Says why there is no good answer; returns the exit code. */
int cli_server_fail(const cli_server *server, cli_http_result result, const cli_http_answer *answer, const char *what);

/*
 * Where --fuel was given as a duration, sets limits->fuel to that much work on the server. CLI_GO_ON, or the exit code
 * after an error was said.
 */
int cli_server_apply_fuel(const cli_server *server, cli_http *http, const cli_arguments *arguments, bool is_js,
                          curfew_limits *limits);

/* Says that a good answer is none of a curfew serve's; returns the exit code. */
int cli_server_strange(const cli_server *server);
/*
 * Prints what a server lists, as items with a name: each as it came, or a heading and a row for each, with names of so
 * much width. Items that are no list are something that no server of ours answers.
 */
int cli_server_print_list(const cli_server *server, span items, bool as_json,
                          void (*write_heading)(FILE *out, int width),
                          void (*write_row)(FILE *out, int width, span item));

/* Says that this is no id; returns the exit code. CLI_GO_ON: it is one. */
int cli_check_id(const char *id);

/* ---- The server's JSON, as parts of its text --------------------------------------------------------------- */

span cli_json(const cli_http_answer *answer);
/* No data where it is missing or null. */
span cli_json_member(span object, const char *key);
/* A string, fit for a terminal, cut to size; "" where it is none. */
void cli_json_line(span value, char *line, size_t size);
/* A string; free with free. NULL where it is none. */
char *cli_json_string(span value, size_t *length);
/* A whole number, or -1. */
int64_t cli_json_number(span value);

/* ---- Tables ------------------------------------------------------------------------------------------------ */

/* "5 s", "3 min", "2 h", "4 d": how long ago a time in milliseconds since 1970 was. */
void cli_format_age(int64_t at_ms, char *words, size_t size);
/* Text that is written to memory and printed at once; returns the exit code. */
int cli_print_stream(FILE *out, char **words, size_t *length);

/* The path of what a server keeps under a name, after the name was checked. CLI_GO_ON, or the exit code. */
enum { CLI_SERVER_NAME_MAX = 128 };
int cli_server_path(const char *folder, const char *what, const char *name, char *path, size_t size);

#endif
