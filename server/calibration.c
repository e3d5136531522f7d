/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuel per millisecond. A separate process measures it, curfew calibrate at the lowest priority, so that nothing runs
 * in this one. Its programs are Curfew's own. A thread waits for it.
 */
#include "calibration.h"

#include "common/json_scan.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIGURES_MAX = 64 << 10, LOWEST_PRIORITY = 19 };

extern char **environ;

/* ---- The process ----------------------------------------------------------------------------------------- */

/* Returns this environment with the data directory as cache. The caller frees it and its first string. */
static char **make_environment(const char *directory)
{
	size_t count = 0, kept = 1;
	while (environ[count] != NULL)
		count++;
	char **made = calloc(count + 2, sizeof *made);
	if (made == NULL || asprintf(&made[0], "XDG_CACHE_HOME=%s", directory) < 0) {
		free(made);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environ[i], "XDG_CACHE_HOME=", 15) != 0)
			made[kept++] = environ[i];
	}
	return made;
}

static int spawn(pid_t *pid, int out, bool is_recall, char **environment)
{
	static char name[] = "curfew", command[] = "calibrate", json[] = "--json", kept[] = "--kept";
	char *words[] = {name, command, json, is_recall ? kept : NULL, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
	(void)posix_spawn_file_actions_adddup2(&files, out, 1);
	(void)posix_spawn_file_actions_adddup2(&files, 0, 2);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	int error = posix_spawn(pid, "/proc/self/exe", &files, &attributes, words, environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return error;
}

/* Starts the process. Returns a descriptor of its output, or -1. */
static int start_process(server *s, bool is_recall)
{
	int ends[2];
	pid_t pid;
	char *directory = realpath(s->config->data, NULL);
	char **environment = directory != NULL ? make_environment(directory) : NULL;
	bool started = false;

	if (environment != NULL && pipe2(ends, O_CLOEXEC) == 0) {
		started = spawn(&pid, ends[1], is_recall, environment) == 0;
		(void)close(ends[1]);
		if (!started)
			(void)close(ends[0]);
	}

	if (environment != NULL)
		free(environment[0]);
	free(environment);
	free(directory);
	if (!started)
		return -1;
	(void)setpriority(PRIO_PROCESS, (id_t)pid, LOWEST_PRIORITY);
	server_lock(s);
	s->calibration.process = pid;
	if (s->calibration.is_ending)
		(void)kill(pid, SIGKILL);
	server_unlock(s);
	return ends[0];
}

/* Reads the output, and waits for the end. False: the process failed. */
static bool read_result(server *s, int fd, text *out)
{
	char part[4096];
	int status = -1;
	for (ssize_t got; (got = read(fd, part, sizeof part)) > 0;)
		text_add(out, part, (size_t)got);
	(void)close(fd);
	server_lock(s);
	pid_t pid = s->calibration.process;
	s->calibration.process = 0; /* from here on the process id may be reused */
	server_unlock(s);
	(void)waitpid(pid, &status, 0);
	while (out->length > 0 && out->data[out->length - 1] == '\n')
		out->length--;
	return status == 0 && !out->failed && out->length > 0 && scan_is_json(out->data, out->length);
}

static void *measure(void *context)
{
	server *s = context;
	text out;
	text_init(&out, FIGURES_MAX);
	int fd = start_process(s, s->calibration.is_recall);
	blob *figures = fd >= 0 && read_result(s, fd, &out) ? blob_create(out.data, out.length) : NULL;
	text_finish(&out);
	server_lock(s);
	s->calibration.is_measuring = false;
	s->calibration.has_failed = figures == NULL;
	if (figures != NULL) {
		blob_unref(s->calibration.figures);
		s->calibration.figures = figures;
	}
	server_unlock(s);
	return NULL;
}

/* ---- From outside ---------------------------------------------------------------------------------------- */

static bool begin_measuring(server *s, bool is_recall)
{
	if (s->calibration.is_measuring)
		return true;
	/* The thread has ended, or will end without taking the lock again. */
	if (s->calibration.has_thread)
		(void)pthread_join(s->calibration.thread, NULL);
	s->calibration.is_recall = is_recall;
	s->calibration.has_thread = pthread_create(&s->calibration.thread, NULL, measure, s) == 0;
	s->calibration.is_measuring = s->calibration.has_thread;
	return s->calibration.has_thread;
}

bool calibration_measure(server *s)
{
	return begin_measuring(s, false);
}

void calibration_recall(server *s)
{
	char path[CONFIG_TEXT_MAX + 32];
	(void)snprintf(path, sizeof path, "%s/curfew/calibration.json", s->config->data);
	if (access(path, R_OK) == 0)
		(void)begin_measuring(s, true);
}

void calibration_write(const server *s, text *out)
{
	const calibration *c = &s->calibration;
	const char *state = c->is_measuring      ? "measuring"
	                    : c->has_failed      ? "failed"
	                    : c->figures != NULL ? "known"
	                                         : "unknown";
	text_print(out, "{\"state\":\"%s\",\"calibration\":", state);
	if (c->figures != NULL)
		text_add(out, c->figures->data, c->figures->len);
	else
		text_say(out, "null");
	text_say(out, "}");
}

void calibration_finish(server *s)
{
	server_lock(s);
	s->calibration.is_ending = true;
	if (s->calibration.process != 0)
		(void)kill(s->calibration.process, SIGKILL);
	server_unlock(s);
	if (s->calibration.has_thread)
		(void)pthread_join(s->calibration.thread, NULL);
	blob_unref(s->calibration.figures);
}
