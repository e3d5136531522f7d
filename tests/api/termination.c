/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stop, whatever its cause, ends the run's request in progress, its timers, promises and callbacks. After thousands
 * of stops nothing is left. The server is a thread of this program, and never answers.
 */
#include "engine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* ---- The server ------------------------------------------------------------------------------------------- */

typedef struct silent_server {
	pthread_t thread;
	int listener, poller, end;
	int port;
	atomic_uint requests, closed;
	_Atomic uint64_t closed_ns; /* when the last one was closed */
} silent_server;

static void look_after(silent_server *server, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	CHECK(epoll_ctl(server->poller, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void take_bytes(silent_server *server, int fd)
{
	char bytes[4096];
	if (read(fd, bytes, sizeof bytes) > 0) {
		atomic_fetch_add(&server->requests, 1);
		return;
	}
	atomic_store(&server->closed_ns, harness_now());
	(void)close(fd);
	atomic_fetch_add(&server->closed, 1);
}

static void *serve(void *context)
{
	silent_server *server = context;
	struct epoll_event event;
	for (;;) {
		int fd;
		if (epoll_wait(server->poller, &event, 1, -1) != 1)
			continue;
		if (event.data.fd == server->end)
			return NULL;
		if (event.data.fd != server->listener)
			take_bytes(server, event.data.fd);
		else if ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			look_after(server, fd);
	}
}

static void server_start(silent_server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	memset(server, 0, sizeof *server);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	server->poller = epoll_create1(EPOLL_CLOEXEC);
	server->end = eventfd(0, EFD_CLOEXEC);
	CHECK(server->listener >= 0 && server->poller >= 0 && server->end >= 0);
	CHECK(bind(server->listener, (struct sockaddr *)&address, length) == 0 && listen(server->listener, 4096) == 0);
	CHECK(getsockname(server->listener, (struct sockaddr *)&address, &length) == 0);
	server->port = ntohs(address.sin_port);
	look_after(server, server->listener);
	look_after(server, server->end);
	CHECK(pthread_create(&server->thread, NULL, serve, server) == 0);
}

static void server_end(silent_server *server)
{
	uint64_t one = 1;
	CHECK(write(server->end, &one, sizeof one) == sizeof one);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->listener);
	(void)close(server->poller);
	(void)close(server->end);
}

static bool wait_until(atomic_uint *count, unsigned least, uint64_t ms)
{
	uint64_t end = harness_now() + harness_patience_ms(ms);
	while (atomic_load(count) < least && harness_now() < end)
		harness_sleep_us(200);
	return atomic_load(count) >= least;
}

/* ---- Each kind of stop ------------------------------------------------------------------------------------ */

/* Observations of one run from outside. */
typedef struct run_watcher {
	atomic_uint events, late_events;
	atomic_bool ready; /* it has reported that it is ready to be stopped */
	_Atomic uint64_t done_ns;
	atomic_uint stops, stop_cause; /* the notifications through on_stop */
} run_watcher;

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	run_watcher *watcher = context;
	if (atomic_load(&watcher->done_ns) != 0)
		atomic_fetch_add(&watcher->late_events, 1);
	atomic_fetch_add(&watcher->events, 1);
	if (kind == CURFEW_EVENT_PROGRESS)
		atomic_store(&watcher->ready, true);
}

static void on_stop(void *context, curfew_outcome cause)
{
	run_watcher *watcher = context;
	CHECK(atomic_load(&watcher->done_ns) == 0);
	atomic_store(&watcher->stop_cause, (unsigned)cause);
	atomic_fetch_add(&watcher->stops, 1);
}

static void on_done(void *context, curfew_run *run)
{
	atomic_store(&((run_watcher *)context)->done_ns, harness_now());
}

typedef struct stop_kind {
	const char *what, *text;
	curfew_outcome outcome;
	curfew_limits limits;
	bool cancel;
} stop_kind;

#define LIMITS .size = sizeof(curfew_limits)
#define LONG UINT64_C(600000000000)

/*
 * A fetch is in progress, with continuations; timers are due soon; an interval runs. The rest of the program follows.
 */
static const char prologue[] =
	"const settled = (how) => console.log('settled ' + how);\n"
	"fetch('http://127.0.0.1:%d/').then(() => settled('then'), () => settled('catch')).finally(() => settled('finally'));\n"
	"curfew.signal.addEventListener('abort', () => console.log('listener'));\n"
	"const { reject } = Promise.withResolvers();\n"
	"const later = %u; setTimeout(() => console.log('timer'), later); setTimeout(reject, later);\n"
	"setInterval(() => console.log('interval'), later);\n"
	"await new Promise((done) => setTimeout(done, 150));\n"
	"curfew.progress('ready');\n"
	"try { %s } finally { console.log('finalizer'); }\n";

static const stop_kind stops[] = {
	{"a deadline while waiting",
     "await new Promise(() => {});",
     CURFEW_OUTCOME_DEADLINE,
     {LIMITS, .timeout_ns = 500000000},
     false},
	{"a deadline in a loop", "for (;;);", CURFEW_OUTCOME_DEADLINE, {LIMITS, .timeout_ns = 500000000}, false},
	{"a deadline in a builtin",
     "for (;;) new Array(1e7).fill(0);",
     CURFEW_OUTCOME_DEADLINE,
     {LIMITS, .timeout_ns = 500000000, .memory_bytes = 512u << 20},
     false},
	{"a cancel while waiting",
     "await new Promise(() => {});",
     CURFEW_OUTCOME_CANCELLED,
     {LIMITS, .timeout_ns = LONG},
     true},
	{"a cancel in a loop",
     "for (;;) { try { for (;;); } catch {} }",
     CURFEW_OUTCOME_CANCELLED,
     {LIMITS, .timeout_ns = LONG},
     true},
	{"the CPU limit", "for (;;);", CURFEW_OUTCOME_CPU, {LIMITS, .timeout_ns = LONG, .cpu_ns = 500000000}, false},
	{"the limit of calls",
     "for (;;) secrets.get('none');",
     CURFEW_OUTCOME_HOST_CALLS,
     {LIMITS, .timeout_ns = LONG, .host_calls = 20},
     false},
	{"the limit of loops", "for (;;);", CURFEW_OUTCOME_LOOPS, {LIMITS, .timeout_ns = LONG, .loops = 1000000}, false},
	{"the fuel limit", "for (;;);", CURFEW_OUTCOME_FUEL, {LIMITS, .timeout_ns = LONG, .fuel = 1000000000}, false},
	{"the memory limit",
     "for (const all = [];;) all.push('x'.repeat(1000) + all.length);",
     CURFEW_OUTCOME_MEMORY,
     {LIMITS, .timeout_ns = LONG},
     false},
	{"the limit of timers",
     "for (;;) setTimeout(() => console.log('one of many'), 1);",
     CURFEW_OUTCOME_TIMERS,
     {LIMITS, .timeout_ns = LONG},
     false},
};

static void start(curfew_engine *engine, const char *text, int port, const curfew_limits *limits, run_watcher *watcher,
                  curfew_run **run)
{
	char host[32];
	const char *hosts[] = {host};
	(void)snprintf(host, sizeof host, "127.0.0.1:%d", port);
	curfew_source source = {.size = sizeof source, .name = "test.mjs", .text = text, .text_length = strlen(text)};
	curfew_run_options options = {.size = sizeof options,
	                              .limits = limits,
	                              .allow_fetch = hosts,
	                              .allow_fetch_count = 1,
	                              .on_event = on_event,
	                              .on_event_context = watcher,
	                              .on_done = on_done,
	                              .on_done_context = watcher,
	                              .on_stop = on_stop,
	                              .on_stop_context = watcher};
	curfew_program *program;
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK_OK(curfew_run_start(program, &options, run, NULL));
	curfew_program_destroy(program);
}

/* Checks when the server sees the end of the request, and that nothing of the program continues. */
static void stop_once(curfew_engine *engine, silent_server *server, const stop_kind *stop)
{
	char text[2048];
	run_watcher watcher = {.events = 0};
	curfew_run *run;
	unsigned closed = atomic_load(&server->closed), requests = atomic_load(&server->requests);
	curfew_limits limits = stop->limits;
	uint64_t stopped_ns = 0;
	/* Long after any deadline. */
	uint64_t later_ns = harness_patience_ms(2500);
	if (limits.timeout_ns != LONG)
		limits.timeout_ns = later_ns / (2500000000 / limits.timeout_ns);
	(void)snprintf(text, sizeof text, prologue, server->port, (unsigned)(later_ns / 1000000), stop->text);
	start(engine, text, server->port, &limits, &watcher, &run);
	if (stop->cancel) {
		CHECK(wait_until(&server->requests, requests + 1, 10000));
		while (!atomic_load(&watcher.ready))
			harness_sleep_us(200);
		stopped_ns = harness_now();
		curfew_run_cancel(run);
	}
	const curfew_report *report = curfew_run_wait(run);
	if (report->outcome != stop->outcome)
		(void)fprintf(stderr, "%s: %s\n", stop->what, curfew_outcome_name(report->outcome));
	CHECK_EQUAL(report->outcome, stop->outcome);
	CHECK_EQUAL(atomic_load(&watcher.stops), 1);
	CHECK_EQUAL(atomic_load(&watcher.stop_cause), stop->outcome);
	CHECK(atomic_load(&watcher.ready) && atomic_load(&server->requests) == requests + 1);
	/* No promise settled, no timer fired, no listener was called, and no finalizer ran. */
	CHECK_TEXT(report->stdout_text != NULL ? report->stdout_text : "", "");
	CHECK(wait_until(&server->closed, closed + 1, 5000));
	if (stopped_ns == 0) { /* the limit is exceeded long before the stop; the callback comes after it */
		while (atomic_load(&watcher.done_ns) == 0)
			harness_sleep_us(200);
		stopped_ns = atomic_load(&watcher.done_ns);
	}
	uint64_t closed_ns = atomic_load(&server->closed_ns);
	(void)printf("%s: the server saw the close %.1f ms %s the %s\n", stop->what,
	             (double)(closed_ns > stopped_ns ? closed_ns - stopped_ns : stopped_ns - closed_ns) / 1e6,
	             closed_ns > stopped_ns ? "after" : "before", stop->cancel ? "cancel" : "report");
	CHECK(closed_ns < stopped_ns + harness_patience_ms(5000));
	curfew_run_destroy(run);
	CHECK_EQUAL(atomic_load(&watcher.late_events), 0);
}

static void each_stop_ends_all(void)
{
	/* Claim T9. */
	silent_server server;
	server_start(&server);
	curfew_engine *engine = harness_engine(2);
	for (size_t i = 0; i < sizeof stops / sizeof stops[0]; i++)
		stop_once(engine, &server, &stops[i]);
	curfew_engine_destroy(engine);
	server_end(&server);
}

/* Timers that were due soon after the stop, while the engine exists, do not fire. */
static void nothing_comes_later(void)
{
	/* Claim T11. */
	static const char text[] =
		"setInterval(() => curfew.progress('tick'), 1); setTimeout(() => console.log('late'), 400);\n"
		"(async () => { for (;;) { await null; curfew.checkpoint(1); await new Promise((done) => setTimeout(done, 1)); } })();\n"
		"await new Promise(() => {});\n";
	curfew_engine *engine = harness_engine(2);
	curfew_limits limits = {LIMITS, .timeout_ns = harness_ms(200), .host_calls = CURFEW_UNLIMITED};
	for (unsigned i = 0; i < 3; i++) {
		run_watcher watcher = {.events = 0};
		curfew_run *run;
		start(engine, text, 1, &limits, &watcher, &run);
		if (i == 1) {
			CHECK(wait_until(&watcher.events, 1, 10000));
			curfew_run_cancel(run);
		}
		const curfew_report *report = curfew_run_wait(run);
		CHECK_EQUAL(report->outcome, i == 1 ? CURFEW_OUTCOME_CANCELLED : CURFEW_OUTCOME_DEADLINE);
		unsigned events = atomic_load(&watcher.events);
		CHECK(events > 0);
		harness_sleep_us(500000);
		CHECK_EQUAL(atomic_load(&watcher.events), events);
		CHECK_EQUAL(atomic_load(&watcher.late_events), 0);
		curfew_run_destroy(run);
	}
	curfew_engine_destroy(engine);
}

/* ---- Thousands -------------------------------------------------------------------------------------------- */

static long resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file != NULL && fscanf(file, "%ld %ld", &size, &resident) == 2);
	(void)fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

