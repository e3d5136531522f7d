/* SPDX-License-Identifier: Apache-2.0 */
/* curfew submit: submits a program to a server, and with --wait continues as curfew run does. */
#include "commands.h"
#include "common/clock.h"
#include "follow.h"
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	PATIENCE_MS = 30000, /* with a full server, or after a broken connection */
	PAUSE_MS = 500,      /* before trying again, if the server does not say */
	SILENCE_MS = 60000,
	BODY_MAX = 256 << 20,
	INPUT_MAX = 16 << 20,
	KEY_MAX = 255,
	NAME_LENGTH_MAX = 128,
};

/* One submission. */
typedef struct session {
	const cli_arguments *arguments;
	cli_arguments own;  /* the same, once the fuel limit is known */
	const char *stored; /* name of a stored program; NULL: the source is sent */
	cli_server server;
	cli_http *http;
	cli_source source;
	bool has_args; /* the arguments after "--" are for WASI */
	char *params;
	size_t params_length;
	cli_wasi wasi;
	char *files, *input; /* NULL: none */
	size_t files_length, input_length;
	text body;
	char header[KEY_MAX + 32];
	char name[CLI_SERVER_NAME_MAX + 1]; /* of the schedule */
	char id[CLI_ID_LENGTH + 1];
} session;

static const char *value_of(const session *s, cli_option_id id)
{
	return s->arguments->values[id];
}

static bool is_given(const session *s, cli_option_id id)
{
	return value_of(s, id) != NULL;
}

/* ---- The command line ------------------------------------------------------------------------------------ */

static int check_number(const session *s, cli_option_id id, const char *name, uint64_t most)
{
	uint64_t number;
	const char *words = value_of(s, id);
	if (words == NULL || (config_parse_amount(words, false, &number) && number <= most))
		return CLI_GO_ON;
	return cli_usage_error("--%s %s: must be a number from 0 to %u", name, words, (unsigned)most);
}

static int check_key(const session *s)
{
	const char *key = value_of(s, CLI_OPTION_IDEMPOTENCY_KEY);
	size_t length = key != NULL ? strlen(key) : 1;
	bool good = length > 0 && length <= KEY_MAX;
	for (const char *at = key; at != NULL && *at != '\0'; at++)
		good &= *at >= 0x20 && *at <= 0x7e;
	return good ? CLI_GO_ON
	            : cli_usage_error("--idempotency-key %s: must be 1 to %d printable ASCII characters", key, KEY_MAX);
}

static int check_program(const session *s)
{
	const char *file = s->arguments->program;
	if ((file == NULL) == (s->stored == NULL))
		return file == NULL ? cli_usage_error("submit needs a FILE, or --program NAME; see curfew submit --help")
		                    : cli_usage_error("%s and --program %s exclude each other", file, s->stored);
	if (s->stored != NULL && (s->stored[0] == '\0' || strlen(s->stored) > NAME_LENGTH_MAX))
		return cli_usage_error("--program %s: a name has 1 to %d bytes", s->stored, NAME_LENGTH_MAX);
	if (s->stored != NULL && is_given(s, CLI_OPTION_LANG))
		return cli_usage_error("--lang %s belongs to a FILE, not to --program", value_of(s, CLI_OPTION_LANG));
	if (file != NULL && strcmp(file, "-") == 0 && !is_given(s, CLI_OPTION_LANG))
		return cli_usage_error("- (standard input) needs --lang js, mjs, ts, mts, wasm, wat or tar");
	return CLI_GO_ON;
}

/* Adds the program's input besides its parameters. */
static int read_data(session *s)
{
	char why[128];
	curfew_failure failure = {.message = ""};
	const char *timezone = value_of(s, CLI_OPTION_TIMEZONE), *input = value_of(s, CLI_OPTION_STDIN);
	const cli_list *files = &s->arguments->lists[CLI_OPTION_FILE];
	if (timezone != NULL && curfew_timezone_check(timezone, &failure) != CURFEW_OK)
		return cli_usage_error("--%s", failure.message);
	if (input != NULL && strcmp(input, "-") == 0 && s->arguments->program != NULL &&
	    strcmp(s->arguments->program, "-") == 0)
		return cli_usage_error("--stdin -: the program is read from there");
	s->files = cli_files_to_json(files->items, files->count, &s->files_length, &failure);
	if (s->files == NULL && files->count > 0)
		return cli_usage_error("%s", failure.message);
	if (input == NULL)
		return cli_wasi_init(s->arguments, &s->wasi);
	s->input = cli_file_read_bytes(input, INPUT_MAX, &s->input_length, why, sizeof why);
	return s->input != NULL ? cli_wasi_init(s->arguments, &s->wasi) : cli_usage_error("--stdin %s: %s", input, why);
}

