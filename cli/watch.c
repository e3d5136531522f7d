/* SPDX-License-Identifier: Apache-2.0 */
/* The main thread's side of a run: a poll loop over one pipe, which ticks only while a live line is shown. */
#include "watch.h"

#include "common/mutex.h"
#include "common/clock.h"
#include "format.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LIVE_AFTER_MS = 1000, LIVE_EVERY_MS = 200, QUEUED_MAX = 1 << 20 };

/* ---- Signals --------------------------------------------------------------------------------------------- */

/* Signal handlers have no context, so these are the program's only global variables. */
static void (*volatile cancel_on_signal)(void *handle);
static void *volatile handle_on_signal;
static volatile bool signalled;
static volatile bool impatient; /* a second signal came */

static void handle_signal(int number)
{
	(void)number;
	int saved = errno;
	if (cancel_on_signal != NULL)
		cancel_on_signal(handle_on_signal);
	if (signalled)
		impatient = true;
	signalled = true;
	errno = saved;
}

static void set_handler(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};
	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static void mask_signals(int how)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(how, &signals, NULL);
}

void cli_signals_hold(void)
{
	mask_signals(SIG_BLOCK);
}

void cli_signals_catch(cli_canceller cancel)
{
	handle_on_signal = cancel.handle;
	cancel_on_signal = cancel.fire;
	set_handler(handle_signal);
	/* A signal that came before is delivered now, and the run ends as soon as it starts. */
	mask_signals(SIG_UNBLOCK);
}

void cli_signals_release(void)
{
	cancel_on_signal = NULL;
	set_handler(SIG_DFL);
}

/* ---- The run's side -------------------------------------------------------------------------------------- */

/* The head of a piece of output in the queue. */
typedef struct chunk {
	curfew_event_kind kind;
	size_t length;
} chunk;

bool cli_watch_init(cli_watch *watch, uint64_t timeout_ns, bool live)
{
	*watch = (cli_watch){
		.timeout_ns = timeout_ns, .at_line_start = true, .cancelled = "cancelled, in its grace (again: at once)"};
	const char *terminal = getenv("TERM");
	bool dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
	watch->live = live && !dumb && isatty(STDERR_FILENO) != 0;
	curfew__mutex_init(&watch->mutex);
	(void)pthread_cond_init(&watch->passed, NULL);
	if (pipe2(watch->wake, O_CLOEXEC | O_NONBLOCK) == 0)
		return true;
	(void)pthread_cond_destroy(&watch->passed);
	curfew__mutex_finish(&watch->mutex);
	return false;
}

void cli_watch_finish(cli_watch *watch)
{
	(void)close(watch->wake[0]);
	(void)close(watch->wake[1]);
	(void)pthread_cond_destroy(&watch->passed);
	curfew__mutex_finish(&watch->mutex);
	free(watch->queue);
}

static void wake_watch(cli_watch *watch)
{
	/* A full pipe wakes as well. */
	ssize_t written = write(watch->wake[1], "", 1);
	(void)written;
}

static bool reserve(cli_watch *watch, size_t extra)
{
	if (extra <= watch->capacity - watch->length)
		return true;
	size_t capacity = watch->capacity * 2 + extra;
	char *queue = realloc(watch->queue, capacity);
	if (queue == NULL)
		return false;
	watch->queue = queue;
	watch->capacity = capacity;
	return true;
}

static void enqueue(cli_watch *watch, curfew_event_kind kind, const char *data, size_t length)
{
	chunk head = {kind, length};
	if (!reserve(watch, sizeof head + length)) {
		watch->failed = true;
		return;
	}
	memcpy(watch->queue + watch->length, &head, sizeof head);
	memcpy(watch->queue + watch->length + sizeof head, data, length);
	watch->length += sizeof head + length;
}

void cli_watch_on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	cli_watch *watch = context;
	if (kind == CURFEW_EVENT_CHECKPOINT)
		return;
	curfew__mutex_lock(&watch->mutex);
	/* Wait for the reader of the output, so that no more of it is kept here. A stop ends the wait. */
	while (watch->waits && watch->length > QUEUED_MAX && !watch->stopped)
		curfew__mutex_wait(&watch->mutex, &watch->passed);
	bool was_empty = watch->length == 0;
	if (kind == CURFEW_EVENT_PROGRESS)
		cli_format_line(data, length, watch->progress, sizeof watch->progress);
	else
		enqueue(watch, kind, data, length);
	curfew__mutex_unlock(&watch->mutex);
	if (was_empty && kind != CURFEW_EVENT_PROGRESS)
		wake_watch(watch);
}

void cli_watch_on_stop(void *context, curfew_outcome cause)
{
	cli_watch *watch = context;
	(void)cause;
	curfew__mutex_lock(&watch->mutex);
	watch->stopped = true;
	(void)pthread_cond_broadcast(&watch->passed);
	curfew__mutex_unlock(&watch->mutex);
}

void cli_watch_end(cli_watch *watch)
{
	curfew__mutex_lock(&watch->mutex);
	watch->done = true;
	curfew__mutex_unlock(&watch->mutex);
	wake_watch(watch);
}

void cli_watch_on_done(void *context, curfew_run *run)
{
	(void)run;
	cli_watch_end(context);
}

