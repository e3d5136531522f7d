/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool with workers that die and workers that lie. A worker is this program itself; if it is started with more
 * threads than there are, it is a hostile one, and the number selects its lie.
 */
#include "../harness.h"
#include "worker/frame.h"
#include "worker/pool.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SOCKET = 3, HOSTILE = 1000, RUNS_MAX = 1000, KILLED_EACH = 20, LARGE = 3 << 19 };

/* ---- A hostile worker -------------------------------------------------------------------------------------- */

typedef enum lie {
	RANDOM_BYTES,
	RANDOM_FRAMES,
	HUGE_LENGTH,
	REPORT_OF_ANOTHER,
	REPORT_CUT,
	REPORT_MISSING,
	LARGE_REPORT_OF_ANOTHER,
	LARGE_REPORT_CUT,
	LARGE_REPORT_WHOLE,
	LARGE_EVENT_NO_JSON,
	LARGE_OUTPUT,
	PARTS_TOO_LONG,
	PARTS_TOO_SHORT,
	PARTS_OF_TWO_KINDS,
	PART_TOO_SHORT,
	DONE_TWICE,
	STARTED_TWICE,
	READY_TWICE,
	EVENT_NO_JSON,
	EVENT_NO_KIND,
	TOO_MUCH_OUTPUT,
	OTHER_RUN,
	REQUEST_UNASKED,
	REQUEST_RANDOM,
	REQUEST_HUGE,
	CODE_OF_NO_PROGRAM,
	CODE_OF_NO_KIND,
	CODE_WITHOUT_END,
	SOCKET_CLOSED,
	LIES,
	REQUEST_NOT_GRANTED, /* it is not killed for this one */
} lie;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void send_frame(worker_frame_kind kind, uint64_t number, const void *body, size_t length)
{
	worker_bytes bytes = {0};
	if (worker_frame_add_whole(&bytes, kind, number, body, length, NULL, 0))
		(void)send(SOCKET, bytes.data, bytes.length, MSG_NOSIGNAL);
	worker_bytes_finish(&bytes);
}

/* A long message. whole: the length that it claims. */
static void send_parts(worker_frame_kind kind, uint64_t number, const char *body, size_t length, uint64_t whole)
{
	worker_bytes bytes = {0};
	for (size_t at = 0, part; at < length; at += part) {
		size_t head = at == 0 ? sizeof whole : 0;
		part = WORKER_PART_BYTES - head < length - at ? WORKER_PART_BYTES - head : length - at;
		worker_frame frame = {.number = number, .kind = (uint8_t)kind, .more = at + part < length};
		if (worker_frame_add_part(&bytes, &frame, &whole, head, body + at, part))
			(void)send(SOCKET, bytes.data + bytes.at, worker_bytes_count(&bytes), MSG_NOSIGNAL);
		worker_bytes_take(&bytes, worker_bytes_count(&bytes));
	}
	worker_bytes_finish(&bytes);
}

static void send_done(uint64_t number, curfew_outcome outcome, const char *text, size_t length)
{
	worker_bytes bytes = {0};
	worker_done_head head = {.outcome = (uint32_t)outcome};
	if (worker_frame_add_whole(&bytes, WORKER_FRAME_DONE, number, &head, sizeof head, text, length))
		(void)send(SOCKET, bytes.data, bytes.length, MSG_NOSIGNAL);
	worker_bytes_finish(&bytes);
}

static void send_event(uint64_t number, uint32_t kind, const char *text)
{
	char body[256];
	worker_event_head head = {.kind = kind};
	memcpy(body, &head, sizeof head);
	memcpy(body + sizeof head, text, strlen(text));
	send_frame(WORKER_FRAME_EVENT, number, body, sizeof head + strlen(text));
}

