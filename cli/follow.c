/* SPDX-License-Identifier: Apache-2.0 */
/*
 * There are three threads: the main one passes output on and shows the live line (watch.c), one reads the event stream,
 * and one asks for figures while a live line is shown and cancels after a signal. One descriptor notifies them all of
 * the end.
 */
#include "follow_private.h"

#include "common/clock.h"
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	SILENCE_MS = 35000,   /* the server sends something every 10 s */
	QUIET_MS = 400,       /* after this silence, everything so far has arrived */
	PATIENCE_MS = 60000,  /* without a connection */
	FIRST_PAUSE_MS = 100, /* before trying again; doubled each time */
	LAST_PAUSE_MS = 2000,
	FIGURES_MS = 500,
	FIGURES_SILENCE_MS = 5000,
};

static void raise_fd(int fd)
{
	static const uint64_t one = 1;
	ssize_t written = write(fd, &one, sizeof one);
	(void)written;
}

static bool is_raised(int fd, int wait_ms)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	return poll(&ready, 1, wait_ms) > 0;
}

/* Called after a signal, or if nobody reads the output any more. Async-signal-safe. */
static void interrupt(void *context)
{
	follow *f = context;
	bool is_first = !atomic_exchange(&f->signalled, true);
	raise_fd(is_first && f->options->cancels ? f->cancel_fd : f->leave_fd);
}

/* Formats why there is no good answer, as a phrase. */
static const char *reason_of(cli_http_result result, const cli_http_answer *answer, char *words, size_t size)
{
	if (result != CLI_HTTP_ANSWERED)
		return answer->message;
	cli_json_line(cli_json_member(cli_json(answer), "detail"), words, size);
	if (words[0] == '\0' && answer->status == 200)
		(void)snprintf(words, size, "the stream ended");
	else if (words[0] == '\0')
		(void)snprintf(words, size, "it answers %ld", answer->status);
	return words;
}

/* ---- The connection -------------------------------------------------------------------------------------- */

static const char *what_of(const follow *f, char *what, size_t size)
{
	(void)snprintf(what, size, "run %s", f->options->id);
	return what;
}

static cli_http_result ask_run(follow *f, cli_http *http, unsigned silence_ms, cli_http_answer *answer)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/v1/runs/%s", f->options->id);
	const cli_http_request request = {.method = "GET", .path = path, .silence_ms = silence_ms};
	return cli_http_exchange(http, &request, answer);
}

/* Asks for the state of the run. After a restart of the server, its event log may begin again, too. */
static void take_run(follow *f, span run)
{
	char state[32];
	cli_json_line(cli_json_member(run, "state"), state, sizeof state);
	int64_t attempt = cli_json_number(cli_json_member(run, "attempt"));
	bool waits = strcmp(state, "queued") == 0 || strcmp(state, "scheduled") == 0;
	if (f->last > 0 && (attempt > f->attempt || (waits && f->has_run))) {
		f->last = 0;
		f->has_run = false;
	}
	f->attempt = attempt;
	f->was_done = strcmp(state, "done") == 0;
	follow_take_usage(f, run);
}

static bool on_data(void *context, const char *data, size_t length)
{
	follow *f = context;
	f->is_lost = f->is_reported = false;
	bool more = cli_events_feed(&f->events, data, length, follow_take_event, f);
	if (f->events.failed) {
		follow_report(f, "%s sent an event that is too large", f->options->server->url);
		f->code = CLI_EXIT_INTERNAL;
	}
	return more;
}

static cli_http_result stream(follow *f, cli_http_answer *answer)
{
	char path[64], header[64];
	(void)snprintf(path, sizeof path, "/v1/runs/%s/events", f->options->id);
	(void)snprintf(header, sizeof header, "Last-Event-ID: %llu", (unsigned long long)f->last);
	cli_events_restart(&f->events);
	const cli_http_request request = {
		.method = "GET",
		.path = path,
		.header = f->last > 0 ? header : NULL,
		.silence_ms = follow_ends_now(f) ? QUIET_MS : SILENCE_MS,
		.on_data = on_data,
		.context = f,
	};
	return cli_http_exchange(f->http, &request, answer);
}

static bool may_reconnect(cli_http_result result, const cli_http_answer *answer)
{
	bool is_full = result == CLI_HTTP_ANSWERED &&
	               (answer->status == 200 || answer->status == 429 || answer->status >= 500);
	return is_full || result == CLI_HTTP_CUT || result == CLI_HTTP_UNREACHABLE || result == CLI_HTTP_SILENT;
}

/* Takes ownership of the answer. */
static void give_up(follow *f, cli_http_result result, cli_http_answer *answer)
{
	f->has_failed = true;
	f->result = result;
	f->answer = *answer;
	*answer = (cli_http_answer){0};
}

