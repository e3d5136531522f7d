/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool: one thread waits for all workers at once, sends messages that others have added, receives messages,
 * replaces workers that die, and kills those that do not respond.
 */
#include "inside.h"

#include "common/mutex.h"
#include "common/clock.h"
#include "common/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MS ((int64_t)1000000)
#define SECOND (1000 * MS)
#define PATIENCE_NS (50 * MS)
/* Pause before the next attempt if workers cannot be started. */
#define RETRY_NS SECOND

enum { THREADS = 16, FAILURES_MAX = 3, EVENTS = 64, ABOVE = 10, HEARD_TURNS = 64, RUNS_TOLD = 8 };

/* ---- Workers come and go -------------------------------------------------------------------------------------- */

/*
 * Whether a run has nothing to do with the end of its worker. A worker says that it begins with a run before it sends
 * anything of it, so a run that has not begun has had no effect, either.
 */
static bool is_innocent(const process *p, const worker_run *run)
{
	switch (p->fault) {
	case FAULT_DEATH: return run->state == RUN_SENT;
	case FAULT_RULE:
	case FAULT_SILENCE: return run != p->blamed;
	case FAULT_UNKNOWN: break;
	}
	return false;
}

/* The end of a run whose worker has ended. */
static worker_end end_of_lost(const process *p, const worker_run *run)
{
	if (p->fault == FAULT_SILENCE && run == p->blamed)
		return (worker_end){
			.outcome = run->due_why, .mode = CURFEW_STOP_PROCESS, .late_ns = clock_now_ns() - run->due_ns};
	if (!is_innocent(p, run))
		return (worker_end){.outcome = CURFEW_OUTCOME_CRASHED, .message = p->why};
	if (atomic_load(&run->cancels) > 0)
		return (worker_end){.outcome = CURFEW_OUTCOME_CANCELLED, .mode = CURFEW_STOP_PROCESS};
	return (worker_end){.outcome = CURFEW_OUTCOME_INTERNAL_ERROR, .message = p->why};
}

/* Ends the runs of a worker that has ended, or repeats those that have nothing to do with it. */
static void settle_runs(worker_pool *pool, process *p)
{
	char runs[RUNS_TOLD * 27 + 1] = "";
	size_t told = 0;
	worker_death death = {.pid = p->pid, .why = p->why, .runs = runs};
	p->reported = true;

	/* It has left its worker, if its long report was the fault. */
	if (p->blamed != NULL && p->blamed->process == NULL)
		told += (size_t)snprintf(runs, sizeof runs, "%.26s", p->blamed->id) > 0;
	for (size_t slot = 0; slot < p->slot_count; slot++) {
		worker_run *run = p->runs[slot];
		if (run == NULL)
			continue;
		if (told++ < RUNS_TOLD) {
			size_t used = strlen(runs);
			(void)snprintf(runs + used, sizeof runs - used, "%s%.26s", used > 0 ? " " : "", run->id);
		}
		if (is_innocent(p, run) && worker_run_repeat(run)) {
			death.repeated++;
			continue;
		}
		worker_end end = end_of_lost(p, run);
		worker_lock(pool);
		pool->stats.crashed += end.outcome == CURFEW_OUTCOME_CRASHED;
		worker_unlock(pool);
		death.lost += run != p->blamed;
		worker_run_fail(run, &end);
	}
	if (pool->options.on_death != NULL)
		pool->options.on_death(pool->options.context, &death);
}

/* Ends a worker: its messages are ignored from here on. */
static void give_up(worker_pool *pool, process *p)
{
	worker_lock(pool);
	if (p->state == PROCESS_STARTING) {
		pool->failures++;
		pool->spawn_after_ns = pool->failures < FAILURES_MAX ? 0 : clock_later(clock_now_ns(), (uint64_t)RETRY_NS);
	}
	p->state = PROCESS_ENDING;
	p->serving = false;
	worker_compile_forget(p);
	worker_unlock(pool);
	(void)epoll_ctl(pool->epoll, EPOLL_CTL_DEL, p->socket, NULL);
	worker_process_kill(p);
	worker_process_abort(p);
}