/* Checks options that need a schedule, or exclude one. The server checks the times. */
static int check_schedule(const session *s)
{
	static const struct {
		cli_option_id id;
		const char *name;
		bool belongs;
	} others[] = {{CLI_OPTION_ZONE, "zone", true},    {CLI_OPTION_OVERLAP, "overlap", true},
	              {CLI_OPTION_NAME, "name", true},    {CLI_OPTION_WAIT, "wait", false},
	              {CLI_OPTION_DELAY, "delay", false}, {CLI_OPTION_NOT_DURABLE, "not-durable", false}};
	bool has_schedule = is_given(s, CLI_OPTION_SCHEDULE);
	char path[CLI_SERVER_NAME_MAX + 32];
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (is_given(s, others[i].id) && others[i].belongs != has_schedule)
			return cli_usage_error("--%s %s --schedule", others[i].name,
			                       others[i].belongs ? "needs" : "does not go with");
	}
	const char *name = value_of(s, CLI_OPTION_NAME);
	return name != NULL ? cli_server_path("schedules", "schedule", name, path, sizeof path) : CLI_GO_ON;
}

static int check_arguments(session *s)
{
	uint64_t delay_us;
	const char *delay = value_of(s, CLI_OPTION_DELAY);
	int code = check_program(s);

	if (code == CLI_GO_ON)
		code = cli_check_params(s->arguments);
	if (code == CLI_GO_ON)
		code = cli_check_hosts(&s->arguments->lists[CLI_OPTION_ALLOW_FETCH]);
	if (code == CLI_GO_ON)
		code = check_number(s, CLI_OPTION_PRIORITY, "priority", 9);
	if (code == CLI_GO_ON)
		code = check_number(s, CLI_OPTION_RETRY, "retry", 10);
	if (code == CLI_GO_ON)
		code = check_key(s);
	if (code == CLI_GO_ON)
		code = read_data(s);
	if (code != CLI_GO_ON)
		return code;
	if (delay != NULL && !config_parse_duration(delay, &delay_us))
		return cli_usage_error("--delay %s: must be a duration with its unit, such as 5s", delay);
	if (is_given(s, CLI_OPTION_WEBHOOK_SECRET) && !is_given(s, CLI_OPTION_WEBHOOK))
		return cli_usage_error("--webhook-secret %s needs --webhook", value_of(s, CLI_OPTION_WEBHOOK_SECRET));
	code = check_schedule(s);
	if (code != CLI_GO_ON)
		return code;
	if (is_given(s, CLI_OPTION_PRINT) && !is_given(s, CLI_OPTION_WAIT))
		return cli_usage_error("--print needs --wait");
	return CLI_GO_ON;
}

/* ---- What is sent ---------------------------------------------------------------------------------------- */

static const char *language_of(const session *s)
{
	bool is_named = is_given(s, CLI_OPTION_LANG) && s->source.language != CURFEW_LANGUAGE_BUNDLE;
	return is_named ? value_of(s, CLI_OPTION_LANG) : curfew_language_name(s->source.language);
}

/* Send the program's imports along. */
static int bundle(session *s)
{
	curfew_failure failure = {.message = ""};
	s->source.has_node = is_given(s, CLI_OPTION_NODE);
	if (!cli_source_set_imports(&s->source, s->arguments->program, s->arguments, &failure))
		return cli_usage_error("%s", failure.message);
	return cli_bundle(&s->source);
}

static int read_source(session *s)
{
	curfew_failure failure;
	if (s->stored != NULL)
		return CLI_GO_ON;
	if (!cli_source_read(s->arguments->program, value_of(s, CLI_OPTION_LANG), &s->source, &failure))
		cli_say("%s", failure.message);
	else if (s->source.is_image)
		cli_say("%s is an image, which only curfew run takes: submit its source", s->arguments->program);
	else
		return bundle(s);
	return CLI_EXIT_BAD_PROGRAM;
}

