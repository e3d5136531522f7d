/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reports that workers send. A large one is checked in a thread of its own, because that takes about ten seconds
 * for each GiB, in which the pool's thread would serve nobody else.
 */
#include "inside.h"

#include "common/thread.h"
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

/* A large report. Its run is detached from the worker already. */
struct worker_done {
	struct worker_done *next;
	worker_run *run;
	uint64_t process; /* the id of the worker that sent it */
	worker_done_head head;
	char *memory; /* holds text */
	const char *text;
	size_t length;
};

curfew_report *worker_done_parse(const worker_run *run, const worker_done_head *head, const char *text, size_t length)
{
	curfew_report *report;
	if (memchr(text, '\n', length) != NULL || curfew_report_parse(text, length, &report, NULL) != CURFEW_OK)
		return NULL;
	if (strcmp(report->id, run->id) == 0 && report->outcome == (curfew_outcome)head->outcome &&
	    (head->exit_code == 0 || report->outcome == CURFEW_OUTCOME_EXITED) &&
	    report->outcome != CURFEW_OUTCOME_CRASHED && report->stop_mode != CURFEW_STOP_PROCESS)
		return report;
	curfew_report_destroy(report);
	return NULL;
}

/* Notifies the owner of the run. False: the report is not its run's. */
static bool deliver(struct worker_done *done)
{
	worker_run *run = done->run;
	curfew_report *report = worker_done_parse(run, &done->head, done->text, done->length);
	if (report == NULL)
		return false;

	worker_result result = {.outcome = report->outcome,
	                        .exit_code = done->head.exit_code,
	                        .report = done->text,
	                        .report_length = done->length,
	                        .memory = &done->memory,
	                        .parsed = report};
	if (run->job.on_done != NULL)
		run->job.on_done(run->job.context, &result);
	curfew_report_destroy(report);
	worker_run_unref(run);
	return true;
}

static void *check(void *context)
{
	struct worker_done *done = context;
	worker_pool *pool = done->run->pool;
	(void)prctl(PR_SET_NAME, "curfew-report");
	bool is_good = deliver(done);
	free(done->memory);

	/* What is wrong with a worker is the business of the pool's thread. */
	worker_lock(pool);
	if (!is_good) {
		done->next = pool->forged;
		pool->forged = done;
	}
	pool->checking--;
	(void)pthread_cond_broadcast(&pool->changed);
	worker_unlock(pool);
	if (is_good)
		free(done);
	else
		(void)eventfd_write(pool->wake, 1);
	worker_pool_unref(pool);
	return NULL;
}

bool worker_done_later(process *p, worker_run *run, const worker_done_head *head, char *memory, size_t at,
                       size_t length)
{
	worker_pool *pool = run->pool;
	pthread_t thread;
	struct worker_done *done = malloc(sizeof *done);
	if (done == NULL)
		return false;

	*done = (struct worker_done){
		.run = run, .process = p->id, .head = *head, .memory = memory, .text = memory + at, .length = length};
	worker_run_detach(run);
	atomic_fetch_add(&pool->references, 1);
	worker_lock(pool);
	pool->checking++;
	worker_unlock(pool);
	if (thread_start(&thread, NULL, check, done))
		(void)pthread_detach(thread);
	else
		(void)check(done);
	return true;
}

worker_run *worker_done_take_forged(worker_pool *pool, uint64_t *id)
{
	worker_lock(pool);
	struct worker_done *done = pool->forged;
	if (done != NULL)
		pool->forged = done->next;
	worker_unlock(pool);
	if (done == NULL)
		return NULL;
	worker_run *run = done->run;
	*id = done->process;
	free(done);
	return run;
}

void worker_done_finish(worker_pool *pool)
{
	worker_lock(pool);
	while (pool->checking > 0)
		curfew__mutex_wait(&pool->lock, &pool->changed);
	worker_unlock(pool);
}
