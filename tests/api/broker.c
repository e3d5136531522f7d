/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brokers: a run in this process plays the one in another process. The test carries its messages to a broker by hand:
 * unchanged, to a broker that grants less than the run believes, and damaged.
 */
#include "engine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* ---- Messages in transit, and a server ------------------------------------------------------------------------- */

enum { MESSAGES_MAX = 4096 };

typedef struct carrier {
	pthread_mutex_t lock;
	char *messages[MESSAGES_MAX]; /* those of the run, in order; NULL: it was carried */
	size_t lengths[MESSAGES_MAX];
	size_t count;
} carrier;

static void on_request(void *context, const void *message, size_t length)
{
	carrier *c = context;
	(void)pthread_mutex_lock(&c->lock);
	CHECK(c->count < MESSAGES_MAX && length <= CURFEW_REQUEST_BYTES);
	c->messages[c->count] = malloc(length);
	memcpy(c->messages[c->count], message, length);
	c->lengths[c->count++] = length;
	(void)pthread_mutex_unlock(&c->lock);
}

static void on_ready(void *context)
{
	(void)context;
}

static void empty(carrier *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->messages[i]);
	c->count = 0;
}

/* Listens, and never answers: the system accepts the connections. */
static int listen_somewhere(int *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 4096) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static bool has_something(int fd, int ms)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	return poll(&wait, 1, ms) == 1;
}

static curfew_broker *new_broker(curfew_network *network, const char *host, const curfew_limits *limits,
                                 const char *directory)
{
	curfew_broker_options options = {.size = sizeof options,
	                                 .limits = limits,
	                                 .allow_fetch = &host,
	                                 .allow_fetch_count = host != NULL,
	                                 .network = network,
	                                 .import_dir = directory,
	                                 .on_ready = on_ready};
	curfew_broker *broker;
	curfew_failure failure = {.message = ""};
	if (curfew_broker_create(&options, &broker, &failure) != CURFEW_OK)
		(void)fprintf(stderr, "%s\n", failure.message);
	CHECK(broker != NULL);
	return broker;
}

/* A run of a program or of a text that makes requests. */
static curfew_run *start(curfew_engine *engine, const char *text, uint32_t flags, carrier *c)
{
	curfew_source source = {.size = sizeof source,
	                        .language = CURFEW_LANGUAGE_JS_MODULE,
	                        .name = "test.mjs",
	                        .text = text,
	                        .text_length = strlen(text)};
	curfew_program *program = NULL;
	curfew_run *run = NULL;
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = harness_ms(20000)};
	curfew_run_options options = {
		.size = sizeof options, .limits = &limits, .flags = flags, .on_request = on_request, .on_request_context = c};
	CHECK_OK(curfew_program_create(engine, &source, &program, NULL));
	CHECK_OK(curfew_run_start(program, &options, &run, NULL));
	curfew_program_destroy(program);
	return run;
}

/* Carries messages in both directions until the run has ended. */
static void carry(carrier *c, curfew_run *run, curfew_broker *broker)
{
	size_t at = 0, length;
	while (curfew_run_get_report(run) == NULL) {
		(void)pthread_mutex_lock(&c->lock);
		size_t count = c->count;
		(void)pthread_mutex_unlock(&c->lock);
		for (; at < count; at++)
			CHECK_OK(curfew_broker_receive(broker, c->messages[at], c->lengths[at], NULL));
		for (const void *message; (message = curfew_broker_next(broker, &length)) != NULL;)
			CHECK_OK(curfew_run_receive(run, message, length, NULL));
		harness_sleep_us(200);
	}
}

static void wait_for_messages(carrier *c, size_t wanted)
{
	for (size_t count = 0; count < wanted; harness_sleep_us(200)) {
		(void)pthread_mutex_lock(&c->lock);
		count = c->count;
		(void)pthread_mutex_unlock(&c->lock);
	}
}

static curfew_network *new_network(void)
{
	curfew_network *network;
	CHECK_OK(curfew_network_create(&network, NULL));
	return network;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------ */

static void *answer_one(void *context)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	char request[4096];
	int fd = accept(*(int *)context, NULL, NULL);
	CHECK(recv(fd, request, sizeof request, 0) > 0);
	CHECK(send(fd, answer, sizeof answer - 1, 0) == sizeof answer - 1);
	(void)close(fd);
	return NULL;
}

