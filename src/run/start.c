/* SPDX-License-Identifier: Apache-2.0 */
/* The public interface of runs: creating them from options, executing them here or on the executor, and waiting. */
#include "run/run.h"

#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/copy_in.h"
#include "base/random.h"
#include "base/refuse.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/id.h"
#include "common/json.h"
#include "engine/interrupt.h"
#include "js/assets.h"
#include "js/zones.h"
#include "report/report.h"
#include "run/stop.h"

#define FIXED_SEED 0x9e3779b97f4a7c15u
#define PARAMS_BYTES_MAX ((size_t)16 << 20)
#define GIVEN_SHORT ((size_t)64 << 10)
#define STDIN_BYTES_MAX ((size_t)16 << 20)

static void free_run(curfew_run *run)
{
	curfew__run_give_back(run);
	curfew__signal_release(&run->stop.cancels[0]);
	curfew__signal_release(&run->stop.cancels[1]);
	curfew__buffer_finish(&run->output.streams[0]);
	curfew__buffer_finish(&run->output.streams[1]);
	curfew_report_destroy(run->report);
	free(run->call);
	free(run->params);
	free(run->output.partial);
	free(run->import_text);
	free(run->answer.bytes);
	curfew__operations_unref(atomic_load(&run->operations));
	curfew__remote_destroy(run->remote);
	free(run->wasm);
	curfew_program_destroy(run->program);
	curfew__engine_unref(run->engine);
	free(run);
}

void curfew__run_unref(curfew_run *run)
{
	if (atomic_fetch_sub(&run->references, 1) == 1)
		free_run(run);
}

curfew_status curfew_timezone_check(const char *name, curfew_failure *failure)
{
	char message[256];

	if (curfew__asset_is_zone(name))
		return CURFEW_OK;
	snprintf(message, sizeof message,
	         "timezone %.100s: there is no such time zone; give an IANA name, such as Europe/Berlin", name);
	return curfew__refuse(failure, CURFEW_INVALID, message);
}

curfew_status curfew_timezone_offset(const char *name, int64_t time, int32_t *offset, curfew_failure *failure)
{
	if (!curfew__zone_offset(name, time, offset))
		return curfew_timezone_check(name, failure);
	return CURFEW_OK;
}

static curfew_status check_options(const curfew_run_options *options, curfew_failure *failure)
{
	if (options->id && !curfew__id_is_valid(options->id))
		return curfew__refuse(failure, CURFEW_INVALID, "id is not a ULID");
	if ((options->flags & ~(CURFEW_RUN_DETERMINISTIC | CURFEW_RUN_STDIN | CURFEW_RUN_IMPORTS | CURFEW_RUN_PASS_OUTPUT |
	                        CURFEW_RUN_CHECKED)) ||
	    options->reserved)
		return curfew__refuse(failure, CURFEW_INVALID, "unknown flag in run options");
	if ((options->flags & CURFEW_RUN_IMPORTS) && !options->on_request)
		return curfew__refuse(failure, CURFEW_INVALID, "CURFEW_RUN_IMPORTS needs on_request");
	if (options->allow_fetch_count && options->on_request)
		return curfew__refuse(failure, CURFEW_INVALID, "allow_fetch and on_request exclude each other");
	curfew_status status = curfew__wasi_given_check(options, failure);
	if (status == CURFEW_OK && options->timezone)
		status = curfew_timezone_check(options->timezone, failure);
	if (status != CURFEW_OK)
		return status;
	if (options->stdin_bytes && (options->flags & CURFEW_RUN_STDIN))
		return curfew__refuse(failure, CURFEW_INVALID, "stdin_bytes and stdin_fd exclude each other");
	if (options->stdin_bytes && options->stdin_length > STDIN_BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, "standard input is larger than 16 MiB");
	if (options->params && options->params_length > PARAMS_BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, "params are larger than 16 MiB");
	if (options->files && options->files_length > CURFEW__FILES_BYTES_MAX)
		return curfew__refuse(failure, CURFEW_INVALID, CURFEW__FILES_TOO_LARGE);
	return CURFEW_OK;
}

