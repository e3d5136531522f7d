/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that another thread uses, over a socket, without the rest of a server. */
#include "../harness.h"
#include "server/http.h"

#include "helpers.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { WAKES = 20, BETWEEN_US = 1000 };

static sem_t has_begun, may_end, is_freed;
static request *handled;
static atomic_bool is_used;

static void note_freed(server *s, void *work)
{
	(void)s;
	(void)work;
	CHECK(!atomic_load(&is_used));
	CHECK_EQUAL(sem_post(&is_freed), 0);
}

static answer use(request *q)
{
	handled = q;
	atomic_store(&is_used, true);
	CHECK_EQUAL(sem_post(&has_begun), 0);
	CHECK_EQUAL(sem_wait(&may_end), 0);
	answer done = reply_problem(q, MHD_HTTP_CONFLICT, "used", "it was used until its end", NULL);
	atomic_store(&is_used, false);
	return done;
}

static answer handle(request *q)
{
	q->work = &is_freed;
	q->free_work = note_freed;
	return http_help(q, use);
}

static bool find(request *q, const char *url, const char *method, answer *result)
{
	static const route only = {.path = "/", .method = "GET", .handle = handle};
	(void)url;
	(void)method;
	(void)result;
	q->route = &only;
	return true;
}

typedef struct fixture {
	server *server;
	struct sockaddr_in address;
} fixture;

static void *set_up(void)
{
	static config settings = {.request_timeout_us = 600000000,
	                          .connections_max = 8,
	                          .address_connections_max = 8,
	                          .queue_bytes_max = 1 << 20,
	                          .body_bytes_max = 1 << 20};
	static fixture made;
	curfew_failure failure;
	socklen_t size = sizeof made.address;

	CHECK(sem_init(&has_begun, 0, 0) == 0 && sem_init(&may_end, 0, 0) == 0 && sem_init(&is_freed, 0, 0) == 0);
	made.server = calloc(1, sizeof *made.server);
	CHECK(made.server != NULL);
	curfew__mutex_init(&made.server->lock);
	made.server->config = &settings;
	made.server->helpers = helpers_start(1);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	made.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK_EQUAL(bind(listener, (struct sockaddr *)&made.address, size), 0);
	CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&made.address, &size), 0);
	CHECK_EQUAL(listen(listener, 8), 0);
	CHECK(http_start(made.server, listener, find, &failure) != NULL);
	return &made;
}

static void tear_down(void *context)
{
	fixture *made = context;
	helpers_stop(made->server->helpers);
	http_stop(made->server->http);
	curfew__mutex_finish(&made->server->lock);
	free(made->server);
}

/* Sends two requests on one connection, and waits until the second is being used. */
static int send_requests(const fixture *made)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char reply[4096];

	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_EQUAL(connect(client, (const struct sockaddr *)&made->address, sizeof made->address), 0);
	CHECK_EQUAL(write(client, get, sizeof get - 1), sizeof get - 1);
	CHECK_EQUAL(sem_post(&may_end), 0);
	CHECK(read(client, reply, sizeof reply) > 0);
	CHECK_EQUAL(sem_wait(&has_begun), 0);
	CHECK_EQUAL(sem_wait(&is_freed), 0);
	CHECK_EQUAL(write(client, get, sizeof get - 1), sizeof get - 1);
	CHECK_EQUAL(sem_wait(&has_begun), 0);
	return client;
}

static bool is_suspended(const fixture *made, bool wakes)
{
	server_lock(made->server);
	if (wakes) {
		http_wake(handled);
		http_wake_all(made->server->http);
	}
	bool is = curfew__link_is_listed(&handled->suspended);
	server_unlock(made->server);
	return is;
}

/* Whatever wakes a request that is used, it stays suspended: libmicrohttpd frees no suspended one. */
static void wake_many_times(const fixture *made)
{
	while (!is_suspended(made, false))
		(void)usleep(BETWEEN_US);
	for (int i = 0; i < WAKES; i++) {
		CHECK(is_suspended(made, true));
		(void)usleep(BETWEEN_US);
	}
}

static void test_held_while_its_client_leaves(void *context)
{
	static const struct linger at_once = {.l_onoff = 1};
	const fixture *made = context;
	for (int resets = 0; resets < 2; resets++) {
		int client = send_requests(made);
		if (resets == 1)
			CHECK_EQUAL(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
		(void)close(client);
		wake_many_times(made);
		CHECK(sem_trywait(&is_freed) != 0);
		CHECK_EQUAL(sem_post(&may_end), 0);
		CHECK_EQUAL(sem_wait(&is_freed), 0);
	}
}

static void test_answered_once(void *context)
{
	const fixture *made = context;
	char reply[4096];
	int client = send_requests(made);
	wake_many_times(made);
	CHECK(recv(client, reply, sizeof reply, MSG_DONTWAIT) < 0);
	CHECK_EQUAL(sem_post(&may_end), 0);
	ssize_t length = recv(client, reply, sizeof reply - 1, 0);
	CHECK(length > 0);
	reply[length] = '\0';
	CHECK(strncmp(reply, "HTTP/1.1 409 ", 13) == 0 && strstr(reply, "it was used until its end") != NULL);
	CHECK_EQUAL(sem_wait(&is_freed), 0);
	CHECK(recv(client, reply, sizeof reply, MSG_DONTWAIT) < 0);
	(void)close(client);
}

static const harness_test tests[] = {
	{.name = "held_while_its_client_leaves",
     .run_on = test_held_while_its_client_leaves,
     .set_up = set_up,
     .tear_down = tear_down},
	{.name = "answered_once", .run_on = test_answered_once, .set_up = set_up, .tear_down = tear_down},
};

HARNESS_MAIN(tests)
