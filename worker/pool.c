/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool: one thread that waits for all workers at once. Whoever submits only adds to what is to be sent, and wakes
 * the thread if it sleeps, so that many submissions cost one wake-up and one system call.
 */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
/* How long a worker may take until it begins with a run: it may have much to read before. */
#define BEGIN_NS (10 * SECOND)
/* Pause before the next try when workers cannot be started. */
#define RETRY_NS SECOND

enum { THREADS = 16, FAILURES_MOST = 3, EVENTS = 64, ABOVE = 10 };

int64_t worker_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static curfew_status fail(curfew_failure *failure, curfew_status status, const char *message)
{
	if (failure != NULL)
		(void)snprintf(failure->message, sizeof failure->message, "%s", message);
	return status;
}

static void lock(worker_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
}

static void unlock(worker_pool *pool)
{
	(void)pthread_mutex_unlock(&pool->lock);
}

/* ---- References -------------------------------------------------------------------------------------------- */

static void pool_unref(worker_pool *pool)
{
	if (atomic_fetch_sub(&pool->references, 1) != 1)
		return;
	(void)close(pool->executable);
	(void)close(pool->epoll);
	(void)close(pool->wake);
	(void)pthread_mutex_destroy(&pool->lock);
	(void)pthread_cond_destroy(&pool->changed);
	free(pool->programs);
	free(pool);
}

/* Under the lock. */
static void wake_locked(worker_pool *pool)
{
	pool->has_work = true;
	if (!pool->sleeping)
		return;
	pool->sleeping = false;
	(void)eventfd_write(pool->wake, 1);
}

void worker_run_unref(worker_run *run)
{
	if (run == NULL || atomic_fetch_sub(&run->references, 1) != 1)
		return;
	worker_bytes_finish(&run->frame);
	worker_bytes_finish(&run->streams[0]);
	worker_bytes_finish(&run->streams[1]);
	worker_bytes_finish(&run->partial);
	worker_program_unref(run->program);
	pool_unref(run->pool);
	free(run);
}

const char *worker_run_get_id(const worker_run *run)
{
	return run->id;
}

/* ---- Programs ---------------------------------------------------------------------------------------------- */

static bool take_program_slot(worker_pool *pool, worker_program *program)
{
	size_t slot = 0;
	while (slot < pool->program_count && pool->programs[slot] != NULL)
		slot++;
	if (slot == pool->program_count) {
		worker_program **grown = realloc(pool->programs, (slot * 2 + 16) * sizeof(worker_program *));
		if (grown == NULL)
			return false;
		memset(grown + slot, 0, (slot + 16) * sizeof(worker_program *));
		pool->programs = grown;
		pool->program_count = slot * 2 + 16;
	}
	pool->programs[slot] = program;
	program->slot = slot;
	return true;
}

static bool fill_program(worker_program *program, const worker_source *source)
{
	unsigned char sum[crypto_hash_sha256_BYTES];
	program->name = strdup(source->name);
	program->bytes = malloc(source->length + 1);
	if (program->name == NULL || program->bytes == NULL)
		return false;
	if (source->length > 0)
		memcpy(program->bytes, source->bytes, source->length);
	program->length = source->length;
	program->head = (worker_program_head){
		.language = (uint32_t)source->language,
		.flags = (source->is_image ? WORKER_PROGRAM_IMAGE : 0) | (source->once ? WORKER_PROGRAM_ONCE : 0),
		.name_length = strlen(source->name) + 1,
	};
	if (!source->is_image) {
		(void)crypto_hash_sha256(sum, program->bytes, program->length);
		(void)sodium_bin2hex(program->sha256, sizeof program->sha256, sum, sizeof sum);
	}
	return true;
}

static void free_program(worker_program *program)
{
	free(program->name);
	free(program->bytes);
	free(program);
}

