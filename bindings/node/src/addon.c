/* SPDX-License-Identifier: Apache-2.0 */
/* Engines, programs, runs and sessions as handles, and the messages of the engine's threads. */
#include "addon.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long the JavaScript thread waits for the end of a run whose predecessor was brief. */
#define BRIEF_NS 100000

/* ---- Messages --------------------------------------------------------------------------------------------- */

static void drop(struct message *message)
{
	if (message->kind == MESSAGE_CALL)
		curfew_node_call_drop(message->call);
	if (message->kind == MESSAGE_JOB)
		curfew_node_job_free(message->job);
	free(message->data);
	free(message);
}

void curfew_node_post(struct addon *addon, const struct message *message)
{
	struct message *copy = malloc(sizeof *copy);
	if (copy == NULL)
		abort(); /* Node itself does the same when it is out of memory */
	*copy = *message;
	if (atomic_load(&addon->closing) ||
	    napi_call_threadsafe_function(addon->queue, copy, napi_tsfn_nonblocking) != napi_ok)
		drop(copy);
}

static void end_activity(napi_env env, struct addon *addon)
{
	if (--addon->active == 0)
		napi_unref_threadsafe_function(env, addon->queue);
}

static void unlink_run(struct run *run)
{
	*run->place = run->next;
	if (run->next != NULL)
		run->next->place = run->place;
}

/* Called when a run has ended. Returns its report. */
static napi_value end_run(napi_env env, struct run *run)
{
	napi_value report = curfew_node_report(env, curfew_run_wait(run->run));
	unlink_run(run);
	end_activity(env, run->addon);
	return report;
}

/* The arguments of the dispatcher after kind and id. */
static void fill_arguments(napi_env env, struct addon *addon, struct message *message, napi_value *arguments)
{
	switch (message->kind) {
	case MESSAGE_DONE: arguments[0] = end_run(env, message->run); break;
	case MESSAGE_EVENT:
		napi_create_int32(env, message->event, &arguments[0]);
		napi_create_buffer_copy(env, message->length, message->data, NULL, &arguments[1]);
		break;
	case MESSAGE_CALL: curfew_node_call_pass(env, message->call, arguments); break;
	case MESSAGE_JOB:
		curfew_node_job_results(env, message->job, arguments);
		end_activity(env, addon);
		break;
	case MESSAGE_CALLS: break;
	}
}

static void dispatch_message(napi_env env, struct addon *addon, struct message *message, napi_value dispatch)
{
	napi_value global, arguments[4] = {NULL};
	napi_create_uint32(env, message->kind, &arguments[0]);
	napi_create_uint32(env, message->id, &arguments[1]);
	fill_arguments(env, addon, message, arguments + 2);
	napi_get_global(env, &global);
	for (int i = 2; i < 4; i++)
		if (arguments[i] == NULL)
			napi_get_undefined(env, &arguments[i]);
	napi_call_function(env, global, dispatch, 4, arguments, NULL);
	curfew_node_report_exception(env);
}

static void on_message(napi_env env, napi_value unused, void *context, void *data)
{
	struct addon *addon = context;
	struct message *message = data;
	napi_value dispatch;
	napi_handle_scope scope;
	(void)unused;
	if (env == NULL) {
		drop(message);
		return;
	}

	napi_open_handle_scope(env, &scope);
	napi_get_reference_value(env, addon->dispatch, &dispatch);
	if (message->kind == MESSAGE_CALLS)
		curfew_node_take_calls(env, addon, dispatch);
	else
		dispatch_message(env, addon, message, dispatch);
	napi_close_handle_scope(env, scope);
	free(message->data);
	free(message);
}

/* ---- Engine ----------------------------------------------------------------------------------------------- */

/* The object of the handle that is the function's first argument. */
static void *subject(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	curfew_node_arguments(env, info, values);
	return curfew_node_external(env, values[0]);
}

/* Defines the finalizer of an object whose handle was collected. */
#define FINALIZER(name, destroy)                                                                                       \
	static void name(napi_env env, void *data, void *hint)                                                             \
	{                                                                                                                  \
		(void)env;                                                                                                     \
		(void)hint;                                                                                                    \
		destroy(data);                                                                                                 \
	}