/* Called when its socket has ended, or when it broke a rule. */
static void on_silence(worker_pool *pool, process *p)
{
	give_up(pool, p);
	/* If it broke no rule, its exit status will say how it died. */
	if (p->why[0] != '\0')
		settle_runs(pool, p);
}

/* Ends the runs whose long messages are not theirs, and the workers that sent them. */
static void refuse_forged(worker_pool *pool)
{
	uint64_t id;
	for (worker_run *run; (run = worker_later_forged(pool, &id)) != NULL; worker_run_unref(run)) {
		char why[sizeof run->end_message];
		bool is_detached = run->state == RUN_DONE;
		if (run->has_end)
			continue; /* its worker has ended meanwhile, and the run with it */
		(void)snprintf(why, sizeof why, "the worker process was killed: %s", run->wrong);
		for (process *p = pool->processes; p != NULL; p = p->next) {
			if (p->id != id || p->state == PROCESS_ENDING)
				continue;
			p->fault = FAULT_RULE;
			p->blamed = run;
			(void)snprintf(p->why, sizeof p->why, "%s", why);
			on_silence(pool, p);
			p->blamed = NULL;
		}
		if (!is_detached)
			continue; /* it ends with its worker */
		worker_lock(pool);
		pool->stats.crashed++;
		worker_unlock(pool);
		worker_run_fail(run, &(worker_end){.outcome = CURFEW_OUTCOME_CRASHED, .message = why});
	}
}

/* The end of its socket and its exit may arrive in either order. */
static void on_socket(worker_pool *pool, process *p)
{
	if (p->state != PROCESS_ENDING && worker_receive(pool, p) < 0)
		on_silence(pool, p);
}

static void on_exited(worker_pool *pool, process *p)
{
	if (p->state != PROCESS_ENDING) {
		/* First process what it sent before it died. */
		while (worker_receive(pool, p) > 0)
			;
		give_up(pool, p);
	}
	(void)epoll_ctl(pool->epoll, EPOLL_CTL_DEL, p->pidfd, NULL);
	worker_process_reap(p);
	worker_lock(pool);
	(void)snprintf(pool->failure, sizeof pool->failure, "%s", p->why);
	worker_unlock(pool);
	if (!p->reported)
		settle_runs(pool, p);
}

/* The lowest bit of an event's pointer distinguishes a worker's two descriptors. */
static bool listen_to(worker_pool *pool, process *p)
{
	struct epoll_event socket = {.events = EPOLLIN, .data.ptr = p};
	struct epoll_event exit = {.events = EPOLLIN, .data.u64 = (uint64_t)(uintptr_t)p | 1};
	return epoll_ctl(pool->epoll, EPOLL_CTL_ADD, p->socket, &socket) == 0 &&
	       epoll_ctl(pool->epoll, EPOLL_CTL_ADD, p->pidfd, &exit) == 0;
}

static void spawn(worker_pool *pool)
{
	const char *why;
	process *p = worker_process_start(pool, &why);
	worker_lock(pool);
	if (p != NULL && listen_to(pool, p)) {
		p->pool = pool;
		p->id = pool->spawned;
		p->next = pool->processes;
		pool->processes = p;
	} else {
		pool->failures = FAILURES_MAX;
		pool->spawn_after_ns = clock_later(clock_now_ns(), (uint64_t)RETRY_NS);
		(void)snprintf(pool->failure, sizeof pool->failure, "a worker process cannot be started: %s: %s", why,
		               strerror(errno));
	}
	worker_unlock(pool);
}

static size_t count_processes(const worker_pool *pool, process_state state)
{
	size_t count = 0;
	for (const process *p = pool->processes; p != NULL; p = p->next)
		count += p->state == state;
	return count;
}