curfew_status worker_program_create(worker_pool *pool, const worker_source *source, worker_program **program,
                                    curfew_failure *failure)
{
	if (source->name == NULL || source->length > WORKER_PROGRAM_MOST)
		return fail(failure, CURFEW_INVALID, "the program has no name, or is larger than 256 MiB");
	worker_program *made = calloc(1, sizeof *made);
	if (made == NULL || !fill_program(made, source)) {
		if (made != NULL)
			free_program(made);
		return fail(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	atomic_init(&made->references, 1);
	made->pool = pool;
	lock(pool);
	bool placed = take_program_slot(pool, made);
	unlock(pool);
	if (!placed) {
		free_program(made);
		return fail(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	atomic_fetch_add(&pool->references, 1);
	*program = made;
	return CURFEW_OK;
}

void worker_program_ref(worker_program *program)
{
	atomic_fetch_add(&program->references, 1);
}

static void forget_program(worker_pool *pool, size_t slot)
{
	pool->programs[slot] = NULL;
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (slot >= p->program_count || !p->has_program[slot])
			continue;
		/* Out of memory for so little: it cannot be told any more what is which. */
		if (!worker_frame_add(&p->out, WORKER_FRAME_FORGET, slot, 0))
			worker_process_kill(p);
		p->has_program[slot] = false;
	}
	wake_locked(pool);
}

void worker_program_unref(worker_program *program)
{
	if (program == NULL || atomic_fetch_sub(&program->references, 1) != 1)
		return;
	worker_pool *pool = program->pool;
	lock(pool);
	forget_program(pool, program->slot);
	unlock(pool);
	free_program(program);
	pool_unref(pool);
}

/* Sends a program to a worker that does not have it. */
static bool send_program(process *p, const worker_program *program)
{
	size_t length = sizeof program->head + (size_t)program->head.name_length + program->length;
	if (program->slot >= p->program_count) {
		size_t count = program->slot * 2 + 16;
		bool *grown = realloc(p->has_program, count * sizeof *grown);
		if (grown == NULL)
			return false;
		memset(grown + p->program_count, 0, (count - p->program_count) * sizeof *grown);
		p->has_program = grown;
		p->program_count = count;
	}
	if (p->has_program[program->slot])
		return true;
	p->has_program[program->slot] = worker_frame_add(&p->out, WORKER_FRAME_PROGRAM, program->slot, length);
	return p->has_program[program->slot] &&
	       worker_bytes_add(&p->out, &program->head, sizeof program->head) &&
	       worker_bytes_add(&p->out, program->name, (size_t)program->head.name_length) &&
	       worker_bytes_add(&p->out, program->bytes, program->length);
}

/* ---- Runs and their workers -------------------------------------------------------------------------------- */

worker_run *worker_process_find(process *p, uint64_t number)
{
	size_t slot = worker_slot(number);
	lock(p->pool);
	worker_run *run = slot < p->slot_count ? p->runs[slot] : NULL;
	unlock(p->pool);
	return run != NULL && run->number == number ? run : NULL;
}

static bool grow_slots(process *p)
{
	size_t count = p->slot_count * 2 + 16;
	worker_run **runs = realloc(p->runs, count * sizeof(worker_run *));
	if (runs != NULL)
		p->runs = runs;
	uint32_t *free_slots = realloc(p->free_slots, count * sizeof *free_slots);
	if (free_slots != NULL)
		p->free_slots = free_slots;
	if (runs == NULL || free_slots == NULL || count > WORKER_SLOTS_MOST)
		return false;
	for (size_t slot = count; slot-- > p->slot_count;) {
		p->runs[slot] = NULL;
		p->free_slots[p->free_count++] = (uint32_t)slot;
	}
	p->slot_count = count;
	return true;
}

static void note_due(worker_run *run, int64_t now, uint64_t ns, int64_t patience, curfew_outcome why)
{
	run->due_ns = worker_later(now, ns);
	run->kill_ns = worker_later(run->due_ns, (uint64_t)patience);
	run->due_why = why;
	if (run->kill_ns < run->pool->look_ns)
		run->pool->look_ns = run->kill_ns;
}

/* The time and the grace together, where there is an end. */
static uint64_t time_of(const worker_run *run)
{
	bool ends = run->limits.timeout_ns != CURFEW_UNLIMITED;
	return ends ? run->limits.timeout_ns + run->limits.grace_ns : UINT64_MAX;
}

void worker_run_arm(worker_run *run, int64_t now)
{
	if (run->due_why != CURFEW_OUTCOME_CANCELLED)
		note_due(run, now, time_of(run), (int64_t)run->pool->options.patience_ns, CURFEW_OUTCOME_DEADLINE);
}

/* Hands a run to a worker. Under the lock. False: out of memory. */
static bool assign(process *p, worker_run *run)
{
	worker_frame frame;
	if ((p->free_count == 0 && !grow_slots(p)) || !send_program(p, run->program))
		return false;
	uint32_t slot = p->free_slots[p->free_count - 1];
	run->number = ++p->serial << WORKER_SLOT_BITS | slot;
	/* The frame was made before it was known where it goes. */
	memcpy(&frame, run->frame.data, sizeof frame);
	frame.number = run->number;
	memcpy(run->frame.data, &frame, sizeof frame);
	if (!worker_bytes_add(&p->out, run->frame.data, run->frame.length))
		return false;
	worker_bytes_finish(&run->frame);
	p->free_count--;
	p->runs[slot] = run;
	p->active++;
	run->process = p;
	note_due(run, worker_now(), time_of(run), BEGIN_NS, CURFEW_OUTCOME_DEADLINE);
	return true;
}

void worker_run_detach(worker_run *run)
{
	worker_pool *pool = run->pool;
	lock(pool);
	process *p = run->process;
	if (p != NULL) {
		p->runs[worker_slot(run->number)] = NULL;
		p->free_slots[p->free_count++] = (uint32_t)worker_slot(run->number);
		p->active--;
	}
	run->process = NULL;
	run->done = true;
	pool->stats.active--;
	pool->stats.runs_total++;
	unlock(pool);
}

static process *least_loaded(worker_pool *pool)
{
	process *best = NULL;
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state == PROCESS_READY && p->serving && (best == NULL || p->active < best->active))
			best = p;
	}
	return best;
}

/* ---- Submitting -------------------------------------------------------------------------------------------- */

static size_t text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

static size_t list_size(const char *const *list, size_t count)
{
	size_t size = 0;
	for (size_t i = 0; i < count; i++)
		size += strlen(list[i]) + 1;
	return size;
}

/* What a run is given of its user's secrets, as curfew_secrets_collect found them. */
typedef struct secrets {
	curfew_secret *items;
	size_t count;
} secrets;

static size_t secrets_size(const secrets *given)
{
	size_t size = 0;
	for (size_t i = 0; i < given->count; i++)
		size += strlen(given->items[i].name) + 1 + given->items[i].value_length + 1;
	return size;
}

static void add_secrets(worker_bytes *to, const secrets *given)
{
	for (size_t i = 0; i < given->count; i++) {
		(void)worker_bytes_add(to, given->items[i].name, strlen(given->items[i].name) + 1);
		(void)worker_bytes_add(to, given->items[i].value, given->items[i].value_length);
		(void)worker_bytes_add(to, "", 1);
	}
}

/* The message to the worker, with everything that is borrowed from the caller. */
static bool make_frame(worker_run *run, const worker_job *job, const secrets *given)
{
	worker_run_head head = {
		.program = run->program->slot,
		.limits = run->limits,
		.flags = job->flags,
		.arg_count = (uint32_t)job->arg_count,
		.env_count = (uint32_t)job->env_count,
		.secret_count = (uint32_t)given->count,
		.call_length = text_size(job->call),
		.params_length = job->params != NULL ? job->params_length + 1 : 0,
		.user_length = text_size(job->user),
	};
	memcpy(head.id, run->id, sizeof run->id);
	worker_bytes *to = &run->frame;
	size_t length = sizeof head + (size_t)(head.call_length + head.params_length + head.user_length) +
	                list_size(job->args, job->arg_count) + list_size(job->env, job->env_count) + secrets_size(given);
	if (!worker_frame_add(to, WORKER_FRAME_RUN, 0, length))
		return false;
	(void)worker_bytes_add(to, &head, sizeof head);
	(void)worker_bytes_add(to, job->call, (size_t)head.call_length);
	if (job->params != NULL) {
		(void)worker_bytes_add(to, job->params, job->params_length);
		(void)worker_bytes_add(to, "", 1);
	}
	(void)worker_bytes_add(to, job->user, (size_t)head.user_length);
	for (size_t i = 0; i < job->arg_count; i++)
		(void)worker_bytes_add(to, job->args[i], strlen(job->args[i]) + 1);
	for (size_t i = 0; i < job->env_count; i++)
		(void)worker_bytes_add(to, job->env[i], strlen(job->env[i]) + 1);
	add_secrets(to, given);
	return true;
}

static curfew_status make_run(worker_pool *pool, const worker_job *job, worker_run **run, curfew_failure *failure)
{
	worker_run *made = calloc(1, sizeof *made);
	if (made == NULL)
		return fail(failure, CURFEW_NO_MEMORY, "out of memory");
	atomic_init(&made->references, 1);
	made->pool = pool;
	made->program = job->program;
	made->job = *job;
	made->submitted_ns = worker_now();
	made->due_ns = made->kill_ns = INT64_MAX;
	made->due_why = CURFEW_OUTCOME_DEADLINE;
	atomic_fetch_add(&pool->references, 1);
	worker_program_ref(job->program);
	if (job->id != NULL)
		(void)snprintf(made->id, sizeof made->id, "%s", job->id);
	else
		curfew_id_create(made->id);
	secrets given = {0};
	curfew_status status = curfew_limits_resolve(job->limits, &made->limits, failure);
	if (status == CURFEW_OK)
		status = curfew_secrets_collect(job->secrets, job->secret_count, job->store, job->user, &given.items,
		                                &given.count, failure);
	if (status == CURFEW_OK && !make_frame(made, job, &given))
		status = fail(failure, CURFEW_NO_MEMORY, "out of memory");
	curfew_secrets_wipe(given.items);
	if (status == CURFEW_OK)
		*run = made;
	else
		worker_run_unref(made);
	return status;
}

curfew_status worker_pool_submit(worker_pool *pool, const worker_job *job, worker_run **run, curfew_failure *failure)
{
	worker_run *made;
	curfew_status status = make_run(pool, job, &made, failure);
	if (status != CURFEW_OK)
		return status;
	if (run != NULL) {
		atomic_fetch_add(&made->references, 1);
		*run = made;
	}
	lock(pool);
	if (pool->ending) {
		unlock(pool);
		if (run != NULL)
			worker_run_unref(made);
		worker_run_unref(made);
		return fail(failure, CURFEW_SYSTEM, "the pool of workers is ending");
	}
	pool->stats.active++;
	process *p = pool->first_queued == NULL ? least_loaded(pool) : NULL;
	/* What finds no worker now, or no memory there, is tried again by the pool's thread. */
	if (p == NULL || !assign(p, made)) {
		*pool->last_queued = made;
		pool->last_queued = &made->next;
	}
	wake_locked(pool);
	unlock(pool);
	return CURFEW_OK;
}

/* ---- Cancelling, and asking ---------------------------------------------------------------------------------- */

void worker_run_cancel(worker_run *run)
{
	worker_pool *pool = run->pool;
	atomic_fetch_add(&run->cancels, 1);
	if (!atomic_exchange(&run->in_cancelled, true)) {
		atomic_fetch_add(&run->references, 1);
		worker_run *first = atomic_load(&pool->cancelled);
		do
			atomic_store(&run->next_cancelled, first);
		while (!atomic_compare_exchange_weak(&pool->cancelled, &first, run));
	}
	int saved = errno;
	uint64_t one = 1;
	ssize_t written = write(pool->wake, &one, sizeof one);
	(void)written;
	errno = saved;
}

static bool remove_queued(worker_pool *pool, worker_run *run)
{
	for (worker_run **at = &pool->first_queued; *at != NULL; at = &(*at)->next) {
		if (*at != run)
			continue;
		*at = run->next;
		if (pool->last_queued == &run->next)
			pool->last_queued = at;
		return true;
	}
	return false;
}

/* Under the lock; true: it never reached a worker, and is to be ended here. */
static bool pass_cancel_on(worker_pool *pool, worker_run *run, unsigned times)
{
	if (run->done || run->job.flags & WORKER_JOB_COMPILE)
		return false;
	if (run->process == NULL)
		return remove_queued(pool, run);
	for (; run->cancels_sent < times && run->cancels_sent < 2; run->cancels_sent++) {
		if (!worker_frame_add(&run->process->out, WORKER_FRAME_CANCEL, run->number, 0))
			return false;
	}
	/* The second one skips the grace; neither makes the end later than it was. */
	uint64_t grace = times > 1 ? 0 : run->limits.grace_ns;
	if (worker_later(worker_now(), grace) < run->due_ns)
		note_due(run, worker_now(), grace, (int64_t)pool->options.patience_ns, CURFEW_OUTCOME_CANCELLED);
	return false;
}

static void take_cancels(worker_pool *pool)
{
	worker_run *run = atomic_exchange(&pool->cancelled, NULL);
	while (run != NULL) {
		worker_run *next = atomic_load(&run->next_cancelled);
		/* From here on it may be put into the list again. */
		atomic_store(&run->in_cancelled, false);
		lock(pool);
		bool ended = pass_cancel_on(pool, run, atomic_load(&run->cancels));
		unlock(pool);
		if (ended)
			worker_run_fail(run, &(worker_end){.outcome = CURFEW_OUTCOME_CANCELLED, .mode = CURFEW_STOP_SOFT});
		worker_run_unref(run);
		run = next;
	}
}

void worker_run_get_usage(worker_run *run, curfew_run_usage *usage)
{
	worker_pool *pool = run->pool;
	lock(pool);
	*usage = run->usage;
	usage->size = sizeof *usage;
	usage->wall_ns = (uint64_t)(worker_now() - run->submitted_ns);
	if (run->process != NULL && worker_frame_add(&run->process->out, WORKER_FRAME_ASK_USAGE, run->number, 0))
		wake_locked(pool);
	unlock(pool);
}

/* ---- Workers come and go -------------------------------------------------------------------------------------- */

/* Tells the runs of a worker what became of it. victim (may be NULL): the one whose stop it was killed for. */
static void tell_runs(worker_pool *pool, process *p, const worker_run *victim)
{
	int64_t now = worker_now();
	p->reported = true;
	for (size_t slot = 0; slot < p->slot_count; slot++) {
		worker_run *run = p->runs[slot];
		if (run == NULL)
			continue;
		worker_end end = {.outcome = CURFEW_OUTCOME_CRASHED, .message = p->why};
		if (run == victim)
			end = (worker_end){.outcome = run->due_why, .mode = CURFEW_STOP_PROCESS, .late_ns = now - run->due_ns};
		else
			pool->stats.crashed++;
		worker_run_fail(run, &end);
	}
}

/* Nothing of a worker counts from here on. */
static void give_up(worker_pool *pool, process *p)
{
	lock(pool);
	if (p->state == PROCESS_STARTING) {
		pool->failures++;
		pool->spawn_after_ns = pool->failures < FAILURES_MOST ? 0 : worker_later(worker_now(), (uint64_t)RETRY_NS);
	}
	p->state = PROCESS_ENDING;
	p->serving = false;
	unlock(pool);
	(void)epoll_ctl(pool->epoll, EPOLL_CTL_DEL, p->socket, NULL);
	worker_process_kill(p);
}

/* The first sign that it is gone is the end of its socket, or its exit. */
static void on_socket(worker_pool *pool, process *p)
{
	if (p->state == PROCESS_ENDING || worker_receive(pool, p) >= 0)
		return;
	give_up(pool, p);
	/* If nothing is known against it, its exit will say what it died of. */
	if (p->why[0] != '\0')
		tell_runs(pool, p, NULL);
}

static void on_exited(worker_pool *pool, process *p)
{
	if (p->state != PROCESS_ENDING) {
		/* What it sent before it died counts. */
		while (worker_receive(pool, p) > 0)
			;
		give_up(pool, p);
	}
	(void)epoll_ctl(pool->epoll, EPOLL_CTL_DEL, p->pidfd, NULL);
	worker_process_reap(p);
	lock(pool);
	(void)snprintf(pool->failure, sizeof pool->failure, "%s", p->why);
	unlock(pool);
	if (!p->reported)
		tell_runs(pool, p, NULL);
}

/* The lowest bit of an event's pointer tells a worker's two descriptors apart. */
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
	lock(pool);
	if (p != NULL && listen_to(pool, p)) {
		p->pool = pool;
		p->next = pool->processes;
		pool->processes = p;
	} else {
		pool->failures = FAILURES_MOST;
		pool->spawn_after_ns = worker_later(worker_now(), (uint64_t)RETRY_NS);
		(void)snprintf(pool->failure, sizeof pool->failure, "a worker process cannot be started: %s: %s", why,
		               strerror(errno));
	}
	unlock(pool);
}

