/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session keeps a guest that outlives the run which made it. Each call is a run like any other, which borrows that
 * guest
 * (`kept`). At the end of the call the guest stays if it is sound; otherwise it is dropped. `base` is a run that never
 * executes: the guest's callbacks go to it while no call is in progress.
 */
#include "run/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mutex.h"
#include "common/clock.h"
#include "base/copy_in.h"
#include "base/refuse.h"
#include "limits/limits.h"
#include "run/stop.h"

enum session_state {
	SESSION_FRESH, /* there is no guest yet */
	SESSION_ALIVE,
	SESSION_LOST,
};

struct curfew_session {
	curfew_run *base;
	curfew_limits limits; /* totals; CURFEW_UNLIMITED if none was set */
	atomic_uint state;
	curfew__guest guest;
	curfew__kept kept;
	uint64_t cells; /* number of cells so far */

	curfew__mutex lock; /* guards everything below */
	pthread_cond_t idle;
	bool busy;
	curfew_run *current; /* the call that may be cancelled */
	curfew_limits spent; /* used up of the totals */
	curfew_session_totals totals;
};

/* ---- One at a time ---------------------------------------------------------------------------------------- */

static curfew_status claim_session(curfew_session *session, curfew_failure *failure)
{
	curfew__mutex_lock(&session->lock);
	bool was_busy = session->busy;
	session->busy = true;
	curfew__mutex_unlock(&session->lock);
	return was_busy ? curfew__refuse(failure, CURFEW_IN_USE, "a call of this session is in progress")
	                : curfew__refuse(failure, CURFEW_OK, "");
}

static void release_session(curfew_session *session)
{
	curfew__mutex_lock(&session->lock);
	session->busy = false;
	pthread_cond_broadcast(&session->idle);
	curfew__mutex_unlock(&session->lock);
}

static void set_current(curfew_session *session, curfew_run *run)
{
	curfew__mutex_lock(&session->lock);
	session->current = run;
	curfew__mutex_unlock(&session->lock);
}

/* ---- Limits ----------------------------------------------------------------------------------------------- */

/* Memory and stack are limits of the session, not of a call. */
static bool is_lasting(const curfew_limit_info *info)
{
	return info->offset == offsetof(curfew_limits, memory_bytes) ||
	       info->offset == offsetof(curfew_limits, stack_bytes);
}

static curfew_status set_totals(curfew_session *session, const curfew_limits *given, curfew_failure *failure)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	curfew_limits raw = {0};
	curfew_status status = curfew_limits_resolve(given, &session->limits, failure);

	if (status != CURFEW_OK)
		return status;
	if (given)
		curfew__copy_in(&raw, sizeof raw, given);
	for (size_t i = 0; i < count; i++)
		if (!is_lasting(&table[i]) && !curfew_limits_get(&raw, &table[i]))
			curfew_limits_put(&session->limits, &table[i], CURFEW_UNLIMITED);
	return CURFEW_OK;
}

/* The rest of a total. For the timeout: the time until the session's end. */
static uint64_t left_of(const curfew_session *session, const curfew_limit_info *info)
{
	uint64_t total = curfew_limits_get(&session->limits, info), spent = curfew_limits_get(&session->spent, info);

	if (info->offset == offsetof(curfew_limits, timeout_ns))
		spent = (uint64_t)(clock_now_ns() - session->base->clock.start_ns);
	if (total == CURFEW_UNLIMITED)
		return total;
	return total > spent ? total - spent : 0;
}

