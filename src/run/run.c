/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One execution. A run is carried on by whichever thread steps it: a step enters the guest, which ends, or comes back
 * to wait; then the run is parked, holding nothing but its memory, until the watch says that it is to go on.
 */
#include "run/run.h"

#include <string.h>

#include "base/clock.h"
#include "run/stop.h"

#define FIXED_DATE_US (INT64_C(1767225600) * 1000000) /* what a deterministic program's clock shows: 2026-01-01 */
/* What waits longer than this gives back memory that it does not need meanwhile. */
#define TRIM_NS (20 * CURFEW__MILLISECOND)

/* ---- Stretches of execution ------------------------------------------------------------------------------- */

void curfew__run_begin_stretch(curfew_run *run)
{
	clockid_t clock = CLOCK_THREAD_CPUTIME_ID;

	pthread_getcpuclockid(pthread_self(), &clock);
	atomic_store(&run->cpu_clock, clock);
	atomic_store(&run->cpu_segment_ns, curfew__clock(CLOCK_THREAD_CPUTIME_ID));
}

void curfew__run_end_stretch(curfew_run *run)
{
	int64_t since = atomic_load(&run->cpu_segment_ns);

	if (since < 0)
		return;
	int64_t used = curfew__clock(CLOCK_THREAD_CPUTIME_ID) - since;
	atomic_store(&run->cpu_segment_ns, -1);
	atomic_fetch_add(&run->cpu_before_ns, used);
}

static void set_control(curfew_run *run)
{
	curfew__control *control = run->guest.control;
	const curfew_limits *limits = &run->limits;
	size_t count;
	const curfew_limit_info *table = curfew_limit_table(&count);
	int64_t now = curfew__run_clock(run);
	int64_t real_ns = curfew__clock(CLOCK_REALTIME);

	control->flags = (run->program->language == CURFEW_LANGUAGE_JS_MODULE ? CURFEW_CONTROL_MODULE : 0) |
	                 (curfew__run_is_deterministic(run) ? CURFEW_CONTROL_DETERMINISTIC : 0) |
	                 (run->params ? CURFEW_CONTROL_PARAMS : 0) |
	                 (run->program->import_dir ? CURFEW_CONTROL_IMPORTS : 0);
	control->stack_bytes = (uint32_t)limits->stack_bytes;
	control->now_ns = control->time_origin_ns = now;
	control->deadline_ns = CURFEW__NEVER;
	if (limits->timeout_ns != CURFEW_UNLIMITED)
		control->deadline_ns = now + (int64_t)limits->timeout_ns - (curfew__run_is_deterministic(run) ? 0 : curfew__now() - run->start_ns);
	control->realtime_offset_us = curfew__run_is_deterministic(run) ? FIXED_DATE_US - now / 1000 : (real_ns - now) / 1000;
	control->seed = run->seed;
	control->loops_left = CURFEW_UNLIMITED;
	control->timers_limit = limits->timers > UINT32_MAX ? UINT32_MAX : (uint32_t)limits->timers;
	for (size_t i = 0; i < count && i < sizeof control->limits / sizeof *control->limits; i++) {
		uint64_t value;
		memcpy(&value, (const char *)limits + table[i].offset, sizeof value);
		bool is_time = table[i].unit == CURFEW_UNIT_DURATION && value != CURFEW_UNLIMITED;
		control->limits[i] = is_time ? value / 1000 : value;
	}
	/* An image may have been taken while these were set. */
	control->stop = 0;
	control->answering = 0;
	control->aborted = 0;
}

/* Counting starts here, behind the loading: the same from source and from an image. */
static void set_meters(curfew_run *run)
{
	curfew__control *control = run->guest.control;

	control->loops_left = run->limits.loops;
	if (run->limits.fuel == CURFEW_UNLIMITED)
		return;
	control->flags |= CURFEW_CONTROL_METERED;
	curfew__guest_set_fuel(&run->guest, run->limits.fuel);
}
/* ---- Steps ------------------------------------------------------------------------------------------------ */

static curfew__run_ending enter(curfew_run *run, curfew__guest_entry entry)
{
	curfew__run_ending result = { .entered = true };
	result.end = curfew__guest_enter(&run->guest, entry, NULL, &result.status);
	return result;
}

/* Puts text into the guest and notes where; false: that ended the run. */
static bool put(curfew_run *run, const void *bytes, size_t length, uint32_t *address, uint32_t *address_length,
                curfew__run_ending *result)
{
	*address_length = 0;
	*address = curfew__guest_put(&run->guest, bytes, length, &result->end);
	result->entered = result->end != CURFEW__VM_RETURNED;
	if (!*address && result->end == CURFEW__VM_RETURNED)
		result->end = CURFEW__VM_FAILED;
	*address_length = (uint32_t)length;
	return *address != 0;
}

/* A memory with the program's image, or the engine's where there is none yet. */
static bool give_birth(curfew_run *run, bool *has_program)
{
	char message[256];
	bool metered = run->limits.fuel != CURFEW_UNLIMITED;
	curfew__vm *vm = curfew__engine_vm(run->engine, metered, curfew__guest_stack_class(run->limits.stack_bytes), message);
	curfew__image *image = curfew__program_image(run->program);

	*has_program = image != NULL;
	if (!image)
		image = curfew__image_ref(run->engine->image);
	size_t needed = image->length - image->layout.stack_top;
	bool fits = run->limits.memory_bytes >= needed;
	bool born = vm && fits && curfew__guest_init(&run->guest, vm, metered, run->engine->pool, image,
	                                             (size_t)run->limits.memory_bytes, &curfew__run_host, run);
	if (!fits)
		curfew__run_latch(run, CURFEW_OUTCOME_MEMORY, curfew__now());
	curfew__image_unref(image);
	if (!born)
		return false;
	set_control(run);
	/* From here on the watch may write to the guest; what it could not tell it before is made up for. */
	atomic_store(&run->alive, true);
	curfew__run_tell_time_up(run);
	return true;
}

