/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curfew repl: evaluates what is typed, or piped in, as the cells of one session. Each cell has the limits of the
 * command line. A thread of its own waits for signals: at the prompt SIGINT drops what was typed, during a cell it
 * cancels the cell.
 */
#include "commands.h"
#include "say.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CELL_BYTES_MAX ((size_t)16 << 20) /* the library's */

typedef struct repl {
	const cli_arguments *arguments;
	cli_given given;
	cli_source source;
	curfew_engine *engine;
	curfew_program *program;
	curfew_session *session;
	curfew_limits each; /* of a cell */
	bool is_terminal;
	unsigned cells;
	char *typed; /* the cell so far: lines that are not complete yet */
	size_t length;
	int exit_code; /* CLI_GO_ON: continue */

	atomic_bool is_evaluating;
	atomic_bool was_interrupted; /* drop what was typed */
} repl;

/* ---- Output ---------------------------------------------------------------------------------------------- */

static void print(repl *r, const char *words)
{
	int code = cli_print(words, strlen(words));
	if (code != CLI_EXIT_OK)
		r->exit_code = code;
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	(void)context;
	if (kind == CURFEW_EVENT_STDOUT || kind == CURFEW_EVENT_STDERR)
		(void)cli_write(kind == CURFEW_EVENT_STDOUT ? STDOUT_FILENO : STDERR_FILENO, data, length, NULL);
}

static void show_prompt(repl *r)
{
	if (r->is_terminal)
		print(r, r->length > 0 ? "... " : "> ");
}

static void show_report(repl *r, const curfew_report *report)
{
	if (report->outcome == CURFEW_OUTCOME_EXITED) {
		r->exit_code = cli_exit_of(report);
	} else if (report->outcome != CURFEW_OUTCOME_FINISHED) {
		cli_report_lines(report);
	} else if (report->value_note != NULL || report->value != NULL) {
		int code = cli_print_value(report);
		if (code != CLI_EXIT_OK)
			r->exit_code = code;
	} else {
		print(r, "undefined\n");
	}
}

/* ---- Cells ----------------------------------------------------------------------------------------------- */

/* Whether the text is malformed only because it ends: more lines may complete it. */
static bool is_incomplete(const curfew_report *report, const char *text, size_t length)
{
	if (report->outcome != CURFEW_OUTCOME_BAD_PROGRAM || report->error_name == NULL ||
	    strcmp(report->error_name, "SyntaxError") != 0 || report->frame_count == 0)
		return false;
	const curfew_frame *place = &report->frames[0];
	uint32_t line = 1, column = 1;
	size_t at = 0;
	for (; at < length && (line < place->line || (line == place->line && column < place->column)); at++) {
		bool continues = at + 1 < length && ((unsigned char)text[at + 1] & 0xc0) == 0x80;
		column = text[at] == '\n' ? 1 : column + !continues;
		line += text[at] == '\n';
	}
	/* Comments and templates may have several lines, and the error is at the beginning. */
	const char *message = report->error_message != NULL ? report->error_message : "";
	return at == length || strcmp(message, "unexpected end of comment") == 0 ||
	       strcmp(message, "Unterminated template literal") == 0;
}

static void drop_typed(repl *r)
{
	r->length = 0;
}

/* is_last: no more lines will come. */
static void evaluate(repl *r, bool is_last)
{
	curfew_report *report = NULL;
	curfew_failure failure = {.message = ""};
	char name[32];

	if (!curfew_session_is_usable(r->session)) {
		cli_say("the state was lost: a new one begins");
		(void)curfew_session_reset(r->session, NULL);
	}
	(void)snprintf(name, sizeof name, "cell %u", r->cells + 1);
	atomic_store(&r->is_evaluating, true);
	curfew_status status = curfew_session_eval(r->session, name, r->typed, r->length, &r->each, &report, &failure);
	atomic_store(&r->is_evaluating, false);
	if (status != CURFEW_OK) {
		cli_say("%s", failure.message[0] != '\0' ? failure.message : curfew_status_text(status));
		if (!cli_is_program_fault(status))
			r->exit_code = CLI_EXIT_INTERNAL;
		return drop_typed(r);
	}
	if (is_last || !is_incomplete(report, r->typed, r->length)) {
		r->cells++;
		show_report(r, report);
		drop_typed(r);
	}
	curfew_report_destroy(report);
}