FINALIZER(finalize_engine, curfew_engine_destroy)

/* engineCreate(threads, cacheDir, residentBytes, maxRuns) */
static napi_value engine_create(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS], handle;
	curfew_engine *engine;
	curfew_failure failure = {{0}};
	int64_t resident = 0;
	curfew_node_arguments(env, info, values);
	napi_get_value_int64(env, values[2], &resident);
	char *cache_dir = curfew_node_string(env, values[1], NULL);
	curfew_engine_options options = {.size = sizeof options,
	                                 .threads = curfew_node_number(env, values[0]),
	                                 .cache_dir = cache_dir,
	                                 .resident_bytes = (uint64_t)resident,
	                                 .max_runs = curfew_node_number(env, values[3])};

	curfew_status status = curfew_engine_create(&options, &engine, &failure);
	free(cache_dir);
	if (status != CURFEW_OK)
		return curfew_node_throw(env, status, &failure);
	napi_create_external(env, engine, finalize_engine, NULL, &handle);
	return handle;
}

static void set_number(napi_env env, napi_value object, const char *name, uint64_t number)
{
	napi_value value;
	napi_create_double(env, number == CURFEW_UNLIMITED ? -1 : (double)number, &value);
	napi_set_named_property(env, object, name, value);
}

/* A uint64_t in a struct, with its JavaScript name. */
struct count {
	const char *name;
	size_t offset;
};

#define COUNTS(list) list, sizeof(list) / sizeof *(list)

static napi_value object_of(napi_env env, const void *numbers, const struct count *counts, size_t length)
{
	napi_value object;
	napi_create_object(env, &object);
	for (size_t i = 0; i < length; i++) {
		uint64_t number;
		memcpy(&number, (const char *)numbers + counts[i].offset, sizeof number);
		set_number(env, object, counts[i].name, number);
	}
	return object;
}

/* engineStats(engine) */
static napi_value engine_stats(napi_env env, napi_callback_info info)
{
	static const struct count counts[] = {
		{"runsActive", offsetof(curfew_engine_stats, runs_active)},
		{"regionsInUse", offsetof(curfew_engine_stats, regions_in_use)},
		{"regionsPooled", offsetof(curfew_engine_stats, regions_pooled)},
		{"runsTotal", offsetof(curfew_engine_stats, runs_total)},
		{"residentBytes", offsetof(curfew_engine_stats, resident_bytes)},
	};
	curfew_engine_stats stats = {.size = sizeof stats};
	curfew_engine_get_stats(subject(env, info), &stats);
	return object_of(env, &stats, COUNTS(counts));
}

/* ---- Program ---------------------------------------------------------------------------------------------- */

FINALIZER(finalize_program, curfew_program_destroy)

static napi_value wrap_program(napi_env env, curfew_program *program)
{
	napi_value handle;
	napi_create_external(env, program, finalize_program, NULL, &handle);
	return handle;
}

/* programCreate(engine, Buffer, language, name, importDir, flags, importMap) */
static napi_value program_create(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	curfew_program *program;
	curfew_failure failure = {{0}};
	curfew_node_arguments(env, info, values);
	curfew_source source = {.size = sizeof source,
	                        .language = (curfew_language)curfew_node_number(env, values[2]),
	                        .flags = curfew_node_number(env, values[5])};
	char *text = curfew_node_string(env, values[1], &source.text_length);
	char *name = curfew_node_string(env, values[3], NULL);
	char *import_dir = curfew_node_string(env, values[4], NULL);
	char *import_map = curfew_node_string(env, values[6], &source.import_map_length);
	source.text = text;
	source.name = name;
	source.import_dir = import_dir;
	source.import_map = import_map;

	curfew_status status = curfew_program_create(curfew_node_external(env, values[0]), &source, &program, &failure);
	free(text);
	free(name);
	free(import_dir);
	free(import_map);
	return status == CURFEW_OK ? wrap_program(env, program) : curfew_node_throw(env, status, &failure);
}