/* The watch keeps its hands off the memory meanwhile. */
static void take_image(curfew_run *run)
{
	curfew__watch *watch = run->engine->watch;

	atomic_store(&run->alive, false);
	curfew__watch_disarm(watch, &run->alarm);
	curfew__program_snapshot(run->program, run->guest.region);
	atomic_store(&run->alive, true);
	curfew__run_tell_time_up(run);
	curfew__watch_arm(watch, &run->alarm, curfew__run_next_alarm(run, curfew__now()));
}

static bool load_source(curfew_run *run, curfew__run_ending *result)
{
	curfew__control *control = run->guest.control;

	if (!put(run, run->program->source, run->program->text_length + 1, &control->input, &control->input_length, result) ||
	    !put(run, run->program->name, strlen(run->program->name), &control->name, &control->name_length, result))
		return false;
	*result = enter(run, CURFEW__GUEST_LOAD);
	if (result->end != CURFEW__VM_RETURNED || result->status != CURFEW_GUEST_DONE || atomic_load(&run->cause))
		return false;
	run->guest.scratch_used = 0;
	run->compiled_ns = curfew__now();
	if (run->compile_only || !(run->program->flags & CURFEW_SOURCE_ONCE))
		take_image(run);
	return !run->compile_only;
}

static bool put_arguments(curfew_run *run, curfew__run_ending *result)
{
	curfew__control *control = run->guest.control;

	control->name = control->user = control->input = 0;
	control->name_length = control->user_length = control->input_length = 0;
	return (!run->call || put(run, run->call, strlen(run->call), &control->name, &control->name_length, result)) &&
	       (!run->user || put(run, run->user, strlen(run->user), &control->user, &control->user_length, result)) &&
	       (!run->params || put(run, run->params, run->params_length, &control->input, &control->input_length, result));
}

/* Everything up to the program's first instruction, and on. */
static curfew__run_ending first_entry(curfew_run *run)
{
	curfew__run_ending result = { .end = CURFEW__VM_FAILED };
	bool has_program;

	if (atomic_load(&run->cause))
		return (curfew__run_ending){ .end = CURFEW__VM_RETURNED };
	if (!give_birth(run, &has_program))
		return atomic_load(&run->cause) ? (curfew__run_ending){ .end = CURFEW__VM_RETURNED } : result;
	run->loaded_ns = curfew__now();
	atomic_store(&run->memory_bytes, curfew__guest_memory(&run->guest));
	if (!curfew__watch_arm(run->engine->watch, &run->alarm, curfew__run_next_alarm(run, run->loaded_ns)))
		return result;
	if (!has_program && !load_source(run, &result))
		return result;
	if (run->compile_only)
		return (curfew__run_ending){ .end = CURFEW__VM_RETURNED };
	if (!put_arguments(run, &result))
		return result;
	set_meters(run);
	run->started = true;
	run->guest.control->now_ns = curfew__run_clock(run);
	run->entered_ns = curfew__now();
	return enter(run, CURFEW__GUEST_START);
}

static void park(curfew_run *run)
{
	int64_t now = curfew__now();
	int64_t wake = run->guest.control->wake_ns;

	if (curfew__run_is_deterministic(run) && wake != CURFEW__NEVER) {
		int64_t waits = wake > run->virtual_ns ? wake - run->virtual_ns : 0; /* both are positive */
		run->virtual_ns += waits;
		wake = curfew__later(now, (uint64_t)waits);
	}
	curfew__run_end_stretch(run);
	curfew__watch_disarm(run->engine->watch, &run->alarm);
	if (wake - now > TRIM_NS)
		curfew__guest_trim(&run->guest);
	atomic_store(&run->wake_ns, wake);
	curfew__watch *watch = run->engine->watch;
	atomic_store(&run->phase, CURFEW__RUN_PARKED);
	/* From here on the run may be elsewhere; the reference of whoever steps it keeps it in memory. */
	curfew__watch_arm(watch, &run->alarm, curfew__run_next_alarm(run, now));
}

bool curfew__run_step(curfew_run *run)
{
	curfew__run_ending result;

	atomic_store(&run->phase, CURFEW__RUN_EXECUTING);
	curfew__run_begin_stretch(run);
	if (!run->alive) {
		result = first_entry(run);
	} else if (atomic_load(&run->cause)) {
		result = (curfew__run_ending){ .end = CURFEW__VM_RETURNED };
	} else {
		curfew__watch_arm(run->engine->watch, &run->alarm, curfew__run_next_alarm(run, curfew__now()));
		run->guest.control->now_ns = curfew__run_clock(run);
		result = enter(run, CURFEW__GUEST_RESUME);
	}
	bool waits = result.entered && result.end == CURFEW__VM_RETURNED && result.status == CURFEW_GUEST_WAITING &&
	             run->started && !atomic_load(&run->cause) &&
	             atomic_load(&run->guest.state) == CURFEW__GUEST_IDLE;
	if (waits) {
		park(run);
		return false;
	}
	curfew__run_finish(run, &result);
	return true;
}