/* Reports why it was given up, and returns the exit code. */
static int say_given_up(const follow *f)
{
	char what[64];
	int code = CLI_EXIT_INTERNAL;
	if (f->result == CLI_HTTP_ANSWERED && f->answer.status == 200)
		cli_say("%s keeps closing the stream of run %s", f->options->server->url, f->options->id);
	else
		code = cli_server_fail(f->options->server, f->result, &f->answer, what_of(f, what, sizeof what));
	if (may_reconnect(f->result, &f->answer))
		cli_say("run %s may still be running; to follow it: curfew logs -f %s", f->options->id, f->options->id);
	return code;
}

/* Whether to try again, after a pause. */
static bool wait_to_try(follow *f, cli_http_result result, cli_http_answer *answer, unsigned *pause_ms)
{
	char reason[200];

	if (!may_reconnect(result, answer)) {
		give_up(f, result, answer);
		return false;
	}

	if (!f->is_lost) {
		f->is_lost = true;
		f->lost_ms = (uint64_t)clock_now_ms();
		*pause_ms = FIRST_PAUSE_MS;
	}

	if ((uint64_t)clock_now_ms() - f->lost_ms >= PATIENCE_MS) {
		give_up(f, result, answer);
		return false;
	}

	/* Do not report that if the stream was only moved to another connection. */
	if (!f->is_reported && (uint64_t)clock_now_ms() - f->lost_ms > 500 && !f->options->quiet) {
		follow_report(f, "the connection to %s is lost: %s; trying again for up to %d s", f->options->server->url,
		              reason_of(result, answer, reason, sizeof reason), PATIENCE_MS / 1000);
		f->is_reported = true;
	}

	unsigned wait_ms = answer->retry_after_s > 0 ? answer->retry_after_s * 1000 : *pause_ms;
	*pause_ms = *pause_ms * 2 < LAST_PAUSE_MS ? *pause_ms * 2 : LAST_PAUSE_MS;
	return !is_raised(f->leave_fd, (int)(wait_ms < PATIENCE_MS ? wait_ms : PATIENCE_MS));
}

/* After a lost connection, asks for the state of the run. */
static cli_http_result find_again(follow *f, cli_http_answer *answer)
{
	cli_http_result result = ask_run(f, f->http, SILENCE_MS, answer);
	if (result == CLI_HTTP_ANSWERED && answer->status == 200)
		take_run(f, cli_json(answer));
	return result;
}

/* Reads the stream, or the rest of it, once. True: it is complete. */
static bool go_through(follow *f, bool again, cli_http_result *result, cli_http_answer *answer)
{
	*result = again ? find_again(f, answer) : CLI_HTTP_ANSWERED;
	if (again && (*result != CLI_HTTP_ANSWERED || answer->status != 200))
		return *result == CLI_HTTP_INTERRUPTED;
	cli_http_answer_finish(answer);
	*result = stream(f, answer);
	if (*result == CLI_HTTP_ANSWERED && answer->status == 204) {
		/* The end is no longer in the stream, because the server was restarted. */
		cli_http_answer_finish(answer);
		*result = find_again(f, answer);
		span report = *result == CLI_HTTP_ANSWERED ? cli_json_member(cli_json(answer), "report") : (span){0};
		if (report.data == NULL)
			return false;
		follow_take_report(f, report);
		return true;
	}
	return *result == CLI_HTTP_STOPPED || *result == CLI_HTTP_INTERRUPTED ||
	       (follow_ends_now(f) && *result == CLI_HTTP_SILENT);
}

static void *read_events(void *context)
{
	follow *f = context;
	unsigned pause_ms = FIRST_PAUSE_MS;
	bool over = false;
	for (bool again = false; !over; again = true) {
		cli_http_result result;
		cli_http_answer answer = {0};
		over = go_through(f, again, &result, &answer) || !wait_to_try(f, result, &answer, &pause_ms);
		cli_http_answer_finish(&answer);
	}
	cli_watch_end(&f->watch);
	raise_fd(f->leave_fd);
	return NULL;
}

/* ---- Figures and cancelling ------------------------------------------------------------------------------ */

static void cancel_run(follow *f, cli_http *http)
{
	char path[64], reason[200];
	cli_http_answer answer;
	(void)snprintf(path, sizeof path, "/v1/runs/%s", f->options->id);
	const cli_http_request request = {.method = "DELETE", .path = path};
	cli_http_result result = cli_http_exchange(http, &request, &answer);
	if (result != CLI_HTTP_INTERRUPTED && (result != CLI_HTTP_ANSWERED || answer.status >= 300))
		follow_report(f, "run %s could not be cancelled: %s", f->options->id,
		              reason_of(result, &answer, reason, sizeof reason));
	cli_http_answer_finish(&answer);
}

static void ask_figures(follow *f, cli_http *http)
{
	cli_http_answer answer;
	if (ask_run(f, http, FIGURES_SILENCE_MS, &answer) == CLI_HTTP_ANSWERED && answer.status == 200)
		follow_take_usage(f, cli_json(&answer));
	cli_http_answer_finish(&answer);
}

