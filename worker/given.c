/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much time a worker was given. A worker that is late on a busy machine is not at fault, so its patience is not
 * measured by the clock on the wall: while it has threads that wait for a processor only the processor time that it got
 * counts, shared by these threads, and while it has none every moment does, since it could have acted.
 */
#include "inside.h"

#include "common/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Where the system hides the threads of another process (hidepid), only so much of the time that passes counts. */
#define HIDDEN_SHARE 20

/* A worker has no more threads of its own; one that makes more does not buy time by that. */
enum { MORE_THREADS_MAX = 72 };

/* Whether a thread runs, waits for a processor, or waits for the disk: proc(5), the letter behind the name. */
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

/* -1: the system does not show them. */
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

/* Processor time of the whole process so far; 0 where the system does not say. */
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

	/* A long pause between two looks is ours, and says nothing of what happened in it. */
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