/* ---- Input ----------------------------------------------------------------------------------------------- */

static const char help_text[] =
	"Each line is a cell of JavaScript, with the limits of the command line. A cell that is not complete\n"
	"continues on the next line; an empty line ends it.\n"
	"  .help   print this\n"
	"  .limits print the limits of a cell\n"
	"  .reset  begin with a new state\n"
	"  .exit   leave, as does the end of the input\n"
	"SIGINT (^C) cancels the cell that runs, or drops what was typed.\n";

static void show_limits(repl *r)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		char value[32] = "", line[96];
		uint64_t limit = curfew_limits_get(&r->arguments->limits, &table[i]);
		curfew_limit_format(&table[i], limit != 0 ? limit : table[i].default_value, value, sizeof value);
		(void)snprintf(line, sizeof line, "  %-10s %s\n", table[i].name, value);
		print(r, line);
	}
}

static void obey(repl *r, const char *command)
{
	if (strcmp(command, ".exit") == 0)
		r->exit_code = CLI_EXIT_OK;
	else if (strcmp(command, ".help") == 0)
		print(r, help_text);
	else if (strcmp(command, ".limits") == 0)
		show_limits(r);
	else if (strcmp(command, ".reset") == 0)
		(void)curfew_session_reset(r->session, NULL);
	else
		cli_say("unknown command %s; .help lists them", command);
}

/* Appends a line to what was typed, on a line of its own. */
static bool append_line(repl *r, const char *line, size_t length)
{
	char *typed = realloc(r->typed, r->length + length + 2);
	if (typed == NULL)
		return false;
	r->typed = typed;
	if (r->length > 0)
		typed[r->length++] = '\n';
	memcpy(typed + r->length, line, length);
	r->length += length;
	typed[r->length] = '\0';
	return true;
}

static bool is_blank(const char *line)
{
	return line[strspn(line, " \t\r")] == '\0';
}

static void take_line(repl *r, char *line, size_t length)
{
	if (length > 0 && line[length - 1] == '\n')
		line[--length] = '\0';
	if (length > 0 && line[length - 1] == '\r')
		line[--length] = '\0';
	if (r->length == 0 && line[0] == '.' && line[1] >= 'a' && line[1] <= 'z')
		return obey(r, line);
	if (is_blank(line) && r->length == 0)
		return;
	/* An empty line ends a cell that is not complete, with the error that it has. Piped text may contain such lines. */
	bool ends = is_blank(line) && r->is_terminal;
	if (r->length + length >= CELL_BYTES_MAX || !append_line(r, line, length)) {
		cli_say("the cell is too large");
		return drop_typed(r);
	}
	evaluate(r, ends);
}

static int read_cells(repl *r)
{
	char *line = NULL;
	size_t capacity = 0;

	while (r->exit_code == CLI_GO_ON) {
		show_prompt(r);
		ssize_t length = r->exit_code == CLI_GO_ON ? getline(&line, &capacity, stdin) : -1;
		if (atomic_exchange(&r->was_interrupted, false))
			drop_typed(r);
		if (length < 0)
			break;
		take_line(r, line, (size_t)length);
	}
	free(line);
	if (r->exit_code == CLI_GO_ON && r->length > 0)
		evaluate(r, true);
	if (r->exit_code == CLI_GO_ON && r->is_terminal)
		print(r, "\n");
	return r->exit_code == CLI_GO_ON ? CLI_EXIT_OK : r->exit_code;
}