/* Maintains the number of workers. Ready workers serve, up to the configured number; the others are spare. */
static void replace_workers(worker_pool *pool)
{
	size_t wanted = pool->options.workers + pool->options.spares, serving = 0, added = 0;

	worker_lock(pool);
	for (process *p = pool->processes; p != NULL; p = p->next)
		serving += p->serving;
	for (process *p = pool->processes; p != NULL && serving < pool->options.workers; p = p->next) {
		if (p->state == PROCESS_READY && !p->serving) {
			p->serving = true;
			serving++;
		}
	}

	size_t there = count_processes(pool, PROCESS_READY) + count_processes(pool, PROCESS_STARTING);
	bool may = clock_now_ns() >= pool->spawn_after_ns;
	worker_unlock(pool);
	for (; may && there + added < wanted; added++) {
		worker_lock(pool);
		pool->stats.restarts += pool->spawned >= wanted;
		worker_unlock(pool);
		pool->spawned++;
		spawn(pool);
	}
}

static void free_dead(worker_pool *pool)
{
	worker_lock(pool);
	for (process **at = &pool->processes; *at != NULL;) {
		process *p = *at;
		if (!p->exited) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		worker_process_free(p);
	}
	worker_unlock(pool);
}

/* ---- The thread ----------------------------------------------------------------------------------------------- */

/* Removes a queued run that has to be ended, because no worker can be started. */
static worker_run *take_hopeless(worker_pool *pool)
{
	worker_lock(pool);
	bool none = pool->failures >= FAILURES_MAX && count_processes(pool, PROCESS_READY) == 0;
	worker_run *run = none || pool->ending ? pool->first_queued : NULL;
	if (run != NULL)
		(void)worker_run_remove(pool, run);
	worker_unlock(pool);
	return run;
}

static void assign_queued(worker_pool *pool)
{
	worker_lock(pool);
	while (pool->first_queued != NULL) {
		process *p = worker_pool_choose(pool);
		worker_run *run = pool->first_queued;
		if (p == NULL || !worker_run_assign(p, run))
			break;
		(void)worker_run_remove(pool, run);
		run->next = NULL;
	}
	worker_unlock(pool);
	for (worker_run *run; (run = take_hopeless(pool)) != NULL;) {
		worker_end end = {.outcome = CURFEW_OUTCOME_INTERNAL_ERROR, .message = pool->failure};
		if (pool->ending)
			end = (worker_end){.outcome = CURFEW_OUTCOME_CANCELLED, .mode = CURFEW_STOP_SOFT};
		worker_run_fail(run, &end);
	}
}

/* Kills a worker for one of its runs, or (NULL) because it never became ready. */
static void kill_for(worker_pool *pool, process *p, const worker_run *run)
{
	const char *why = run == NULL                 ? "it did not become ready"
	                  : run->state == RUN_SENT    ? "it did not begin with a run"
	                  : run->state == RUN_STOPPED ? "a run in it did not end"
	                                              : "it did not stop a run whose time was up";
	p->fault = FAULT_SILENCE;
	p->blamed = run != NULL && run->state != RUN_SENT ? run : NULL;
	(void)snprintf(p->why, sizeof p->why, "the worker process was killed: %s", why);
	give_up(pool, p);
	settle_runs(pool, p);
}

/* First read what the worker has already sent: it may be the expected response. False: the worker has ended. */
static bool hear_out(worker_pool *pool, process *p)
{
	for (int turn = 0; turn < HEARD_TURNS; turn++) {
		int got = worker_receive(pool, p);
		if (got < 0)
			on_silence(pool, p);
		if (got <= 0)
			return got == 0;
	}
	return true;
}

static worker_run *find_overdue(worker_pool *pool, process *p, int64_t now)
{
	worker_lock(pool);
	worker_run *run = worker_process_find_overdue(p, now);
	worker_unlock(pool);
	return run;
}

static void kill_overdue(worker_pool *pool)
{
	int64_t now = clock_now_ns();
	worker_lock(pool);
	bool is_time = now >= pool->look_ns;
	if (is_time)
		pool->look_ns = INT64_MAX;
	worker_unlock(pool);
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (worker_process_hangs(p, now))
			kill_for(pool, p, NULL);
		if (!is_time || p->state != PROCESS_READY || find_overdue(pool, p, now) == NULL)
			continue;
		if (!hear_out(pool, p))
			continue;
		worker_run *run = find_overdue(pool, p, now);
		if (run != NULL)
			kill_for(pool, p, run);
	}
}