enum { ROUND = 50 };

static const char *const endings[] = {
	"await new Promise(() => {})", "for (;;);", "for (;;) secrets.get('none')", "throw 1", "1",
};

/* Runs that are stopped, or end, with requests and timers in progress. Every second one is also cancelled. */
static void one_round(curfew_engine *engine, silent_server *server, curfew_program **programs)
{
	static curfew_run *runs[ROUND];
	char host[32];
	const char *hosts[] = {host};
	curfew_limits limits = {LIMITS, .timeout_ns = harness_ms(30), .host_calls = 100};
	(void)snprintf(host, sizeof host, "127.0.0.1:%d", server->port);
	curfew_run_options options = {
		.size = sizeof options, .limits = &limits, .allow_fetch = hosts, .allow_fetch_count = 1};
	for (unsigned i = 0; i < ROUND; i++)
		CHECK_OK(curfew_run_start(programs[i % (sizeof endings / sizeof endings[0])], &options, &runs[i], NULL));
	for (unsigned i = 0; i < ROUND; i += 2)
		curfew_run_cancel(runs[i]);
	for (unsigned i = 0; i < ROUND; i++) {
		(void)curfew_run_wait(runs[i]);
		curfew_run_destroy(runs[i]);
	}
}

static void settle(curfew_engine *engine, silent_server *server, unsigned descriptors)
{
	uint64_t end = harness_now() + harness_patience_ms(10000);
	curfew_engine_stats stats = {.size = sizeof stats};
	do {
		harness_sleep_us(2000);
		curfew_engine_get_stats(engine, &stats);
	} while ((stats.regions_in_use || stats.runs_active ||
	          (descriptors && harness_count_entries("/proc/self/fd") > descriptors)) &&
	         harness_now() < end);
	CHECK_EQUAL(stats.regions_in_use, 0);
	CHECK_EQUAL(stats.runs_active, 0);
	CHECK(!descriptors || harness_count_entries("/proc/self/fd") <= descriptors);
}

