/* SPDX-License-Identifier: Apache-2.0 */
/* fetch through the library: invalid hosts, many waiting runs, all of them stopped at once, and no leaks. */
#include "engine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define MS UINT64_C(1000000)

/* Listens, and never answers: the system accepts the connections. */
static int listen_somewhere(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 4096) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static unsigned count_descriptors(void)
{
	return harness_count_entries("/proc/self/fd");
}

/*
 * Waits until that many descriptors are open, and returns their number. (One of an engine's own threads may destroy
 * it.)
 */
static unsigned wait_for_descriptors(unsigned least, unsigned most)
{
	uint64_t end = harness_now() + harness_patience_ms(10000);
	unsigned count = count_descriptors();
	while ((count < least || count > most) && harness_now() < end) {
		harness_sleep_us(2000);
		count = count_descriptors();
	}
	return count;
}

static void bad_hosts(void)
{
	static const char *const bad[] = {"", "*", "http://a", "a:0", "a:70000", "[::1", "a b"};
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		curfew_failure failure = {.message = ""};
		CHECK_EQUAL(curfew_allow_fetch_check(bad[i], &failure), CURFEW_INVALID);
		CHECK(failure.message[0] != '\0');
		curfew_run_options options = {.size = sizeof options, .allow_fetch = &bad[i], .allow_fetch_count = 1};
		curfew_report *report;
		CHECK_EQUAL(curfew_program_run(program, &options, &report, &failure), CURFEW_INVALID);
		CHECK(report == NULL && strstr(failure.message, "allow_fetch") != NULL);
	}
	CHECK_EQUAL(curfew_allow_fetch_check(NULL, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_allow_fetch_check("*.example.com:8080", NULL), CURFEW_OK);
	curfew_run_options options = {.size = sizeof options, .allow_fetch = NULL, .allow_fetch_count = 1};
	curfew_report *report;
	CHECK_EQUAL(curfew_program_run(program, &options, &report, NULL), CURFEW_INVALID);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static curfew_program *waiting_program(curfew_engine *engine, int port)
{
	char text[256];
	(void)snprintf(text, sizeof text, "fetch('http://127.0.0.1:%d/').then(() => 'answered', (e) => 'failed ' + e)",
	               port);
	return harness_program(engine, text);
}

enum { MANY = 300 };

static void start_many(curfew_program *program, int port, curfew_run **runs, unsigned count)
{
	char host[64];
	const char *hosts[] = {host};
	(void)snprintf(host, sizeof host, "127.0.0.1:%d", port);
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = CURFEW_UNLIMITED};
	for (unsigned i = 0; i < count; i++) {
		curfew_run_options options = {
			.size = sizeof options, .limits = &limits, .allow_fetch = hosts, .allow_fetch_count = 1};
		CHECK_OK(curfew_run_start(program, &options, &runs[i], NULL));
	}
}

/* They wait without a thread each. When they are cancelled, each ends, and its connection is closed. */
static void many_wait_and_are_cancelled(void)
{
	static curfew_run *runs[MANY];
	int port, listener = listen_somewhere(&port);
	unsigned count = harness_count(MANY);
	unsigned before = count_descriptors();
	curfew_engine *engine = harness_engine(2);
	curfew_program *program = waiting_program(engine, port);
	start_many(program, port, runs, count);
	CHECK(wait_for_descriptors(before + count, UINT32_MAX) >= before + count);
	/* The last ones are about to wait; on a busy machine each of these has a thread. */
	uint64_t until = harness_now() + harness_patience_ms(5000);
	while (harness_count_entries("/proc/self/task") >= 12 && harness_now() < until)
		harness_sleep_us(1000);
	CHECK(harness_count_entries("/proc/self/task") < 12);
	for (unsigned i = 0; i < count; i++)
		curfew_run_cancel(runs[i]);
	for (unsigned i = 0; i < count; i++) {
		const curfew_report *report = curfew_run_wait(runs[i]);
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_CANCELLED);
		curfew_run_destroy(runs[i]);
	}
	/* The rest belongs to the engine: the network thread's, and the guests' memory that is kept ready. */
	CHECK(wait_for_descriptors(0, before + 40) <= before + 40);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	CHECK_EQUAL(wait_for_descriptors(before, before), before);
	(void)close(listener);
}

/* Runs that end in each way with a request in progress, in an engine that is destroyed at once. */
static void nothing_stays(void)
{
	static const char *const endings[] = {
		"fetch(HERE); throw 1",
		"fetch(HERE); undefined",
		"fetch(HERE); for (;;);",
		"fetch(HERE); new Promise(() => {})",
		"for (let i = 0; i < 20; i++) fetch(HERE + i).catch(() => {}); 1",
		"const c = new AbortController(); fetch(HERE, { signal: c.signal }).catch(() => {}); c.abort(); 1",
		"fetch(HERE, { method: 'POST', body: new ReadableStream(), duplex: 'half' }); new Promise(() => {})",
	};
	int port, listener = listen_somewhere(&port);
	char host[64];
	const char *hosts[] = {host};
	(void)snprintf(host, sizeof host, "127.0.0.1:%d", port);
	unsigned before = count_descriptors();
	for (unsigned round = 0; round < harness_count(20); round++) {
		for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
			char text[512];
			(void)snprintf(text, sizeof text, "const HERE = 'http://%s/'; %s", host, endings[i]);
			curfew_engine *engine = harness_engine(1);
			curfew_program *program = harness_program(engine, text);
			curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(20)};
			curfew_run_options options = {
				.size = sizeof options, .limits = &limits, .allow_fetch = hosts, .allow_fetch_count = 1};
			curfew_report *report;
			CHECK_OK(curfew_program_run(program, &options, &report, NULL));
			CHECK(report->outcome == CURFEW_OUTCOME_DEADLINE || report->outcome == CURFEW_OUTCOME_THREW ||
			      report->outcome == CURFEW_OUTCOME_FINISHED);
			curfew_report_destroy(report);
			curfew_program_destroy(program);
			curfew_engine_destroy(engine);
			CHECK_EQUAL(wait_for_descriptors(before, before), before);
		}
	}
	(void)close(listener);
}

/* A name is being looked up when everything ends. */
static void ends_while_a_name_is_looked_up(void)
{
	/* Claim T30. */
	static const char *const hosts[] = {"*.invalid"};
	for (unsigned i = 0; i < harness_count(50); i++) {
		curfew_engine *engine = harness_engine(1);
		curfew_program *program = harness_program(engine, "fetch('http://name.invalid/'); throw 1");
		curfew_run_options options = {.size = sizeof options, .allow_fetch = hosts, .allow_fetch_count = 1};
		curfew_report *report;
		CHECK_OK(curfew_program_run(program, &options, &report, NULL));
		CHECK_EQUAL(report->outcome, CURFEW_OUTCOME_THREW);
		curfew_report_destroy(report);
		curfew_program_destroy(program);
		curfew_engine_destroy(engine);
	}
}

static const harness_test tests[] = {
	{"bad_hosts", bad_hosts},
	{"many_wait_and_are_cancelled", many_wait_and_are_cancelled},
	{"nothing_stays", nothing_stays},
	{"ends_while_a_name_is_looked_up", ends_while_a_name_is_looked_up},
};

HARNESS_MAIN(tests)
