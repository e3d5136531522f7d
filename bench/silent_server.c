/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that accepts connections and requests and never answers. silent_server prints its port, and for each line on
 * standard input "REQUESTS CLOSED LAST": how many connections sent something, how many the other side closed, and when
 * the last of them was closed (ns of the monotonic clock). It ends with standard input.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 256

static size_t requests, closed;
static uint64_t last_closed_ns;
static int poller, listener;
static bool *has_sent; /* [descriptors] */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void look_after(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl");
}

static size_t raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("setrlimit");
	return limit.rlim_cur < 1u << 20 ? (size_t)limit.rlim_cur : 1u << 20;
}

static void listen_somewhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof address;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 4096) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) != 0)
		die("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
}

static void take_connections(void)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		has_sent[fd] = false;
		look_after(fd);
	}
}

static void take_bytes(int fd)
{
	char bytes[4096];

	if (read(fd, bytes, sizeof bytes) > 0) {
		requests += !has_sent[fd];
		has_sent[fd] = true;
		return;
	}
	last_closed_ns = now_ns();
	closed++;
	close(fd);
}

/* Answers one line. False: standard input has ended. */
static bool answer_asked(void)
{
	char line[64];

	if (read(STDIN_FILENO, line, sizeof line) <= 0)
		return false;
	printf("%zu %zu %" PRIu64 "\n", requests, closed, last_closed_ns);
	fflush(stdout);
	return true;
}

int main(void)
{
	struct epoll_event events[AT_ONCE];

	has_sent = calloc(raise_descriptor_limit(), sizeof *has_sent);
	poller = epoll_create1(0);
	if (!has_sent || poller < 0)
		die("silent_server");
	listen_somewhere();
	look_after(listener);
	look_after(STDIN_FILENO);
	for (;;) {
		int count = epoll_wait(poller, events, AT_ONCE, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				take_connections();
			else if (events[i].data.fd != STDIN_FILENO)
				take_bytes(events[i].data.fd);
			else if (!answer_asked())
				return 0;
		}
	}
}