/* programLoad(engine, Buffer) */
static napi_value program_load(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	curfew_program *program;
	curfew_failure failure = {{0}};
	void *data = NULL;
	size_t length = 0;
	curfew_node_arguments(env, info, values);
	napi_get_buffer_info(env, values[1], &data, &length);
	curfew_status status = curfew_program_load(curfew_node_external(env, values[0]), data, length, &program, &failure);
	return status == CURFEW_OK ? wrap_program(env, program) : curfew_node_throw(env, status, &failure);
}

static void release_function(void *context)
{
	struct host_function *function = context;
	free(function->type);
	free(function);
}

static bool fill_function(napi_env env, struct addon *addon, napi_value row, curfew_host_function *function)
{
	struct host_function *own = calloc(1, sizeof *own);
	int64_t fuel = 0;
	if (own == NULL)
		return false;
	own->addon = addon;
	own->id = curfew_node_number(env, curfew_node_property(env, row, "id"));
	own->type = curfew_node_string(env, curfew_node_property(env, row, "type"), NULL);
	napi_get_value_bool(env, curfew_node_property(env, row, "isAsync"), &own->is_async);
	napi_get_value_int64(env, curfew_node_property(env, row, "fuel"), &fuel);
	*function = (curfew_host_function){
		.size = sizeof *function,
		.flags = own->is_async ? CURFEW_HOST_ASYNC : 0,
		.name = curfew_node_string(env, curfew_node_property(env, row, "name"), NULL),
		.module = curfew_node_string(env, curfew_node_property(env, row, "module"), NULL),
		.type = own->type,
		.fuel = (uint64_t)fuel,
		.call = own->is_async ? curfew_node_on_call : NULL,
		.queue = own->is_async ? NULL : addon->calls,
		.stopped = own->is_async ? curfew_node_on_stopped : NULL,
		.context = own,
		.released = release_function};
	return true;
}

/* programSetFunctions(program, [{id, name, module, type, fuel, isAsync}]) */
static napi_value program_set_functions(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	curfew_failure failure = {{0}};
	curfew_status status = CURFEW_NO_MEMORY;
	struct addon *addon = curfew_node_arguments(env, info, values);
	uint32_t count = 0, filled = 0;
	napi_get_array_length(env, values[1], &count);
	curfew_host_function *functions = calloc(count + 1, sizeof *functions);
	for (; functions != NULL && filled < count; filled++) {
		napi_value row;
		napi_get_element(env, values[1], filled, &row);
		if (!fill_function(env, addon, row, &functions[filled]))
			break;
	}

	if (functions != NULL && filled == count)
		status = curfew_program_set_functions(curfew_node_external(env, values[0]), functions, count, &failure);
	for (uint32_t i = 0; i < filled; i++) {
		free((char *)(uintptr_t)functions[i].name);
		free((char *)(uintptr_t)functions[i].module);
		if (status != CURFEW_OK)
			release_function(functions[i].context);
	}
	free(functions);
	return status == CURFEW_OK ? NULL : curfew_node_throw(env, status, &failure);
}

/* programKind(program) */
static napi_value program_kind(napi_env env, napi_callback_info info)
{
	napi_value kind;
	napi_create_string_utf8(env, curfew_program_kind(subject(env, info)), NAPI_AUTO_LENGTH, &kind);
	return kind;
}

/* programSave(program) -> Buffer */
static napi_value program_save(napi_env env, napi_callback_info info)
{
	napi_value buffer;
	curfew_failure failure = {{0}};
	void *image;
	size_t length;
	curfew_status status = curfew_program_save(subject(env, info), &image, &length, &failure);
	if (status != CURFEW_OK)
		return curfew_node_throw(env, status, &failure);
	napi_create_buffer_copy(env, length, image, NULL, &buffer);
	curfew_free(image);
	return buffer;
}