static void send_random(uint64_t number, uint64_t *state, bool as_frames)
{
	unsigned char bytes[512];
	for (int i = 0; i < 200; i++) {
		for (size_t at = 0; at < sizeof bytes; at++)
			bytes[at] = (unsigned char)next_random(state);
		size_t length = bytes[0];
		/* More often than not, use a valid kind, and this run's number. */
		uint8_t kind = bytes[1] % 8 < 7 ? (uint8_t)(WORKER_FRAME_READY + bytes[3] % 8) : bytes[1];
		if (as_frames)
			send_frame((worker_frame_kind)kind, bytes[2] % 4 != 0 ? number : number + bytes[2], bytes + 8, length);
		else
			(void)send(SOCKET, bytes, sizeof bytes, MSG_NOSIGNAL);
	}
}

/* Requests a page of this port, in the form of src/host/remote.h. */
static void send_request(uint64_t number, uint64_t port)
{
	char message[256];
	const uint32_t head[] = {1, 16, 0};
	memcpy(message, head, sizeof head);
	int length = snprintf(message + sizeof head, sizeof message - sizeof head, "GET\nhttp://127.0.0.1:%d/\n-\n",
	                      (int)port);
	send_frame(WORKER_FRAME_REQUEST, number, message, sizeof head + (size_t)length);
}

static void ask_for_code(uint64_t number, uint64_t program, uint32_t what)
{
	worker_compile_head head = {.program = program, .what = what};
	send_frame(WORKER_FRAME_COMPILE, number, &head, sizeof head);
}