/* ---- The live line --------------------------------------------------------------------------------------- */

static void erase_live_line(cli_watch *watch)
{
	static const char erase[] = "\r\033[K";
	if (watch->live_shown)
		(void)cli_write(STDERR_FILENO, erase, sizeof erase - 1, NULL);
	watch->live_shown = false;
}

void cli_watch_set_state(cli_watch *watch, const char *state)
{
	curfew__mutex_lock(&watch->mutex);
	(void)snprintf(watch->state, sizeof watch->state, "%s", state);
	curfew__mutex_unlock(&watch->mutex);
}

/* Formats " of 10 s · cpu 1.2 s · memory 3 MiB", while it runs. */
static void format_figures(const cli_watch *watch, curfew_run_usage usage, char *text, size_t size)
{
	char limit[CLI_QUANTITY] = "";
	char cpu[CLI_QUANTITY];
	char memory[CLI_QUANTITY];
	if (watch->timeout_ns != CURFEW_UNLIMITED)
		cli_format_time(watch->timeout_ns, limit);
	cli_format_time(usage.cpu_ns, cpu);
	cli_format_bytes(usage.memory_bytes, memory);
	(void)snprintf(text, size, "%s%s \xc2\xb7 cpu %s \xc2\xb7 memory %s", limit[0] != '\0' ? " of " : "", limit, cpu,
	               memory);
}

static void show_live_line(cli_watch *watch, curfew_run_usage usage)
{
	char progress[sizeof watch->progress], state[sizeof watch->state], figures[128] = "";
	curfew__mutex_lock(&watch->mutex);
	memcpy(progress, watch->progress, sizeof progress);
	memcpy(state, watch->state, sizeof state);
	curfew__mutex_unlock(&watch->mutex);
	if (state[0] == '\0')
		format_figures(watch, usage, figures, sizeof figures);
	/* Turn off wrapping while the line is written, because a line that takes two rows could not be erased. */
	char line[1024];
	int length = snprintf(
		line, sizeof line, "\r\033[?7l\033[2m%s%s%s%s%" PRIu64 ".%" PRIu64 " s%s%s%s\033[0m\033[K\033[?7h",
		signalled ? watch->cancelled : "", signalled ? " \xc2\xb7 " : "", state, state[0] != '\0' ? " \xc2\xb7 " : "",
		usage.wall_ns / 1000000000, usage.wall_ns % 1000000000 / 100000000, figures,
		progress[0] != '\0' ? " \xc2\xb7 " : "", progress);
	(void)cli_write(STDERR_FILENO, line, (size_t)length, NULL);
	watch->live_shown = true;
}

/* ---- The loop -------------------------------------------------------------------------------------------- */

static void write_chunk(cli_watch *watch, chunk head, const char *data)
{
	int fd = head.kind == CURFEW_EVENT_STDERR ? STDERR_FILENO : STDOUT_FILENO;
	if (watch->output_error != 0 || head.length == 0)
		return;
	watch->output_error = cli_write(fd, data, head.length, &impatient);
	if (isatty(fd) != 0)
		watch->at_line_start = data[head.length - 1] == '\n';
	/* Nobody reads any more, so end the program, as SIGPIPE would. */
	if (watch->output_error != 0)
		watch->cancel.fire(watch->cancel.handle);
}

/* Writes out what is queued. The queue is taken as a whole, so that the run's thread never waits for a write. */
static bool pass_output_on(cli_watch *watch)
{
	curfew__mutex_lock(&watch->mutex);
	char *queue = watch->queue;
	size_t length = watch->length;
	bool done = watch->done;
	watch->queue = NULL;
	watch->length = 0;
	watch->capacity = 0;
	(void)pthread_cond_broadcast(&watch->passed);
	curfew__mutex_unlock(&watch->mutex);
	if (length > 0)
		erase_live_line(watch);
	for (size_t at = 0; at < length;) {
		chunk head;
		memcpy(&head, queue + at, sizeof head);
		write_chunk(watch, head, queue + at + sizeof head);
		at += sizeof head + head.length;
	}
	free(queue);
	return done;
}

static void wait_for_wake(cli_watch *watch, int timeout_ms)
{
	struct pollfd fd = {.fd = watch->wake[0], .events = POLLIN};
	char bytes[64];
	if (poll(&fd, 1, timeout_ms) > 0)
		while (read(watch->wake[0], bytes, sizeof bytes) > 0)
			;
}

void cli_watch_until_done(cli_watch *watch, cli_get_usage get_usage, void *run)
{
	uint64_t next_ms = (uint64_t)clock_now_ms() + LIVE_AFTER_MS;
	while (!pass_output_on(watch)) {
		uint64_t now = (uint64_t)clock_now_ms();
		/* Do not overwrite a line that the guest has begun on the terminal. */
		if (watch->live && (now >= next_ms || signalled)) {
			next_ms = now + LIVE_EVERY_MS;
			curfew_run_usage usage = {.size = sizeof usage};
			get_usage(run, &usage);
			if (watch->at_line_start)
				show_live_line(watch, usage);
		}
		wait_for_wake(watch, watch->live ? (int)(next_ms - now) : -1);
	}
	/* Write what arrived between taking the queue and the end. */
	(void)pass_output_on(watch);
	erase_live_line(watch);
}