/* programRunSync(program, options...) -> [JSON, exit code] */
static napi_value program_run_sync(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS], result = NULL;
	curfew_failure failure = {{0}};
	curfew_report *report;
	struct options options;
	curfew_node_arguments(env, info, values);
	if (curfew_node_options(env, values + 1, &options)) {
		curfew_status status = curfew_program_run(curfew_node_external(env, values[0]), &options.run, &report,
		                                          &failure);
		if (status == CURFEW_OK)
			result = curfew_node_report(env, report);
		else
			curfew_node_throw(env, status, &failure);
		if (status == CURFEW_OK)
			curfew_report_destroy(report);
	}
	curfew_node_options_free(&options);
	return result;
}

/* ---- Run -------------------------------------------------------------------------------------------------- */

static void on_done(void *context, curfew_run *unused)
{
	struct run *run = context;
	(void)unused;
	if (atomic_exchange(&run->state, RUN_ENDED) == RUN_TELLS)
		curfew_node_post(run->addon, &(struct message){.kind = MESSAGE_DONE, .id = run->id, .run = run});
}

static void on_event(void *context, curfew_event_kind kind, const char *data, size_t length)
{
	struct run *run = context;
	char *copy = malloc(length + 1);
	if (copy == NULL)
		return;
	memcpy(copy, data, length);
	curfew_node_post(
		run->addon,
		&(struct message){.kind = MESSAGE_EVENT, .id = run->id, .event = (int)kind, .data = copy, .length = length});
}

static void destroy_run(struct run *run)
{
	curfew_run_destroy(run->run);
	free(run);
}

FINALIZER(finalize_run, destroy_run)

static napi_value link_run(napi_env env, struct run *run)
{
	struct addon *addon = run->addon;
	napi_value handle;
	run->next = addon->runs;
	run->place = &addon->runs;
	if (addon->runs != NULL)
		addon->runs->place = &run->next;
	addon->runs = run;
	if (addon->active++ == 0)
		napi_ref_threadsafe_function(env, addon->queue);
	napi_create_external(env, run, finalize_run, NULL, &handle);
	return handle;
}

/*
 * runStart(program, id, wants events, is brief, options...) -> run; its messages have that id. If it is brief, runEnd
 * must be called next.
 */
static napi_value run_start(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS], handle = NULL;
	curfew_failure failure = {{0}};
	curfew_status status = CURFEW_NO_MEMORY;
	struct options options;
	bool events = false, is_brief = false;
	struct run *run = calloc(1, sizeof *run);
	struct addon *addon = curfew_node_arguments(env, info, values);
	bool valid = curfew_node_options(env, values + 4, &options);
	if (valid && run != NULL) {
		run->addon = addon;
		run->id = curfew_node_number(env, values[1]);
		napi_get_value_bool(env, values[2], &events);
		napi_get_value_bool(env, values[3], &is_brief);
		atomic_init(&run->state, is_brief ? RUN_WATCHED : RUN_TELLS);
		options.run.on_done = on_done;
		options.run.on_done_context = run;
		options.run.on_event = events ? on_event : NULL;
		options.run.on_event_context = run;
		status = curfew_run_start(curfew_node_external(env, values[0]), &options.run, &run->run, &failure);
	}

	if (status == CURFEW_OK)
		handle = link_run(env, run);
	else
		free(run);
	if (valid && status != CURFEW_OK)
		curfew_node_throw(env, status, &failure);
	curfew_node_options_free(&options);
	return handle;
}

/*
 * runEnd(run) -> its report, or undefined if the run takes longer than this thread waits. Then a message follows. A
 * brief run ends sooner than two threads could be woken.
 */
static napi_value run_end(napi_env env, napi_callback_info info)
{
	struct run *run = subject(env, info);
	struct timespec began, now;
	unsigned watched = RUN_WATCHED;
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		__builtin_ia32_pause();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (atomic_load(&run->state) == RUN_WATCHED &&
	         (now.tv_sec - began.tv_sec) * 1000000000L + now.tv_nsec - began.tv_nsec < BRIEF_NS);
	return atomic_compare_exchange_strong(&run->state, &watched, RUN_TELLS) ? NULL : end_run(env, run);
}

/* runCancel(run) */
static napi_value run_cancel(napi_env env, napi_callback_info info)
{
	const struct run *run = subject(env, info);
	curfew_run_cancel(run->run);
	return NULL;
}