static size_t count_processes(const worker_pool *pool, process_state state)
{
	size_t count = 0;
	for (const process *p = pool->processes; p != NULL; p = p->next)
		count += p->state == state;
	return count;
}

/* Keeps the number of workers: those that are ready serve, up to as many as are wanted; the others are spare. */
static void replace_workers(worker_pool *pool)
{
	size_t wanted = pool->options.workers + pool->options.spares, serving = 0, added = 0;
	lock(pool);
	for (process *p = pool->processes; p != NULL; p = p->next)
		serving += p->serving;
	for (process *p = pool->processes; p != NULL && serving < pool->options.workers; p = p->next) {
		if (p->state == PROCESS_READY && !p->serving) {
			p->serving = true;
			serving++;
		}
	}
	size_t there = count_processes(pool, PROCESS_READY) + count_processes(pool, PROCESS_STARTING);
	bool may = worker_now() >= pool->spawn_after_ns;
	unlock(pool);
	for (; may && there + added < wanted; added++) {
		pool->stats.restarts += pool->spawned >= wanted;
		pool->spawned++;
		spawn(pool);
	}
}

static void free_dead(worker_pool *pool)
{
	lock(pool);
	for (process **at = &pool->processes; *at != NULL;) {
		process *p = *at;
		if (!p->exited) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		worker_process_free(p);
	}
	unlock(pool);
}