static void tell_lie(lie which, uint64_t number, const char *id, uint64_t *state)
{
	curfew_report *report = NULL;
	char *text = NULL;
	size_t length = 0;
	worker_frame huge = {
		.length = UINT64_MAX / 2, .number = number, .version = WORKER_FRAME_VERSION, .kind = WORKER_FRAME_DONE};
	worker_done_head head = {.outcome = CURFEW_OUTCOME_BAD_PROGRAM};
	worker_frame frame;
	worker_bytes bytes = {0};
	(void)curfew_report_create_failed(CURFEW_OUTCOME_BAD_PROGRAM, "t.js", "no", NULL, &report);
	char *large = malloc(LARGE);
	memset(large, ' ', LARGE);
	if (which != REPORT_OF_ANOTHER && which != LARGE_REPORT_OF_ANOTHER)
		memcpy(report->id, id, sizeof report->id);
	(void)curfew_report_to_json(report, &text, &length);
	switch (which) {
	case RANDOM_BYTES:
	case RANDOM_FRAMES: send_random(number, state, which == RANDOM_FRAMES); break;
	case HUGE_LENGTH: (void)send(SOCKET, &huge, sizeof huge, MSG_NOSIGNAL); break;
	case DONE_TWICE:
		/* The first one is true; the rest is not. */
		send_done(number, CURFEW_OUTCOME_BAD_PROGRAM, text, length);
		send_done(number, CURFEW_OUTCOME_BAD_PROGRAM, text, length);
		break;
	case REPORT_OF_ANOTHER: send_done(number, CURFEW_OUTCOME_BAD_PROGRAM, text, length); break;
	case REPORT_CUT: send_done(number, CURFEW_OUTCOME_BAD_PROGRAM, text, length - 1); break;
	case LARGE_REPORT_OF_ANOTHER:
	case LARGE_REPORT_CUT:
	case PARTS_TOO_LONG:
	case PARTS_TOO_SHORT:
		/* Spaces make it large. */
		memcpy(large, &head, sizeof head);
		memcpy(large + sizeof head, text, length - 1);
		large[LARGE - 1] = which == LARGE_REPORT_CUT ? ' ' : '}';
		send_parts(WORKER_FRAME_DONE, number, large, LARGE,
		           which == PARTS_TOO_LONG    ? LARGE - 1
		           : which == PARTS_TOO_SHORT ? LARGE + 1
		                                      : LARGE);
		break;
	case LARGE_REPORT_WHOLE:
		memcpy(large, &head, sizeof head);
		send_frame(WORKER_FRAME_DONE, number, large, LARGE);
		break;
	case LARGE_EVENT_NO_JSON:
	case LARGE_OUTPUT:
		memcpy(large, &(worker_event_head){which == LARGE_OUTPUT ? CURFEW_EVENT_STDOUT : CURFEW_EVENT_PROGRESS, 0},
		       sizeof(worker_event_head));
		send_parts(WORKER_FRAME_EVENT, number, large, LARGE / 2, LARGE / 2);
		break;
	case PARTS_OF_TWO_KINDS:
		frame = (worker_frame){.number = number, .kind = WORKER_FRAME_DONE, .more = 1};
		memcpy(large, &(uint64_t){LARGE}, sizeof(uint64_t));
		if (worker_frame_add_part(&bytes, &frame, large, WORKER_PART_BYTES, NULL, 0))
			(void)send(SOCKET, bytes.data, bytes.length, MSG_NOSIGNAL);
		send_event(number, CURFEW_EVENT_STDOUT, "x");
		break;
	case PART_TOO_SHORT:
		frame = (worker_frame){.number = number, .kind = WORKER_FRAME_DONE, .more = 1};
		if (worker_frame_add_part(&bytes, &frame, large, WORKER_PART_BYTES - 1, NULL, 0))
			(void)send(SOCKET, bytes.data, bytes.length, MSG_NOSIGNAL);
		break;
	case REPORT_MISSING: send_done(number, CURFEW_OUTCOME_FINISHED, "", 0); break;
	case STARTED_TWICE:
		send_frame(WORKER_FRAME_STARTED, number, "", 0);
		send_frame(WORKER_FRAME_STARTED, number, "", 0);
		break;
	case READY_TWICE: send_frame(WORKER_FRAME_READY, 0, "1234", 4); break;
	case EVENT_NO_JSON: send_event(number, CURFEW_EVENT_CHECKPOINT, "{\"a\":1},2"); break;
	case EVENT_NO_KIND: send_event(number, 77, "x"); break;
	case TOO_MUCH_OUTPUT:
		send_event(number, CURFEW_EVENT_STDOUT, "0123456789");
		send_event(number, CURFEW_EVENT_STDERR, "0123456789");
		break;
	case OTHER_RUN: send_frame(WORKER_FRAME_STARTED, number + 1, "", 0); break;
	case REQUEST_UNASKED: send_request(number, 1); break;
	case REQUEST_RANDOM:
		for (int i = 0; i < 100; i++) {
			uint64_t random[4] = {next_random(state), next_random(state), next_random(state), next_random(state)};
			send_frame(WORKER_FRAME_REQUEST, number, random, sizeof random);
		}
		break;
	case REQUEST_HUGE:
		huge.kind = WORKER_FRAME_REQUEST;
		huge.length = CURFEW_REQUEST_BYTES + 1;
		(void)send(SOCKET, &huge, sizeof huge, MSG_NOSIGNAL);
		break;
	case CODE_OF_NO_PROGRAM: ask_for_code(1, 1000, CURFEW_CODE_PLAIN); break;
	case CODE_OF_NO_KIND: ask_for_code(1, 0, CURFEW_CODE_DESCRIPTION + 1); break;
	case CODE_WITHOUT_END:
		for (uint64_t i = 1; i < 20000; i++)
			ask_for_code(i, 0, CURFEW_CODE_METERED);
		break;
	case SOCKET_CLOSED: (void)close(SOCKET); break;
	case REQUEST_NOT_GRANTED: send_done(number, CURFEW_OUTCOME_BAD_PROGRAM, text, length); break;
	case LIES: break;
	}
	curfew_report_destroy(report);
	curfew_free(text);
	free(large);
	worker_bytes_finish(&bytes);
}

/* The next frame. NULL: the pool has ended. */
static const char *wait_for_frame(worker_bytes *in, worker_frame *frame)
{
	const char *body = NULL;
	while (worker_frame_peek(in, frame) != WORKER_PEEK_HEAD || (body = worker_frame_body(in, frame)) == NULL) {
		struct timespec pause = {.tv_nsec = 100000};
		if (worker_bytes_receive(in, NULL, SOCKET) < 0)
			return NULL;
		(void)nanosleep(&pause, NULL);
	}
	return body;
}