static void answers_reach_the_run(void)
{
	static carrier c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	char text[256], host[64];
	int port, listener = listen_somewhere(&port);
	pthread_t server;
	(void)snprintf(host, sizeof host, "127.0.0.1:%d", port);
	(void)snprintf(text, sizeof text, "const r = await fetch('http://%s/'); export default [r.status, await r.text()]",
	               host);
	CHECK(pthread_create(&server, NULL, answer_one, &listener) == 0);
	curfew_engine *engine = harness_engine(1);
	curfew_network *network = new_network();
	curfew_broker *broker = new_broker(network, host, NULL, NULL);
	curfew_run *run = start(engine, text, 0, &c);
	carry(&c, run, broker);
	CHECK_TEXT(curfew_run_wait(run)->value, "[200,\"hello\"]");
	curfew_run_destroy(run);
	curfew_broker_destroy(broker);
	curfew_network_destroy(network);
	curfew_engine_destroy(engine);
	(void)pthread_join(server, NULL);
	empty(&c);
}

/* The run's own grants do not count. The broker uses those that it was given itself. */
static void grants_are_the_brokers(void)
{
	/* Claim T45. */
	static carrier c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	static const char *const grants[] = {NULL, "example.org", "127.0.0.1:1"};
	char text[256];
	int port, listener = listen_somewhere(&port);
	(void)snprintf(text, sizeof text, "export default await fetch('http://127.0.0.1:%d/').catch((e) => e.message)",
	               port);
	curfew_engine *engine = harness_engine(1);
	curfew_network *network = new_network();
	for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
		curfew_broker *broker = new_broker(network, grants[i], NULL, NULL);
		curfew_run *run = start(engine, text, 0, &c);
		carry(&c, run, broker);
		CHECK(strstr(curfew_run_wait(run)->value, "not allowed") != NULL);
		curfew_run_destroy(run);
		curfew_broker_destroy(broker);
		empty(&c);
	}
	CHECK(!has_something(listener, 0));
	curfew_network_destroy(network);
	curfew_engine_destroy(engine);
}