static curfew_status check_params(const curfew_run_options *options, const atomic_uint *stop, curfew_failure *failure)
{
	char message[256];
	size_t offset;
	const char *why;

	if (!curfew__json_check_until(options->params, options->params_length, stop, &offset, &why)) {
		snprintf(message, sizeof message, "params are not JSON: %s at byte %zu", why, offset);
		return curfew__refuse(failure, CURFEW_INVALID, message);
	}
	if (!curfew__json_is_array(options->params, options->params_length))
		return curfew__refuse(failure, CURFEW_INVALID, "params must be a JSON array");
	return CURFEW_OK;
}

/*
 * Parameters and files are read under the run's limits, in pieces: a run whose time is up meanwhile ends as one that
 * waited for its turn. Short ones are read before the watch could be woken.
 */
static curfew_status check_texts(curfew_run *run, const curfew_run_options *options, curfew_failure *failure)
{
	curfew__watch *watch = run->engine->watch;
	bool is_long = (options->params && options->params_length > GIVEN_SHORT) ||
	               (options->files && options->files_length > GIVEN_SHORT);
	curfew_status status = CURFEW_OK;

	if (options->flags & CURFEW_RUN_CHECKED)
		return CURFEW_OK;
	if (is_long && !curfew__run_arm(run, run->clock.start_ns))
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	if (options->params)
		status = check_params(options, &run->stop.cause, failure);
	if (status == CURFEW_OK && options->files)
		status = curfew__files_check(options->files, options->files_length, &run->stop.cause, failure);
	if (is_long)
		curfew__watch_disarm(watch, &run->stop.alarm);
	return atomic_load(&run->stop.cause) ? curfew__refuse(failure, CURFEW_OK, "") : status;
}

static char *copy(const char *text, size_t length, bool *ok)
{
	char *made = malloc(length + 1);

	if (!made) {
		*ok = false;
		return NULL;
	}
	memcpy(made, text, length);
	made[length] = 0;
	return made;
}

/* Whether this thread's stack is large enough for guest code with this stack limit. */
static bool stack_fits(uint64_t stack_bytes)
{
	static _Thread_local uintptr_t lowest;
	char here;

	if (!lowest) {
		pthread_attr_t attributes;
		void *address = NULL;
		size_t size = 0;
		if (pthread_getattr_np(pthread_self(), &attributes))
			return false;
		pthread_attr_getstack(&attributes, &address, &size);
		pthread_attr_destroy(&attributes);
		lowest = (uintptr_t)address;
	}
	size_t needed = curfew__guest_native_stack(curfew__guest_stack_class(stack_bytes)) + CURFEW__NATIVE_STACK_MORE;
	return (uintptr_t)&here - lowest > needed;
}

static bool get_seed(uint64_t *seed)
{
	return curfew__random_few(seed, sizeof *seed) || curfew__run_fill_random(seed, sizeof *seed);
}

/* Allocates a run without any input. NULL: out of memory. */
static curfew_run *make_run(curfew_program *program, const curfew_limits *limits, uint32_t flags)
{
	curfew_run *run = calloc(1, sizeof *run);

	if (!run)
		return NULL;
	atomic_init(&run->references, 1);
	run->clock.start_ns = clock_now_ns();
	run->program = curfew__program_ref(program);
	run->engine = curfew__engine_ref(program->engine);
	run->kind = program->wasm ? &curfew__kind_wasm : &curfew__kind_js;
	run->guest = &run->own_guest;
	run->limits = *limits;
	run->flags = flags;
	run->clock.deadline_ns = clock_later(run->clock.start_ns, limits->timeout_ns);
	run->clock.virtual_ns = CURFEW__FIXED_NOW_NS;
	run->seed = FIXED_SEED;
	atomic_init(&run->wait.wake_ns, CURFEW__NEVER);
	run->wait.compiled = (curfew__wasm_waiter){.wake = curfew__run_compiled, .context = run};
	run->stop.alarm = (curfew__alarm){.call = curfew__run_on_alarm, .context = run};
	atomic_init(&run->clock.cpu_segment_ns, -1);
	curfew__buffer_init(&run->output.streams[0], (size_t)limits->output_bytes);
	curfew__buffer_init(&run->output.streams[1], (size_t)limits->output_bytes);
	run->report = curfew__report_create();
	/* WASI uses the system's random numbers, unless the run is deterministic. */
	bool needs_seed = !program->wasm && !curfew__run_is_deterministic(run);
	if (!run->report || (needs_seed && !get_seed(&run->seed))) {
		free_run(run);
		return NULL;
	}
	return run;
}