/* ---- The thread ----------------------------------------------------------------------------------------------- */

/* Takes one queued run out that is to be ended, since no worker comes. */
static worker_run *take_hopeless(worker_pool *pool)
{
	lock(pool);
	bool none = pool->failures >= FAILURES_MOST && count_processes(pool, PROCESS_READY) == 0;
	worker_run *run = none || pool->ending ? pool->first_queued : NULL;
	if (run != NULL)
		(void)remove_queued(pool, run);
	unlock(pool);
	return run;
}

static void assign_queued(worker_pool *pool)
{
	lock(pool);
	while (pool->first_queued != NULL) {
		process *p = least_loaded(pool);
		worker_run *run = pool->first_queued;
		if (p == NULL || !assign(p, run))
			break;
		(void)remove_queued(pool, run);
		run->next = NULL;
	}
	unlock(pool);
	for (worker_run *run; (run = take_hopeless(pool)) != NULL;) {
		worker_end end = {.outcome = CURFEW_OUTCOME_INTERNAL_ERROR, .message = pool->failure};
		if (pool->ending)
			end = (worker_end){.outcome = CURFEW_OUTCOME_CANCELLED, .mode = CURFEW_STOP_SOFT};
		worker_run_fail(run, &end);
	}
}

/* Whether a run's worker is to be killed for it. On a busy machine, where we are late ourselves, a worker is as well. */
static bool is_overdue(worker_pool *pool, worker_run *run, int64_t now)
{
	if (run->kill_ns > now)
		return false;
	int64_t patience = (int64_t)pool->options.patience_ns;
	if (now - run->kill_ns > patience / 4 && run->delays < 3) {
		run->delays++;
		run->kill_ns = worker_later(now, (uint64_t)patience);
		return false;
	}
	return true;
}