static curfew_status limits_of_call(const curfew_session *session, const curfew_limits *given, curfew_limits *limits,
                                    curfew_failure *failure)
{
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	curfew_limits raw = {0};
	curfew_status status = curfew_limits_resolve(given, limits, failure);

	if (status != CURFEW_OK)
		return status;
	if (given)
		curfew__copy_in(&raw, sizeof raw, given);
	if (raw.memory_bytes || raw.stack_bytes)
		return curfew__refuse(failure, CURFEW_INVALID, "memory and stack are limited for a session, not for a call");
	if (raw.fuel && raw.fuel != CURFEW_UNLIMITED && session->limits.fuel == CURFEW_UNLIMITED)
		return curfew__refuse(failure, CURFEW_INVALID, "fuel is not metered in a session without a limit of fuel");
	for (size_t i = 0; i < count; i++) {
		uint64_t left = left_of(session, &table[i]);
		if (is_lasting(&table[i]) || left < curfew_limits_get(limits, &table[i]))
			curfew_limits_put(limits, &table[i], left);
	}
	return CURFEW_OK;
}

/* A call does not begin if a total is used up already. */
static void latch_spent(curfew_run *run)
{
	const curfew_limits *limits = &run->limits;

	if (!limits->timeout_ns)
		curfew__run_latch(run, CURFEW_OUTCOME_DEADLINE, run->clock.start_ns);
	if (!limits->cpu_ns)
		curfew__run_latch(run, CURFEW_OUTCOME_CPU, run->clock.start_ns);
	if (!limits->fuel)
		curfew__run_latch(run, CURFEW_OUTCOME_FUEL, run->clock.start_ns);
	if (!limits->loops)
		curfew__run_latch(run, CURFEW_OUTCOME_LOOPS, run->clock.start_ns);
}

static void add_to_totals(curfew_session *session, const curfew_run *run)
{
	const curfew_used *used = &run->report->used;
	curfew_limits *spent = &session->spent;
	curfew_session_totals *totals = &session->totals;

	curfew__mutex_lock(&session->lock);
	spent->cpu_ns += used->cpu_ns;
	spent->fuel += used->fuel != CURFEW_UNLIMITED ? used->fuel : 0;
	spent->loops += used->loops;
	spent->output_bytes += used->output_bytes;
	spent->host_calls += used->host_calls;
	totals->calls++;
	totals->wall_ns += used->wall_ns;
	totals->memory_bytes = atomic_load(&session->state) == SESSION_ALIVE ? atomic_load(&run->memory_bytes) : 0;
	curfew__mutex_unlock(&session->lock);
}

/* ---- The guest, from call to call ------------------------------------------------------------------------- */

/* Notes how a call has left the guest. */
static void on_settled(void *context, curfew_run *run, curfew__run_end end)
{
	curfew_session *session = context;
	curfew__kept *kept = &session->kept;
	/* A call that was refused before anything ran has not changed the state. */
	bool is_untouched = !run->again && (run->progress < CURFEW__RUN_STARTED || end == CURFEW__END_REFUSED);

	kept->virtual_ns = run->clock.virtual_ns;
	kept->seed = run->seed;
	kept->wasm = run->stays ? run->wasm : NULL;
	kept->is_there = run->stays;
	if (run->stays) {
		session->guest.context = session->base;
		if (kept->wasm)
			kept->wasm->context = session->base;
	}
	atomic_store(&session->state, run->stays ? SESSION_ALIVE : is_untouched ? SESSION_FRESH : SESSION_LOST);
}

/* Prepares a fresh state. */
static void prepare_fresh_state(curfew_session *session)
{
	const curfew_run *base = session->base;

	session->kept = (curfew__kept){
		.given = base->given,
		.guest = &session->guest,
		.flags = base->flags,
		.virtual_ns = base->clock.virtual_ns,
		.seed = base->seed,
		.on_settled = on_settled,
		.context = session,
	};
	atomic_store(&session->state, SESSION_FRESH);
}

/* Releases the guest. The next call begins with a fresh state. */
static void drop_guest(curfew_session *session)
{
	curfew__wasm *wasm = session->kept.wasm;
	size_t stack_peak;

	if (atomic_load(&session->state) == SESSION_ALIVE && wasm)
		curfew__wasm_finish(wasm);
	else if (atomic_load(&session->state) == SESSION_ALIVE)
		curfew__guest_finish(&session->guest, false, &stack_peak);
	free(wasm);
	prepare_fresh_state(session);
}