/* Sets the call, its parameters and the cancel handles. The caller's handle comes last, because it may be fired at any
 * time. */
static curfew_status set_call(curfew_run *run, const curfew_run_options *options, curfew_failure *failure)
{
	bool ok = true;

	run->wait.compiled.asker = (curfew__asker){options->owner, hash_of(options->user)};
	run->call = options->call ? copy(options->call, strlen(options->call), &ok) : NULL;
	run->params = options->params ? copy(options->params, options->params_length, &ok) : NULL;
	run->params_length = options->params ? options->params_length : 0;
	if (options->id)
		memcpy(run->report->id, options->id, sizeof run->report->id);
	run->on_done = options->on_done;
	run->on_done_context = options->on_done_context;
	run->on_stop = options->on_stop;
	run->on_stop_context = options->on_stop_context;
	if (!ok)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	if (!options->cancel)
		return CURFEW_OK;
	run->stop.cancels[0] = curfew__signal_ref((curfew__signal *)options->cancel);
	if (curfew__signal_bind(run->stop.cancels[0], &run->stop.alarm))
		return CURFEW_OK;
	curfew__signal_unref(run->stop.cancels[0]);
	run->stop.cancels[0] = NULL;
	return curfew__refuse(failure, CURFEW_INVALID, "the cancel handle serves another run");
}

/* Sets the broker that does for the run what this process cannot. */
static curfew_status make_remote(curfew_run *run, const curfew_run_options *options, curfew_failure *failure)
{
	if (!options->on_request)
		return CURFEW_OK;
	run->remote = curfew__remote_create(options->on_request, options->on_request_context,
	                                    (size_t)run->limits.memory_bytes);
	return run->remote ? CURFEW_OK : curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
}

/* A call of a session continues with the guest of the calls before it. */
static void borrow(curfew_run *run, const curfew__kept *kept)
{
	run->kept = kept;
	run->flags = kept->flags;
	run->again = kept->is_there;
	run->guest = kept->guest;
	run->wasm = kept->wasm;
	/* A deterministic session continues its clock. Otherwise each new state has a seed of its own. */
	run->clock.virtual_ns = kept->virtual_ns;
	if (run->again || curfew__run_is_deterministic(run))
		run->seed = kept->seed;
	curfew__run_take_given(run, curfew__given_ref(kept->given));
}

static curfew_status set_given(curfew_run *run, const curfew_run_options *options, curfew_failure *failure)
{
	curfew__given *given;
	curfew_status status = curfew__given_create(run->program, &run->limits, options, &given, failure);

	if (status != CURFEW_OK)
		return status;
	curfew__run_take_given(run, given);
	return make_remote(run, options, failure);
}

static bool make_cancel(curfew_run *run)
{
	run->stop.cancels[1] = curfew__signal_create(run->engine->watch);
	return run->stop.cancels[1] && curfew__signal_bind(run->stop.cancels[1], &run->stop.alarm);
}

curfew_status curfew__run_create(curfew_program *program, const curfew_run_options *options,
                                 const curfew_limits *limits, const curfew__kept *kept, bool waited_for,
                                 curfew_run **result, curfew_failure *failure)
{
	curfew_status status = check_options(options, failure);

	*result = NULL;
	if (status != CURFEW_OK)
		return status;
	curfew_run *run = make_run(program, limits, options->flags);
	if (!run)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	atomic_store(&program->used, true);
	if (kept)
		borrow(run, kept);
	else
		status = set_given(run, options, failure);
	if (status == CURFEW_OK && (kept || !waited_for) && !make_cancel(run))
		status = curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	if (status == CURFEW_OK)
		status = set_call(run, options, failure);
	if (status == CURFEW_OK)
		status = check_texts(run, options, failure);
	if (status == CURFEW_OK)
		*result = run;
	else
		free_run(run);
	return status;
}