static void *accompany(void *context)
{
	follow *f = context;
	bool cancelled = false;
	cli_http *http = cli_server_connect(f->options->server, f->leave_fd);
	while (http != NULL) {
		struct pollfd fds[] = {{.fd = f->leave_fd, .events = POLLIN},
		                       {.fd = cancelled ? -1 : f->cancel_fd, .events = POLLIN}};
		(void)poll(fds, 2, f->watch.live ? FIGURES_MS : -1);
		if ((fds[0].revents & POLLIN) != 0)
			break;
		if ((fds[1].revents & POLLIN) != 0) {
			cancelled = true;
			cancel_run(f, http);
		} else if (f->watch.live) {
			ask_figures(f, http);
		}
	}
	cli_http_destroy(http);
	return NULL;
}

/* ---- All of it ------------------------------------------------------------------------------------------- */

/* Reads its state at the start: its time limit, and its output so far. */
static int read_start(follow *f)
{
	char what[64];
	cli_http_answer answer;

	f->http = cli_server_connect(f->options->server, f->leave_fd);
	if (f->http == NULL)
		return CLI_EXIT_INTERNAL;
	cli_http_result result = ask_run(f, f->http, SILENCE_MS, &answer);
	int code = CLI_GO_ON;
	if (result == CLI_HTTP_ANSWERED && answer.status == 200) {
		span run = cli_json(&answer);
		uint64_t timeout_us = follow_number_of(cli_json_member(run, "limits"), "timeout_us");
		if (cli_json_member(run, "state").data == NULL)
			code = cli_server_strange(f->options->server);
		take_run(f, run);
		f->watch.timeout_ns = timeout_us > 0 ? timeout_us * 1000 : CURFEW_UNLIMITED;
		f->output_bytes = f->usage.output_bytes;
	} else {
		code = cli_server_fail(f->options->server, result, &answer, what_of(f, what, sizeof what));
	}
	cli_http_answer_finish(&answer);
	return code;
}

static int run_threads(follow *f)
{
	pthread_t reader, companion;
	bool reads = pthread_create(&reader, NULL, read_events, f) == 0;
	bool accompanies = reads && pthread_create(&companion, NULL, accompany, f) == 0;
	if (accompanies) {
		f->watch.cancel = (cli_canceller){interrupt, f};
		cli_signals_catch(f->watch.cancel);
		cli_watch_until_done(&f->watch, follow_get_usage, f);
	} else {
		cli_say("a thread cannot be started");
		f->code = CLI_EXIT_INTERNAL;
	}
	raise_fd(f->leave_fd);
	if (reads)
		(void)pthread_join(reader, NULL);
	if (accompanies)
		(void)pthread_join(companion, NULL);
	cli_signals_release();
	return f->has_failed ? say_given_up(f) : f->code;
}

static int follow_run(follow *f)
{
	const cli_follow_options *options = f->options;
	int code = read_start(f);
	/* Nothing has arrived so far. */
	if (code != CLI_GO_ON ||
	    (options->once && !f->was_done && f->output_bytes == 0 && options->kind == CLI_FOLLOW_OUTPUT))
		return code;
	cli_signals_hold();
	code = run_threads(f);
	cli_followed *followed = f->followed;
	followed->left = code == CLI_GO_ON && followed->report == NULL && f->signalled && f->watch.output_error == 0;
	followed->output_error = f->watch.output_error != 0 ? f->watch.output_error : f->watch.failed ? ENOMEM : 0;
	if (!f->watch.at_line_start && isatty(STDERR_FILENO) != 0 && !options->quiet)
		(void)cli_write(STDERR_FILENO, "\n", 1, NULL);
	return code;
}

int cli_follow(const cli_follow_options *options, cli_followed *followed)
{
	follow f = {.options = options, .followed = followed, .code = CLI_GO_ON, .mutex = {PTHREAD_MUTEX_INITIALIZER}};
	int code = CLI_EXIT_INTERNAL;

	*followed = (cli_followed){0};
	f.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f.leave_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f.usage_ms = (uint64_t)clock_now_ms();
	bool is_live = !options->quiet && !options->once && options->kind == CLI_FOLLOW_OUTPUT;
	if (f.cancel_fd < 0 || f.leave_fd < 0 || !cli_watch_init(&f.watch, CURFEW_UNLIMITED, is_live)) {
		cli_say("%s", strerror(errno));
	} else {
		f.watch.cancelled = "cancelled, in its grace (again: leave it)";
		code = follow_run(&f);
		cli_watch_finish(&f.watch);
	}

	cli_http_destroy(f.http);
	cli_http_answer_finish(&f.answer);
	cli_events_finish(&f.events);
	(void)close(f.cancel_fd);
	(void)close(f.leave_fd);
	return code;
}

void cli_followed_finish(cli_followed *followed)
{
	free(followed->json);
	curfew_report_destroy(followed->report);
}

int cli_followed_check(const cli_followed *followed)
{
	if (followed->output_error == EPIPE)
		return CLI_EXIT_PIPE;
	if (followed->output_error == 0 || followed->output_error == EINTR)
		return CLI_GO_ON;
	cli_say("cannot write the program's output: %s", strerror(followed->output_error));
	return CLI_EXIT_INTERNAL;
}