/* ---- Signals --------------------------------------------------------------------------------------------- */

static void fill_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGTERM);
}

static void *wait_for_signals(void *context)
{
	repl *r = context;
	sigset_t set;
	int number;
	fill_signals(&set);
	while (sigwait(&set, &number) == 0) {
		if (number == SIGTERM)
			_exit(128 + SIGTERM);
		if (atomic_load(&r->is_evaluating)) {
			(void)curfew_session_cancel(r->session);
			continue;
		}
		if (!r->is_terminal)
			_exit(128 + SIGINT);
		/* The thread that reads sees this with its next line. */
		atomic_store(&r->was_interrupted, true);
		static const char hint[] = "\n(.exit or ^D leaves)\n> ";
		(void)cli_write(STDOUT_FILENO, hint, sizeof hint - 1, NULL);
	}
	return NULL;
}

static int run_with_signals(repl *r)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, wait_for_signals, r) != 0) {
		cli_say("cannot start a thread: %s", strerror(errno));
		return CLI_EXIT_INTERNAL;
	}
	int code = read_cells(r);
	(void)pthread_cancel(thread);
	(void)pthread_join(thread, NULL);
	return code;
}

/* ---- The session ----------------------------------------------------------------------------------------- */

/* Memory and stack are the session's, everything else a cell's. */
static void divide_limits(repl *r, curfew_limits *all)
{
	const curfew_limits *given = &r->arguments->limits;
	*all = (curfew_limits){.size = sizeof *all, .memory_bytes = given->memory_bytes, .stack_bytes = given->stack_bytes};
	r->each = *given;
	r->each.memory_bytes = r->each.stack_bytes = 0;
	if (given->fuel == CURFEW_UNLIMITED)
		r->each.fuel = 0;
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	for (size_t i = 0; i < count; i++) {
		if (table[i].outcome == CURFEW_OUTCOME_FUEL && r->each.fuel != 0)
			all->fuel = table[i].ceiling;
	}
}

static curfew_status create(repl *r, curfew_failure *failure)
{
	curfew_limits all;
	curfew_run_options options = {.size = sizeof options, .limits = &all, .on_event = on_event};
	divide_limits(r, &all);
	cli_given_put(&r->given, r->arguments, &options);
	curfew_status status = cli_engine_create(1, 0, &r->engine, failure);
	if (status == CURFEW_OK)
		status = cli_program_create(r->engine, &r->source, 0, &r->program, failure);
	return status == CURFEW_OK ? curfew_session_create(r->program, &options, &r->session, failure) : status;
}

static int start(repl *r)
{
	curfew_failure failure = {.message = ""};
	const char *lang = NULL;
	if (!cli_source_eval("", lang, &r->source, &failure) ||
	    !cli_source_set_imports(&r->source, CLI_EVAL, r->arguments, &failure))
		return cli_usage_error("%s", failure.message);
	r->source.has_node = r->arguments->values[CLI_OPTION_NODE] != NULL;
	curfew_status status = create(r, &failure);
	if (status == CURFEW_OK)
		return run_with_signals(r);
	cli_say("%s", failure.message[0] != '\0' ? failure.message : curfew_status_text(status));
	return status == CURFEW_INVALID ? CLI_EXIT_USAGE : CLI_EXIT_INTERNAL;
}

int cli_repl(const cli_arguments *arguments)
{
	repl r = {.arguments = arguments, .exit_code = CLI_GO_ON};
	sigset_t set;
	r.is_terminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
	/* All threads are created after this, so only one of them gets these signals. */
	fill_signals(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	int code = cli_given_init(arguments, &r.given);
	if (code == CLI_GO_ON)
		code = start(&r);
	curfew_session_destroy(r.session);
	curfew_program_destroy(r.program);
	curfew_engine_destroy(r.engine);
	cli_source_finish(&r.source);
	cli_given_finish(&r.given);
	free(r.typed);
	return code;
}
