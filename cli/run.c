/* SPDX-License-Identifier: Apache-2.0 */
/* curfew run: runs one program once and watches it, then prints the report in the requested forms. */
#include "calibrate.h"
#include "commands.h"
#include "isolate.h"
#include "say.h"
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One execution of the command. */
typedef struct session {
	const cli_arguments *arguments;
	cli_arguments own; /* the same, once the fuel limit is known */
	bool json;
	bool quiet;
	char *params;
	size_t params_length;
	char *files; /* of --file, as JSON; NULL: none */
	size_t files_length;
	cli_grants grants;
	cli_wasi wasi;
	cli_source source;
	curfew_engine *engine;
	curfew_program *program;
	curfew_cancel *cancel;
	curfew_run *run;
	cli_isolated isolated;       /* with --isolate process, in place of the four above */
	curfew_report *failed;       /* a report of our own, if nothing ran */
	const curfew_report *report; /* the report to print */
	int output_error;
} session;

static void finish_session(session *s)
{
	curfew_report_destroy(s->failed);
	cli_isolated_finish(&s->isolated);
	curfew_run_destroy(s->run);
	curfew_cancel_destroy(s->cancel);
	curfew_program_destroy(s->program);
	curfew_engine_destroy(s->engine);
	cli_source_finish(&s->source);
	cli_grants_finish(&s->grants);
	cli_wasi_finish(&s->wasi);
	free(s->files);
	free(s->params);
}

static bool is_given(const session *s, cli_option_id id)
{
	return s->arguments->values[id] != NULL;
}

static bool is_isolated(const session *s)
{
	const char *kind = s->arguments->values[CLI_OPTION_ISOLATE];
	return kind != NULL && strcmp(kind, "process") == 0;
}

/* ---- Before the run -------------------------------------------------------------------------------------- */

/* Checks the command line beyond its syntax. -1: it is valid. */
static int check_arguments(session *s)
{
	const char *report_path = s->arguments->values[CLI_OPTION_REPORT];
	int code = cli_check_params(s->arguments);

	if (code == CLI_GO_ON)
		code = cli_wasi_init(s->arguments, &s->wasi);
	if (code != CLI_GO_ON)
		return code;
	if (strcmp(s->arguments->program, "-") == 0 && !is_given(s, CLI_OPTION_LANG))
		return cli_usage_error("- (standard input) needs --lang js, ts, wasm or wat");
	const char *timezone = s->arguments->values[CLI_OPTION_TIMEZONE];
	curfew_failure failure = {.message = ""};
	if (timezone != NULL && curfew_timezone_check(timezone, &failure) != CURFEW_OK)
		return cli_usage_error("--%s", failure.message);
	code = cli_check_hosts(&s->arguments->lists[CLI_OPTION_ALLOW_FETCH]);
	if (code != CLI_GO_ON)
		return code;
	const cli_list *files = &s->arguments->lists[CLI_OPTION_FILE];
	s->files = cli_files_to_json(files->items, files->count, &s->files_length, &failure);
	if (s->files == NULL && files->count > 0)
		return cli_usage_error("%s", failure.message);
	if (is_isolated(s) && s->wasi.dir_count > 0)
		return cli_usage_error("--dir %s: a confined process cannot be given directories", s->wasi.dirs[0].host);
	int error = report_path != NULL ? cli_file_check(report_path) : 0;
	if (error != 0)
		return cli_usage_error("--report %s: %s", report_path, strerror(error));
	return cli_grants_init(s->arguments, &s->grants);
}

/* Nothing ran: makes the report that says why. */
static int fail_before_start(session *s, curfew_outcome outcome, const char *message)
{
	const char *name = strcmp(s->arguments->program, "-") == 0 ? "stdin" : cli_base_name(s->arguments->program);
	curfew_status status = curfew_report_create_failed(outcome, name, message, &s->arguments->limits, &s->failed);
	if (status != CURFEW_OK) {
		cli_say("%s", message);
		return curfew_outcome_exit_code(outcome);
	}
	s->report = s->failed;
	return CLI_GO_ON;
}

static int fail_with(session *s, curfew_status status, const curfew_failure *failure)
{
	const char *message = failure->message[0] != '\0' ? failure->message : curfew_status_text(status);
	return fail_before_start(
		s, cli_is_program_fault(status) ? CURFEW_OUTCOME_BAD_PROGRAM : CURFEW_OUTCOME_INTERNAL_ERROR, message);
}

/* ---- The run --------------------------------------------------------------------------------------------- */

static void fire(void *handle)
{
	curfew_cancel_fire(handle);
}

static void get_usage(void *run, curfew_run_usage *usage)
{
	curfew_run_get_usage(run, usage);
}