/* Makes a request, and outputs the answer. */
static void ask_for_more(worker_bytes *in, uint64_t number, uint64_t port)
{
	char text[200];
	worker_frame frame;
	const char *body;
	send_request(number, port);
	while ((body = wait_for_frame(in, &frame)) != NULL && frame.kind != WORKER_FRAME_ANSWER)
		worker_frame_take(in, &frame);
	if (body == NULL)
		return;
	(void)snprintf(text, sizeof text, "%.*s", (int)frame.length - 12, body + 12);
	worker_frame_take(in, &frame);
	send_event(number, CURFEW_EVENT_STDOUT, text);
}

static int be_hostile(lie which)
{
	worker_setup setup;
	worker_bytes in = {0};
	worker_frame frame = {0};
	(void)recv(SOCKET, &setup, sizeof setup, MSG_WAITALL);
	uint64_t state = setup.data_bytes + (uint64_t)getpid() * 0x9e3779b97f4a7c15u;
	send_frame(WORKER_FRAME_READY, 0, "\0\0\0\0", 4);
	while (frame.kind != WORKER_FRAME_RUN) {
		const char *body = wait_for_frame(&in, &frame);
		if (body == NULL)
			return 0;
		worker_run_head head = {0};
		if (frame.kind == WORKER_FRAME_RUN)
			memcpy(&head, body, sizeof head);
		worker_frame_take(&in, &frame);
		if (frame.kind != WORKER_FRAME_RUN)
			continue;
		if (which == REQUEST_NOT_GRANTED)
			ask_for_more(&in, frame.number, setup.data_bytes);
		tell_lie(which, frame.number, head.id, &state);
	}
	for (;;)
		(void)pause();
}

/* ---- Runs and their results --------------------------------------------------------------------------------- */

typedef struct seen {
	atomic_int done; /* how often it was called */
	curfew_outcome outcome;
	bool is_report;
	char partial[64];
} seen;

static seen all[RUNS_MAX];
static atomic_int done_count;

static void on_done(void *context, const worker_result *result)
{
	seen *s = context;
	curfew_report *report = NULL;
	s->outcome = result->outcome;
	s->is_report = result->report != NULL &&
	               curfew_report_parse(result->report, result->report_length, &report, NULL) == CURFEW_OK &&
	               report->outcome == result->outcome;
	if (s->is_report && report->partial != NULL)
		(void)snprintf(s->partial, sizeof s->partial, "%s", report->partial);
	curfew_report_destroy(report);
	atomic_fetch_add(&s->done, 1);
	atomic_fetch_add(&done_count, 1);
}

static void sleep_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	(void)nanosleep(&time, NULL);
}

static worker_pool *new_pool_of(uint32_t workers, uint32_t spares, uint32_t threads, uint64_t data_bytes)
{
	worker_pool *pool = NULL;
	curfew_failure failure = {.message = ""};
	worker_pool_options options = {
		.workers = workers, .spares = spares, .threads = threads, .data_bytes = data_bytes, .fetches = true};
	if (worker_pool_create(&options, &pool, &failure) != CURFEW_OK)
		harness_fail("%s", failure.message);
	memset(all, 0, sizeof all);
	atomic_store(&done_count, 0);
	return pool;
}

static worker_pool *new_pool(uint32_t workers, uint32_t spares, uint32_t threads)
{
	return new_pool_of(workers, spares, threads, 0);
}

static worker_program *new_program(worker_pool *pool, const char *text)
{
	worker_program *program = NULL;
	worker_source source = {.name = "t.js", .bytes = text, .length = strlen(text)};
	CHECK_EQUAL(worker_program_create(pool, &source, &program, NULL), CURFEW_OK);
	return program;
}