/* ---- Calls ------------------------------------------------------------------------------------------------ */

/* The text of a cell, and its name. */
typedef struct cell {
	const char *name; /* NULL: the cell is named by its number */
	const char *text;
	size_t length;
} cell_text;

static bool set_cell(curfew_run *run, const cell_text *cell, uint64_t number)
{
	char name[32];

	snprintf(name, sizeof name, "cell %" PRIu64, number);
	run->purpose = CURFEW__RUN_EVALUATE;
	run->call = strdup(cell->name ? cell->name : name);
	run->params = malloc(cell->length + 2);
	if (!run->call || !run->params)
		return false;
	run->params[0] = '\n';
	if (cell->length)
		memcpy(run->params + 1, cell->text, cell->length);
	run->params_length = cell->length + 1;
	run->params[run->params_length] = 0;
	return true;
}

/* This thread has claimed the session. */
static curfew_status carry_out(curfew_session *session, const curfew_run_options *options, const cell_text *cell,
                               curfew_report **report, curfew_failure *failure)
{
	curfew_limits limits;
	curfew_run *run;

	if (atomic_load(&session->state) == SESSION_LOST)
		return curfew__refuse(failure, CURFEW_UNUSABLE, "the session's state was lost: reset it");
	curfew_status status = limits_of_call(session, options->limits, &limits, failure);
	if (status == CURFEW_OK)
		status = curfew__run_create(session->base->program, options, &limits, &session->kept, true, &run, failure);
	if (status != CURFEW_OK)
		return status;
	latch_spent(run);
	if (cell && !set_cell(run, cell, ++session->cells)) {
		curfew__run_unref(run);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	set_current(session, run);
	status = curfew__run_to_end(run, failure);
	set_current(session, NULL);
	if (status == CURFEW_OK) {
		add_to_totals(session, run);
		*report = run->report;
		run->report = NULL;
	}
	curfew__run_unref(run);
	return status;
}

static curfew_status call(curfew_session *session, const curfew_run_options *options, const cell_text *cell,
                          curfew_report **report, curfew_failure *failure)
{
	curfew_status status = claim_session(session, failure);

	if (status != CURFEW_OK)
		return status;
	status = carry_out(session, options, cell, report, failure);
	release_session(session);
	return status;
}

curfew_status curfew_session_call(curfew_session *session, const char *function, const char *params,
                                  const curfew_limits *limits, curfew_report **report, curfew_failure *failure)
{
	curfew_run_options options = {.size = sizeof options, .call = function, .params = params, .limits = limits};

	if (!session || !report)
		return curfew__refuse(failure, CURFEW_INVALID, "session or report is NULL");
	*report = NULL;
	options.flags = session->base->flags & CURFEW_RUN_DETERMINISTIC;
	options.params_length = params ? strlen(params) : 0;
	return call(session, &options, NULL, report, failure);
}

curfew_status curfew_session_eval(curfew_session *session, const char *name, const char *text, size_t length,
                                  const curfew_limits *limits, curfew_report **report, curfew_failure *failure)
{
	curfew_run_options options = {.size = sizeof options, .limits = limits};
	cell_text what = {name, text, length};

	if (!session || !report)
		return curfew__refuse(failure, CURFEW_INVALID, "session or report is NULL");
	*report = NULL;
	if (session->base->program->wasm)
		return curfew__refuse(failure, CURFEW_INVALID, "a session of WebAssembly has no cells: call its functions");
	curfew_status status = curfew__source_check(name ? name : "cell", text, length, failure);
	options.flags = session->base->flags & CURFEW_RUN_DETERMINISTIC;
	return status == CURFEW_OK ? call(session, &options, &what, report, failure) : status;
}

bool curfew_session_cancel(curfew_session *session)
{
	if (!session)
		return false;
	curfew__mutex_lock(&session->lock);
	bool goes_on = session->current != NULL;
	if (goes_on)
		curfew__signal_fire(session->current->stop.cancels[1]);
	curfew__mutex_unlock(&session->lock);
	return goes_on;
}

/* ---- From its creation to its end ------------------------------------------------------------------------- */

static void free_session(curfew_session *session)
{
	if (session->base) {
		drop_guest(session);
		curfew__run_unref(session->base);
	}
	pthread_cond_destroy(&session->idle);
	curfew__mutex_finish(&session->lock);
	free(session);
}

static curfew_status fill_session(curfew_session *session, curfew_program *program, const curfew_run_options *options,
                                  curfew_failure *failure)
{
	if (options->call || options->params || options->id || options->cancel || options->on_done || options->on_request ||
	    options->on_stop)
		return curfew__refuse(failure, CURFEW_INVALID,
		                      "options.call, params, id, cancel, on_done, on_request and on_stop must be NULL here");
	curfew_status status = set_totals(session, options->limits, failure);
	/* The grace in options is a maximum for calls. Creating the session itself has none. */
	curfew_limits limits = session->limits;
	limits.grace_ns = 0;
	if (status == CURFEW_OK)
		status = curfew__run_create(program, options, &limits, NULL, true, &session->base, failure);
	if (status != CURFEW_OK)
		return status;
	prepare_fresh_state(session);
	return CURFEW_OK;
}

curfew_status curfew_session_create(curfew_program *program, const curfew_run_options *given, curfew_session **session,
                                    curfew_failure *failure)
{
	curfew_run_options options = {.size = sizeof options};

	curfew__refuse(failure, CURFEW_OK, "");
	if (!program || !session)
		return curfew__refuse(failure, CURFEW_INVALID, "program or session is NULL");
	*session = NULL;
	if (given && !curfew__copy_in(&options, sizeof options, given))
		return curfew__refuse(failure, CURFEW_INVALID, "options.size is not that of a curfew_run_options");
	curfew_session *made = calloc(1, sizeof *made);
	if (!made)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	made->spent.size = sizeof made->spent;
	curfew__mutex_init(&made->lock);
	pthread_cond_init(&made->idle, NULL);
	curfew_status status = fill_session(made, program, &options, failure);
	if (status == CURFEW_OK)
		*session = made;
	else
		free_session(made);
	return status;
}

curfew_status curfew_session_reset(curfew_session *session, curfew_failure *failure)
{
	if (!session)
		return curfew__refuse(failure, CURFEW_INVALID, "session is NULL");
	curfew_status status = claim_session(session, failure);
	if (status != CURFEW_OK)
		return status;
	drop_guest(session);
	curfew__mutex_lock(&session->lock);
	session->totals.memory_bytes = 0;
	curfew__mutex_unlock(&session->lock);
	release_session(session);
	return CURFEW_OK;
}

bool curfew_session_is_usable(const curfew_session *session)
{
	return session && atomic_load(&session->state) != SESSION_LOST;
}

void curfew_session_get_totals(curfew_session *session, curfew_session_totals *totals)
{
	curfew__mutex_lock(&session->lock);
	curfew_session_totals known = session->totals;
	known.size = totals->size;
	known.cpu_ns = session->spent.cpu_ns;
	known.fuel = session->limits.fuel == CURFEW_UNLIMITED ? CURFEW_UNLIMITED : session->spent.fuel;
	known.loops = session->spent.loops;
	known.output_bytes = session->spent.output_bytes;
	known.host_calls = session->spent.host_calls;
	curfew__mutex_unlock(&session->lock);
	curfew__copy_out(totals, &known, sizeof known);
}

void curfew_session_destroy(curfew_session *session)
{
	if (!session)
		return;
	curfew__mutex_lock(&session->lock);
	if (session->current)
		curfew__signal_fire(session->current->stop.cancels[1]);
	while (session->busy)
		curfew__mutex_wait(&session->lock, &session->idle);
	curfew__mutex_unlock(&session->lock);
	free_session(session);
}