/* A run of this worker that did not end in time, or NULL. Notes when to look next. */
static worker_run *find_overdue(worker_pool *pool, process *p, int64_t now)
{
	worker_run *overdue = NULL;
	for (size_t slot = 0; slot < p->slot_count; slot++) {
		worker_run *run = p->runs[slot];
		if (run == NULL)
			continue;
		if (is_overdue(pool, run, now))
			overdue = run;
		else if (run->kill_ns < pool->look_ns)
			pool->look_ns = run->kill_ns;
	}
	return overdue;
}

static void kill_overdue(worker_pool *pool)
{
	int64_t now = worker_now();
	lock(pool);
	bool is_time = now >= pool->look_ns;
	if (is_time)
		pool->look_ns = INT64_MAX;
	unlock(pool);
	if (!is_time && count_processes(pool, PROCESS_STARTING) == 0)
		return;
	for (process *p = pool->processes; p != NULL; p = p->next) {
		lock(pool);
		worker_run *run = p->state == PROCESS_READY ? find_overdue(pool, p, now) : NULL;
		bool hangs = p->state == PROCESS_STARTING && now >= p->ready_by_ns;
		unlock(pool);
		if (run == NULL && !hangs)
			continue;
		(void)snprintf(p->why, sizeof p->why, "the worker process was killed: %s",
		               hangs ? "it did not become ready" : "another run in it could not be stopped");
		give_up(pool, p);
		tell_runs(pool, p, run);
	}
}