static curfew_status create_run(curfew_program *program, const curfew_run_options *given, bool waited_for,
                                curfew_run **result, curfew_failure *failure)
{
	curfew_run_options options = {.size = sizeof options};
	curfew_limits limits;

	curfew__refuse(failure, CURFEW_OK, "");
	*result = NULL;
	if (given && !curfew__copy_in(&options, sizeof options, given))
		return curfew__refuse(failure, CURFEW_INVALID, "options.size is not that of a curfew_run_options");
	if (waited_for)
		options.on_done = NULL;
	curfew_status status = curfew_limits_resolve(options.limits, &limits, failure);
	if (status != CURFEW_OK)
		return status;
	return curfew__run_create(program, &options, &limits, NULL, waited_for, result, failure);
}

/* Starts the clock of the run: from here on it has a deadline. */
static void start_clock(curfew_run *run)
{
	atomic_fetch_add(&run->engine->runs_total, 1);
	curfew__run_look_at_clock(run, clock_now_ns());
	/* The alarm is armed before the run is queued, because a run that waits for a thread has its deadline too. */
	if (!run->inline_run) {
		curfew__run_enter_phase(run, CURFEW__RUN_READY);
		curfew__run_arm(run, run->clock.start_ns);
	}
}

static void wait_for(curfew_run *run, unsigned at_least)
{
	unsigned seen;
	atomic_fetch_add(&run->waiting, 1);
	while ((seen = atomic_load(&run->done)) < at_least)
		syscall(SYS_futex, &run->done, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	atomic_fetch_sub(&run->waiting, 1);
}

static curfew__stacks *stacks_of(const curfew_run *run)
{
	return run->engine->stacks[curfew__guest_stack_class(run->limits.stack_bytes)];
}

static void run_here(void *context)
{
	curfew_run *run = context;
	sigset_t before;

	curfew__interrupt_admit(&before);
	while (!curfew__run_step(run)) {
		while (atomic_load(&run->phase) == CURFEW__RUN_PARKED)
			syscall(SYS_futex, &run->phase, FUTEX_WAIT_PRIVATE, CURFEW__RUN_PARKED, NULL, NULL, 0);
	}
	curfew__interrupt_restore(&before);
}

#define OVERLOADED "the engine has reached its maximum number of runs"

/* Counts the run among those in progress. False: there are too many. */
static bool is_admitted(const curfew_run *run)
{
	if (atomic_fetch_add(&run->engine->runs_active, 1) < run->engine->max_runs)
		return true;
	atomic_fetch_sub(&run->engine->runs_active, 1);
	return false;
}

/* Starts the clock of a run and queues it. If that fails, the watch no longer knows the run. */
static curfew_status submit(curfew_run *run, curfew_failure *failure)
{
	if (!is_admitted(run))
		return curfew__refuse(failure, CURFEW_OVERLOADED, OVERLOADED);
	start_clock(run);
	if (curfew__executor_submit(run->engine->executor, run))
		return CURFEW_OK;
	curfew__watch_close(run->engine->watch, &run->stop.alarm);
	atomic_fetch_sub(&run->engine->runs_active, 1);
	return curfew__refuse(failure, CURFEW_SYSTEM, "no thread can be started");
}

/* Whether the executing thread calls no callback of the embedder. */
static bool calls_nobody(const curfew_run *run)
{
	return !run->program->functions && !run->given->on_event && !run->remote;
}

/*
 * Decides whether a run executes on the thread that waits for it, which saves waking another one twice. WebAssembly has
 * a stack of its own. If JavaScript needs more stack than the thread has, it gets a stack of the engine. A run with
 * callbacks of the embedder does not, because the runtimes of other languages check where their stack is.
 */
static bool runs_here(curfew_run *run, curfew__stack **stack)
{
	*stack = NULL;
	if (curfew__host_call_is_inside())
		return false;
	if (run->program->wasm || stack_fits(run->limits.stack_bytes))
		return true;
	if (calls_nobody(run) && !curfew__target_current())
		*stack = curfew__stacks_take(stacks_of(run));
	return *stack != NULL;
}

static void give_stack(const curfew_run *run, curfew__stack *stack)
{
	/* The other half is for the host's functions. */
	if (curfew__guest_native_use(run->report->used.stack_peak_bytes) < CURFEW__STACK_SHALLOW / 2)
		curfew__stacks_give_shallow(stacks_of(run), stack);
	else
		curfew__stacks_give(stacks_of(run), stack);
}

curfew_status curfew__run_to_end(curfew_run *run, curfew_failure *failure)
{
	curfew__stack *stack;

	run->inline_run = runs_here(run, &stack);
	if (run->inline_run) {
		bool admitted = is_admitted(run);
		if (admitted)
			start_clock(run);
		if (admitted && stack)
			curfew__stack_call(stack, run_here, run);
		else if (admitted)
			run_here(run);
		if (stack)
			give_stack(run, stack);
		return admitted ? CURFEW_OK : curfew__refuse(failure, CURFEW_OVERLOADED, OVERLOADED);
	}
	curfew_status status = submit(run, failure);
	if (status == CURFEW_OK)
		wait_for(run, 2);
	return status;
}

curfew_status curfew_program_run(curfew_program *program, const curfew_run_options *options, curfew_report **report,
                                 curfew_failure *failure)
{
	curfew_run *run;

	if (!program || !report)
		return curfew__refuse(failure, CURFEW_INVALID, "program or report is NULL");
	*report = NULL;
	curfew_status status = create_run(program, options, true, &run, failure);
	if (status != CURFEW_OK)
		return status;
	if ((status = curfew__run_to_end(run, failure)) == CURFEW_OK) {
		*report = run->report;
		run->report = NULL;
	}
	curfew__run_unref(run);
	return status;
}

static curfew_status refuse_program(curfew_run *run, curfew_report **report, curfew_failure *failure)
{
	if (report) {
		*report = run->report;
		run->report = NULL;
	}
	return curfew__refuse(failure, CURFEW_BAD_PROGRAM, "the program does not load: the report says why");
}

curfew_status curfew_program_inspect(curfew_program *program, const curfew_limits *limits, char **json, size_t *length,
                                     curfew_report **report, curfew_failure *failure)
{
	curfew_run_options options = {.size = sizeof options, .limits = limits};
	curfew_run *run;

	if (report)
		*report = NULL;
	if (!program || !json || !length)
		return curfew__refuse(failure, CURFEW_INVALID, "program, json or length is NULL");
	*json = NULL;
	*length = 0;
	curfew_status status = create_run(program, &options, true, &run, failure);
	if (status != CURFEW_OK)
		return status;
	run->purpose = CURFEW__RUN_DESCRIBE;
	status = curfew__run_to_end(run, failure);
	if (status == CURFEW_OK)
		status = run->report->outcome == CURFEW_OUTCOME_FINISHED ? curfew__run_describe(run, json, length, failure)
		                                                         : refuse_program(run, report, failure);
	curfew__run_unref(run);
	return status;
}

curfew_status curfew_program_compile(curfew_program *program, const curfew_limits *limits, curfew_report **report,
                                     curfew_failure *failure)
{
	curfew_run_options options = {.size = sizeof options, .limits = limits};
	curfew_run *run;

	if (report)
		*report = NULL;
	if (!program)
		return curfew__refuse(failure, CURFEW_INVALID, "program is NULL");
	curfew__image *image = curfew__program_image(program);
	curfew__image_unref(image);
	if (image)
		return curfew__refuse(failure, CURFEW_OK, "");
	curfew_status status = create_run(program, &options, true, &run, failure);
	if (status != CURFEW_OK)
		return status;
	run->purpose = CURFEW__RUN_COMPILE;
	status = curfew__run_to_end(run, failure);
	if (status == CURFEW_OK && run->report->outcome != CURFEW_OUTCOME_FINISHED) {
		status = refuse_program(run, report, failure);
	} else if (status == CURFEW_OK && !program->wasm && !(image = curfew__program_image(program))) {
		status = curfew__refuse(failure, CURFEW_NO_MEMORY, "there is not enough memory for the program's image");
	} else if (status == CURFEW_OK) {
		curfew__image_unref(image);
	}
	curfew__run_unref(run);
	return status;
}

/* Writes the bundle of a program whose imports were recorded. */
static curfew_status write_bundle(const curfew_program *program, curfew__bundle_record *record, void **bundle,
                                  size_t *length, curfew_failure *failure)
{
	const char *slash = program->flags & CURFEW_SOURCE_PATH ? NULL : strrchr(program->name, '/');
	size_t map_name_length = program->import_map ? strlen(program->import_map) + 1 : 0;
	const curfew__bundle_entry entry = {
		.name = slash ? slash + 1 : program->name,
		.text = program->text,
		.length = program->text_length,
		.language = program->language,
		.has_node = program->flags & CURFEW_SOURCE_NODE,
		.map_name = program->import_map,
		.map = program->import_map ? program->import_map + map_name_length : NULL,
		.map_length = program->import_map_length - map_name_length,
	};

	if (!record->failed && !record->count && !program->import_map && !entry.has_node)
		return curfew__refuse(failure, CURFEW_OK, "");
	return curfew__bundle_write(record, &entry, bundle, length, failure);
}

curfew_status curfew_program_bundle(curfew_program *program, const curfew_limits *limits, void **bundle, size_t *length,
                                    curfew_report **report, curfew_failure *failure)
{
	curfew_run_options options = {.size = sizeof options, .limits = limits};
	curfew__bundle_record record = {.count = 0};
	curfew_run *run;

	if (report)
		*report = NULL;
	if (!program || !bundle || !length)
		return curfew__refuse(failure, CURFEW_INVALID, "program, bundle or length is NULL");
	*bundle = NULL;
	*length = 0;
	if (program->wasm || !program->text || program->bundle || atomic_load(&program->used))
		return curfew__refuse(failure, CURFEW_INVALID, "the program is not JavaScript text, or was used before");
	curfew_status status = create_run(program, &options, true, &run, failure);
	if (status != CURFEW_OK)
		return status;
	run->purpose = CURFEW__RUN_COMPILE;
	run->record = &record;
	status = curfew__run_to_end(run, failure);
	if (status == CURFEW_OK && run->report->outcome != CURFEW_OUTCOME_FINISHED)
		status = refuse_program(run, report, failure);
	else if (status == CURFEW_OK)
		status = write_bundle(program, &record, bundle, length, failure);
	curfew__bundle_record_finish(&record);
	curfew__run_unref(run);
	return status;
}

curfew_status curfew_run_start(curfew_program *program, const curfew_run_options *options, curfew_run **result,
                               curfew_failure *failure)
{
	curfew_run *run;

	if (!program || !result)
		return curfew__refuse(failure, CURFEW_INVALID, "program or run is NULL");
	*result = NULL;
	curfew_status status = create_run(program, options, false, &run, failure);
	if (status != CURFEW_OK)
		return status;
	if ((status = submit(run, failure)) == CURFEW_OK)
		*result = run;
	else
		curfew__run_unref(run);
	return status;
}

const curfew_report *curfew_run_wait(curfew_run *run)
{
	if (!run)
		return NULL;
	wait_for(run, 1);
	return run->report;
}

const curfew_report *curfew_run_get_report(curfew_run *run)
{
	return run && atomic_load(&run->done) ? run->report : NULL;
}

void curfew_run_cancel(curfew_run *run)
{
	if (run)
		curfew__signal_fire(run->stop.cancels[1]);
}

void curfew_run_get_usage(curfew_run *run, curfew_run_usage *result)
{
	curfew_run_usage known = {.size = result->size}, *usage = &known;
	bool done = atomic_load(&run->done);
	const curfew_report *report = run->report;

	usage->wall_ns = done ? report->used.wall_ns : (uint64_t)(clock_now_ns() - run->clock.start_ns);
	usage->cpu_ns = done ? report->used.cpu_ns : (uint64_t)curfew__run_cpu(run);
	usage->memory_bytes = done ? report->used.memory_peak_bytes : atomic_load(&run->memory_bytes);
	usage->output_bytes = atomic_load(&run->output.bytes);
	curfew__copy_out(result, &known, sizeof known);
}

curfew_status curfew_run_receive(curfew_run *run, const void *message, size_t length, curfew_failure *failure)
{
	if (!run || !message || !run->remote)
		return curfew__refuse(failure, CURFEW_INVALID, "run or message is NULL, or the run has no broker");
	if (!curfew__remote_receive(run->remote, atomic_load(&run->operations), message, length))
		return curfew__refuse(failure, CURFEW_INVALID, "no broker sends such a message");
	return curfew__refuse(failure, CURFEW_OK, "");
}

void curfew_run_destroy(curfew_run *run)
{
	if (!run)
		return;
	if (!atomic_load(&run->done))
		curfew_run_cancel(run);
	bool in_callback = atomic_load(&run->done) == 1 && run->on_done && pthread_equal(run->done_thread, pthread_self());
	if (!in_callback)
		wait_for(run, 2);
	curfew__run_unref(run);
}
