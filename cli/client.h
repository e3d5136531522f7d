/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the commands that ask a server: its address, requests, messages about refusals, and its JSON. */
#ifndef CURFEW_CLI_CLIENT_H
#define CURFEW_CLI_CLIENT_H

#include "common/id.h"
#include "common/json_scan.h"
#include "http.h"
#include "options.h"

#include <stdio.h>

/* An id of a run: a ULID. */
enum { CLI_ID_LENGTH = CURFEW__ID_LENGTH };

/* The server's address and the client's credentials. */
typedef struct cli_server {
	char *url;
	char *authorization; /* NULL: no token */
	const char *ca_file;
} cli_server;

/* Reads options and environment. CLI_GO_ON, or the exit code after an error was reported. It must be finished in any
 * case. */
int cli_server_init(const cli_arguments *arguments, cli_server *server);
void cli_server_finish(cli_server *server);

/* A handle for exchanges with it; interrupt_fd (-1: none) interrupts them. NULL after an error was reported. */
cli_http *cli_server_connect(const cli_server *server, int interrupt_fd);

/*
 * Makes a request and returns a good answer (status 200 to 299): CLI_GO_ON. Otherwise reports what is wrong and returns
 * the exit code. what names the requested object ("run 01…"; NULL: there is nothing that could be missing). The answer
 * must be finished in any case.
 */
int cli_server_ask(const cli_server *server, cli_http *http, const cli_http_request *request, const char *what,
                   cli_http_answer *answer);
/* Reports why there is no good answer, and returns the exit code. */
int cli_server_fail(const cli_server *server, cli_http_result result, const cli_http_answer *answer, const char *what);

/*
 * If --fuel was given as a duration, sets limits->fuel to that much work on the server. CLI_GO_ON, or the exit code
 * after an error was reported.
 */
int cli_server_apply_fuel(const cli_server *server, cli_http *http, const cli_arguments *arguments, bool is_js,
                          curfew_limits *limits);

/* Reports that an answer is not that of a curfew serve, and returns the exit code. */
int cli_server_strange(const cli_server *server);
/*
 * Prints a server's list of named items: each item unchanged, or a heading and a row for each, with names of this
 * width. Items that are not a list do not come from a server of ours.
 */
int cli_server_print_list(const cli_server *server, span items, bool as_json,
                          void (*write_heading)(FILE *out, int width),
                          void (*write_row)(FILE *out, int width, span item));

/* CLI_GO_ON if this is an id. Otherwise reports that, and returns the exit code. */
int cli_check_id(const char *id);

/* ---- The server's JSON, as parts of its text --------------------------------------------------------------- */

span cli_json(const cli_http_answer *answer);
/* Empty if it is missing or null. */
span cli_json_member(span object, const char *key);
/* Reads a string, made safe for a terminal and cut to size; "" if it is not a string. */
void cli_json_line(span value, char *line, size_t size);
/* Reads a string; free it with free. NULL if it is not a string. */
char *cli_json_string(span value, size_t *length);
/* Reads an integer, or -1. */
int64_t cli_json_number(span value);

/* ---- Tables ------------------------------------------------------------------------------------------------ */

/* "5 s", "3 min", "2 h", "4 d": how long ago a time in milliseconds since 1970 was. */
void cli_format_age(int64_t at_ms, char *words, size_t size);
/* Text that is written to memory and printed at once; returns the exit code. */
int cli_print_stream(FILE *out, char **words, size_t *length);

/* Checks a name, and makes the path of the object that a server stores under it. CLI_GO_ON, or the exit code. */
enum { CLI_SERVER_NAME_MAX = 128 };
int cli_server_path(const char *directory, const char *what, const char *name, char *path, size_t size);

#endif
