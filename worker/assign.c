/* SPDX-License-Identifier: Apache-2.0 */
/* Assigns runs to workers: a run goes to the worker with the fewest runs, and can be taken away from it and queued
 * again. */
#include "inside.h"

#include "common/clock.h"

#include <stdlib.h>
#include <string.h>

/* How often a run is executed again after the end of a worker that it had nothing to do with. */
enum { LOSSES_MAX = 3 };

static bool grow_slots(process *p)
{
	size_t count = p->slot_count * 2 + 16;
	worker_run **runs = realloc(p->runs, count * sizeof(worker_run *));
	if (runs != NULL)
		p->runs = runs;
	uint32_t *free_slots = realloc(p->free_slots, count * sizeof *free_slots);
	if (free_slots != NULL)
		p->free_slots = free_slots;
	if (runs == NULL || free_slots == NULL || count > WORKER_SLOTS_MAX)
		return false;
	for (size_t slot = count; slot-- > p->slot_count;) {
		p->runs[slot] = NULL;
		p->free_slots[p->free_count++] = (uint32_t)slot;
	}
	p->slot_count = count;
	return true;
}

/* The time and the grace together, if both are limited. */
static uint64_t time_of(const worker_run *run)
{
	bool ends = run->limits.timeout_ns != CURFEW_UNLIMITED;
	return ends ? run->limits.timeout_ns + run->limits.grace_ns : UINT64_MAX;
}

void worker_run_arm(worker_run *run, int64_t now)
{
	if (run->due_why != CURFEW_OUTCOME_CANCELLED)
		worker_run_expect(run, clock_later(now, time_of(run)), CURFEW_OUTCOME_DEADLINE);
}

/* Assigns a run to a worker. Under the lock. False: out of memory. */
bool worker_run_assign(process *p, worker_run *run)
{
	worker_frame frame;
	if ((p->free_count == 0 && !grow_slots(p)) || !worker_program_send(p, run->program))
		return false;
	uint32_t slot = p->free_slots[p->free_count - 1];
	run->number = ++p->serial << WORKER_SLOT_BITS | slot;
	/* The frame was made before its worker was known, so set the program's number now. */
	memcpy(&frame, run->frame.data, sizeof frame);
	frame.number = run->number;
	memcpy(run->frame.data, &frame, sizeof frame);
	if (!worker_bytes_add(&p->out, run->frame.data, run->frame.length))
		return false;
	p->free_count--;
	p->runs[slot] = run;
	p->active++;
	run->process = p;
	worker_run_move(run, RUN_SENT);
	worker_run_expect(run, clock_now_ns(), CURFEW_OUTCOME_DEADLINE);
	return true;
}

static void leave_process(worker_run *run)
{
	process *p = run->process;
	if (p == NULL)
		return;
	p->runs[worker_slot(run->number)] = NULL;
	p->free_slots[p->free_count++] = (uint32_t)worker_slot(run->number);
	p->active--;
	run->process = NULL;
}

void worker_run_detach(worker_run *run)
{
	worker_pool *pool = run->pool;
	worker_run_abort(run);
	worker_lock(pool);
	leave_process(run);
	worker_run_move(run, RUN_DONE);
	pool->stats.active--;
	pool->stats.runs_total++;
	worker_unlock(pool);
}

bool worker_run_repeat(worker_run *run)
{
	worker_pool *pool = run->pool;
	if (run->published || atomic_load(&run->cancels) > 0 || run->losses == LOSSES_MAX)
		return false;

	worker_message_free(run->incoming);
	run->incoming = NULL;
	worker_lock(pool);
	leave_process(run);
	worker_run_move(run, RUN_QUEUED);
	run->losses++;
	run->usage = (curfew_run_usage){0};
	run->due_ns = run->look_ns = INT64_MAX;
	run->next = pool->first_queued;
	if (pool->first_queued == NULL)
		pool->last_queued = &run->next;
	pool->first_queued = run;
	pool->stats.repeated++;
	pool->has_work = true;
	worker_unlock(pool);
	return true;
}

process *worker_pool_choose(worker_pool *pool)
{
	process *best = NULL;
	for (process *p = pool->processes; p != NULL; p = p->next) {
		if (p->state == PROCESS_READY && p->serving && (best == NULL || p->active < best->active))
			best = p;
	}
	return best;
}

bool worker_run_remove(worker_pool *pool, worker_run *run)
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
