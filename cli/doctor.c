/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curfew doctor: shows what this system offers. A worker reports its own confinement; the rest is tried here.
 */
#include "commands.h"
#include "format.h"
#include "say.h"
#include "worker/pool.h"
#include "common/memory_file.h"
#include "common/scheduling.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

typedef struct check {
	const char *name;
	const char *meaning; /* its effect */
	uint32_t has;        /* as a worker reports; 0: use test */
	bool (*test)(void);
} check;

/* ---- Tests ------------------------------------------------------------------------------------------------ */

/* linux/fs.h of Linux 6.7; the headers of Debian 12 are older. */
typedef struct scan_arguments {
	uint64_t size, flags, start, end, walk_end, ranges, ranges_length, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
} scan_arguments;
#define PAGEMAP_SCAN _IOWR('f', 16, scan_arguments)

static bool has_pagemap_scan(void)
{
	uint64_t range[3];
	long size = sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	char *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || page == MAP_FAILED)
		return false;
	*page = 1;
	scan_arguments scan = {.size = sizeof scan,
	                       .start = (uint64_t)(uintptr_t)page,
	                       .end = (uint64_t)(uintptr_t)page + (uint64_t)size,
	                       .ranges = (uint64_t)(uintptr_t)range,
	                       .ranges_length = 1,
	                       .category_mask = 1 << 3,
	                       .return_mask = 1 << 3};
	int found = ioctl(fd, PAGEMAP_SCAN, &scan);
	(void)munmap(page, (size_t)size);
	(void)close(fd);
	return found == 1;
}

static bool has_realtime(void)
{
	struct sched_param first = {.sched_priority = CURFEW__PRIORITY_WATCH}, none = {0};
	if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
		return false;
	(void)sched_setscheduler(0, SCHED_OTHER, &none);
	return true;
}

static bool has_time_slices(void)
{
	curfew__scheduling brief = {.size = sizeof brief, .policy = SCHED_OTHER, .runtime = CURFEW__SLICE_MIN_NS},
					   seen = {0};
	return syscall(SYS_sched_setattr, 0, &brief, 0) == 0 && syscall(SYS_sched_getattr, 0, &seen, sizeof seen, 0) == 0 &&
	       seen.runtime == brief.runtime;
}

static bool has_huge_pages(void)
{
	char text[64] = "";
	int fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
	if (fd >= 0)
		(void)close(fd);
	return got > 0 && strstr(text, "[never]") == NULL;
}

static bool has_sealing(void)
{
	int fd = curfew__memory_file("curfew-doctor");
	bool sealed = fd >= 0 && curfew__file_seal(fd);
	if (fd >= 0)
		(void)close(fd);
	return sealed;
}

static const check checks[] = {
	{"call-filter", "a worker that makes any other system call is killed (seccomp); needed for workers",
     WORKER_HAS_CALL_FILTER, NULL},
	{"no-new-privileges", "nothing that a worker could start would gain rights", WORKER_HAS_NO_NEW_PRIVILEGES, NULL},
	{"no-capabilities", "a worker may do nothing that is root's", WORKER_HAS_NO_CAPABILITIES, NULL},
	{"other-user", "a worker is not root outside", WORKER_HAS_OTHER_USER, NULL},
	{"empty-root", "a worker can name no file", WORKER_HAS_EMPTY_ROOT, NULL},
	{"user-namespace", "a worker's users mean nothing outside", WORKER_HAS_USER_NAMESPACE, NULL},
	{"process-namespace", "a worker sees no other process", WORKER_HAS_PROCESS_NAMESPACE, NULL},
	{"network-namespace", "a worker has no network", WORKER_HAS_NETWORK_NAMESPACE, NULL},
	{"mount-namespace", "a worker's file systems are its own", WORKER_HAS_MOUNT_NAMESPACE, NULL},
	{"ipc-namespace", "a worker shares no memory or queue by name", WORKER_HAS_IPC_NAMESPACE, NULL},
	{"host-namespace", "a worker cannot change the host's name", WORKER_HAS_UTS_NAMESPACE, NULL},
	{"sealed-memory", "what every run starts from cannot be changed; needed", 0, has_sealing},
	{"pagemap-scan", "fresh runs copy only what changed (Linux 6.7)", 0, has_pagemap_scan},
	{"realtime", "stops come first on a busy machine (SCHED_FIFO: CAP_SYS_NICE or RLIMIT_RTPRIO)", 0, has_realtime},
	{"time-slices", "stops come early without realtime (Linux 6.12)", 0, has_time_slices},
	{"huge-pages", "guests that use much memory grow and stop faster", 0, has_huge_pages},
};

enum { CHECKS = sizeof checks / sizeof checks[0] };

/* ---- Telling ---------------------------------------------------------------------------------------------- */

static void write_json(FILE *out, const struct utsname *system, const bool *has, const char *problem)
{
	fprintf(out, "{\"curfew\":\"%s\",\"kernel\":", curfew_version());
	cli_write_json_string(out, system->release);
	fprintf(out, ",\"cores\":%ld,\"problem\":", sysconf(_SC_NPROCESSORS_ONLN));
	if (problem[0] != '\0')
		cli_write_json_string(out, problem);
	else
		fputs("null", out);
	fputs(",\"checks\":[", out);
	for (size_t i = 0; i < CHECKS; i++) {
		fprintf(out, "%s{\"name\":\"%s\",\"available\":%s,\"meaning\":", i > 0 ? "," : "", checks[i].name,
		        has[i] ? "true" : "false");
		cli_write_json_string(out, checks[i].meaning);
		fputc('}', out);
	}
	fputs("]}\n", out);
}

static void write_table(FILE *out, const struct utsname *system, const bool *has, const char *problem)
{
	fprintf(out, "curfew %s, Linux %s, %ld cores\n\n", curfew_version(), system->release,
	        sysconf(_SC_NPROCESSORS_ONLN));
	for (size_t i = 0; i < CHECKS; i++)
		fprintf(out, "  %-18s %-4s %s\n", checks[i].name, has[i] ? "yes" : "no", checks[i].meaning);
	if (problem[0] != '\0')
		fprintf(out, "\nNo worker can be started: %s\n", problem);
}

/* The layers of a worker on this system; 0, and why, if there can be no worker. */
static uint32_t ask_worker(curfew_failure *failure)
{
	worker_pool_stats stats = {0};
	worker_pool *pool = NULL;
	const worker_pool_options options = {.workers = 1, .threads = 1};
	if (worker_pool_create(&options, &pool, failure) == CURFEW_OK)
		worker_pool_get_stats(pool, &stats);
	worker_pool_destroy(pool);
	return stats.has;
}

int cli_doctor(const cli_arguments *arguments)
{
	struct utsname system;
	curfew_failure failure = {.message = ""};
	bool has[CHECKS];
	char *text = NULL;
	size_t length = 0;
	uint32_t worker = ask_worker(&failure);

	for (size_t i = 0; i < CHECKS; i++)
		has[i] = checks[i].has != 0 ? (worker & checks[i].has) != 0 : checks[i].test();
	FILE *out = open_memstream(&text, &length);
	if (out == NULL || uname(&system) != 0) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}

	if (arguments->values[CLI_OPTION_JSON] != NULL)
		write_json(out, &system, has, failure.message);
	else
		write_table(out, &system, has, failure.message);
	if (fclose(out) != 0) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}

	int code = cli_print(text, length);
	free(text);
	return code;
}
