/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of the machine and of the control groups that this process is in, and directories. */
#include "machine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads the number in a file. UINT64_MAX: there is none ("max"). */
static uint64_t read_number(const char *path)
{
	unsigned long long number = 0;
	FILE *file = fopen(path, "re");
	bool is_there = file != NULL && fscanf(file, "%llu", &number) == 1;
	if (file != NULL)
		(void)fclose(file);
	return is_there ? number : UINT64_MAX;
}

/* The minimum of the limits of this group and of its ancestors. */
static uint64_t read_groups(char *group)
{
	char path[600];
	uint64_t least = UINT64_MAX;
	for (;;) {
		(void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
		uint64_t here = read_number(path);
		least = here < least ? here : least;
		char *slash = strrchr(group, '/');
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

uint64_t machine_memory(void)
{
	char line[512];
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES), least = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/cgroup", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		/* The unified hierarchy; "0::/" is its root. */
		uint64_t group = strncmp(line, "0::", 3) == 0 ? read_groups(line + 3) : UINT64_MAX;
		least = group < least ? group : least;
	}
	if (file != NULL)
		(void)fclose(file);
	uint64_t older = read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes");
	return older < least ? older : least;
}

/* ---- This process ---------------------------------------------------------------------------------------- */

static size_t count_files(void)
{
	size_t count = 0;
	DIR *directory = opendir("/proc/self/fd");
	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		(void)closedir(directory);
	return count > 3 ? count - 3 : 0; /* without ".", "..", and the descriptor of the directory itself */
}

/* When the machine was started, in seconds since 1970. */
static double read_start(void)
{
	char line[256];
	double start = 0;
	FILE *file = fopen("/proc/stat", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL && sscanf(line, "btime %lf", &start) != 1)
		;
	if (file != NULL)
		(void)fclose(file);
	return start;
}

bool machine_read_process(machine_process *p)
{
	char line[1024];

	unsigned long long user, system, threads, started, virtual_bytes;
	long long pages;
	struct rlimit files = {0};
	FILE *file = fopen("/proc/self/stat", "re");
	size_t length = file != NULL ? fread(line, 1, sizeof line - 1, file) : 0;
	if (file != NULL)
		(void)fclose(file);
	line[length] = '\0';

	/* The name, in parentheses, may contain anything. */
	const char *rest = strrchr(line, ')');
	if (rest == NULL ||
	    sscanf(rest + 1,
	           " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %llu %*d %llu %llu %lld", &user,
	           &system, &threads, &started, &virtual_bytes, &pages) != 6)
		return false;
	double ticks = (double)sysconf(_SC_CLK_TCK);
	(void)getrlimit(RLIMIT_NOFILE, &files);
	*p = (machine_process){.cpu_seconds = (double)(user + system) / ticks,
	                       .start_seconds = read_start() + (double)started / ticks,
	                       .resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE),
	                       .virtual_bytes = virtual_bytes,
	                       .threads = threads,
	                       .open_files = count_files(),
	                       .files_max = files.rlim_cur};
	return true;
}

/* ---- Directories -------------------------------------------------------------------------------------------- */

/* Refuse it: everybody who may write to the directory could replace the database. */
static bool check_directory(const char *directory, curfew_failure *failure)
{
	struct stat info;
	if (stat(directory, &info) != 0 || !S_ISDIR(info.st_mode)) {
		(void)snprintf(failure->message, sizeof failure->message, "%.150s: %s", directory, strerror(ENOTDIR));
		return false;
	}
	if ((info.st_mode & S_IWOTH) == 0)
		return true;
	(void)snprintf(failure->message, sizeof failure->message,
	               "%.120s: everybody may write to this directory (mode %04o): chmod o-w it, or use another one",
	               directory, (unsigned)info.st_mode & 07777);
	return false;
}

bool machine_make_directory(const char *directory, curfew_failure *failure)
{
	char path[4096];
	size_t length = strlen(directory);
	if (length + 1 < sizeof path) {
		memcpy(path, directory, length + 1);
		for (char *at = path + 1; (at = strchr(at, '/')) != NULL; *at++ = '/') {
			*at = '\0';
			(void)mkdir(path, 0700);
		}
		if (mkdir(path, 0700) == 0 || errno == EEXIST)
			return check_directory(path, failure);
	}
	(void)snprintf(failure->message, sizeof failure->message, "%.150s: %s", directory, strerror(errno));
	return false;
}
