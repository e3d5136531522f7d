/* SPDX-License-Identifier: Apache-2.0 */
/* curfew ps: the runs of a server, page by page, as a table or as lines of JSON. */
#include "client.h"
#include "commands.h"
#include "format.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

enum { USUAL = 50, PAGE_MAX = 200, NAME_LENGTH_MAX = 128, ANSWER_SILENCE_MS = 60000 };

/* One run of the table. */
typedef struct row {
	char id[CLI_ID_LENGTH + 1];
	char program[129];
	char state[32]; /* or its outcome */
	char time[CLI_QUANTITY];
	char age[CLI_QUANTITY];
	char *json; /* the whole run; NULL: not needed */
	size_t json_length;
	uint64_t seen; /* number in the order in which it was seen */
} row;

typedef struct listing {
	const cli_arguments *arguments;
	const cli_server *server;
	cli_http *http;
	char *program; /* escaped; NULL: any */
	bool is_json;
	uint64_t most; /* limit of the number of runs */
	uint64_t seen;
	row *rows;
	size_t count, room;
	bool has_more;
} listing;

/* ---- Reading --------------------------------------------------------------------------------------------- */

/* The run's time so far. */
static void format_time_of(span run, span report, char words[CLI_QUANTITY])
{
	span used = cli_json_member(report.data != NULL ? report : run, "used");
	int64_t wall_us = cli_json_number(cli_json_member(used, "wall_us"));
	(void)snprintf(words, CLI_QUANTITY, "-");
	if (wall_us > 0)
		cli_format_time((uint64_t)wall_us * 1000, words);
}

static void read_row(span run, row *r)
{
	span report = cli_json_member(run, "report");
	cli_json_line(cli_json_member(run, "id"), r->id, sizeof r->id);
	cli_json_line(cli_json_member(run, "program"), r->program, sizeof r->program);
	cli_json_line(cli_json_member(run, "outcome"), r->state, sizeof r->state);
	if (r->program[0] == '\0')
		cli_json_line(cli_json_member(cli_json_member(report, "program"), "name"), r->program, sizeof r->program);
	if (r->program[0] == '\0') {
		char language[16];
		cli_json_line(cli_json_member(run, "lang"), language, sizeof language);
		(void)snprintf(r->program, sizeof r->program, "source.%s", language);
	}
	if (r->state[0] == '\0')
		cli_json_line(cli_json_member(run, "state"), r->state, sizeof r->state);
	format_time_of(run, report, r->time);
	cli_format_age(cli_json_number(cli_json_member(run, "created_ms")), r->age, sizeof r->age);
}

/* Adds a run in its present state. */
static bool add_row(listing *l, span run)
{
	row r = {.seen = l->seen++};
	read_row(run, &r);
	if (l->is_json && (r.json = text_copy(run.data, run.len)) == NULL)
		return false;
	r.json_length = run.len;
	if (l->count == l->room) {
		size_t room = l->room == 0 ? 64 : l->room * 2;
		row *grown = realloc(l->rows, room * sizeof *grown);
		if (grown == NULL) {
			free(r.json);
			return false;
		}
		l->rows = grown;
		l->room = room;
	}
	l->rows[l->count++] = r;
	return true;
}

static void drop_rows(listing *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->rows[i].json);
	l->count = 0;
}

/* ---- Printing -------------------------------------------------------------------------------------------- */

/* Sorts newest first. If one run was seen in two states, the later one counts. */
static int compare_rows(const void *a, const void *b)
{
	const row *left = a, *right = b;
	int order = strcmp(right->id, left->id);
	return order != 0 ? order : left->seen < right->seen ? 1 : -1;
}

static void sort_rows(listing *l)
{
	size_t kept = 0;
	if (l->count > 0)
		qsort(l->rows, l->count, sizeof l->rows[0], compare_rows);
	for (size_t i = 0; i < l->count; i++) {
		if (kept > 0 && strcmp(l->rows[kept - 1].id, l->rows[i].id) == 0)
			free(l->rows[i].json);
		else
			l->rows[kept++] = l->rows[i];
	}
	l->count = kept;
	for (; l->count > l->most; l->has_more = true)
		free(l->rows[--l->count].json);
}

static int width_of(const listing *l, size_t offset, const char *heading)
{
	size_t width = strlen(heading);
	for (size_t i = 0; i < l->count; i++) {
		size_t length = strlen((const char *)&l->rows[i] + offset);
		width = length > width ? length : width;
	}
	return (int)width;
}

static void write_table(const listing *l, FILE *out)
{
	int program = width_of(l, offsetof(row, program), "PROGRAM"), state = width_of(l, offsetof(row, state), "STATE");
	int time = width_of(l, offsetof(row, time), "TIME"), age = width_of(l, offsetof(row, age), "AGE");
	fprintf(out, "%-*s  %-*s  %-*s  %*s  %*s\n", CLI_ID_LENGTH, "ID", program, "PROGRAM", state, "STATE", time, "TIME",
	        age, "AGE");
	for (size_t i = 0; i < l->count; i++) {
		const row *r = &l->rows[i];
		fprintf(out, "%s  %-*s  %-*s  %*s  %*s\n", r->id, program, r->program, state, r->state, time, r->time, age,
		        r->age);
	}
}

static int print_rows(const listing *l)
{
	char *words = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&words, &length);
	if (out == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	if (!l->is_json)
		write_table(l, out);
	for (size_t i = 0; l->is_json && i < l->count; i++) {
		(void)fwrite(l->rows[i].json, 1, l->rows[i].json_length, out);
		fputc('\n', out);
	}
	return cli_print_stream(out, &words, &length);
}

