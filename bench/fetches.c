/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many runs wait for a server that never answers, and are all cancelled at one instant. Measures when the last of them
 * has ended, when the server has seen the last connection close, and what is left open. fetches COUNT SERVER prints one
 * line of JSON. SERVER is the program silent_server.
 */
#include "common.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTING_NS UINT64_C(45000000000)
#define CLOSING_NS UINT64_C(10000000000)

struct server {
	pid_t process;
	FILE *ask, *answer;
	int port;
};

struct seen {
	size_t requests, closed;
	uint64_t last_closed_ns;
};

struct fetch {
	curfew_run *run;
	_Atomic uint64_t done_ns;
};

/* ---- The server ------------------------------------------------------------------------------------------- */

static void server_start(struct server *server, const char *path)
{
	int ask[2], answer[2];

	if (pipe2(ask, O_CLOEXEC) != 0 || pipe2(answer, O_CLOEXEC) != 0 || (server->process = fork()) < 0)
		bench_die("the server cannot be started");
	if (server->process == 0) {
		dup2(ask[0], STDIN_FILENO);
		dup2(answer[1], STDOUT_FILENO);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	close(ask[0]);
	close(answer[1]);
	server->ask = fdopen(ask[1], "w");
	server->answer = fdopen(answer[0], "r");
	if (!server->ask || !server->answer || fscanf(server->answer, "%d", &server->port) != 1)
		bench_die("%s: does not answer", path);
}

static struct seen server_ask(struct server *server)
{
	struct seen seen;

	fputs("?\n", server->ask);
	fflush(server->ask);
	if (fscanf(server->answer, "%zu %zu %" SCNu64, &seen.requests, &seen.closed, &seen.last_closed_ns) != 3)
		bench_die("the server does not answer");
	return seen;
}

static void server_end(struct server *server)
{
	fclose(server->ask);
	fclose(server->answer);
	waitpid(server->process, NULL, 0);
}

/* ---- The runs --------------------------------------------------------------------------------------------- */

static void raise_descriptor_limit(size_t needed)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("getrlimit failed");
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < needed + 100 || setrlimit(RLIMIT_NOFILE, &limit) != 0)
		bench_die("%zu descriptors are needed, %zu allowed", needed + 100, (size_t)limit.rlim_max);
}

static size_t count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	if (!directory)
		bench_die("/proc/self/fd: cannot be read");
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void on_done(void *context, curfew_run *run)
{
	struct fetch *fetch = context;

	atomic_store(&fetch->done_ns, bench_now_ns());
}

static void start_all(curfew_program *program, struct fetch *fetches, size_t count, int port)
{
	char host[32];
	const char *hosts[] = {host};
	curfew_limits limits = {.size = sizeof limits, .timeout_ns = CURFEW_UNLIMITED};
	curfew_run_options options = {
		.size = sizeof options, .limits = &limits, .on_done = on_done, .allow_fetch = hosts, .allow_fetch_count = 1};
	curfew_failure failure = {0};

	snprintf(host, sizeof host, "127.0.0.1:%d", port);
	for (size_t i = 0; i < count; i++) {
		options.on_done_context = &fetches[i];
		bench_check(curfew_run_start(program, &options, &fetches[i].run, &failure), &failure, "start");
	}
}

static void sleep_ms(long ms)
{
	struct timespec time = {0, ms * 1000000};

	nanosleep(&time, NULL);
}

static struct seen wait_for_requests(struct server *server, size_t count)
{
	uint64_t end_ns = bench_now_ns() + STARTING_NS;
	struct seen seen = server_ask(server);

	while (seen.requests < count && bench_now_ns() < end_ns) {
		sleep_ms(20);
		seen = server_ask(server);
	}
	sleep_ms(200); /* the last ones have sent, and are on their way to waiting */
	return seen;
}

/* How many ended in another way. */
static size_t wait_for_ends(struct fetch *fetches, size_t count)
{
	size_t unexpected = 0;

	for (size_t i = 0; i < count; i++)
		unexpected += curfew_run_wait(fetches[i].run)->outcome != CURFEW_OUTCOME_CANCELLED;
	return unexpected;
}

static struct seen wait_for_closing(struct server *server, size_t count)
{
	uint64_t end_ns = bench_now_ns() + CLOSING_NS;
	struct seen seen = server_ask(server);

	while (seen.closed < count && bench_now_ns() < end_ns) {
		sleep_ms(5);
		seen = server_ask(server);
	}
	return seen;
}

static uint64_t cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static curfew_program *make_program(curfew_engine *engine, int port)
{
	char text[128];
	curfew_limits limits = {.size = sizeof limits};
	int length = snprintf(text, sizeof text, "await fetch('http://127.0.0.1:%d/');\n", port);

	return bench_program_create(engine, "fetch.mjs", text, (size_t)length, 0, &limits);
}

int main(int argc, char **argv)
{
	size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, unexpected, before, left;
	struct fetch *fetches = calloc(count ? count : 1, sizeof *fetches);
	uint64_t *done_ns = calloc(count ? count : 1, sizeof *done_ns);
	struct server server;
	uint64_t begin_ns, started_ns, stop_ns, asked_ns, used_ns;
	struct seen waiting, closed;

	if (!count || !fetches || !done_ns)
		bench_die("usage: fetches COUNT SERVER");
	raise_descriptor_limit(count);
	server_start(&server, argv[2]);
	before = count_descriptors();
	curfew_engine *engine = bench_engine_create(0);
	curfew_program *program = make_program(engine, server.port);
	begin_ns = bench_now_ns();
	start_all(program, fetches, count, server.port);
	waiting = wait_for_requests(&server, count);
	started_ns = bench_now_ns();
	used_ns = cpu_ns();
	stop_ns = bench_now_ns();
	for (size_t i = 0; i < count; i++)
		curfew_run_cancel(fetches[i].run);
	asked_ns = bench_now_ns();
	unexpected = wait_for_ends(fetches, count);
	closed = wait_for_closing(&server, waiting.requests);
	used_ns = cpu_ns() - used_ns;
	for (size_t i = 0; i < count; i++) {
		curfew_run_destroy(fetches[i].run); /* waits until its callback is over */
		uint64_t at_ns = atomic_load(&fetches[i].done_ns);
		done_ns[i] = at_ns > stop_ns ? at_ns - stop_ns : 0;
	}
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	left = count_descriptors() - before;
	server_end(&server);
	printf("{\"count\": %zu, \"waiting\": %zu, \"unexpected\": %zu, \"start_ns\": %" PRIu64 ", \"asking_ns\": %" PRIu64
	       ", \"closed\": %zu, \"closed_ns\": %" PRIu64 ", \"cpu_ns\": %" PRIu64 ", \"descriptors_left\": %zu, ",
	       count, waiting.requests, unexpected, started_ns - begin_ns, asked_ns - stop_ns, closed.closed,
	       closed.last_closed_ns > stop_ns ? closed.last_closed_ns - stop_ns : 0, used_ns, left);
	bench_print_list("done_ns", done_ns, count);
	printf("}\n");
	free(fetches);
	free(done_ns);
	return 0;
}