static void wait_until(int count)
{
	uint64_t end = harness_now() + harness_patience_ms(60000);
	while (atomic_load(&done_count) < count) {
		if (harness_now() > end)
			harness_fail("only %d of %d runs are done", atomic_load(&done_count), count);
		sleep_ms(1);
	}
}

/* The processes that this one has started, at most `most` of them. */
static size_t list_children(pid_t *pids, size_t most)
{
	size_t count = 0;
	char path[300];
	DIR *tasks = opendir("/proc/self/task");
	for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
		(void)snprintf(path, sizeof path, "/proc/self/task/%.200s/children", task->d_name);
		FILE *file = fopen(path, "re");
		while (file != NULL && count < most && fscanf(file, "%d", &pids[count]) == 1)
			count++;
		if (file != NULL)
			(void)fclose(file);
	}
	(void)closedir(tasks);
	return count;
}

/* ---- Tests ---------------------------------------------------------------------------------------------------- */

static void test_lies_end_the_worker(void)
{
	/* Claims T42, T420. */
	static const char *const hosts[] = {"example.org"};
	for (int which = 0; which < LIES; which++) {
		worker_pool *pool = new_pool(1, 0, HOSTILE + (uint32_t)which);
		worker_program *program = new_program(pool, "1");
		bool is_large = which == LARGE_EVENT_NO_JSON || which == LARGE_OUTPUT;
		curfew_limits limits = {.size = sizeof limits, .output_bytes = is_large ? LARGE : 15};
		worker_job job = {.program = program, .limits = &limits, .on_done = on_done};
		/* A worker that has done its work is kept for the next run, until it reports the end a second time. */
		int runs = which <= RANDOM_FRAMES || which == REQUEST_RANDOM ? 50 : which == DONE_TWICE ? 1 : 2;
		if (which != REQUEST_UNASKED) {
			job.allow_fetch = hosts;
			job.allow_fetch_count = 1;
		}
		for (int i = 0; i < runs; i++) {
			job.context = &all[i];
			CHECK_EQUAL(worker_pool_submit(pool, &job, NULL, NULL), CURFEW_OK);
			wait_until(i + 1);
		}
		for (int i = 0; i < runs; i++) {
			/* Without a socket a worker is like one that died before it began, each time that another gets the run. */
			curfew_outcome expected = which == DONE_TWICE      ? CURFEW_OUTCOME_BAD_PROGRAM
			                          : which == SOCKET_CLOSED ? CURFEW_OUTCOME_INTERNAL_ERROR
			                                                   : CURFEW_OUTCOME_CRASHED;
			if (all[i].outcome != expected || !all[i].is_report || atomic_load(&all[i].done) != 1)
				harness_fail("lie %d: outcome %d, report %d, done %d times", which, (int)all[i].outcome,
				             all[i].is_report, atomic_load(&all[i].done));
		}
		worker_program_unref(program);
		worker_pool_destroy(pool);
		CHECK_EQUAL(list_children((pid_t[8]){0}, 8), 0);
	}
}

static void on_output(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	(void)kind;
	(void)snprintf(context, 64, "%.*s", (int)length, data);
}

/* A worker requests what the run is not allowed: the pool refuses it, and makes no connection. */
static void test_grant_is_checked_here(void)
{
	/* Claim T44. */
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	char output[64] = "";
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, length), 0);
	CHECK_EQUAL(listen(listener, 8), 0);
	CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	worker_pool *pool = new_pool_of(1, 0, HOSTILE + REQUEST_NOT_GRANTED, ntohs(address.sin_port));
	worker_program *program = new_program(pool, "1");
	worker_job job = {.program = program,
	                  .context = output,
	                  .on_event = on_output,
	                  .allow_fetch = (const char *const[]){"example.org", "127.0.0.1"},
	                  .allow_fetch_count = 2};
	worker_run *run;
	CHECK_EQUAL(worker_pool_submit(pool, &job, &run, NULL), CURFEW_OK);
	worker_pool_stats stats = {0};
	for (int i = 0; stats.runs_total == 0 && i < 60000; i++) {
		sleep_ms(1);
		worker_pool_get_stats(pool, &stats);
	}
	CHECK_EQUAL(stats.runs_total, 1);
	CHECK_EQUAL(stats.crashed, 0);
	worker_run_unref(run);
	worker_program_unref(program);
	worker_pool_destroy(pool);
	CHECK(strstr(output, "not allowed") != NULL);
	CHECK_EQUAL(accept(listener, NULL, NULL), -1);
	(void)close(listener);
}

