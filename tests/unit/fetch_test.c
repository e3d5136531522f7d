/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves the host for a guest that violates the protocol, and how many connections guests can have. The server
 * only accepts connections and reads what arrives. The requests are those of a corrupted guest.
 */
#include "../harness.h"
#include "host/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../guest/abi.h"

typedef struct world {
	int listener, port;
	curfew__fetcher *fetcher;
} world;

static void on_wake(void *context)
{
	(void)context;
}

static void listen_somewhere(world *w)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;
	w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK_EQUAL(bind(w->listener, (struct sockaddr *)&address, length), 0);
	CHECK_EQUAL(listen(w->listener, 4096), 0);
	CHECK_EQUAL(getsockname(w->listener, (struct sockaddr *)&address, &length), 0);
	w->port = ntohs(address.sin_port);
}

static void *begin(void)
{
	curfew_failure failure;
	world *w = calloc(1, sizeof *w);
	struct rlimit files;
	/* The limit that most systems have. */
	(void)getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 1024 ? files.rlim_max : 1024;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	listen_somewhere(w);
	w->fetcher = curfew__fetcher_create(&failure);
	CHECK(w->fetcher != NULL);
	return w;
}

static void end(void *state)
{
	world *w = state;
	curfew__fetcher_destroy(w->fetcher);
	close(w->listener);
	free(w);
}

/* The part of one run. */
typedef struct guest {
	world *w;
	curfew__fetch_session *session;
	curfew__operations *operations;
} guest;

static guest new_guest(world *w)
{
	char host[64];
	curfew_failure failure;
	const char *entries[] = {host};
	(void)snprintf(host, sizeof host, "127.0.0.1:%d", w->port);
	guest g = {.w = w, .operations = curfew__operations_create(on_wake, NULL)};
	g.session = curfew__fetch_session_create(w->fetcher, curfew__allow_list_create(entries, 1, &failure), NULL,
	                                         256 << 20);
	CHECK(g.session != NULL);
	return g;
}

static void end_guest(guest *g)
{
	curfew__operations_close(g->operations);
	curfew__operations_unref(g->operations);
	curfew__fetch_session_unref(g->session);
}

/* body: "-" none, "?" of unknown length, or a length. */
static uint32_t start(guest *g, const char *method, const char *body)
{
	char request[128];
	int length = snprintf(request, sizeof request, "%s\nhttp://127.0.0.1:%d/x\n%s\n", method, g->w->port, body);
	uint32_t id = curfew__fetch_start(g->session, g->operations, request, (size_t)length);
	CHECK(id != 0);
	return id;
}

static void pause_ms(long ms)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Waits for the next event. NULL: none arrived in time. */
static const curfew__operation_event *next_event(guest *g, int ms)
{
	const curfew__operation_event *event = NULL;
	for (int waited = 0; (event = curfew__operations_next(g->operations)) == NULL && waited < ms; waited += 2)
		pause_ms(2);
	return event;
}

/* why: NULL: any reason. */
static void expect_failure(guest *g, const char *why)
{
	const curfew__operation_event *event;
	while ((event = next_event(g, 20000)) != NULL && event->kind == CURFEW_FETCH_SENT)
		;
	CHECK(event != NULL);
	CHECK_EQUAL(event->kind, CURFEW_FETCH_FAILED);
	if (why == NULL)
		return;
	CHECK_EQUAL(event->length, strlen(why));
	CHECK_BYTES(event->bytes, why, event->length);
}

static void send_body(guest *g, uint32_t id, const char *text)
{
	CHECK(curfew__operations_send(g->operations, id, CURFEW_FETCH_BODY, text, strlen(text)));
}

static void end_body(guest *g, uint32_t id)
{
	CHECK(curfew__operations_send(g->operations, id, CURFEW_FETCH_BODY_END, NULL, 0));
}

/* Waits until the data was accepted. */
static void expect_sent(guest *g)
{
	const curfew__operation_event *event = next_event(g, 20000);
	CHECK(event != NULL);
	CHECK_EQUAL(event->kind, CURFEW_FETCH_SENT);
}

/* Everything that arrives on all connections until each is closed, NUL-terminated. */
static size_t read_all(const world *w, char *text, size_t most)
{
	size_t length = 0;
	struct pollfd wait = {.fd = w->listener, .events = POLLIN};
	while (poll(&wait, 1, 300) == 1) {
		int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
		ssize_t got;
		while (length < most && (got = recv(fd, text + length, most - length, 0)) > 0)
			length += (size_t)got;
		close(fd);
	}
	text[length] = '\0';
	return length;
}

#define SMUGGLED "TRACE /smuggled HTTP/1.1\r\nHost: other.example\r\n\r\n"