static void thousands_leave_nothing(void)
{
	curfew_program *programs[sizeof endings / sizeof endings[0]];
	silent_server server;
	server_start(&server);
	unsigned threads = harness_count_entries("/proc/self/task"), before = harness_count_entries("/proc/self/fd"),
			 rounds = harness_count(40), descriptors = 0;
	long resident = 0;
	curfew_engine *engine = harness_engine(2);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		char text[512];
		(void)snprintf(text, sizeof text, "fetch('http://127.0.0.1:%d/').catch(() => {}); setInterval(() => {}, 1); %s",
		               server.port, endings[i]);
		curfew_source source = {.size = sizeof source, .name = "test.mjs", .text = text, .text_length = strlen(text)};
		CHECK_OK(curfew_program_create(engine, &source, &programs[i], NULL));
	}
	/* Memory and descriptors that are kept ready exist after the first quarter. */
	for (unsigned i = 0; i < rounds; i++) {
		one_round(engine, &server, programs);
		if (i == rounds / 4) {
			harness_sleep_us(500000);
			settle(engine, &server, 0);
			descriptors = harness_count_entries("/proc/self/fd");
			resident = resident_kib();
		}
	}
	settle(engine, &server, descriptors + 16);
	(void)printf(
		"%u runs: %u descriptors, %u at the first quarter; memory grew by %ld KiB; %u requests reached the server\n",
		rounds * ROUND, harness_count_entries("/proc/self/fd"), descriptors, resident_kib() - resident,
		atomic_load(&server.requests));
	CHECK(resident_kib() - resident < 24 << 10);
	CHECK(harness_count_entries("/proc/self/task") < threads + 76);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		curfew_program_destroy(programs[i]);
	curfew_engine_destroy(engine);
	uint64_t end = harness_now() + harness_patience_ms(10000);
	/* One of the engine's own threads may destroy it. */
	while ((harness_count_entries("/proc/self/fd") != before || harness_count_entries("/proc/self/task") != threads) &&
	       harness_now() < end)
		harness_sleep_us(2000);
	CHECK_EQUAL(harness_count_entries("/proc/self/fd"), before);
	CHECK_EQUAL(harness_count_entries("/proc/self/task"), threads);
	server_end(&server);
}

static const harness_test tests[] = {
	{"each_stop_ends_all", each_stop_ends_all},
	{"nothing_comes_later", nothing_comes_later},
	{"thousands_leave_nothing", thousands_leave_nothing},
};

HARNESS_MAIN(tests)
