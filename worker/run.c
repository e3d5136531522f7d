/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs on the pool's side: making a job into a message, and calls about it. A thread that submits only adds the
 * message, and wakes the pool's thread if that sleeps, so many submissions cost one wake-up and one system call.
 */
#include "inside.h"

#include "common/clock.h"
#include "common/hash.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- Submitting -------------------------------------------------------------------------------------------- */

static size_t text_size(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

/* The length including the NUL that is added. */
static size_t bytes_size(const void *bytes, size_t length)
{
	return bytes != NULL ? length + 1 : 0;
}

static void add_bytes(worker_bytes *to, const void *bytes, size_t length)
{
	if (bytes == NULL)
		return;
	(void)worker_bytes_add(to, bytes, length);
	(void)worker_bytes_add(to, "", 1);
}

static size_t list_size(const char *const *list, size_t count)
{
	size_t size = 0;
	for (size_t i = 0; i < count; i++)
		size += strlen(list[i]) + 1;
	return size;
}

/* The secrets of a run, as curfew_secrets_collect found them. */
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

/* Makes the message to the worker, with a copy of everything that is borrowed from the caller. */
static bool make_frame(worker_run *run, const worker_job *job, const secrets *given)
{
	worker_run_head head = {
		.program = run->program->slot,
		.owner = job->owner,
		.limits = run->limits,
		.flags = job->flags | (run->broker != NULL && run->program->import_dir != NULL ? CURFEW_RUN_IMPORTS : 0),
		.has_broker = run->broker != NULL,
		.arg_count = (uint32_t)job->arg_count,
		.env_count = (uint32_t)job->env_count,
		.secret_count = (uint32_t)given->count,
		.secret_for_count = (uint32_t)job->secret_for_count,
		.call_length = text_size(job->call),
		.params_length = bytes_size(job->params, job->params_length),
		.user_length = text_size(job->user),
		.timezone_length = text_size(job->timezone),
		.stdin_length = bytes_size(job->stdin_bytes, job->stdin_length),
		.files_length = bytes_size(job->files, job->files_length),
	};

	memcpy(head.id, run->id, sizeof run->id);
	worker_bytes *to = &run->frame;
	size_t length = sizeof head +
	                (size_t)(head.call_length + head.params_length + head.user_length + head.timezone_length +
	                         head.stdin_length + head.files_length) +
	                list_size(job->args, job->arg_count) + list_size(job->env, job->env_count) + secrets_size(given) +
	                list_size(job->secret_for, job->secret_for_count);
	if (!worker_frame_add(to, WORKER_FRAME_RUN, 0, length))
		return false;
	(void)worker_bytes_add(to, &head, sizeof head);
	(void)worker_bytes_add(to, job->call, (size_t)head.call_length);
	add_bytes(to, job->params, job->params_length);
	(void)worker_bytes_add(to, job->user, (size_t)head.user_length);
	(void)worker_bytes_add(to, job->timezone, (size_t)head.timezone_length);
	add_bytes(to, job->stdin_bytes, job->stdin_length);
	add_bytes(to, job->files, job->files_length);
	for (size_t i = 0; i < job->arg_count; i++)
		(void)worker_bytes_add(to, job->args[i], strlen(job->args[i]) + 1);
	for (size_t i = 0; i < job->env_count; i++)
		(void)worker_bytes_add(to, job->env[i], strlen(job->env[i]) + 1);
	add_secrets(to, given);
	for (size_t i = 0; i < job->secret_for_count; i++)
		(void)worker_bytes_add(to, job->secret_for[i], strlen(job->secret_for[i]) + 1);
	return true;
}

/* Creates the broker for its requests, if it may make any. */
static curfew_status make_broker(worker_run *run, const worker_job *job, const secrets *given, curfew_failure *failure)
{
	curfew_broker_options options = {
		.size = sizeof options,
		.limits = &run->limits,
		.allow_fetch = job->allow_fetch,
		.allow_fetch_count = job->allow_fetch_count,
		.network = run->pool->network,
		.import_dir = run->program->import_dir,
		.on_ready = worker_answers_note,
		.context = run,
		.secret_for = job->secret_for,
		.secret_for_count = job->secret_for_count,
		.secrets = given->items,
		.secret_count = given->count,
	};
	bool asks = job->allow_fetch_count > 0 || run->program->import_dir != NULL;
	if (!asks || (job->flags & WORKER_JOB_INSPECT) != 0)
		return CURFEW_OK;
	return curfew_broker_create(&options, &run->broker, failure);
}

static curfew_status make_run(worker_pool *pool, const worker_job *job, worker_run **run, curfew_failure *failure)
{
	worker_run *made = calloc(1, sizeof *made);

	if (made == NULL)
		return worker_refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	atomic_init(&made->references, 1);
	made->pool = pool;
	made->program = job->program;
	made->job = *job;
	made->user = hash_of(job->user);
	made->submitted_ns = clock_now_ns();
	made->due_ns = made->look_ns = INT64_MAX;
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
	if (status == CURFEW_OK)
		status = make_broker(made, job, &given, failure);
	if (status == CURFEW_OK && !make_frame(made, job, &given))
		status = worker_refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	curfew_secrets_wipe(given.items);
	if (status == CURFEW_OK)
		*run = made;
	else
		worker_run_unref(made);
	return status;
}

curfew_status worker_pool_submit(worker_pool *pool, const worker_job *job, worker_run **run, curfew_failure *failure)
{
	worker_run *made = NULL;
	curfew_status status = make_run(pool, job, &made, failure);

	if (status != CURFEW_OK)
		return status;
	if (run != NULL) {
		atomic_fetch_add(&made->references, 1);
		*run = made;
	}

	worker_lock(pool);
	if (pool->ending) {
		worker_unlock(pool);
		if (run != NULL)
			worker_run_unref(made);
		worker_run_unref(made);
		return worker_refuse(failure, CURFEW_SYSTEM, "the pool of workers is shutting down");
	}

	pool->stats.active++;
	process *p = pool->first_queued == NULL ? worker_pool_choose(pool) : NULL;

	/* If no worker is ready, or memory runs out, the pool's thread tries again. */
	if (p == NULL || !worker_run_assign(p, made)) {
		*pool->last_queued = made;
		pool->last_queued = &made->next;
	}

	bool sleeps = worker_pool_note_work(pool);
	worker_unlock(pool);
	if (sleeps)
		(void)eventfd_write(pool->wake, 1);
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

/* True: the run never reached a worker, and has to be ended here. */
static bool pass_cancel_on(worker_pool *pool, worker_run *run, unsigned times) CURFEW__REQUIRES(pool->lock);
static bool pass_cancel_on(worker_pool *pool, worker_run *run, unsigned times)
{
	if (run->state == RUN_DONE || run->job.flags & WORKER_JOB_INSPECT)
		return false;
	if (run->process == NULL)
		return worker_run_remove(pool, run);
	for (; run->cancels_sent < times && run->cancels_sent < 2; run->cancels_sent++) {
		if (!worker_frame_add(&run->process->out, WORKER_FRAME_CANCEL, run->number, 0))
			return false;
	}
	/* The second cancel skips the grace. Neither may make the end later than it was. */
	uint64_t grace = times > 1 ? 0 : run->limits.grace_ns;
	int64_t due_ns = clock_later(clock_now_ns(), grace);
	if (due_ns < run->due_ns && run->state != RUN_STOPPED)
		worker_run_expect(run, due_ns, CURFEW_OUTCOME_CANCELLED);
	return false;
}

void worker_pool_take_cancels(worker_pool *pool)
{
	worker_run *run = atomic_exchange(&pool->cancelled, NULL);
	while (run != NULL) {
		worker_run *next = atomic_load(&run->next_cancelled);
		/* From here on other threads may put the run into the list again. */
		atomic_store(&run->in_cancelled, false);
		worker_lock(pool);
		bool ended = pass_cancel_on(pool, run, atomic_load(&run->cancels));
		worker_unlock(pool);
		if (ended)
			worker_run_fail(run, &(worker_end){.outcome = CURFEW_OUTCOME_CANCELLED, .mode = CURFEW_STOP_SOFT});
		worker_run_unref(run);
		run = next;
	}
}

void worker_run_get_usage(worker_run *run, curfew_run_usage *usage)
{
	worker_pool *pool = run->pool;
	worker_lock(pool);
	*usage = run->usage;
	usage->size = sizeof *usage;
	usage->wall_ns = (uint64_t)(clock_now_ns() - run->submitted_ns);
	if (run->process != NULL && worker_frame_add(&run->process->out, WORKER_FRAME_ASK_USAGE, run->number, 0))
		worker_pool_wake(pool);
	worker_unlock(pool);
}