/* Only the declared number of bytes arrives, however the guest sends more. */
static void test_no_byte_beyond_the_declared_length(void *state)
{
	/* Claim T27. */
	static const struct {
		const char *method, *body;
		const char *parcels[3];
		bool ends_before_last;
		const char *why;
	} cases[] = {
		{"POST", "5", {"hello" SMUGGLED}, false, "its body is longer than was declared"},
		{"POST", "5", {"hello", SMUGGLED}, false, "its body is longer than was declared"},
		{"POST", "5", {"hel", "lo" SMUGGLED}, false, "its body is longer than was declared"},
		{"POST", "0", {SMUGGLED}, false, "its body is longer than was declared"},
		{"GET", "-", {SMUGGLED}, false, "its body is longer than was declared"},
		{"POST", "5", {"hello", SMUGGLED}, true, NULL},
	};
	world *w = state;
	static char arrived[65536];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		guest g = new_guest(w);
		uint32_t id = start(&g, cases[i].method, cases[i].body);
		for (int n = 0; n < 3 && cases[i].parcels[n] != NULL; n++) {
			bool last = n == 2 || cases[i].parcels[n + 1] == NULL;
			if (last && cases[i].ends_before_last)
				end_body(&g, id);
			send_body(&g, id, cases[i].parcels[n]);
			if (!last)
				expect_sent(&g);
		}
		expect_failure(&g, cases[i].why);
		end_guest(&g);
		(void)read_all(w, arrived, sizeof arrived - 1);
		CHECK(strstr(arrived, "TRACE") == NULL);
		CHECK(strstr(arrived, "other.example") == NULL);
	}
}

static void test_no_byte_less(void *state)
{
	world *w = state;
	static char arrived[65536];
	guest g = new_guest(w);
	uint32_t id = start(&g, "POST", "5");
	send_body(&g, id, "hell");
	expect_sent(&g);
	end_body(&g, id);
	expect_failure(&g, "its body is shorter than was declared");
	id = start(&g, "POST", "5");
	end_body(&g, id);
	expect_failure(&g, "its body is shorter than was declared");
	end_guest(&g);
	(void)read_all(w, arrived, sizeof arrived - 1);
}

/*
 * Everything that arrives on a connection: within first_ms, and then until nothing arrives for a while. NUL-terminated.
 */
static void read_some(int fd, char *text, size_t most, int first_ms)
{
	size_t length = 0;
	ssize_t got;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	while (length < most && poll(&wait, 1, length ? 300 : first_ms) == 1 &&
	       (got = recv(fd, text + length, most - length, 0)) > 0)
		length += (size_t)got;
	text[length] = '\0';
}

/*
 * A server that does not agree to the upgrade gets nothing after the head; one that agrees gets what the guest sends.
 */
static void test_upgrade_needs_agreement(void *state)
{
	/* Claim T480. */
	static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	                                      "HTTP/1.1 101 Switching Protocols\r\n\r\n"};
	static char arrived[65536];
	world *w = state;
	for (int agrees = 0; agrees < 2; agrees++) {
		guest g = new_guest(w);
		uint32_t id = start(&g, "GET", "^");
		send_body(&g, id, SMUGGLED);
		struct pollfd wait = {.fd = w->listener, .events = POLLIN};
		CHECK_EQUAL(poll(&wait, 1, 20000), 1);
		int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
		read_some(fd, arrived, sizeof arrived - 1, 20000);
		CHECK(strstr(arrived, "\r\nUpgrade: websocket\r\n") != NULL);
		CHECK(strstr(arrived, "TRACE") == NULL);
		CHECK_EQUAL(send(fd, answers[agrees], strlen(answers[agrees]), MSG_NOSIGNAL), strlen(answers[agrees]));
		const curfew__operation_event *event = next_event(&g, 20000);
		CHECK(event != NULL);
		CHECK_EQUAL(event->kind, CURFEW_FETCH_HEAD);
		(void)curfew__operations_send(g.operations, id, CURFEW_FETCH_TAKE, NULL, 0);
		read_some(fd, arrived, sizeof arrived - 1, agrees ? 20000 : 300);
		CHECK_TEXT(arrived, agrees ? SMUGGLED : "");
		close(fd);
		end_guest(&g);
	}
}

/* The guest cannot choose the protocol of an upgrade. */
static void test_upgrade_of_get_only(void *state)
{
	guest g = new_guest(state);
	(void)start(&g, "POST", "^");
	expect_failure(&g, "only GET can be upgraded");
	end_guest(&g);
}

/* ---- How many ---------------------------------------------------------------------------------------------------- */

enum { CONNECTIONS_MAX = 512 };

/* Accepts connections until none has arrived for a while, and returns their number. */
static size_t accept_all(const world *w, int *connections, size_t count)
{
	struct pollfd wait = {.fd = w->listener, .events = POLLIN};
	while (count < CONNECTIONS_MAX && poll(&wait, 1, 500) == 1) {
		int fd = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			connections[count++] = fd;
	}
	return count;
}