/* The server knows the kind of a stored program. */
static int ask_language(session *s, bool *is_js)
{
	char path[64 + 3 * NAME_LENGTH_MAX], what[192], language[16];
	cli_http_answer answer = {0};
	char *name = cli_http_escape(s->stored);
	(void)snprintf(path, sizeof path, "/v1/programs/%s", name != NULL ? name : "");
	(void)snprintf(what, sizeof what, "program %s", s->stored);
	const cli_http_request request = {.method = "GET", .path = path, .silence_ms = SILENCE_MS};
	int code = cli_server_ask(&s->server, s->http, &request, what, &answer);
	cli_json_line(cli_json_member(cli_json(&answer), "lang"), language, sizeof language);
	*is_js = strcmp(language, "wasm") != 0 && strcmp(language, "wat") != 0;
	cli_http_answer_finish(&answer);
	free(name);
	return code;
}

/* Sets the options that depend on the language. */
static int make_params(session *s)
{
	bool is_js = s->stored != NULL || !cli_language_is_wasm(s->source.language);
	bool is_asked = s->stored != NULL && (s->arguments->fuel_time_ns > 0 || s->arguments->rest_count > 0);
	int code = is_asked ? ask_language(s, &is_js) : CLI_GO_ON;
	if (code != CLI_GO_ON)
		return code;
	s->own = *s->arguments;
	s->arguments = &s->own;
	s->has_args = !is_js && s->own.rest_count > 0;
	code = cli_server_apply_fuel(&s->server, s->http, s->arguments, is_js, &s->own.limits);
	return code != CLI_GO_ON ? code : cli_make_params(s->arguments, is_js, &s->params, &s->params_length);
}

static void add_name(text *body, const char *name)
{
	if (body->length > 1)
		text_say(body, ",");
	text_print(body, "\"%s\":", name);
}

static void add_words(text *body, const char *name, const char *words)
{
	if (words == NULL)
		return;
	add_name(body, name);
	text_say_json(body, words);
}

/* A number that was checked before. */
static void add_number(text *body, const char *name, const char *words)
{
	uint64_t number = 0;
	if (words == NULL || !config_parse_amount(words, false, &number))
		return;
	add_name(body, name);
	text_print(body, "%u", (unsigned)number);
}

/* Adds JSON unchanged. */
static void add_plain(text *body, const char *name, const char *words)
{
	if (words == NULL)
		return;
	add_name(body, name);
	text_say(body, words);
}

static void add_source(session *s)
{
	const cli_source *source = &s->source;
	add_words(&s->body, "lang", language_of(s));
	add_name(&s->body, "source");
	if (strcmp(language_of(s), "wasm") != 0 && strcmp(language_of(s), "tar") != 0) {
		text_add_json(&s->body, source->text, source->length);
		return;
	}
	size_t room = sodium_base64_ENCODED_LEN(source->length, sodium_base64_VARIANT_ORIGINAL);
	char *encoded = malloc(room);
	if (encoded == NULL) {
		s->body.failed = true;
		return;
	}
	(void)sodium_bin2base64(encoded, room, (const unsigned char *)source->text, source->length,
	                        sodium_base64_VARIANT_ORIGINAL);
	text_say_json(&s->body, encoded);
	free(encoded);
}

static void add_args(session *s)
{
	add_name(&s->body, "args");
	for (size_t i = 0; i < s->arguments->rest_count; i++) {
		text_say(&s->body, i > 0 ? "," : "[");
		text_say_json(&s->body, s->arguments->rest[i]);
	}
	text_say(&s->body, "]");
}

/* Adds the limits that were given. */
static void add_limits(session *s)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	bool is_first = true;
	add_name(&s->body, "limits");
	text_say(&s->body, "{");
	for (size_t i = 0; i < count; i++) {
		char words[32];
		uint64_t value = curfew_limits_get(&s->arguments->limits, &table[i]);
		if (value == 0)
			continue;
		curfew_limit_format(&table[i], value, words, sizeof words);
		text_print(&s->body, "%s\"%s\":\"%s\"", is_first ? "" : ",", table[i].name, words);
		is_first = false;
	}
	text_say(&s->body, "}");
}