static void send_all(worker_pool *pool)
{
	worker_answers_pass(pool);
	worker_lock(pool);
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state == PROCESS_ENDING)
			continue;
		/* Ignore a failed send: reading will show whether the worker is alive. */
		(void)worker_bytes_send(&p->out, &p->files, p->socket);
		bool rest = worker_bytes_count(&p->out) > 0;
		struct epoll_event event = {.events = rest ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = p};
		if (rest != p->sends_later)
			(void)epoll_ctl(pool->epoll, EPOLL_CTL_MOD, p->socket, &event);
		p->sends_later = rest;
	}
	pool->has_work = worker_answers_can_go_on(pool);
	worker_unlock(pool);
}

static int time_to_wait(worker_pool *pool)
{
	int64_t next = pool->look_ns;
	for (const process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state == PROCESS_STARTING && p->ready_look_ns < next)
			next = p->ready_look_ns;
	}
	if (pool->spawn_after_ns > clock_now_ns() && pool->spawn_after_ns < next)
		next = pool->spawn_after_ns;
	if (next == INT64_MAX)
		return -1;
	int64_t wait = (next - clock_now_ns() + MS - 1) / MS;
	return wait < 0 ? 0 : wait > INT32_MAX ? INT32_MAX : (int)wait;
}

static void wait_for_events(worker_pool *pool)
{
	struct epoll_event events[EVENTS];

	worker_lock(pool);
	pool->sleeping = true;

	/* Process queued work before sleeping. */
	int timeout = pool->has_work ? 0 : time_to_wait(pool);
	worker_unlock(pool);
	int count = epoll_wait(pool->epoll, events, EVENTS, timeout);
	worker_lock(pool);
	pool->sleeping = false;
	worker_unlock(pool);
	for (int i = 0; i < count; i++) {
		uint64_t what = events[i].data.u64;
		process *p = (process *)(uintptr_t)(what & ~(uint64_t)1);
		eventfd_t ignored;
		if (p == NULL)
			(void)eventfd_read(pool->wake, &ignored);
		else if ((what & 1) != 0)
			on_exited(pool, p);
		else
			on_socket(pool, p);
	}
}

static void notify_ready(worker_pool *pool)
{
	worker_lock(pool);
	pool->stats.workers = (uint32_t)count_processes(pool, PROCESS_READY);
	if (pool->stats.workers > 0) {
		pool->was_ready = true;
		pool->failures = 0;
	}
	(void)pthread_cond_broadcast(&pool->changed);
	worker_unlock(pool);
}

static void end_all(worker_pool *pool)
{
	worker_pool_take_cancels(pool);
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state != PROCESS_ENDING)
			give_up(pool, p);
		for (size_t slot = 0; slot < p->slot_count; slot++) {
			worker_end end = {.outcome = CURFEW_OUTCOME_CANCELLED, .mode = CURFEW_STOP_PROCESS};
			if (p->runs[slot] != NULL)
				worker_run_fail(p->runs[slot], &end);
		}
	}
	assign_queued(pool);
	worker_pool_take_cancels(pool);
	worker_later_finish(pool);
	refuse_forged(pool);
	worker_later_finish(pool);
	worker_answers_drop(pool);
	worker_compiling_stop(pool);
	while (pool->processes != NULL) {
		process *p = pool->processes;
		pool->processes = p->next;
		worker_process_free(p);
	}
}

static void *pool_main(void *context)
{
	worker_pool *pool = context;
	(void)prctl(PR_SET_NAME, "curfew-pool");
	while (!pool->ending) {
		replace_workers(pool);
		assign_queued(pool);
		send_all(pool);
		wait_for_events(pool);
		worker_pool_take_cancels(pool);
		refuse_forged(pool);
		kill_overdue(pool);
		free_dead(pool);
		notify_ready(pool);
	}
	end_all(pool);
	return NULL;
}

