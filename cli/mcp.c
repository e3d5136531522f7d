/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curfew mcp: a server of the Model Context Protocol on standard input and output, with one tool, which runs a program.
 * Messages are JSON-RPC, one in a line. Each call is a run of its own, so calls proceed at once and can be cancelled.
 * The main thread reads and writes; a run that has ended wakes it through a pipe.
 */
#include "commands.h"
#include "say.h"

#include "common/json_scan.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES_MAX ((size_t)64 << 20)
#define ANSWER_BYTES_MAX ((size_t)4 << 30)
#define CALLS_MAX 64

enum {
	PARSE_ERROR = -32700,
	INVALID_REQUEST = -32600,
	UNKNOWN_METHOD = -32601,
	INVALID_PARAMS = -32602,
	INTERNAL = -32603
};

/* Versions of the protocol, the newest first. */
static const char *const versions[] = {"2025-06-18", "2025-03-26", "2024-11-05"};

/* A call of the tool in progress. */
typedef struct call {
	struct call *next;
	char *id; /* of the request, as it was written */
	size_t id_length;
	curfew_program *program;
	curfew_run *run;
	bool is_cancelled; /* its client expects no answer */
} call;

typedef struct mcp {
	const cli_arguments *arguments;
	cli_given given;
	curfew_limits most; /* of a call, resolved */
	curfew_engine *engine;
	int wake[2];
	call *calls;
	size_t call_count;
	char *input; /* the lines that were read and not handled yet */
	size_t length, capacity;
	int exit_code; /* CLI_GO_ON: continue */
} mcp;

/* A message that was received. Members that it does not have have no data. */
typedef struct message {
	span id, method, params;
} message;

/* ---- Answers --------------------------------------------------------------------------------------------- */

static void begin_answer(text *t, span id)
{
	text_init(t, ANSWER_BYTES_MAX);
	text_say(t, "{\"jsonrpc\":\"2.0\",\"id\":");
	if (id.data != NULL)
		text_add(t, id.data, id.len);
	else
		text_say(t, "null");
}

/* Writes the answer, and finishes it. */
static void send_answer(mcp *m, text *t)
{
	size_t length;
	text_say(t, "}\n");
	char *line = text_take(t, &length);
	if (line == NULL) {
		cli_say("out of memory for an answer");
		m->exit_code = CLI_EXIT_INTERNAL;
		return;
	}
	int code = cli_print(line, length);
	if (code != CLI_EXIT_OK)
		m->exit_code = code;
	free(line);
}

static void answer_error(mcp *m, span id, int code, const char *words)
{
	text t;
	begin_answer(&t, id);
	text_print(&t, ",\"error\":{\"code\":%d,\"message\":", code);
	text_say_json(&t, words);
	text_say(&t, "}");
	send_answer(m, &t);
}

static void answer_result(mcp *m, span id, const char *json)
{
	text t;
	begin_answer(&t, id);
	text_say(&t, ",\"result\":");
	text_say(&t, json);
	send_answer(m, &t);
}

/* ---- Parts of a message ---------------------------------------------------------------------------------- */

static span member(span object, const char *name)
{
	return object.data != NULL ? scan_member(object.data, object.len, name) : (span){0};
}

/* Whether there is such a string. */
static bool is_name(span value, const char *name)
{
	return value.data != NULL && scan_is_name(value, name);
}

static bool is_kind(span value, char first)
{
	return value.data != NULL && value.len > 0 && value.data[0] == first;
}

static bool is_same(span a, const char *b, size_t length)
{
	return a.data != NULL && a.len == length && memcmp(a.data, b, length) == 0;
}

/* ---- Calls ----------------------------------------------------------------------------------------------- */

static void free_call(call *c)
{
	curfew_run_destroy(c->run);
	curfew_program_destroy(c->program);
	free(c->id);
	free(c);
}

static void on_done(void *context, curfew_run *run)
{
	mcp *m = context;
	(void)run;
	/* If the pipe is full, the main thread will wake anyway. */
	(void)!write(m->wake[1], "", 1);
}

static void add_part(text *t, const char *title, const char *words, size_t length)
{
	if (length == 0)
		return;
	text_say(t, title);
	text_add(t, words, length);
	if (words[length - 1] != '\n')
		text_say(t, "\n");
}