/* ---- Asking ---------------------------------------------------------------------------------------------- */

/* Adds the runs of an answer. */
static int take_page(listing *l, span page)
{
	span runs = cli_json_member(page, "runs"), run;
	if (runs.data == NULL)
		return cli_server_strange(l->server);
	while (scan_next_item(&runs, &run)) {
		if (!add_row(l, run)) {
			cli_say("out of memory");
			return CLI_EXIT_INTERNAL;
		}
	}
	return CLI_GO_ON;
}

/* Gets the page after this id ("": the first page), and the id before the next page ("": there is none). */
static int ask_page(listing *l, const char *state, uint64_t most, char after[CLI_ID_LENGTH + 1])
{
	char path[1024];
	cli_http_answer answer;
	(void)snprintf(path, sizeof path, "/v1/runs?limit=%u%s%s%s%s%s%s", (unsigned)(most < PAGE_MAX ? most : PAGE_MAX),
	               state != NULL ? "&state=" : "", state != NULL ? state : "", l->program != NULL ? "&program=" : "",
	               l->program != NULL ? l->program : "", after[0] != '\0' ? "&after=" : "", after);
	const cli_http_request request = {.method = "GET", .path = path, .silence_ms = ANSWER_SILENCE_MS};
	int code = cli_server_ask(l->server, l->http, &request, NULL, &answer);
	if (code == CLI_GO_ON)
		code = take_page(l, cli_json(&answer));
	if (code == CLI_GO_ON)
		cli_json_line(cli_json_member(cli_json(&answer), "next"), after, CLI_ID_LENGTH + 1);
	cli_http_answer_finish(&answer);
	return code;
}

/* Lists the runs in a state; NULL: in any. If only these are wanted, JSON is printed page by page. */
static int ask_state(listing *l, const char *state, bool is_all)
{
	char after[CLI_ID_LENGTH + 1] = "";
	uint64_t left = l->most;
	int code = CLI_GO_ON;
	do {
		size_t before = l->count;
		code = ask_page(l, state, left, after);
		size_t added = l->count - before;
		left -= added < left ? added : left;
		if (code == CLI_GO_ON && is_all && l->is_json) {
			code = print_rows(l);
			code = code == CLI_EXIT_OK ? CLI_GO_ON : code;
			drop_rows(l);
		}
		/* An empty page with a next page does not come from a server of ours. */
		if (added == 0)
			break;
	} while (code == CLI_GO_ON && after[0] != '\0' && left > 0);
	l->has_more |= after[0] != '\0';
	return code;
}

/* Query the states in order, so that a run that changes its state meanwhile is seen in the later one. */
static int ask_unfinished(listing *l)
{
	static const char *const states[] = {"scheduled", "queued", "running", "stopping"};
	int code = CLI_GO_ON;
	for (size_t i = 0; i < sizeof states / sizeof states[0] && code == CLI_GO_ON; i++)
		code = ask_state(l, states[i], false);
	return code;
}

static int list(listing *l)
{
	const char *state = l->arguments->values[CLI_OPTION_STATE];
	bool is_one = state != NULL || l->arguments->values[CLI_OPTION_ALL] != NULL;
	int code = is_one ? ask_state(l, state, true) : ask_unfinished(l);
	if (code != CLI_GO_ON)
		return code;
	sort_rows(l);
	code = print_rows(l);
	if (l->has_more && code == CLI_EXIT_OK && l->arguments->values[CLI_OPTION_MAX] == NULL)
		cli_say("there are more than %" PRIu64 " of them; --limit N shows more, --limit unlimited all", l->most);
	return code;
}

/* ---- The command ----------------------------------------------------------------------------------------- */

static int read_at_most(const cli_arguments *arguments, uint64_t *most)
{
	const char *words = arguments->values[CLI_OPTION_MAX];
	*most = USUAL;
	if (words == NULL)
		return CLI_GO_ON;
	if (strcmp(words, "unlimited") == 0)
		*most = UINT64_MAX;
	else if (!config_parse_amount(words, false, most) || *most == 0)
		return cli_usage_error("--limit %s: must be a number above 0, or unlimited", words);
	return CLI_GO_ON;
}

int cli_ps(const cli_arguments *arguments)
{
	cli_server server;
	listing l = {.arguments = arguments, .server = &server, .is_json = arguments->values[CLI_OPTION_JSON] != NULL};
	const char *program = arguments->values[CLI_OPTION_PROGRAM];
	int code = read_at_most(arguments, &l.most);

	if (code != CLI_GO_ON)
		return code;
	if (arguments->values[CLI_OPTION_ALL] != NULL && arguments->values[CLI_OPTION_STATE] != NULL)
		return cli_usage_error("--all and --state %s exclude each other", arguments->values[CLI_OPTION_STATE]);
	if (program != NULL && (strlen(program) > NAME_LENGTH_MAX || (l.program = cli_http_escape(program)) == NULL))
		return cli_usage_error("--program %s: a name has at most %d bytes", program, NAME_LENGTH_MAX);
	code = cli_server_init(arguments, &server);
	if (code == CLI_GO_ON)
		l.http = cli_server_connect(&server, -1);
	if (code == CLI_GO_ON)
		code = l.http != NULL ? list(&l) : CLI_EXIT_INTERNAL;
	cli_http_destroy(l.http);
	drop_rows(&l);
	free(l.rows);
	free(l.program);
	cli_server_finish(&server);
	return code;
}
