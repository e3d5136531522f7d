/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a worker: this executable again, in a process namespace of its own if the system allows it, with only its end
 * of a socket pair and /dev/null open.
 */
#include "inside.h"

#include "common/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WATCH_NICE = -10 };

const worker_layer worker_layers[] = {
	{"call-filter", WORKER_HAS_CALL_FILTER},
	{"no-new-privileges", WORKER_HAS_NO_NEW_PRIVILEGES},
	{"no-capabilities", WORKER_HAS_NO_CAPABILITIES},
	{"other-user", WORKER_HAS_OTHER_USER},
	{"empty-root", WORKER_HAS_EMPTY_ROOT},
	{"user-namespace", WORKER_HAS_USER_NAMESPACE},
	{"process-namespace", WORKER_HAS_PROCESS_NAMESPACE},
	{"network-namespace", WORKER_HAS_NETWORK_NAMESPACE},
	{"mount-namespace", WORKER_HAS_MOUNT_NAMESPACE},
	{"ipc-namespace", WORKER_HAS_IPC_NAMESPACE},
	{"host-namespace", WORKER_HAS_UTS_NAMESPACE},
	{NULL, 0},
};

enum { SOCKET = 3, ABOVE = 10 /* descriptors from ABOVE on do not collide with those the child needs */ };

/* ---- In the child, before it is another program: only calls that are safe after a fork --------------------- */

static void write_all(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written = write(fd, text, length);
	(void)written;
	(void)close(fd);
}

/* "0 ID 1": our own user is root in the new namespace, which is needed for the other namespaces. */
static void map_self(const char *path, unsigned id)
{
	char line[32] = "0 ";
	char digits[12];
	size_t length = 2, count = 0;
	do
		digits[count++] = (char)('0' + id % 10);
	while ((id /= 10) != 0);
	while (count > 0)
		line[length++] = digits[--count];
	memcpy(line + length, " 1", 2);
	write_all(path, line, length + 2);
}

static _Noreturn void become_worker(const worker_pool *pool, int socket, bool own_user, unsigned user, unsigned group)
{
	int executable = pool->executable;
	static char name[] = "curfew", command[] = "worker";
	char *words[] = {name, command, NULL}, *environment[] = {NULL};
	if (own_user) {
		write_all("/proc/self/setgroups", "deny", 4);
		map_self("/proc/self/gid_map", group);
		map_self("/proc/self/uid_map", user);
	}
	/* Leave the terminal's process group: the pool's process handles Ctrl-C. */
	(void)setsid();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < SOCKET; fd++)
		(void)dup2(fd == STDIN_FILENO && pool->options.input > 0 ? pool->options.input : null, fd);
	(void)dup2(socket, SOCKET);
	(void)syscall(SYS_close_range, SOCKET + 1, (unsigned)executable - 1, 0);
	(void)syscall(SYS_close_range, (unsigned)executable + 1, ~0u, 0);
	(void)syscall(SYS_execveat, executable, "", words, environment, AT_EMPTY_PATH);
	_exit(127);
}

/* ---- In the pool ------------------------------------------------------------------------------------------- */

/*
 * Like fork, but with a descriptor for the child, and with namespaces. It does not use clone3, because a filter of
 * system calls cannot check its flags, and systemd refuses it with RestrictNamespaces=.
 */
static pid_t clone_process(unsigned long namespaces, int *pidfd)
{
	return (pid_t)syscall(SYS_clone, CLONE_PIDFD | namespaces | SIGCHLD, NULL, pidfd, NULL, NULL);
}

static pid_t start_confined(const worker_pool *pool, int socket, int *pidfd)
{
	/* Root may create a process namespace directly. Other users have to become root of a user namespace first. */
	static const unsigned long tries[] = {CLONE_NEWPID, CLONE_NEWPID | CLONE_NEWUSER, 0};
	unsigned user = geteuid(), group = getegid();
	for (size_t i = user == 0 ? 0 : 1; i < sizeof tries / sizeof tries[0]; i++) {
		pid_t pid = clone_process(tries[i], pidfd);
		if (pid == 0)
			become_worker(pool, socket, (tries[i] & CLONE_NEWUSER) != 0, user, group);
		if (pid > 0)
			return pid;
	}
	return -1;
}