/* runUsage(run) */
static napi_value run_usage(napi_env env, napi_callback_info info)
{
	static const struct count counts[] = {
		{"wallNs", offsetof(curfew_run_usage, wall_ns)},
		{"cpuNs", offsetof(curfew_run_usage, cpu_ns)},
		{"memoryBytes", offsetof(curfew_run_usage, memory_bytes)},
		{"outputBytes", offsetof(curfew_run_usage, output_bytes)},
	};
	const struct run *run = subject(env, info);
	curfew_run_usage usage = {.size = sizeof usage};
	curfew_run_get_usage(run->run, &usage);
	return object_of(env, &usage, COUNTS(counts));
}

/* ---- Session ---------------------------------------------------------------------------------------------- */

FINALIZER(finalize_session, curfew_session_destroy)

/* sessionCreate(program, options...) */
static napi_value session_create(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS], handle = NULL;
	curfew_failure failure = {{0}};
	curfew_session *session;
	struct options options;
	curfew_node_arguments(env, info, values);
	if (curfew_node_options(env, values + 1, &options)) {
		curfew_status status = curfew_session_create(curfew_node_external(env, values[0]), &options.run, &session,
		                                             &failure);
		if (status == CURFEW_OK)
			napi_create_external(env, session, finalize_session, NULL, &handle);
		else
			curfew_node_throw(env, status, &failure);
	}
	curfew_node_options_free(&options);
	return handle;
}

/* sessionCancel(session) returns whether there was a call. */
static napi_value session_cancel(napi_env env, napi_callback_info info)
{
	napi_value was_there;
	napi_get_boolean(env, curfew_session_cancel(subject(env, info)), &was_there);
	return was_there;
}

/* sessionReset(session) */
static napi_value session_reset(napi_env env, napi_callback_info info)
{
	curfew_failure failure = {{0}};
	curfew_status status = curfew_session_reset(subject(env, info), &failure);
	return status == CURFEW_OK ? NULL : curfew_node_throw(env, status, &failure);
}

/* sessionUsable(session) */
static napi_value session_usable(napi_env env, napi_callback_info info)
{
	napi_value usable;
	napi_get_boolean(env, curfew_session_is_usable(subject(env, info)), &usable);
	return usable;
}

/* sessionTotals(session) */
static napi_value session_totals(napi_env env, napi_callback_info info)
{
	static const struct count counts[] = {
		{"calls", offsetof(curfew_session_totals, calls)},
		{"wallNs", offsetof(curfew_session_totals, wall_ns)},
		{"cpuNs", offsetof(curfew_session_totals, cpu_ns)},
		{"fuel", offsetof(curfew_session_totals, fuel)},
		{"loops", offsetof(curfew_session_totals, loops)},
		{"outputBytes", offsetof(curfew_session_totals, output_bytes)},
		{"hostCalls", offsetof(curfew_session_totals, host_calls)},
		{"memoryBytes", offsetof(curfew_session_totals, memory_bytes)},
	};
	curfew_session_totals totals = {.size = sizeof totals};
	curfew_session_get_totals(subject(env, info), &totals);
	return object_of(env, &totals, COUNTS(counts));
}

/* ---- The table of limits and outcomes --------------------------------------------------------------------- */

static void set_text(napi_env env, napi_value object, const char *name, const char *text)
{
	napi_value value;
	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
	napi_set_named_property(env, object, name, value);
}

static napi_value limit_table(napi_env env)
{
	size_t count;
	napi_value table;
	const curfew_limit_info *rows = curfew_limit_table(&count);
	napi_create_array(env, &table);
	for (size_t i = 0; i < count; i++) {
		static const char *const units[] = {"duration", "bytes", "count"};
		napi_value row;
		napi_create_object(env, &row);
		set_text(env, row, "name", rows[i].name);
		set_text(env, row, "reportKey", rows[i].report_key);
		set_text(env, row, "meaning", rows[i].meaning);
		set_text(env, row, "unit", units[rows[i].unit]);
		napi_set_element(env, table, (uint32_t)i, row);
	}
	return table;
}