/* ---- Making and ending it ------------------------------------------------------------------------------------- */

static void take_options(worker_pool *pool, const worker_pool_options *options)
{
	if (options != NULL)
		pool->options = *options;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (pool->options.workers == 0)
		pool->options.workers = cores > 0 ? (uint32_t)cores : 1;
	if (pool->options.threads == 0)
		pool->options.threads = THREADS;
	if (pool->options.patience_ns == 0)
		pool->options.patience_ns = (uint64_t)PATIENCE_NS;
}

static bool open_descriptors(worker_pool *pool)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	int executable = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	pool->executable = fcntl(executable, F_DUPFD_CLOEXEC, ABOVE);
	pool->epoll = epoll_create1(EPOLL_CLOEXEC);
	pool->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (executable >= 0)
		(void)close(executable);
	return pool->executable >= 0 && epoll_ctl(pool->epoll, EPOLL_CTL_ADD, pool->wake, &event) == 0;
}

curfew_status worker_pool_create(const worker_pool_options *options, worker_pool **pool, curfew_failure *failure)
{
	worker_pool *made = calloc(1, sizeof *made);

	if (made == NULL)
		return worker_refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	atomic_init(&made->references, 1);
	made->look_ns = INT64_MAX;
	made->executable = made->epoll = made->wake = made->compiling.wake = -1;
	made->last_queued = &made->first_queued;
	curfew__mutex_init(&made->lock);
	(void)pthread_cond_init(&made->changed, NULL);
	take_options(made, options);
	curfew_status status = made->options.fetches ? curfew_network_create(&made->network, failure) : CURFEW_OK;
	if (status != CURFEW_OK) {
		worker_pool_unref(made);
		return status;
	}

	if (sodium_init() < 0 || !open_descriptors(made) || !worker_compiling_start(made) ||
	    !thread_start(&made->thread, NULL, pool_main, made)) {
		worker_compiling_stop(made);
		worker_pool_unref(made);
		return worker_refuse(failure, CURFEW_SYSTEM,
		                     "there are not enough descriptors, or no thread can be started, for a pool of workers");
	}

	worker_lock(made);
	while (!made->was_ready && made->failures < FAILURES_MAX)
		curfew__mutex_wait(&made->lock, &made->changed);
	bool ready = made->was_ready;
	worker_unlock(made);
	if (!ready) {
		status = worker_refuse(failure, CURFEW_SYSTEM, made->failure);
		worker_pool_destroy(made);
		return status;
	}

	*pool = made;
	return CURFEW_OK;
}

void worker_pool_destroy(worker_pool *pool)
{
	if (pool == NULL)
		return;
	worker_lock(pool);
	pool->ending = true;
	worker_unlock(pool);
	(void)eventfd_write(pool->wake, 1);
	(void)pthread_join(pool->thread, NULL);
	worker_pool_unref(pool);
}

void worker_pool_get_stats(worker_pool *pool, worker_pool_stats *stats)
{
	worker_lock(pool);
	*stats = pool->stats;
	stats->busy = 0;
	for (const process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state != PROCESS_READY)
			continue;
		stats->busy += p->active > 0;
		stats->memory.regions_in_use += p->memory.regions_in_use;
		stats->memory.regions_pooled += p->memory.regions_pooled;
		stats->memory.resident_bytes += p->memory.resident_bytes;
	}
	worker_unlock(pool);
}

void worker_pool_ask_memory(worker_pool *pool)
{
	worker_lock(pool);
	bool is_busy = pool->stats.active > 0;
	bool has_changed = is_busy || pool->asked_busy || pool->asked_after != pool->stats.runs_total;
	pool->asked_busy = is_busy;
	pool->asked_after = pool->stats.runs_total;
	for (process *p = pool->processes; has_changed && p != NULL; p = p->next) {
		/* Out of memory: ask again later. */
		if (p->state == PROCESS_READY)
			(void)worker_frame_add(&p->out, WORKER_FRAME_ASK_MEMORY, 0, 0);
	}
	if (has_changed)
		worker_pool_wake(pool);
	worker_unlock(pool);
}