static uint32_t run_flags(const session *s)
{
	/* The report is not printed, so output that is passed on need not be kept. */
	bool is_kept = s->json || is_given(s, CLI_OPTION_REPORT);
	return (is_given(s, CLI_OPTION_DETERMINISTIC) ? CURFEW_RUN_DETERMINISTIC : 0) |
	       (is_kept ? 0 : CURFEW_RUN_PASS_OUTPUT);
}

/* Runs it in this process. */
static curfew_status run_here(session *s, cli_watch *watch, curfew_failure *failure)
{
	curfew_run_options options = {
		.size = sizeof options,
		.flags = run_flags(s),
		.limits = &s->arguments->limits,
		.call = s->arguments->values[CLI_OPTION_CALL],
		.params = s->params,
		.params_length = s->params_length,
		.cancel = s->cancel,
		.timezone = s->arguments->values[CLI_OPTION_TIMEZONE],
		.files = s->files,
		.files_length = s->files_length,
		.allow_fetch = s->arguments->lists[CLI_OPTION_ALLOW_FETCH].items,
		.allow_fetch_count = s->arguments->lists[CLI_OPTION_ALLOW_FETCH].count,
		.on_event = s->json ? NULL : cli_watch_on_event,
		.on_event_context = watch,
		.on_done = cli_watch_on_done,
		.on_done_context = watch,
		.on_stop = cli_watch_on_stop,
		.on_stop_context = watch,
	};

	cli_grants_put(&s->grants, s->arguments, &options);
	cli_wasi_apply(&s->wasi, s->arguments, &options);
	watch->waits = true;
	watch->cancel = (cli_canceller){fire, s->cancel};
	cli_signals_catch(watch->cancel);
	curfew_status status = curfew_run_start(s->program, &options, &s->run, failure);
	cli_grants_finish(&s->grants);
	if (status != CURFEW_OK)
		return status;
	cli_watch_until_done(watch, get_usage, s->run);
	s->report = curfew_run_wait(s->run);
	return CURFEW_OK;
}

/* Runs it in a confined process. */
static curfew_status run_isolated(session *s, cli_watch *watch, curfew_failure *failure)
{
	bool may_read = strcmp(s->arguments->program, "-") != 0;
	const worker_job job = {
		.flags = run_flags(s) | (may_read ? CURFEW_RUN_STDIN : 0),
		.limits = &s->arguments->limits,
		.call = s->arguments->values[CLI_OPTION_CALL],
		.params = s->params,
		.params_length = s->params_length,
		.user = s->arguments->values[CLI_OPTION_USER],
		.timezone = s->arguments->values[CLI_OPTION_TIMEZONE],
		.files = s->files,
		.files_length = s->files_length,
		.args = (const char *const *)s->arguments->rest,
		.arg_count = s->arguments->rest_count,
		.env = (const char *const *)s->wasi.env,
		.env_count = s->wasi.env_count,
		.secrets = s->grants.items,
		.secret_count = s->grants.count,
		.store = s->grants.store,
		.secret_for = s->arguments->lists[CLI_OPTION_SECRET_FOR].items,
		.secret_for_count = s->arguments->lists[CLI_OPTION_SECRET_FOR].count,
		.allow_fetch = s->arguments->lists[CLI_OPTION_ALLOW_FETCH].items,
		.allow_fetch_count = s->arguments->lists[CLI_OPTION_ALLOW_FETCH].count,
		.on_event = s->json ? NULL : cli_isolated_on_event,
	};

	s->isolated.engine_flags = cli_engine_flags(s->arguments);
	curfew_status status = cli_isolated_run(&s->isolated, &s->source, s->source.language, &job, watch, failure);
	cli_grants_finish(&s->grants);
	s->report = &s->isolated.report;
	return status;
}

static int watch_run(session *s)
{
	curfew_failure failure = {.message = ""};
	curfew_limits limits = {0};
	cli_watch watch;

	/* The limits were checked one by one as they were parsed. */
	(void)curfew_limits_resolve(&s->arguments->limits, &limits, NULL);
	if (!cli_watch_init(&watch, limits.timeout_ns, !s->quiet && !s->json))
		return fail_before_start(s, CURFEW_OUTCOME_INTERNAL_ERROR, strerror(errno));
	curfew_status status = is_isolated(s) ? run_isolated(s, &watch, &failure) : run_here(s, &watch, &failure);
	int code = CLI_GO_ON;
	if (status == CURFEW_OK) {
		s->output_error = watch.output_error != 0 ? watch.output_error : watch.failed ? ENOMEM : 0;
		if (!watch.at_line_start && isatty(STDERR_FILENO) != 0 && !s->quiet)
			(void)cli_write(STDERR_FILENO, "\n", 1, NULL);
	} else if (status == CURFEW_INVALID && !is_isolated(s)) {
		code = cli_usage_error("%s", failure.message);
	} else {
		code = fail_with(s, status, &failure);
	}
	cli_watch_finish(&watch);
	return code;
}