static void test_runs_end_as_in_process(void)
{
	static const struct {
		const char *text;
		curfew_outcome outcome;
	} programs[] = {
		{"1 + 1", CURFEW_OUTCOME_FINISHED},
		{"throw new Error('no')", CURFEW_OUTCOME_THREW},
		{"1 +", CURFEW_OUTCOME_BAD_PROGRAM},
		{"for (;;) {}", CURFEW_OUTCOME_DEADLINE},
		{"new Uint8Array(1 << 30)", CURFEW_OUTCOME_MEMORY},
	};
	worker_pool *pool = new_pool(2, 0, 4);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = 3000000000, .memory_bytes = 16 << 20};
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		worker_program *program = new_program(pool, programs[i].text);
		worker_job job = {.program = program, .limits = &limits, .context = &all[i], .on_done = on_done};
		CHECK_EQUAL(worker_pool_submit(pool, &job, NULL, NULL), CURFEW_OK);
		worker_program_unref(program);
	}
	wait_until(sizeof programs / sizeof programs[0]);
	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		CHECK(all[i].is_report);
		CHECK_EQUAL(all[i].outcome, programs[i].outcome);
	}
	worker_pool_destroy(pool);
}

static void test_cancel(void)
{
	worker_pool *pool = new_pool(1, 0, 1);
	worker_program *program = new_program(pool, "curfew.checkpoint(7); for (;;) {}");
	worker_run *runs[3];
	for (int i = 0; i < 3; i++) {
		worker_job job = {.program = program, .context = &all[i], .on_done = on_done};
		CHECK_EQUAL(worker_pool_submit(pool, &job, &runs[i], NULL), CURFEW_OK);
	}
	sleep_ms(100);
	for (int i = 2; i >= 0; i--)
		worker_run_cancel(runs[i]);
	wait_until(3);
	for (int i = 0; i < 3; i++) {
		worker_run_cancel(runs[i]);
		worker_run_unref(runs[i]);
		CHECK_EQUAL(all[i].outcome, CURFEW_OUTCOME_CANCELLED);
	}
	worker_program_unref(program);
	worker_pool_destroy(pool);
}

/* Destroying a pool notifies every run, and a program may outlive its pool. */
static void test_destroy_ends_runs(void)
{
	worker_pool *pool = new_pool(1, 0, 1);
	worker_program *program = new_program(pool, "for (;;) {}");
	for (int i = 0; i < 20; i++) {
		worker_job job = {.program = program, .context = &all[i], .on_done = on_done};
		CHECK_EQUAL(worker_pool_submit(pool, &job, NULL, NULL), CURFEW_OK);
	}
	worker_pool_destroy(pool);
	CHECK_EQUAL(atomic_load(&done_count), 20);
	for (int i = 0; i < 20; i++)
		CHECK_EQUAL(all[i].outcome, CURFEW_OUTCOME_CANCELLED);
	worker_program_unref(program);
}