static napi_value outcome_table(napi_env env)
{
	napi_value table;
	napi_create_object(env, &table);
	for (int i = 0; curfew_outcome_name((curfew_outcome)i) != NULL; i++)
		set_number(env, table, curfew_outcome_name((curfew_outcome)i),
		           (uint64_t)curfew_outcome_exit_code((curfew_outcome)i));
	return table;
}

/* ---- Environment ------------------------------------------------------------------------------------------ */

/* The environment ends. Runs and jobs in progress are cancelled and awaited, since their threads post messages. */
static void on_end(void *context)
{
	struct addon *addon = context;
	struct timespec pause = {.tv_nsec = 200000};
	atomic_store(&addon->closing, true);
	for (struct run *run = addon->runs; run != NULL; run = run->next) {
		curfew_run_cancel(run->run);
		curfew_run_cancel(run->run);
	}
	for (struct run *run = addon->runs; run != NULL; run = run->next)
		curfew_run_wait(run->run);
	curfew_node_jobs_cancel(addon);
	while (atomic_load(&addon->jobs) > 0)
		nanosleep(&pause, NULL);
	curfew_call_queue_destroy(addon->calls);
	addon->calls = NULL;
}

/* Called after the finalizers of all handles, whose runs' threads refer to the addon until then. */
FINALIZER(finalize_addon, free)

/* setDispatcher(function) */
static napi_value set_dispatcher(napi_env env, napi_callback_info info)
{
	napi_value values[CURFEW_NODE_ARGUMENTS];
	struct addon *addon = curfew_node_arguments(env, info, values);
	napi_create_reference(env, values[0], 1, &addon->dispatch);
	return NULL;
}

#define FUNCTION(text, function)                                                                                       \
	{                                                                                                                  \
		text, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL                                                  \
	}

static void define_functions(napi_env env, napi_value exports)
{
	const napi_property_descriptor functions[] = {
		FUNCTION("setDispatcher", set_dispatcher),
		FUNCTION("answer", curfew_node_answer),
		FUNCTION("engineCreate", engine_create),
		FUNCTION("engineStats", engine_stats),
		FUNCTION("programCreate", program_create),
		FUNCTION("programLoad", program_load),
		FUNCTION("programSetFunctions", program_set_functions),
		FUNCTION("programKind", program_kind),
		FUNCTION("programSave", program_save),
		FUNCTION("programRunSync", program_run_sync),
		FUNCTION("programCompile", curfew_node_compile),
		FUNCTION("programInspect", curfew_node_inspect),
		FUNCTION("runStart", run_start),
		FUNCTION("runEnd", run_end),
		FUNCTION("runCancel", run_cancel),
		FUNCTION("runUsage", run_usage),
		FUNCTION("sessionCreate", session_create),
		FUNCTION("sessionCall", curfew_node_session_call),
		FUNCTION("sessionEval", curfew_node_session_eval),
		FUNCTION("sessionCancel", session_cancel),
		FUNCTION("sessionReset", session_reset),
		FUNCTION("sessionUsable", session_usable),
		FUNCTION("sessionTotals", session_totals),
	};
	napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
}

NAPI_MODULE_INIT()
{
	napi_value name;
	struct addon *addon = calloc(1, sizeof *addon);
	if (addon == NULL || curfew_call_queue_create(curfew_node_on_waiting, addon, &addon->calls) != CURFEW_OK)
		return NULL;
	napi_create_string_utf8(env, "curfew", NAPI_AUTO_LENGTH, &name);
	napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, addon, on_message, &addon->queue);
	napi_unref_threadsafe_function(env, addon->queue);
	napi_set_instance_data(env, addon, finalize_addon, NULL);
	napi_add_env_cleanup_hook(env, on_end, addon);

	define_functions(env, exports);
	napi_set_named_property(env, exports, "limitTable", limit_table(env));
	napi_set_named_property(env, exports, "outcomes", outcome_table(env));
	set_text(env, exports, "version", curfew_version());
	return exports;
}