/* What a model reads: output, value, and how it ended if it did not finish. */
static void describe(const curfew_report *report, text *t)
{
	char *lines = NULL;
	size_t length = 0;
	bool finished = report->outcome == CURFEW_OUTCOME_FINISHED;
	add_part(t, "", report->stdout_text, report->stdout_length);
	add_part(t, "stderr:\n", report->stderr_text, report->stderr_length);
	if (finished && report->value != NULL)
		add_part(t, "value: ", report->value, strlen(report->value));
	if (finished && report->value_note != NULL)
		add_part(t, report->value != NULL ? "note: " : "value: null: ", report->value_note, strlen(report->value_note));
	if (!finished && curfew_report_to_text(report, false, &lines, &length) == CURFEW_OK)
		add_part(t, "", lines, length);
	curfew_free(lines);
	if (t->length == 0)
		text_say(t, "no output and no value\n");
}

static void answer_call(mcp *m, const call *c)
{
	const curfew_report *report = curfew_run_wait(c->run);
	char *json = NULL, *shown;
	size_t length = 0, shown_length = 0;
	text t, words;

	text_init(&words, ANSWER_BYTES_MAX);
	describe(report, &words);
	shown = text_take(&words, &shown_length);
	if (shown == NULL || curfew_report_to_json(report, &json, &length) != CURFEW_OK) {
		answer_error(m, (span){c->id, c->id_length}, INTERNAL, "out of memory for the report");
	} else {
		begin_answer(&t, (span){c->id, c->id_length});
		text_say(&t, ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
		text_add_json(&t, shown, shown_length);
		text_say(&t, "}],\"structuredContent\":");
		text_add(&t, json, length);
		text_print(&t, ",\"isError\":%s}", report->outcome == CURFEW_OUTCOME_FINISHED ? "false" : "true");
		send_answer(m, &t);
	}
	free(shown);
	curfew_free(json);
}

/* Answers the calls whose runs have ended. */
static void reap(mcp *m)
{
	for (call **at = &m->calls; *at != NULL;) {
		call *c = *at;
		if (curfew_run_get_report(c->run) == NULL) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		m->call_count--;
		if (!c->is_cancelled)
			answer_call(m, c);
		free_call(c);
	}
}

/* ---- Beginning a call ------------------------------------------------------------------------------------ */

/* The arguments of a call. */
typedef struct request {
	char *source, *call, *params;
	size_t source_length, params_length;
	curfew_language language;
	curfew_limits limits;
	char why[512]; /* what is wrong with them; "": nothing */
} request;

static void free_request(request *q)
{
	free(q->source);
	free(q->call);
	free(q->params);
}

static void refuse(request *q, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void refuse(request *q, const char *format, ...)
{
	va_list arguments;
	if (q->why[0] != '\0')
		return;
	va_start(arguments, format);
	(void)vsnprintf(q->why, sizeof q->why, format, arguments);
	va_end(arguments);
}

static const curfew_limit_info *find_limit(span key)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "%s", table[i].name);
		if (is_name(key, name))
			return &table[i];
		for (char *at = name; *at != '\0'; at++)
			*at = *at == '-' ? '_' : *at;
		if (is_name(key, name))
			return &table[i];
	}
	return NULL;
}

/* A string as for the option, or a number. */
static void take_limit(const mcp *m, request *q, span key, span value)
{
	const curfew_limit_info *info = find_limit(key);
	curfew_failure failure;
	char most[32];
	size_t length;
	bool is_number = value.len > 0 && value.data[0] >= '0' && value.data[0] <= '9';
	char *given = is_number ? text_copy(value.data, value.len) : scan_copy(value, &length);
	if (info == NULL)
		refuse(q, "limits: %.*s is not a limit", (int)(key.len < 64 ? key.len : 64), key.data);
	else if (given == NULL)
		refuse(q, "limits: %s must be a string as for curfew run, such as \"300ms\"", info->name);
	else if (curfew_limits_set(&q->limits, info->name, given, &failure) != CURFEW_OK)
		refuse(q, "limits: %s", failure.message);
	if (q->why[0] == '\0' && curfew_limits_get(&q->limits, info) > curfew_limits_get(&m->most, info)) {
		curfew_limit_format(info, curfew_limits_get(&m->most, info), most, sizeof most);
		refuse(q, "limits: %s %.40s: this server allows at most %s", info->name, given, most);
	}
	free(given);
}

static void take_limits(const mcp *m, request *q, span limits)
{
	scan_object members = scan_begin(limits.data, limits.len);
	span key, value;
	if (!is_kind(limits, '{'))
		refuse(q, "limits must be an object");
	while (q->why[0] == '\0' && scan_next(&members, &key, &value) == 1)
		take_limit(m, q, key, value);
}