static void add_list(session *s, const char *name, const cli_list *list)
{
	if (list->count == 0)
		return;
	add_name(&s->body, name);
	text_say(&s->body, "[");
	for (size_t i = 0; i < list->count; i++) {
		text_say(&s->body, i > 0 ? "," : "");
		text_say_json(&s->body, list->items[i]);
	}
	text_say(&s->body, "]");
}

/* Adds the program's environment, standard input and files. */
static void add_data(session *s)
{
	text *body = &s->body;

	for (size_t i = 0; i < s->wasi.env_count; i++) {
		const char *item = s->wasi.env[i], *equals = strchr(item, '=');
		if (i == 0)
			add_name(body, "env");
		text_say(body, i > 0 ? "," : "{");
		text_add_json(body, item, (size_t)(equals - item));
		text_say(body, ":");
		text_say_json(body, equals + 1);
	}

	text_say(body, s->wasi.env_count > 0 ? "}" : "");
	add_words(body, "timezone", value_of(s, CLI_OPTION_TIMEZONE));
	add_plain(body, "files", s->files);
	if (s->input == NULL)
		return;
	char *json = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&json, &length);
	if (out != NULL) {
		cli_write_json_bytes(out, s->input, s->input_length);
		(void)fclose(out);
	}

	body->failed = body->failed || json == NULL;
	add_plain(body, "stdin", json);
	free(json);
}

static void add_webhook(session *s)
{
	if (!is_given(s, CLI_OPTION_WEBHOOK))
		return;
	add_name(&s->body, "webhook");
	text_say(&s->body, "{\"url\":");
	text_say_json(&s->body, value_of(s, CLI_OPTION_WEBHOOK));
	text_say(&s->body, ",\"secret\":");
	text_say_json(&s->body, value_of(s, CLI_OPTION_WEBHOOK_SECRET));
	text_say(&s->body, "}");
}

static void make_body(session *s)
{
	text *body = &s->body;

	text_init(body, BODY_MAX);
	text_say(body, "{");
	add_words(body, "program", s->stored);
	if (s->stored == NULL)
		add_source(s);
	add_words(body, "call", value_of(s, CLI_OPTION_CALL));
	add_plain(body, "params", s->params);
	if (s->has_args)
		add_args(s);
	add_data(s);
	add_words(body, "user", value_of(s, CLI_OPTION_USER));
	add_list(s, "allow_fetch", &s->arguments->lists[CLI_OPTION_ALLOW_FETCH]);
	add_list(s, "secret_for", &s->arguments->lists[CLI_OPTION_SECRET_FOR]);
	add_words(body, "delay", value_of(s, CLI_OPTION_DELAY));
	add_words(body, "schedule", value_of(s, CLI_OPTION_SCHEDULE));
	add_words(body, "zone", value_of(s, CLI_OPTION_ZONE));
	add_words(body, "overlap", value_of(s, CLI_OPTION_OVERLAP));
	add_webhook(s);
	add_number(body, "priority", value_of(s, CLI_OPTION_PRIORITY));
	add_number(body, "retry", value_of(s, CLI_OPTION_RETRY));
	add_plain(body, "deterministic", is_given(s, CLI_OPTION_DETERMINISTIC) ? "true" : NULL);
	add_plain(body, "durable", is_given(s, CLI_OPTION_NOT_DURABLE) ? "false" : NULL);
	add_limits(s);
	text_say(body, "}");
}

static void make_header(session *s)
{
	char id[CLI_ID_LENGTH + 1];
	const char *key = value_of(s, CLI_OPTION_IDEMPOTENCY_KEY);
	curfew_id_create(id);
	(void)snprintf(s->header, sizeof s->header, "Idempotency-Key: %s", key != NULL ? key : id);
}

/* ---- Sending --------------------------------------------------------------------------------------------- */

static bool is_full(cli_http_result result, const cli_http_answer *answer)
{
	return result == CLI_HTTP_ANSWERED && (answer->status == 429 || answer->status == 503);
}