/* A worker that the system has suspended does not respond. It is killed, and the run still reports why it ended. */
static void test_stuck_worker(void)
{
	/* Claim T43. */
	pid_t pid;
	worker_pool *pool = new_pool(1, 0, 2);
	worker_program *program = new_program(pool, "curfew.checkpoint('kept'); for (;;) {}");
	uint64_t patience_ns = harness_patience_ms(250);
	curfew_limits limits[2] = {{.size = sizeof limits[0], .timeout_ns = 2 * patience_ns},
	                           {.size = sizeof limits[0], .timeout_ns = 60 * patience_ns}};
	for (int i = 0; i < 2; i++) {
		worker_job job = {.program = program, .limits = &limits[i], .context = &all[i], .on_done = on_done};
		CHECK_EQUAL(worker_pool_submit(pool, &job, NULL, NULL), CURFEW_OK);
	}
	harness_sleep_us((unsigned)(patience_ns / 1000));
	CHECK_EQUAL(list_children(&pid, 1), 1);
	CHECK_EQUAL(kill(pid, SIGSTOP), 0);
	wait_until(2);
	CHECK_EQUAL(all[0].outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(all[1].outcome, CURFEW_OUTCOME_INTERNAL_ERROR);
	CHECK_TEXT(all[0].partial, "\"kept\"");
	CHECK_TEXT(all[1].partial, "\"kept\"");
	worker_program_unref(program);
	worker_pool_destroy(pool);
}

/* Runs that shared a worker with a run that had to be killed, and had no visible effect yet, are executed again. */
static void test_bystanders_are_carried_out_again(void)
{
	/* Claim T43. */
	worker_pool *pool = new_pool(1, 1, 4);
	worker_program *loop = new_program(pool, "for (;;) {}");
	uint64_t patience_ns = harness_patience_ms(250);
	char text[64];
	(void)snprintf(text, sizeof text, "new Promise(r => setTimeout(() => r(7), %u))", (unsigned)(patience_ns / 250000));
	worker_program *wait = new_program(pool, text);
	curfew_limits limits[2] = {{.size = sizeof limits[0], .timeout_ns = 2 * patience_ns},
	                           {.size = sizeof limits[0], .timeout_ns = 60 * patience_ns}};
	worker_run *runs[6];
	for (int i = 0; i < 6; i++) {
		worker_job job = {
			.program = i == 0 ? loop : wait, .limits = &limits[i > 0], .context = &all[i], .on_done = on_done};
		CHECK_EQUAL(worker_pool_submit(pool, &job, &runs[i], NULL), CURFEW_OK);
	}
	harness_sleep_us((unsigned)(patience_ns / 1000));
	/* A run that is cancelled while its worker does not respond is not executed again. */
	pid_t pids[4];
	size_t count = list_children(pids, 4);
	for (size_t i = 0; i < count; i++)
		CHECK_EQUAL(kill(pids[i], SIGSTOP), 0);
	worker_run_cancel(runs[5]);
	wait_until(6);

	/* The worker was killed for the cancelled run, so the other run's time starts again. */
	CHECK_EQUAL(all[0].outcome, CURFEW_OUTCOME_DEADLINE);
	CHECK_EQUAL(all[5].outcome, CURFEW_OUTCOME_CANCELLED);
	for (int i = 1; i < 5; i++)
		CHECK_EQUAL(all[i].outcome, CURFEW_OUTCOME_FINISHED);
	worker_pool_stats stats;
	worker_pool_get_stats(pool, &stats);
	CHECK(stats.repeated >= 4);
	CHECK_EQUAL(stats.crashed, 0);
	for (int i = 0; i < 6; i++) {
		worker_run_unref(runs[i]);
		CHECK_EQUAL(atomic_load(&all[i].done), 1);
	}
	worker_program_unref(loop);
	worker_program_unref(wait);
	worker_pool_destroy(pool);
}

/*
 * Kills no worker before some runs have ended since the last kill: if no worker becomes ready, runs are given up, and a
 * slow machine must not lose more of them.
 */
static void *kill_now_and_then(void *stop)
{
	pid_t pids[16];
	int done = -KILLED_EACH;
	for (unsigned turn = 0; !atomic_load((atomic_bool *)stop); turn++) {
		size_t count = list_children(pids, 16);
		if (count > 0 && atomic_load(&done_count) >= done + KILLED_EACH) {
			done = atomic_load(&done_count);
			(void)kill(pids[turn % count], turn % 2 == 0 ? SIGKILL : SIGSEGV);
		}
		sleep_ms(100);
	}
	return NULL;
}

static void test_workers_are_killed(void)
{
	atomic_bool stop = false;
	pthread_t killer;
	worker_pool *pool = new_pool(2, 1, 4);
	worker_program *program = new_program(pool,
	                                      "curfew.checkpoint(1); for (let end = Date.now() + 5; Date.now() < end;);");
	const curfew_limits patient = {.size = sizeof patient, .timeout_ns = harness_patience_ms(60000)};
	CHECK_EQUAL(pthread_create(&killer, NULL, kill_now_and_then, &stop), 0);
	for (int i = 0; i < RUNS_MAX; i++) {
		worker_job job = {.program = program, .limits = &patient, .context = &all[i], .on_done = on_done};
		/* Some in flight, not all: a crash costs the runs of one worker. */
		while (i - atomic_load(&done_count) >= 16)
			sleep_ms(1);
		CHECK_EQUAL(worker_pool_submit(pool, &job, NULL, NULL), CURFEW_OK);
	}
	wait_until(RUNS_MAX);
	atomic_store(&stop, true);
	(void)pthread_join(killer, NULL);
	worker_pool_stats stats;
	worker_pool_get_stats(pool, &stats);
	int lost = 0;
	for (int i = 0; i < RUNS_MAX; i++) {
		CHECK_EQUAL(atomic_load(&all[i].done), 1);
		CHECK(all[i].is_report);
		lost += all[i].outcome == CURFEW_OUTCOME_CRASHED;
		if (all[i].outcome != CURFEW_OUTCOME_CRASHED)
			CHECK_EQUAL(all[i].outcome, CURFEW_OUTCOME_FINISHED);
	}
	CHECK_EQUAL(stats.runs_total, RUNS_MAX);
	CHECK_EQUAL(stats.active, 0);
	CHECK_EQUAL(stats.crashed, lost);
	CHECK(stats.restarts > 0);
	CHECK(lost < RUNS_MAX / 2);
	worker_program_unref(program);
	worker_pool_destroy(pool);
}

static void test_idle_worker_is_replaced(void)
{
	pid_t first = 0, second = 0;
	worker_pool_stats stats = {0};
	worker_pool *pool = new_pool(1, 0, 1);
	CHECK_EQUAL(list_children(&first, 1), 1);
	CHECK_EQUAL(kill(first, SIGKILL), 0);
	for (int i = 0; i < 10000 && (stats.restarts == 0 || stats.workers == 0); i++) {
		sleep_ms(1);
		worker_pool_get_stats(pool, &stats);
	}
	CHECK_EQUAL(stats.workers, 1);
	/* The first one may take a while to disappear. */
	for (int i = 0; i < 10000 && (second == 0 || second == first); i++) {
		sleep_ms(1);
		(void)list_children(&second, 1);
	}
	CHECK(first != second);
	worker_pool_destroy(pool);
}

static const harness_test tests[] = {
	{"lies_end_the_worker", test_lies_end_the_worker},
	{"grant_is_checked_here", test_grant_is_checked_here},
	{"runs_end_as_in_process", test_runs_end_as_in_process},
	{"cancel", test_cancel},
	{"destroy_ends_runs", test_destroy_ends_runs},
	{"stuck_worker", test_stuck_worker},
	{"workers_are_killed", test_workers_are_killed},
	{"bystanders_are_carried_out_again", test_bystanders_are_carried_out_again},
	{"idle_worker_is_replaced", test_idle_worker_is_replaced},
};

int main(int count, char **words)
{
	worker_setup setup;
	if (count == 2 && strcmp(words[1], "worker") == 0) {
		(void)recv(SOCKET, &setup, sizeof setup, MSG_PEEK | MSG_WAITALL);
		return setup.threads >= HOSTILE ? be_hostile((lie)(setup.threads - HOSTILE)) : worker_main();
	}
	return harness_main(count, words, tests, sizeof tests / sizeof tests[0]);
}
