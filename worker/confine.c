/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces, an empty root, another user, no capabilities, small limits. The order matters: mounting needs rights that
 * are given up after it, and a change of user resets what prctl set before.
 */
#include "confine.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	NOBODY = 65534,
	THREADS_MAX = 8192,      /* of this user, in all its processes: far more than ours need, but still a limit */
	OPEN_FILES = 512,        /* besides those of the programs that are kept */
	MORE_LIKELY_KILLED = 500 /* when memory runs out, the system kills a worker before its pool */
};

/* The limit of a real-time thread's run without sleeping. None of ours runs for a millisecond. */
#define REALTIME_US ((rlim_t)200000)

/* The largest file is the image of a guest's memory, an anonymous file. */
#define FILE_BYTES ((rlim_t)4 << 30)

size_t worker_programs_max(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return WORKER_PROGRAMS_MAX;
	/* The other half is for runs. */
	rlim_t programs = limit.rlim_max / 2 / WORKER_PROGRAM_FILES;
	return programs < WORKER_PROGRAMS_MAX ? (size_t)programs : WORKER_PROGRAMS_MAX;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return ok;
}

static void set_limit(int resource, rlim_t value)
{
	struct rlimit limit;
	if (getrlimit(resource, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max = value < limit.rlim_max ? value : limit.rlim_max;
	(void)setrlimit(resource, &limit);
}

static void set_limits(uint64_t data_bytes)
{
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, FILE_BYTES);
	set_limit(RLIMIT_NOFILE, OPEN_FILES + WORKER_PROGRAMS_MAX * WORKER_PROGRAM_FILES);
	set_limit(RLIMIT_MSGQUEUE, 0);
	set_limit(RLIMIT_NPROC, THREADS_MAX);
	set_limit(RLIMIT_RTPRIO, 0); /* no thread of the worker may have or get a real-time class */
	set_limit(RLIMIT_RTTIME, REALTIME_US);
	if (data_bytes != 0)
		set_limit(RLIMIT_DATA, data_bytes);
	char text[16];
	(void)snprintf(text, sizeof text, "%d", MORE_LIKELY_KILLED);
	(void)write_file("/proc/self/oom_score_adj", text);
}

/* ---- Namespaces and the root ----------------------------------------------------------------------------- */

/* Replaces the root by an empty read-only file system. Only in a mount namespace of our own. */
static bool empty_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555") != 0)
		return false;
	/* With two equal paths, pivot_root puts the old root on top of the new one, from where it is unmounted. */
	return chdir("/proc") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 &&
	       chdir("/") == 0;
}

/*
 * For use without a mount namespace, or if our root is a directory of another file system and cannot be replaced: makes
 * an empty directory the root, and deletes it at once.
 */
static bool change_root(void)
{
	char directory[] = "/tmp/curfew-XXXXXX";
	if (mkdtemp(directory) == NULL)
		return false;
	int above = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool changed = chdir(directory) == 0 && chroot(".") == 0;
	(void)unlinkat(above, directory + strlen("/tmp/"), AT_REMOVEDIR);
	(void)close(above);
	return changed;
}

/* Verify the result instead of trusting the calls. */
static bool is_root_empty(void)
{
	DIR *root = opendir("/");
	if (root == NULL)
		return false;
	bool empty = true;
	for (struct dirent *entry; (entry = readdir(root)) != NULL;)
		empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
	(void)closedir(root);
	return empty;
}

static uint32_t take_namespaces(void)
{
	static const struct {
		int flag;
		uint32_t has;
	} kinds[] = {
		{CLONE_NEWNET, WORKER_HAS_NETWORK_NAMESPACE},
		{CLONE_NEWIPC, WORKER_HAS_IPC_NAMESPACE},
		{CLONE_NEWUTS, WORKER_HAS_UTS_NAMESPACE},
		{CLONE_NEWNS, WORKER_HAS_MOUNT_NAMESPACE},
	};
	/* The parent has given us a process namespace if it could. */
	uint32_t has = getpid() == 1 ? WORKER_HAS_PROCESS_NAMESPACE : 0;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (unshare(kinds[i].flag) == 0)
			has |= kinds[i].has;
	}
	return has;
}

/* ---- User and capabilities ------------------------------------------------------------------------------- */

/* Reads which user outside this namespace our root is, and how many users the namespace has. */
static void read_user_map(unsigned *outside, unsigned *count)
{
	unsigned inside;
	FILE *file = fopen("/proc/self/uid_map", "re");
	if (file == NULL)
		return;
	if (fscanf(file, "%u %u %u", &inside, outside, count) != 3)
		*count = 0;
	(void)fclose(file);
}

/* Root becomes nobody, if there is such a user. */
static void change_user(void)
{
	if (geteuid() != 0 || setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0)
		return;
	(void)setresuid(NOBODY, NOBODY, NOBODY);
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	for (unsigned long i = 0; i < 64; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &head, none) == 0;
}

/*
 * Opens pagemap without capabilities. Any process can read which pages have changed; physical addresses are shown only
 * if the file was opened with a capability.
 */
static int open_pagemap(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3], none[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &head, had) != 0)
		return -1;
	memcpy(none, had, sizeof none);
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		none[i].effective = 0;
	if (syscall(SYS_capset, &head, none) != 0)
		return -1;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	(void)syscall(SYS_capset, &head, had);
	return fd;
}

uint32_t worker_confine(uint64_t data_bytes, int *pagemap)
{
	unsigned outside = 0, count = 0;

	read_user_map(&outside, &count);

	/* Open this first: /proc is out of reach once the root is empty. */
	*pagemap = open_pagemap();
	set_limits(data_bytes);
	uint32_t has = take_namespaces();
	if (!(has & WORKER_HAS_MOUNT_NAMESPACE) || !empty_root())
		(void)change_root();
	if (is_root_empty())
		has |= WORKER_HAS_EMPTY_ROOT;
	change_user();
	if (geteuid() != 0 || outside != 0)
		has |= WORKER_HAS_OTHER_USER;

	/* If a user namespace was needed for the others, we are its root already. */
	if (unshare(CLONE_NEWUSER) == 0 || count == 1)
		has |= WORKER_HAS_USER_NAMESPACE;
	if (drop_capabilities())
		has |= WORKER_HAS_NO_CAPABILITIES;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		has |= WORKER_HAS_NO_NEW_PRIVILEGES;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return has;
}