/* Requests beyond the run's limit are refused, and so is a number that is used twice. */
static void requests_are_counted(void)
{
	/* Claim T45. */
	static carrier c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	curfew_limits limits = {.size = sizeof limits, .host_calls = 3};
	curfew_engine *engine = harness_engine(1);
	curfew_run *run = start(
		engine, "for (let i = 0; i < 5; i++) fetch('http://example.org/').catch(() => {}); await new Promise(() => {})",
		0, &c);
	wait_for_messages(&c, 5);
	curfew_broker *broker = new_broker(NULL, NULL, &limits, NULL);
	for (size_t i = 0; i < 5; i++)
		CHECK_EQUAL(curfew_broker_receive(broker, c.messages[i], c.lengths[i], NULL),
		            i < 3 ? CURFEW_OK : CURFEW_INVALID);
	curfew_broker_destroy(broker);
	broker = new_broker(NULL, NULL, NULL, NULL);
	CHECK_OK(curfew_broker_receive(broker, c.messages[1], c.lengths[1], NULL));
	CHECK_EQUAL(curfew_broker_receive(broker, c.messages[1], c.lengths[1], NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_broker_receive(broker, c.messages[0], c.lengths[0], NULL), CURFEW_INVALID);
	curfew_broker_destroy(broker);
	curfew_run_destroy(run);
	curfew_engine_destroy(engine);
	empty(&c);
}

static void its_end_closes_connections(void)
{
	static carrier c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	char text[256], host[64], byte;
	int port, listener = listen_somewhere(&port);
	(void)snprintf(host, sizeof host, "127.0.0.1:%d", port);
	(void)snprintf(text, sizeof text, "await fetch('http://%s/')", host);
	curfew_engine *engine = harness_engine(1);
	curfew_network *network = new_network();
	curfew_broker *broker = new_broker(network, host, NULL, NULL);
	curfew_run *run = start(engine, text, 0, &c);
	wait_for_messages(&c, 1);
	CHECK_OK(curfew_broker_receive(broker, c.messages[0], c.lengths[0], NULL));
	int fd = accept(listener, NULL, NULL);
	/* The request has arrived. After it nothing arrives until the broker is destroyed. */
	CHECK(has_something(fd, 10000));
	while (has_something(fd, 100))
		CHECK(recv(fd, &byte, 1, 0) == 1);
	curfew_broker_destroy(broker);
	CHECK(has_something(fd, 10000));
	CHECK_EQUAL(recv(fd, &byte, 1, 0), 0);
	curfew_run_destroy(run);
	curfew_network_destroy(network);
	curfew_engine_destroy(engine);
	(void)close(fd);
	empty(&c);
}

static void imports(void)
{
	static carrier c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	char directory[HARNESS_PATH], path[2 * HARNESS_PATH];
	harness_directory(directory, "broker");
	(void)snprintf(path, sizeof path, "%s/a.mjs", directory);
	FILE *file = fopen(path, "w");
	CHECK(file != NULL && fputs("export default 41;", file) >= 0 && fclose(file) == 0);
	curfew_engine *engine = harness_engine(1);
	curfew_broker *broker = new_broker(NULL, NULL, NULL, directory);
	curfew_run *run = start(
		engine,
		"import a from './a.mjs'; const e = await import('./b.mjs').catch((e) => e.message); export default [a, e]",
		CURFEW_RUN_IMPORTS, &c);
	carry(&c, run, broker);
	CHECK_TEXT(curfew_run_wait(run)->value, "[41,\"Cannot find module './b.mjs': no such file\"]");
	/* One at a time, and only if there is a directory. */
	CHECK_OK(curfew_broker_receive(broker, c.messages[0], c.lengths[0], NULL));
	CHECK_EQUAL(curfew_broker_receive(broker, c.messages[0], c.lengths[0], NULL), CURFEW_INVALID);
	curfew_broker_destroy(broker);
	broker = new_broker(NULL, NULL, NULL, NULL);
	CHECK_EQUAL(curfew_broker_receive(broker, c.messages[0], c.lengths[0], NULL), CURFEW_INVALID);
	curfew_broker_destroy(broker);
	curfew_run_destroy(run);
	/* If nobody answers, the run is still stopped. */
	empty(&c);
	run = start(engine, "import a from './a.mjs'", CURFEW_RUN_IMPORTS, &c);
	wait_for_messages(&c, 1);
	curfew_run_cancel(run);
	CHECK_EQUAL(curfew_run_wait(run)->outcome, CURFEW_OUTCOME_CANCELLED);
	curfew_run_destroy(run);
	curfew_engine_destroy(engine);
	(void)unlink(path);
	(void)rmdir(directory);
	empty(&c);
}

/* ---- Damaged messages ---------------------------------------------------------------------------------------------
 */

/* Changes some bytes, truncates it, extends it, or replaces it by random bytes. */
static size_t damage(char *to, const char *message, size_t length, uint64_t *state)
{
	memcpy(to, message, length);
	size_t from = harness_random(state) % 4 == 0 ? 0 : 4, changes = harness_random(state) % 8;
	for (size_t i = 0; i < changes; i++)
		to[(from + harness_random(state) % 24) % length] = (char)harness_random(state);
	if (harness_random(state) % 8 == 0)
		for (size_t i = 0; i < length; i++)
			to[i] = (char)harness_random(state);
	/* More often than not, use a valid kind. */
	if (harness_random(state) % 2 == 0)
		to[4] = (char)(harness_random(state) % 20), to[5] = to[6] = to[7] = 0;
	return harness_random(state) % 4 == 0 ? harness_random(state) % (length + 1) : length;
}

static void damaged_requests(void)
{
	/* Claim T45. */
	static carrier c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	static char changed[CURFEW_REQUEST_BYTES + 1];
	uint64_t state = 4711;
	int port, listener = listen_somewhere(&port);
	char text[256], directory[HARNESS_PATH];
	harness_directory(directory, "broker");
	(void)snprintf(
		text, sizeof text,
		"fetch('http://127.0.0.1:%d/', { method: 'POST', headers: { a: 'b' }, body: 'x' }); await import('./x.mjs')",
		port);
	curfew_engine *engine = harness_engine(1);
	curfew_network *network = new_network();
	curfew_run *run = start(engine, text, CURFEW_RUN_IMPORTS, &c);
	wait_for_messages(&c, 3);
	for (unsigned round = 0; round < harness_count(500); round++) {
		curfew_broker *broker = new_broker(network, "example.invalid", NULL, directory);
		for (int i = 0; i < 50; i++) {
			size_t which = harness_random(&state) % c.count, length;
			length = damage(changed, c.messages[which], c.lengths[which], &state);
			curfew_status status = curfew_broker_receive(broker, changed, length, NULL);
			CHECK(status == CURFEW_OK || status == CURFEW_INVALID || status == CURFEW_NO_MEMORY);
			for (size_t ignored; curfew_broker_next(broker, &ignored) != NULL;)
				;
		}
		CHECK_EQUAL(curfew_broker_receive(broker, changed, CURFEW_REQUEST_BYTES + 1, NULL), CURFEW_INVALID);
		CHECK_EQUAL(curfew_broker_receive(broker, changed, 0, NULL), CURFEW_INVALID);
		curfew_broker_destroy(broker);
	}
	CHECK(!has_something(listener, 0));
	curfew_run_destroy(run);
	curfew_network_destroy(network);
	curfew_engine_destroy(engine);
	(void)rmdir(directory);
	empty(&c);
}

/* A run trusts its broker, but invalid answers must not harm it. */
static void damaged_answers(void)
{
	static carrier c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	char bytes[64];
	uint64_t state = 815;
	curfew_engine *engine = harness_engine(1);
	for (unsigned round = 0; round < harness_count(200); round++) {
		curfew_run *run = start(engine, "await fetch('http://a/').then((r) => r.text())", 0, &c);
		wait_for_messages(&c, 1);
		for (int i = 0; i < 20; i++) {
			for (size_t at = 0; at < sizeof bytes; at++)
				bytes[at] = (char)harness_random(&state);
			memcpy(bytes, c.messages[0], 4);
			uint32_t kind = harness_random(&state) % 7;
			memcpy(bytes + 4, &kind, sizeof kind);
			curfew_status status = curfew_run_receive(run, bytes, harness_random(&state) % sizeof bytes, NULL);
			CHECK(status == CURFEW_OK || status == CURFEW_INVALID);
		}
		curfew_run_cancel(run);
		(void)curfew_run_wait(run);
		curfew_run_destroy(run);
		empty(&c);
	}
	curfew_engine_destroy(engine);
}

static void bad_options(void)
{
	static const char *const hosts[] = {"a b"};
	curfew_engine *engine = harness_engine(1);
	curfew_program *program = harness_program(engine, "1");
	curfew_broker_options options = {.size = sizeof options, .on_ready = on_ready};
	curfew_run_options run_options = {.size = sizeof run_options, .flags = CURFEW_RUN_IMPORTS};
	curfew_broker *broker;
	curfew_report *report;
	CHECK_EQUAL(curfew_broker_create(NULL, &broker, NULL), CURFEW_INVALID);
	options.allow_fetch = hosts;
	options.allow_fetch_count = 1;
	CHECK_EQUAL(curfew_broker_create(&options, &broker, NULL), CURFEW_INVALID);
	curfew_network *network = options.network = new_network();
	CHECK_EQUAL(curfew_broker_create(&options, &broker, NULL), CURFEW_INVALID);
	options = (curfew_broker_options){.size = sizeof options, .on_ready = on_ready, .import_dir = "/no/such/directory"};
	CHECK_EQUAL(curfew_broker_create(&options, &broker, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_program_run(program, &run_options, &report, NULL), CURFEW_INVALID);
	run_options = (curfew_run_options){
		.size = sizeof run_options, .allow_fetch = hosts, .allow_fetch_count = 1, .on_request = on_request};
	CHECK_EQUAL(curfew_program_run(program, &run_options, &report, NULL), CURFEW_INVALID);
	CHECK_EQUAL(curfew_run_receive(NULL, "", 0, NULL), CURFEW_INVALID);
	curfew_broker_destroy(NULL);
	curfew_network_destroy(NULL);
	curfew_network_destroy(network);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
}

static const harness_test tests[] = {
	{"answers_reach_the_run", answers_reach_the_run},
	{"grants_are_the_brokers", grants_are_the_brokers},
	{"requests_are_counted", requests_are_counted},
	{"its_end_closes_connections", its_end_closes_connections},
	{"imports", imports},
	{"damaged_requests", damaged_requests},
	{"damaged_answers", damaged_answers},
	{"bad_options", bad_options},
};

HARNESS_MAIN(tests)
