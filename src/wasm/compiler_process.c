/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child shares this process's memory until it executes another program (as with posix_spawn), so that starting one
 * costs the same however large this process is. Until then it makes only system calls.
 */
#include "engine/extra.h"
#include "base/refuse.h"
#include "engine_key.h"
#include "wasm/compiler_process.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "curfew-compiler"
#define STACK_BYTES ((size_t)64 << 10)
/* In the child, descriptors from this number on do not collide with those it needs. */
#define ABOVE 16

/* ---- Finding the executable -------------------------------------------------------------------------------- */

static bool is_executable(const char *path)
{
	return access(path, X_OK) == 0;
}

/* Looks beside a file, and in the libexec directory beside that file's directory. */
static bool find_beside(const char *file, char path[PATH_MAX])
{
	static const char *const places[] = {"", "../libexec/", "../../libexec/"};
	const char *slash = strrchr(file, '/');
	int directory = slash ? (int)(slash - file + 1) : 0;

	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++)
		if (snprintf(path, PATH_MAX, "%.*s%s" NAME, directory, file, places[i]) < PATH_MAX && is_executable(path))
			return true;
	return false;
}

bool curfew__compiler_find(const char *named, char path[PATH_MAX])
{
	char own[PATH_MAX], real[PATH_MAX];
	Dl_info info;

	if (named)
		return snprintf(path, PATH_MAX, "%s", named) < PATH_MAX && is_executable(path);
	if (dladdr((void *)(uintptr_t)curfew__compiler_find, &info) && info.dli_fname && realpath(info.dli_fname, real) &&
	    find_beside(real, path))
		return true;
	ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
	if (length <= 0)
		return false;
	own[length] = 0;
	return find_beside(own, path);
}

/* ---- Starting one ------------------------------------------------------------------------------------------ */

typedef struct start {
	const char *path;
	int socket;
	int null;
	int error; /* why it could not execute the program */
} start;

static void reset_signals(void)
{
	struct sigaction ordinary = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		sigaction(number, &ordinary, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Nothing returns from its frame, so AddressSanitizer must not mark it: other memory may be mapped there later. */
__attribute__((no_sanitize_address)) static int become_compiler(void *argument)
{
	static char name[] = NAME;
	char *words[] = {name, NULL}, *environment[] = {NULL};
	start *own = argument;

	/* Leave the terminal's process group: this process's parent handles Ctrl-C. */
	setsid();
	reset_signals();
	int socket = fcntl(own->socket, F_DUPFD, ABOVE);
	for (int fd = 0; fd < CURFEW__COMPILER_SOCKET; fd++)
		dup2(own->null, fd);
	dup2(socket, CURFEW__COMPILER_SOCKET);
	syscall(SYS_close_range, CURFEW__COMPILER_SOCKET + 1, ~0u, 0);
	execve(own->path, words, environment);
	own->error = errno;
	syscall(SYS_exit_group, 127);
	return 127;
}

/* Block all signals first: a handler must not run in the child, which shares this process's memory. */
static pid_t clone_child(start *child, void *stack, int *pidfd)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = clone(become_compiler, (char *)stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
	                  child, pidfd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static bool start_child(curfew__compiler_process *process, start *child, curfew_failure *failure)
{
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	process->pid = -1;
	child->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (stack != MAP_FAILED && child->null >= 0)
		process->pid = clone_child(child, stack, &process->pidfd);
	int error = process->pid < 0 ? errno : child->error;
	if (stack != MAP_FAILED)
		munmap(stack, STACK_BYTES);
	if (child->null >= 0)
		close(child->null);
	if (error)
		curfew__fail(failure, "the compiler process cannot be started: %.100s: %s", child->path, strerror(error));
	return !error;
}

bool curfew__compiler_process_start(curfew__compiler_process *process, const char *path, curfew_failure *failure)
{
	int ends[2];
	curfew_failure ignored;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		return curfew__fail(failure, "the compiler process cannot be started: no socket: %s", strerror(errno));
	}
	start child = {.path = path, .socket = ends[1]};
	bool started = start_child(process, &child, failure);
	close(ends[1]);
	process->socket = ends[0];
	if (started)
		return true;
	if (process->pid >= 0)
		curfew__compiler_process_finish(process, &ignored);
	else
		close(process->socket);
	return false;
}

/* ---- Talking to it ----------------------------------------------------------------------------------------- */

bool curfew__compiler_process_ask(const curfew__compiler_process *process, const curfew__compiler_order *order,
                                  const int files[3])
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(3 * sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(3 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec part = {(void *)(uintptr_t)order, sizeof *order};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};

	memcpy(CMSG_DATA(&control.head), files, 3 * sizeof(int));
	return sendmsg(process->socket, &message, MSG_NOSIGNAL) == (ssize_t)sizeof *order;
}

int curfew__compiler_process_hear(const curfew__compiler_process *process, curfew__compiler_answer *answer)
{
	ssize_t got = recv(process->socket, answer, sizeof *answer, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != (ssize_t)sizeof *answer)
		return -1;
	answer->failure.why.message[sizeof answer->failure.why.message - 1] = 0;
	return 1;
}

void curfew__compiler_process_kill(const curfew__compiler_process *process)
{
	syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
}

curfew__compiler_end curfew__compiler_process_finish(curfew__compiler_process *process, curfew_failure *failure)
{
	siginfo_t info = {0};
	curfew__compiler_end end = CURFEW__COMPILER_ENDED;

	/* The embedding program may have waited for the child already. */
	if (waitid((idtype_t)P_PIDFD, (id_t)process->pidfd, &info, WEXITED))
		curfew__fail(failure, "the compiler process ended");
	else if (info.si_code != CLD_EXITED && info.si_status == SIGXCPU)
		end = CURFEW__COMPILER_OF_CPU;
	else if (info.si_code != CLD_EXITED)
		curfew__fail(failure, "the compiler process died of signal %d (%s)", info.si_status, strsignal(info.si_status));
	else if (info.si_status == CURFEW__COMPILER_NO_MEMORY)
		end = CURFEW__COMPILER_OF_MEMORY;
	else if (info.si_status == CURFEW__COMPILER_NOT_CONFINED)
		end = CURFEW__COMPILER_UNCONFINED;
	else
		curfew__fail(failure, "the compiler process ended with code %d", info.si_status);
	close(process->pidfd);
	close(process->socket);
	return end;
}