/* Whether to send it again, after a pause. The Idempotency-Key makes that safe. */
static bool wait_to_send(const session *s, cli_http_result result, const cli_http_answer *answer, uint64_t end_ms,
                         unsigned *tries)
{
	bool is_cut = result == CLI_HTTP_CUT || result == CLI_HTTP_SILENT || (result == CLI_HTTP_UNREACHABLE && *tries > 0);
	uint64_t now = (uint64_t)clock_now_ms(),
			 pause_ms = answer->retry_after_s > 0 ? answer->retry_after_s * UINT64_C(1000) : PAUSE_MS;
	if ((!is_cut && !is_full(result, answer)) || now + pause_ms > end_ms)
		return false;
	if (*tries == 0 && !is_given(s, CLI_OPTION_QUIET)) {
		char detail[200];
		cli_json_line(cli_json_member(cli_json(answer), "detail"), detail, sizeof detail);
		cli_say("%s: %s; trying again for up to %d s", s->server.url, is_cut ? answer->message : detail,
		        PATIENCE_MS / 1000);
	}
	++*tries;
	(void)poll(NULL, 0, (int)pause_ms);
	return true;
}

/* Submits a schedule in place of a run. */
static int take_schedule(session *s, const cli_http_answer *answer)
{
	cli_json_line(cli_json_member(cli_json(answer), "name"), s->name, sizeof s->name);
	if (s->name[0] != '\0')
		return CLI_GO_ON;
	cli_say("%s stored the schedule, but did not send its name", s->server.url);
	return CLI_EXIT_INTERNAL;
}

static int take_id(session *s, const cli_http_answer *answer)
{
	if (is_given(s, CLI_OPTION_SCHEDULE))
		return take_schedule(s, answer);
	cli_json_line(cli_json_member(cli_json(answer), "id"), s->id, sizeof s->id);
	if (strlen(s->id) == CLI_ID_LENGTH)
		return CLI_GO_ON;
	cli_say("%s accepted the run, but did not send its id", s->server.url);
	return CLI_EXIT_INTERNAL;
}

static int fail_submission(const session *s, cli_http_result result, const cli_http_answer *answer)
{
	char what[192];
	(void)snprintf(what, sizeof what, "program %s", s->stored != NULL ? s->stored : "");
	int code = cli_server_fail(&s->server, result, answer, s->stored != NULL ? what : NULL);
	return code == CLI_EXIT_FAILED ? CLI_EXIT_BAD_PROGRAM : code;
}

static int post(session *s)
{
	uint64_t end_ms = (uint64_t)clock_now_ms() + PATIENCE_MS;
	unsigned tries = 0;
	int code;
	char path[CLI_SERVER_NAME_MAX + 32] = "/v1/runs";
	const char *name = value_of(s, CLI_OPTION_NAME);

	if (name != NULL)
		(void)cli_server_path("schedules", "schedule", name, path, sizeof path);
	const cli_http_request request = {
		.method = name != NULL ? "PUT" : "POST",
		.path = path,
		.type = "application/json",
		.body = s->body.data,
		.body_length = s->body.length,
		.header = s->header,
		.silence_ms = SILENCE_MS,
	};

	for (bool again = true; again;) {
		cli_http_answer answer;
		cli_http_result result = cli_http_exchange(s->http, &request, &answer);
		bool accepted = result == CLI_HTTP_ANSWERED && answer.status >= 200 && answer.status < 300;
		again = !accepted && wait_to_send(s, result, &answer, end_ms, &tries);
		code = accepted ? take_id(s, &answer) : again ? CLI_GO_ON : fail_submission(s, result, &answer);
		cli_http_answer_finish(&answer);
	}

	return code;
}

static int submit(session *s)
{
	int code = read_source(s);
	if (code == CLI_GO_ON)
		code = make_params(s);
	if (code != CLI_GO_ON)
		return code;
	make_header(s);
	make_body(s);
	if (!s->body.failed)
		return post(s);
	cli_say("out of memory");
	return CLI_EXIT_INTERNAL;
}

/* ---- After that ------------------------------------------------------------------------------------------ */