static void send_all(worker_pool *pool)
{
	lock(pool);
	pool->has_work = false;
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state == PROCESS_ENDING)
			continue;
		/* Whether anybody is there shows when it is read from. */
		(void)worker_bytes_send(&p->out, p->socket);
		bool rest = worker_bytes_count(&p->out) > 0;
		struct epoll_event event = {.events = rest ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = p};
		if (rest != p->sends_later)
			(void)epoll_ctl(pool->epoll, EPOLL_CTL_MOD, p->socket, &event);
		p->sends_later = rest;
	}
	unlock(pool);
}

static int time_to_wait(worker_pool *pool)
{
	int64_t next = pool->look_ns;
	for (const process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state == PROCESS_STARTING && p->ready_by_ns < next)
			next = p->ready_by_ns;
	}
	if (pool->spawn_after_ns > worker_now() && pool->spawn_after_ns < next)
		next = pool->spawn_after_ns;
	if (next == INT64_MAX)
		return -1;
	int64_t wait = (next - worker_now() + MS - 1) / MS;
	return wait < 0 ? 0 : wait > INT32_MAX ? INT32_MAX : (int)wait;
}

static void wait_for_events(worker_pool *pool)
{
	struct epoll_event events[EVENTS];
	lock(pool);
	pool->sleeping = true;
	/* What came since it was last looked for does not wait. */
	int timeout = pool->has_work ? 0 : time_to_wait(pool);
	unlock(pool);
	int count = epoll_wait(pool->epoll, events, EVENTS, timeout);
	lock(pool);
	pool->sleeping = false;
	unlock(pool);
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

static void tell_ready(worker_pool *pool)
{
	lock(pool);
	pool->stats.workers = (uint32_t)count_processes(pool, PROCESS_READY);
	if (pool->stats.workers > 0) {
		pool->was_ready = true;
		pool->failures = 0;
	}
	(void)pthread_cond_broadcast(&pool->changed);
	unlock(pool);
}

static void end_all(worker_pool *pool)
{
	take_cancels(pool);
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
	take_cancels(pool);
	while (pool->processes != NULL) {
		process *p = pool->processes;
		pool->processes = p->next;
		worker_process_free(p);
	}
}

static void *work(void *context)
{
	worker_pool *pool = context;
	(void)prctl(PR_SET_NAME, "curfew-pool");
	while (!pool->ending) {
		replace_workers(pool);
		assign_queued(pool);
		send_all(pool);
		wait_for_events(pool);
		take_cancels(pool);
		kill_overdue(pool);
		free_dead(pool);
		tell_ready(pool);
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

/* Signals of the process are not for this thread, nor for what it starts. */
static bool start_thread(worker_pool *pool)
{
	sigset_t all, before;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&pool->thread, NULL, work, pool) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

curfew_status worker_pool_create(const worker_pool_options *options, worker_pool **pool, curfew_failure *failure)
{
	worker_pool *made = calloc(1, sizeof *made);
	if (made == NULL)
		return fail(failure, CURFEW_NO_MEMORY, "out of memory");
	atomic_init(&made->references, 1);
	made->look_ns = INT64_MAX;
	made->last_queued = &made->first_queued;
	(void)pthread_mutex_init(&made->lock, NULL);
	(void)pthread_cond_init(&made->changed, NULL);
	take_options(made, options);
	if (sodium_init() < 0 || !open_descriptors(made) || !start_thread(made)) {
		pool_unref(made);
		return fail(failure, CURFEW_SYSTEM, "no descriptors or no thread for a pool of workers");
	}
	lock(made);
	while (!made->was_ready && made->failures < FAILURES_MOST)
		(void)pthread_cond_wait(&made->changed, &made->lock);
	bool ready = made->was_ready;
	unlock(made);
	if (!ready) {
		curfew_status status = fail(failure, CURFEW_SYSTEM, made->failure);
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
	lock(pool);
	pool->ending = true;
	unlock(pool);
	(void)eventfd_write(pool->wake, 1);
	(void)pthread_join(pool->thread, NULL);
	pool_unref(pool);
}

void worker_pool_get_stats(worker_pool *pool, worker_pool_stats *stats)
{
	lock(pool);
	*stats = pool->stats;
	unlock(pool);
}