static void take_language(request *q, span lang)
{
	static const char known[] = "js, mjs, ts, mts or wat";
	for (int i = 0; curfew_language_name((curfew_language)i) != NULL; i++) {
		const char *name = curfew_language_name((curfew_language)i);
		if (is_name(lang, name) && strstr(known, name) != NULL) {
			q->language = (curfew_language)i;
			return;
		}
	}
	refuse(q, "lang must be %s", known);
}

static void take_params(request *q, span params)
{
	curfew_failure failure;
	q->params = text_copy(params.data, params.len);
	q->params_length = params.len;
	if (q->params == NULL)
		refuse(q, "out of memory");
	else if (curfew_params_check(q->params, q->params_length, &failure) != CURFEW_OK)
		refuse(q, "%s", failure.message);
}

static void take_argument(const mcp *m, request *q, span key, span value)
{
	if (is_name(key, "source")) {
		free(q->source);
		q->source = scan_copy(value, &q->source_length);
		if (q->source == NULL)
			refuse(q, "source must be a string");
	} else if (is_name(key, "call")) {
		free(q->call);
		size_t length = 0;
		q->call = scan_copy(value, &length);
		if (q->call == NULL || strlen(q->call) != length)
			refuse(q, "call must be the name of a function");
	} else if (is_name(key, "params")) {
		free(q->params);
		take_params(q, value);
	} else if (is_name(key, "lang")) {
		take_language(q, value);
	} else if (is_name(key, "limits")) {
		take_limits(m, q, value);
	} else {
		refuse(q, "%.*s is not an argument of run", (int)(key.len < 64 ? key.len : 64), key.data);
	}
}

static void read_request(const mcp *m, request *q, span arguments)
{
	*q = (request){.limits = m->arguments->limits, .language = CURFEW_LANGUAGE_JS};
	if (!is_kind(arguments, '{'))
		return refuse(q, "arguments must be an object with source");
	scan_object members = scan_begin(arguments.data, arguments.len);
	span key, value;
	while (q->why[0] == '\0' && scan_next(&members, &key, &value) == 1)
		take_argument(m, q, key, value);
	if (q->source == NULL)
		refuse(q, "source is missing");
}

static curfew_status start_run(mcp *m, const request *q, call *c, curfew_failure *failure)
{
	char name[32];
	(void)snprintf(name, sizeof name, "program.%s", curfew_language_name(q->language));
	const curfew_source source = {
		.size = sizeof source,
		.language = q->language,
		.name = name,
		.text = q->source,
		.text_length = q->source_length,
		.flags = CURFEW_SOURCE_ONCE | (m->arguments->values[CLI_OPTION_NODE] != NULL ? CURFEW_SOURCE_NODE : 0),
	};
	curfew_run_options options = {
		.size = sizeof options,
		.limits = &q->limits,
		.call = q->call,
		.params = q->params,
		.params_length = q->params_length,
		.on_done = on_done,
		.on_done_context = m,
	};
	cli_given_put(&m->given, m->arguments, &options);
	curfew_status status = curfew_program_create(m->engine, &source, &c->program, failure);
	return status == CURFEW_OK ? curfew_run_start(c->program, &options, &c->run, failure) : status;
}

static void begin_call(mcp *m, span id, const request *q)
{
	curfew_failure failure = {.message = ""};
	call *c = calloc(1, sizeof *c);
	if (c == NULL || (c->id = text_copy(id.data, id.len)) == NULL) {
		free(c);
		return answer_error(m, id, INTERNAL, "out of memory");
	}
	c->id_length = id.len;
	curfew_status status = start_run(m, q, c, &failure);
	if (status == CURFEW_OK) {
		c->next = m->calls;
		m->calls = c;
		m->call_count++;
		return;
	}
	answer_error(m, id, cli_is_program_fault(status) ? INVALID_PARAMS : INTERNAL,
	             failure.message[0] != '\0' ? failure.message : curfew_status_text(status));
	free_call(c);
}

static void call_tool(mcp *m, const message *given)
{
	request q;
	if (!is_name(member(given->params, "name"), "run"))
		return answer_error(m, given->id, INVALID_PARAMS, "there is no such tool; the only one is run");
	if (m->call_count >= CALLS_MAX)
		return answer_error(m, given->id, INTERNAL, "too many calls are in progress");
	read_request(m, &q, member(given->params, "arguments"));
	if (q.why[0] != '\0')
		answer_error(m, given->id, INVALID_PARAMS, q.why);
	else
		begin_call(m, given->id, &q);
	free_request(&q);
}