/* Creates a socket pair. The child's end gets a number that does not collide with its later one. */
static bool make_sockets(int ends[2])
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	ends[0] = fcntl(pair[0], F_DUPFD_CLOEXEC, ABOVE);
	ends[1] = fcntl(pair[1], F_DUPFD_CLOEXEC, ABOVE);
	(void)close(pair[0]);
	(void)close(pair[1]);
	if (ends[0] >= 0 && ends[1] >= 0)
		return true;
	(void)close(ends[0] >= 0 ? ends[0] : ends[1]);
	return false;
}

process *worker_process_start(const worker_pool *pool, const char **why)
{
	int ends[2];
	process *p = calloc(1, sizeof *p);

	*why = "no socket";
	if (p == NULL || !make_sockets(ends)) {
		free(p);
		return NULL;
	}

	p->socket = ends[0];
	p->pid = start_confined(pool, ends[1], &p->pidfd);
	(void)close(ends[1]);
	if (p->pid < 0) {
		*why = "no process";
		(void)close(p->socket);
		free(p);
		return NULL;
	}

	p->observed_ns = p->ready_look_ns = clock_now_ns();
	worker_setup setup = {.version = WORKER_FRAME_VERSION,
	                      .threads = pool->options.threads,
	                      .data_bytes = pool->options.data_bytes,
	                      .engine_flags = pool->options.engine_flags};

	/* Ignore a failure: without memory for this the worker ends at once, which is noticed. */
	(void)worker_bytes_add(&p->out, &setup, sizeof setup);
	return p;
}

/* Whether this is the watch thread of an engine. */
static bool is_watch(pid_t pid, const char *task)
{
	char path[64], name[32] = "";
	(void)snprintf(path, sizeof path, "/proc/%d/task/%.16s/comm", (int)pid, task);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	bool is = fgets(name, sizeof name, file) != NULL && strcmp(name, "curfew-watch\n") == 0;
	(void)fclose(file);
	return is;
}

/*
 * The watch of a worker gets a larger share of the processors than its guests, if the system allows it. It gets no
 * real-time class, in which an attacker who controls the worker could starve everybody else.
 */
void worker_process_prefer(const process *p)
{
	char path[32];
	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)p->pid);
	DIR *tasks = opendir(path);
	if (tasks == NULL)
		return;
	for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
		if (is_watch(p->pid, task->d_name))
			(void)setpriority(PRIO_PROCESS, (id_t)strtol(task->d_name, NULL, 10), WATCH_NICE);
	}
	(void)closedir(tasks);
}

void worker_process_kill(process *p)
{
	if (!p->exited)
		(void)syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
}

void worker_process_reap(process *p)
{
	siginfo_t info = {.si_pid = 0};
	if (p->exited || waitid((idtype_t)P_PIDFD, (id_t)p->pidfd, &info, WEXITED) != 0)
		return;
	p->exited = true;
	if (p->why[0] != '\0')
		return;
	p->fault = FAULT_DEATH;
	/* The worker's own handler exits with the code that a shell would give for the signal. */
	int number = info.si_code != CLD_EXITED ? info.si_status : info.si_status > 128 ? info.si_status - 128 : 0;
	if (number > 0)
		(void)snprintf(p->why, sizeof p->why, "the worker process died of signal %d (%s)", number, strsignal(number));
	else
		(void)snprintf(p->why, sizeof p->why, "the worker process ended with code %d", info.si_status);
}

void worker_process_free(process *p)
{
	worker_process_kill(p);
	worker_process_reap(p);
	(void)close(p->pidfd);
	(void)close(p->socket);
	worker_bytes_finish(&p->in);
	worker_bytes_finish(&p->out);
	worker_files_finish(&p->files);
	free(p->runs);
	free(p->free_slots);
	free(p->has_program);
	free(p);
}