static void answer(int connection)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	char request[4096];
	CHECK(recv(connection, request, sizeof request, 0) > 0);
	CHECK_EQUAL(send(connection, text, sizeof text - 1, MSG_NOSIGNAL), sizeof text - 1);
	close(connection);
}

static unsigned count_ended(guest *g)
{
	unsigned ended = 0;
	for (const curfew__operation_event *event; (event = curfew__operations_next(g->operations)) != NULL;)
		ended += event->kind == CURFEW_FETCH_END;
	return ended;
}

/* A run has at most this many connections at once. Each that ends lets another request start, and all are made. */
static void test_requests_of_a_run_take_turns(void *state)
{
	/* Claims L43, L71. */
	enum { REQUESTS = 100, AT_ONCE = 32 };
	world *w = state;
	static int connections[CONNECTIONS_MAX];
	guest g = new_guest(w);
	for (int i = 0; i < REQUESTS; i++)
		(void)start(&g, "GET", "-");
	size_t count = accept_all(w, connections, 0);
	CHECK_EQUAL(count, AT_ONCE);
	unsigned ended = 0, made = AT_ONCE;
	while (count > 0) {
		answer(connections[--count]);
		if (made < REQUESTS) {
			struct pollfd wait = {.fd = w->listener, .events = POLLIN};
			CHECK_EQUAL(poll(&wait, 1, 20000), 1);
			connections[count++] = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC);
			made++;
		}
		ended += count_ended(&g);
	}
	for (int waited = 0; ended < REQUESTS && waited < 20000; waited += 2) {
		pause_ms(2);
		ended += count_ended(&g);
	}
	CHECK_EQUAL(ended, REQUESTS);
	end_guest(&g);
}

/* A request that waits for its turn can be cancelled, and ends with its run. */
static void test_waiting_requests_end(void *state)
{
	world *w = state;
	static int connections[CONNECTIONS_MAX];
	guest g = new_guest(w);
	uint32_t ids[40];
	for (int i = 0; i < 40; i++)
		ids[i] = start(&g, "GET", "-");
	size_t count = accept_all(w, connections, 0);
	CHECK_EQUAL(count, 32);
	for (int i = 32; i < 39; i++)
		curfew__operations_cancel(g.operations, ids[i]);
	curfew__operations_cancel(g.operations, ids[0]);
	/* The remaining one takes the place of the first. */
	size_t more = accept_all(w, connections, count);
	CHECK_EQUAL(more, 33);
	end_guest(&g);
	while (more > 0)
		close(connections[--more]);
}

/* If the process may open few files, a run has few connections, and some are left for other runs. */
static void test_runs_share_what_there_is(void *state)
{
	enum { FILES = 256, OF_ALL = FILES / 4, OF_RUN = OF_ALL / 8, GUESTS = 12 };
	struct rlimit before, few;
	world *w = state;
	static int connections[CONNECTIONS_MAX];
	curfew_failure failure;
	guest guests[GUESTS];
	(void)getrlimit(RLIMIT_NOFILE, &before);
	few = before;
	few.rlim_cur = FILES;
	(void)setrlimit(RLIMIT_NOFILE, &few);
	curfew__fetcher_destroy(w->fetcher);
	w->fetcher = curfew__fetcher_create(&failure);
	(void)setrlimit(RLIMIT_NOFILE, &before);
	size_t count = 0;
	for (int i = 0; i < GUESTS; i++) {
		guests[i] = new_guest(w);
		for (int n = 0; n < 20; n++)
			(void)start(&guests[i], "GET", "-");
		count = accept_all(w, connections, count);
		CHECK_EQUAL(count, i < OF_ALL / OF_RUN ? (i + 1) * OF_RUN : OF_ALL);
	}
	/* The first run ends. The others get its connections, one each in turn. */
	end_guest(&guests[0]);
	CHECK_EQUAL(accept_all(w, connections, count), OF_ALL + OF_RUN);
	count = OF_ALL + OF_RUN;
	for (int i = 1; i < GUESTS; i++)
		end_guest(&guests[i]);
	while (count > 0)
		close(connections[--count]);
}

/* The fixture of each test. */
#define FIXTURE .set_up = begin, .tear_down = end

static const harness_test tests[] = {
	{"no_byte_beyond_the_declared_length", .run_on = test_no_byte_beyond_the_declared_length, FIXTURE},
	{"upgrade_needs_agreement", .run_on = test_upgrade_needs_agreement, FIXTURE},
	{"upgrade_of_get_only", .run_on = test_upgrade_of_get_only, FIXTURE},
	{"no_byte_less", .run_on = test_no_byte_less, FIXTURE},
	{"requests_of_a_run_take_turns", .run_on = test_requests_of_a_run_take_turns, FIXTURE},
	{"waiting_requests_end", .run_on = test_waiting_requests_end, FIXTURE},
	{"runs_share_what_there_is", .run_on = test_runs_share_what_there_is, FIXTURE},
};

HARNESS_MAIN(tests)