/* ---- The other methods ----------------------------------------------------------------------------------- */

static void initialize(mcp *m, const message *given)
{
	span asked = member(given->params, "protocolVersion");
	const char *version = versions[0];
	text t;
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		if (is_name(asked, versions[i]))
			version = versions[i];
	}
	begin_answer(&t, given->id);
	text_print(&t,
	           ",\"result\":{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{\"listChanged\":false}},"
	           "\"serverInfo\":{\"name\":\"curfew\",\"title\":\"Curfew\",\"version\":\"" CURFEW_VERSION "\"}}",
	           version);
	send_answer(m, &t);
}

static void add_limits(const mcp *m, text *t)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		char most[32];
		curfew_limit_format(&table[i], curfew_limits_get(&m->most, &table[i]), most, sizeof most);
		text_print(t, "%s\"%s\":{\"type\":[\"string\",\"integer\"],\"description\":", i > 0 ? "," : "", table[i].name);
		char words[256];
		(void)snprintf(words, sizeof words, "%s; by default, and at most, %s", table[i].meaning, most);
		text_say_json(t, words);
		text_say(t, "}");
	}
}

static void list_tools(mcp *m, const message *given)
{
	bool fetches = m->arguments->lists[CLI_OPTION_ALLOW_FETCH].count > 0;
	text t;
	begin_answer(&t, given->id);
	text_say(&t, ",\"result\":{\"tools\":[{\"name\":\"run\",\"title\":\"Run a program\",\"description\":");
	text_say_json(
		&t, "Runs a program of JavaScript, TypeScript or WebAssembly text in a sandbox under hard limits, each time "
			"in fresh memory, and returns its output, its value and how it ended. The value of a script is "
			"its last expression, that of a module its default export, called with params if it is a "
			"function. It has no files and no network except for hosts that the server allows.");
	text_say(&t, ",\"inputSchema\":{\"type\":\"object\",\"required\":[\"source\"],\"additionalProperties\":false,"
	             "\"properties\":{\"source\":{\"type\":\"string\",\"description\":\"the program's text\"},"
	             "\"lang\":{\"type\":\"string\",\"enum\":[\"js\",\"mjs\",\"ts\",\"mts\",\"wat\"],\"default\":\"js\","
	             "\"description\":\"js: a script or a module, by its syntax\"},"
	             "\"call\":{\"type\":\"string\",\"description\":\"an exported or global function to call\"},"
	             "\"params\":{\"type\":\"array\",\"description\":\"the arguments of the call, and curfew.params\"},"
	             "\"limits\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	add_limits(m, &t);
	text_print(&t,
	           "}}}},\"annotations\":{\"readOnlyHint\":%s,\"destructiveHint\":false,\"idempotentHint\":false,"
	           "\"openWorldHint\":%s}}]}",
	           fetches ? "false" : "true", fetches ? "true" : "false");
	send_answer(m, &t);
}

static void cancel_call(mcp *m, const message *given)
{
	span id = member(given->params, "requestId");
	for (call *c = m->calls; c != NULL; c = c->next) {
		if (!is_same(id, c->id, c->id_length))
			continue;
		c->is_cancelled = true;
		curfew_run_cancel(c->run);
	}
}

/* ---- Messages -------------------------------------------------------------------------------------------- */

static void handle_request(mcp *m, const message *given)
{
	if (is_name(given->method, "initialize"))
		initialize(m, given);
	else if (is_name(given->method, "ping"))
		answer_result(m, given->id, "{}");
	else if (is_name(given->method, "tools/list"))
		list_tools(m, given);
	else if (is_name(given->method, "tools/call"))
		call_tool(m, given);
	else
		answer_error(m, given->id, UNKNOWN_METHOD, "there is no such method");
}

/* Whether the id is in use by a call in progress: then its answer could not be told apart. */
static bool is_in_use(const mcp *m, span id)
{
	for (const call *c = m->calls; c != NULL; c = c->next) {
		if (!c->is_cancelled && is_same(id, c->id, c->id_length))
			return true;
	}
	return false;
}

static void handle_line(mcp *m, const char *line, size_t length)
{
	span whole = {line, length}, none = {0};
	while (whole.len > 0 && strchr(" \t\r", whole.data[whole.len - 1]) != NULL)
		whole.len--;
	while (whole.len > 0 && strchr(" \t\r", whole.data[0]) != NULL)
		whole.data++, whole.len--;
	if (whole.len == 0)
		return;
	if (!scan_is_json(whole.data, whole.len))
		return answer_error(m, none, PARSE_ERROR, "the message is not JSON");
	message given = {member(whole, "id"), member(whole, "method"), member(whole, "params")};
	bool has_id = given.id.data != NULL;
	bool good_id = is_kind(given.id, '"') || (has_id && strchr("-0123456789", given.id.data[0]) != NULL);
	if (!is_kind(whole, '{') || !is_name(member(whole, "jsonrpc"), "2.0") || (has_id && !good_id))
		return answer_error(m, good_id ? given.id : none, INVALID_REQUEST, "the message is not a JSON-RPC 2.0 request");
	/* An answer: this server asks nothing. */
	if (given.method.data == NULL && (member(whole, "result").data != NULL || member(whole, "error").data != NULL))
		return;
	if (!is_kind(given.method, '"') || (given.params.data != NULL && !is_kind(given.params, '{')))
		return answer_error(m, given.id, INVALID_REQUEST, "method must be a string, and params an object");
	if (has_id && is_in_use(m, given.id))
		return answer_error(m, given.id, INVALID_REQUEST, "a request of that id is in progress");
	if (has_id)
		handle_request(m, &given);
	else if (is_name(given.method, "notifications/cancelled"))
		cancel_call(m, &given);
}

/* ---- The loop -------------------------------------------------------------------------------------------- */

static void handle_lines(mcp *m)
{
	size_t from = 0;
	char *end;
	while (m->exit_code == CLI_GO_ON && (end = memchr(m->input + from, '\n', m->length - from)) != NULL) {
		size_t to = (size_t)(end - m->input);
		handle_line(m, m->input + from, to - from);
		from = to + 1;
	}
	memmove(m->input, m->input + from, m->length - from);
	m->length -= from;
}

/* False: the input has ended. */
static bool read_more(mcp *m)
{
	if (m->length == m->capacity) {
		size_t capacity = m->capacity > 0 ? m->capacity * 2 : 65536;
		char *input = capacity <= LINE_BYTES_MAX ? realloc(m->input, capacity) : NULL;
		if (input == NULL) {
			cli_say("a message is too large");
			m->exit_code = CLI_EXIT_INTERNAL;
			return false;
		}
		m->input = input;
		m->capacity = capacity;
	}
	ssize_t got = read(STDIN_FILENO, m->input + m->length, m->capacity - m->length);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	m->length += (size_t)got;
	handle_lines(m);
	/* The last line may lack its end. */
	if (got == 0 && m->exit_code == CLI_GO_ON)
		handle_line(m, m->input, m->length);
	return got > 0;
}

/* After the end of the input the calls in progress are still answered. */
static int serve(mcp *m)
{
	bool is_open = true;
	while (m->exit_code == CLI_GO_ON && (is_open || m->calls != NULL)) {
		struct pollfd fds[] = {{.fd = m->wake[0], .events = POLLIN},
		                       {.fd = is_open ? STDIN_FILENO : -1, .events = POLLIN}};
		char bytes[64];
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return CLI_EXIT_INTERNAL;
		while (read(m->wake[0], bytes, sizeof bytes) > 0)
			;
		reap(m);
		if (fds[1].revents != 0)
			is_open = read_more(m);
	}
	return m->exit_code == CLI_GO_ON ? CLI_EXIT_OK : m->exit_code;
}

static int start(mcp *m)
{
	curfew_failure failure = {.message = ""};
	curfew_status status = curfew_limits_resolve(&m->arguments->limits, &m->most, &failure);
	if (status == CURFEW_OK)
		status = cli_engine_create(0, 0, &m->engine, &failure);
	if (status == CURFEW_OK && pipe2(m->wake, O_CLOEXEC | O_NONBLOCK) == 0)
		return serve(m);
	cli_say("%s", failure.message[0] != '\0' ? failure.message : strerror(errno));
	return CLI_EXIT_INTERNAL;
}

int cli_mcp(const cli_arguments *arguments)
{
	mcp m = {.arguments = arguments, .wake = {-1, -1}, .exit_code = CLI_GO_ON};
	int code = cli_given_init(arguments, &m.given);
	if (code == CLI_GO_ON)
		code = start(&m);
	while (m.calls != NULL) {
		call *c = m.calls;
		m.calls = c->next;
		free_call(c);
	}
	curfew_engine_destroy(m.engine);
	for (int i = 0; i < 2; i++) {
		if (m.wake[i] >= 0)
			(void)close(m.wake[i]);
	}
	cli_given_finish(&m.given);
	free(m.input);
	return code;
}
