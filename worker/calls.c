/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that a worker may make once its engine is ready; any other call kills the process. The list was
 * found by running the tests under strace(1). docs/THREAT_MODEL.md says what an attacker can do with these calls.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CALL(name) SCMP_SYS(name)

/* A group of calls. */
static const int allowed[] = {
	/* Memory: guests' regions and their protection, compiled code, malloc, stacks of threads. */
	CALL(mmap),
	CALL(munmap),
	CALL(mprotect),
	CALL(madvise),
	CALL(mremap),
	CALL(brk),
	CALL(mincore),
	/* Secrets, which are kept out of swap. */
	CALL(mlock),
	CALL(munlock),
	/* Images: files without a name, filled and sealed. */
	CALL(memfd_create),
	CALL(ftruncate),
	CALL(pwrite64),
	CALL(close),
	/* The socket, and waiting for it. No call takes an address: socket, connect, bind and sendto to one are not here.
     */
	CALL(read),
	CALL(write),
	CALL(poll),
	CALL(ppoll),
	CALL(eventfd2),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	/* Threads: locks, the end, stacks for signals, a yield, what the C library asks about processors. */
	CALL(futex),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(exit),
	CALL(exit_group),
	CALL(sigaltstack),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(membarrier),
	CALL(getpid),
	CALL(gettid),
	CALL(sysinfo),
	/* Signals: faults are how guests trap. */
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(restart_syscall),
	/* Clocks, sleep and random numbers. */
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(getrandom),
};

/* These calls fail instead of killing, because the C library makes them by itself and can do without. */
static const struct {
	int call;
	int error;
} refused[] = {
	{CALL(preadv2), ENOSYS}, /* the caller uses read instead */
	{CALL(clone3), ENOSYS},  /* a filter cannot check its flags, so it fails and clone is used */
	{CALL(openat), EACCES},
	{CALL(open), EACCES},
	{CALL(readlink), EACCES},
	{CALL(readlinkat), EACCES},
	{CALL(fstat), EACCES},
	{CALL(access), EACCES},
	{CALL(getrlimit), EPERM},
	{CALL(prlimit64), EPERM},
	{CALL(sched_getattr), EPERM},
	{CALL(sched_setattr), EPERM},
	{CALL(sched_setscheduler), EPERM},
};

#define PAGEMAP_SCAN _IOWR('f', 16, char[96])

static int add_threads(scmp_filter_ctx filter)
{
	/* A thread of this process, and nothing else. */
	const scmp_datum_t needed = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, needed, needed));
}

static int add_limited(scmp_filter_ctx filter, int pagemap)
{
	static const int fcntls[] = {F_GETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS};
	static const int prctls[] = {PR_SET_NAME, PR_SET_VMA, PR_SET_TIMERSLACK};
	int error = add_threads(filter);

	for (size_t i = 0; error == 0 && i < sizeof fcntls / sizeof fcntls[0]; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(fcntl), 1, SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[i]));
	for (size_t i = 0; error == 0 && i < sizeof prctls / sizeof prctls[0]; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prctl), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)prctls[i]));

	/* The page faults of a thread. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(getrusage), 1,
		                         SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)RUSAGE_THREAD));

	/* The pages that a run has changed. */
	if (error == 0 && pagemap >= 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(ioctl), 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)pagemap),
		                         SCMP_A1(SCMP_CMP_EQ, PAGEMAP_SCAN));

	/* Only open files, and none by name. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(newfstatat), 1,
		                         SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(statx), 1,
		                         SCMP_A2(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));

	/* Sending to the other end of a socket pair: without an address. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(sendto), 2, SCMP_A0(SCMP_CMP_EQ, WORKER_SOCKET),
		                         SCMP_A4(SCMP_CMP_EQ, 0));

	/* Receiving from it, and files along with that: compiled code. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(recvmsg), 1, SCMP_A0(SCMP_CMP_EQ, WORKER_SOCKET));

	/* Signals of a thread that panics, and the one that interrupts guests: only to this process. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(rt_tgsigqueueinfo), 1,
		                         SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	return error;
}

static int add_rules(scmp_filter_ctx filter, int pagemap)
{
	int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* Build the filter as a binary tree, because every call pays for the lookup. */
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; error == 0 && i < sizeof allowed / sizeof allowed[0]; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; error == 0 && i < sizeof refused / sizeof refused[0]; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)refused[i].error), refused[i].call, 0);
	return error != 0 ? error : add_limited(filter, pagemap);
}

bool worker_confine_calls(int pagemap, curfew_failure *failure)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error = filter != NULL ? add_rules(filter, pagemap) : -ENOMEM;
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	if (error != 0)
		(void)snprintf(failure->message, sizeof failure->message, "the system call filter cannot be loaded: %s",
		               strerror(-error));
	return error == 0;
}