static int print_id(const session *s)
{
	char words[CLI_SERVER_NAME_MAX + 32];
	if (is_given(s, CLI_OPTION_SCHEDULE)) {
		int used = snprintf(words, sizeof words, is_given(s, CLI_OPTION_JSON) ? "{\"name\":\"%s\"}\n" : "%s\n",
		                    s->name);
		return cli_print(words, (size_t)used);
	}
	int length = snprintf(words, sizeof words, is_given(s, CLI_OPTION_JSON) ? "{\"id\":\"%s\"}\n" : "%s\n", s->id);
	return cli_print(words, (size_t)length);
}

/* Reports a stop as curfew run does, with the file's own name and the line of a syntax error. */
static void report_stop(const session *s, curfew_report *report)
{
	static const char usual[] = "source.";
	curfew_report shown;
	bool is_text = !cli_language_is_wasm(s->source.language) && s->source.language != CURFEW_LANGUAGE_BUNDLE;
	if (s->stored == NULL && is_text)
		(void)curfew_report_set_source(report, s->source.text, s->source.length);
	shown = *report;
	curfew_frame *frames = calloc(report->frame_count + 1, sizeof *frames);
	for (size_t i = 0; frames != NULL && i < report->frame_count; i++) {
		frames[i] = report->frames[i];
		if (s->stored == NULL && frames[i].file != NULL && strncmp(frames[i].file, usual, sizeof usual - 1) == 0)
			frames[i].file = s->source.name;
	}
	shown.frames = frames != NULL ? frames : report->frames;
	cli_report_lines(&shown);
	free(frames);
}

static int deliver(const session *s, const cli_followed *followed)
{
	curfew_report *report = followed->report;
	bool finished = report->outcome == CURFEW_OUTCOME_FINISHED, json = is_given(s, CLI_OPTION_JSON);
	int code = CLI_EXIT_OK;
	if (json)
		code = cli_print(followed->json, followed->json_length);
	if (json && code == CLI_EXIT_OK)
		code = cli_print("\n", 1);
	if (!json && finished && is_given(s, CLI_OPTION_PRINT) && followed->output_error == 0)
		code = cli_print_value(report);
	bool own_end = finished || report->outcome == CURFEW_OUTCOME_EXITED;
	if (!json && !is_given(s, CLI_OPTION_QUIET) && !own_end)
		report_stop(s, report);
	int output_code = cli_followed_check(followed);
	if (output_code >= 0)
		return output_code;
	return code != CLI_EXIT_OK ? code : cli_exit_of(report);
}

static int wait_for_end(session *s)
{
	const cli_follow_options options = {
		.server = &s->server,
		.id = s->id,
		.kind = is_given(s, CLI_OPTION_JSON) ? CLI_FOLLOW_END : CLI_FOLLOW_OUTPUT,
		.quiet = is_given(s, CLI_OPTION_QUIET),
		.cancels = true,
	};
	cli_followed followed;
	int code = cli_follow(&options, &followed);

	if (code != CLI_GO_ON) {
		/* Exit code 1 is for programs that threw. */
		code = code == CLI_EXIT_FAILED ? CLI_EXIT_INTERNAL : code;
	} else if (followed.report != NULL) {
		code = deliver(s, &followed);
	} else {
		cli_say("left run %s, which was asked to end; to follow it: curfew logs -f %s", s->id, s->id);
		code = curfew_outcome_exit_code(CURFEW_OUTCOME_CANCELLED);
	}

	cli_followed_finish(&followed);
	return code;
}

static int execute(session *s)
{
	s->http = cli_server_connect(&s->server, -1);
	int code = s->http != NULL ? submit(s) : CLI_EXIT_INTERNAL;
	if (code != CLI_GO_ON)
		return code;
	return is_given(s, CLI_OPTION_WAIT) ? wait_for_end(s) : print_id(s);
}

int cli_submit(const cli_arguments *arguments)
{
	session s = {.arguments = arguments, .stored = arguments->values[CLI_OPTION_PROGRAM]};
	int code = check_arguments(&s);
	if (code == CLI_GO_ON)
		code = cli_server_init(arguments, &s.server);
	if (code == CLI_GO_ON)
		code = execute(&s);
	cli_http_destroy(s.http);
	cli_source_finish(&s.source);
	text_finish(&s.body);
	free(s.params);
	cli_wasi_finish(&s.wasi);
	free(s.files);
	free(s.input);
	cli_server_finish(&s.server);
	return code;
}
