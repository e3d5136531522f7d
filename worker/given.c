/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures how much time a worker was given. A worker that is late on a busy machine is not at fault, so its patience
 * is not measured in wall-clock time. While it has threads that wait for a processor, only its CPU time counts, divided
 * by the number of these threads. While it has none, all time counts, because it could have acted.
 */
#include "inside.h"

#include "common/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* If the system hides the threads of another process (hidepid), only this fraction of the time counts. */
#define HIDDEN_SHARE 20

/* The maximum number of a worker's other threads. A worker that creates more does not gain time by it. */
enum { MORE_THREADS_MAX = 72 };

/* Whether a thread runs, waits for a processor, or waits for the disk: the letter after the name in proc(5). */
static bool is_busy(pid_t pid, const char *task)
{
	char path[64], line[256];
	(void)snprintf(path, sizeof path, "/proc/%d/task/%.16s/stat", (int)pid, task);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;

	size_t length = fread(line, 1, sizeof line - 1, file);
	(void)fclose(file);
	line[length] = '\0';

	const char *name_end = strrchr(line, ')');
	return name_end != NULL && (name_end[1] == ' ') && (name_end[2] == 'R' || name_end[2] == 'D');
}

/* -1: the system does not show the threads. */
static int count_busy_threads(const process *p)
{
	char path[32];
	int count = 0, limit = (int)p->pool->options.threads + MORE_THREADS_MAX;
	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
	DIR *tasks = opendir(path);
	if (tasks == NULL)
		return -1;

	for (struct dirent *task; count < limit && (task = readdir(tasks)) != NULL;)
		count += task->d_name[0] != '.' && is_busy(p->pid, task->d_name);
	(void)closedir(tasks);
	return count;
}

/* CPU time of the whole process so far; 0 if the system does not say. */
static int64_t read_cpu(const process *p)
{
	clockid_t clock;
	return clock_getcpuclockid(p->pid, &clock) == 0 ? clock_read_ns(clock) : 0;
}

int64_t worker_process_observe(process *p, int64_t now, int64_t step_max_ns)
{
	int64_t passed = now - p->observed_ns;
	int64_t cpu = read_cpu(p);
	int64_t got = cpu - p->cpu_ns;

	/* A long pause between two observations is the pool's own delay, so it must not count. */
	if (passed > step_max_ns)
		passed = step_max_ns;

	int busy = count_busy_threads(p);
	if (busy < 0)
		passed /= HIDDEN_SHARE;
	else if (busy > 0 && got / busy < passed)
		passed = got / busy;

	p->observed_ns = now;
	p->cpu_ns = cpu;
	p->given_ns += passed;
	return p->given_ns;
}