/* Sets the options that depend on the language. */
static int make_params(session *s, bool is_js)
{
	s->own = *s->arguments;
	s->arguments = &s->own;
	int code = cli_fuel_apply(s->arguments, is_js, &s->own.limits);
	if (code != CLI_GO_ON)
		return code;
	return cli_make_params(s->arguments, is_js, &s->params, &s->params_length);
}

/* Fills s->report, or returns the exit code after an error without a report. */
static int execute(session *s)
{
	curfew_failure failure = {.message = ""};
	const char *code = s->arguments->values[CLI_OPTION_EVAL], *lang = s->arguments->values[CLI_OPTION_LANG];
	bool is_read = code != NULL ? cli_source_eval(code, lang, &s->source, &failure)
	                            : cli_source_read(s->arguments->program, lang, &s->source, &failure);

	if (!is_read)
		return fail_before_start(s, CURFEW_OUTCOME_BAD_PROGRAM, failure.message);
	s->source.has_node = is_given(s, CLI_OPTION_NODE);
	if (!cli_source_set_imports(&s->source, s->arguments->program, s->arguments, &failure))
		return cli_usage_error("%s", failure.message);

	/* Catch signals only after reading, which may take any time. From here on a signal leads to a report. */
	cli_signals_hold();
	if (is_isolated(s)) {
		int isolated_code = make_params(s, !cli_language_is_wasm(s->source.language));
		return isolated_code >= 0 ? isolated_code : watch_run(s);
	}

	curfew_status status = cli_engine_create(1, cli_engine_flags(s->arguments), &s->engine, &failure);
	if (status == CURFEW_OK)
		status = curfew_cancel_create(s->engine, &s->cancel);
	if (status != CURFEW_OK)
		return fail_before_start(s, CURFEW_OUTCOME_INTERNAL_ERROR,
		                         failure.message[0] != '\0' ? failure.message : curfew_status_text(status));
	status = cli_program_create(s->engine, &s->source, CURFEW_SOURCE_ONCE, &s->program, &failure);
	if (status != CURFEW_OK)
		return fail_with(s, status, &failure);
	int params_code = make_params(s, strcmp(curfew_program_kind(s->program), "js") == 0);
	return params_code != CLI_GO_ON ? params_code : watch_run(s);
}

/* ---- After the run --------------------------------------------------------------------------------------- */

/* Writes the report as JSON, to stdout or to a file. */
static int deliver_json(session *s)
{
	const char *path = s->arguments->values[CLI_OPTION_REPORT];
	char *text = NULL;
	size_t length = 0;
	if (!s->json && path == NULL)
		return CLI_EXIT_OK;
	if (curfew_report_to_json(s->report, &text, &length) != CURFEW_OK) {
		cli_say("out of memory for the report");
		return CLI_EXIT_INTERNAL;
	}
	text[length] = '\n'; /* replaces the NUL */
	int code = s->json ? cli_print(text, length + 1) : CLI_EXIT_OK;
	int error = path != NULL ? cli_file_write(path, text, length + 1) : 0;
	curfew_free(text);
	if (error == 0)
		return code;
	cli_say("--report %s: %s", path, strerror(error));
	return CLI_EXIT_INTERNAL;
}

/* Its note says that nothing was called, which its user wants to know also without the value. */
static bool is_wasm(const curfew_report *report)
{
	return report->program_kind != NULL && strcmp(report->program_kind, "js") != 0;
}

static int deliver(session *s)
{
	int code = deliver_json(s);
	bool finished = s->report->outcome == CURFEW_OUTCOME_FINISHED;
	if (!s->json && code == CLI_EXIT_OK && is_given(s, CLI_OPTION_PRINT) && finished && s->output_error == 0)
		code = cli_print_value(s->report);
	else if (!s->json && !s->quiet && finished && s->report->value_note != NULL && is_wasm(s->report))
		cli_say("%s", s->report->value_note);
	bool closed = s->output_error == EPIPE;
	bool broken = s->output_error != 0 && s->output_error != EINTR;
	/* Print nothing about a program that exited: its code says enough. */
	bool own_end = finished || s->report->outcome == CURFEW_OUTCOME_EXITED;
	if (!s->json && !s->quiet && !broken && !own_end)
		cli_report_lines(s->report);
	if (closed)
		return CLI_EXIT_PIPE;
	if (broken) {
		cli_say("cannot write the program's output: %s", strerror(s->output_error));
		return CLI_EXIT_INTERNAL;
	}
	return code != CLI_EXIT_OK ? code : cli_exit_of(s->report);
}

int cli_run(const cli_arguments *arguments)
{
	session s = {.arguments = arguments};
	s.json = is_given(&s, CLI_OPTION_JSON);
	s.quiet = is_given(&s, CLI_OPTION_QUIET);
	int code = check_arguments(&s);
	if (code == CLI_GO_ON)
		code = execute(&s);
	if (code == CLI_GO_ON)
		code = deliver(&s);
	cli_signals_release();
	finish_session(&s);
	return code;
}
