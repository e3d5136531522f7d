/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to linked code. Compiled code comes from an image, from the cache, or from the compiler, in this order. It
 * is the same in all of them, and for every stack limit. All runs of a program wait for one job of the compiler, which
 * is ended when the last of them has left.
 */
#include "wasm/program.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cache.h"
#include "engine/extra.h"
#include "engine_key.h"
#include "wasm/link.h"
#include "common/mutex.h"

/* The maximum number of inlined calls that are reported for one instruction. */
#define LOCATIONS_MAX 8
/* A program, or its code, of at most so many bytes is read by the thread that needs it, which takes up to about a
 * millisecond. A thread of the loader's reads larger ones. */
#define LITTLE_BYTES ((size_t)64 << 10)

enum {
	PLAIN = CURFEW__PART_CODE,
	METERED = CURFEW__PART_METERED_CODE,
	DESCRIPTION = CURFEW__PART_DESCRIPTION,
	FLAVOURS
};

enum flavour_state { FLAVOUR_NEW, FLAVOUR_ASKED, FLAVOUR_DONE, FLAVOUR_BAD };

enum loading {
	LOADING_NOTHING,
	LOADING_CACHED, /* its code in the cache */
	LOADING_SHELL,  /* its shell, to check the imports */
	LOADING_CODE,   /* its code, for a machine */
};

/* The result of loading. */
typedef struct loaded {
	uint8_t sha256[32];            /* CACHED */
	char name[CURFEW__CACHE_NAME]; /* CACHED: its name in the cache; "": not determined */
	curfew__compiled *compiled;    /* CACHED; NULL: there is none */
	curfew__code *code;            /* CODE */
	bool failed;
	curfew__wasm_error error;
} loaded;

/* What the compiler makes of a program, for one purpose. */
typedef struct curfew__wasm_flavour {
	curfew__wasm_program *program;
	int which;
	enum flavour_state state;
	curfew__asker asker; /* who asked first */
	curfew__job *job;    /* NULL: none, or one that need not be ended any more */
	curfew__wasm_waiter *waiters;
	int interface; /* the shell, not checked yet; -1: none */
	curfew__compiled *code;
	char *description;
	size_t description_length;
	curfew__wasm_error failure;
	enum loading loading;     /* what is being loaded; one thing at a time */
	curfew__load load;        /* the request to the loader */
	curfew__machine *machine; /* SHELL, CODE: the machine to load for */
	curfew__compiled *shell;  /* SHELL: the shell that is checked */
} flavour;

struct curfew__wasm_program {
	curfew__mutex lock;   /* guards everything below that can change */
	const uint8_t *bytes; /* as given */
	uint8_t *copy;        /* owns the bytes; NULL: they are lent, or */
	bool is_mapping;      /* it owns this mapping */
	size_t length;
	uint8_t sha256[32];
	bool has_sha256;
	bool is_text;
	bool is_component; /* as far as known */
	curfew__compiler *compiler;
	const char *cache_dir;
	const void *owner;
	bool is_passed_on;
	curfew__offered offered;
	curfew__code *codes;
	flavour flavours[FLAVOURS];
};

static void load_called(void *context);

static curfew__loader *loader_of(const curfew__wasm_program *program)
{
	return curfew__compiler_loader(program->compiler);
}

static bool is_component(const curfew__wasm_source *source)
{
	static const uint8_t header[] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};
	return !source->is_text && source->length >= sizeof header && !memcmp(source->bytes, header, sizeof header);
}

static bool copy_bytes(curfew__wasm_program *program, const curfew__wasm_source *source)
{
	program->bytes = program->copy = malloc(source->length ? source->length : 1);
	if (!program->copy)
		return false;
	memcpy(program->copy, source->bytes, source->length);
	return true;
}

curfew__wasm_program *curfew__wasm_program_create(const curfew__wasm_source *source)
{
	curfew__wasm_program *program = calloc(1, sizeof *program);

	if (!program)
		return NULL;
	curfew__mutex_init(&program->lock);
	for (int i = 0; i < FLAVOURS; i++)
		program->flavours[i] = (flavour){
			.program = program, .which = i, .interface = -1, .load = {load_called, &program->flavours[i]}};
	program->length = source->length;
	program->has_sha256 = source->sha256 != NULL;
	if (source->sha256)
		memcpy(program->sha256, source->sha256, sizeof program->sha256);
	program->is_text = source->is_text;
	program->is_component = is_component(source);
	program->compiler = source->compiler;
	program->cache_dir = source->cache_dir;
	program->owner = source->owner;
	program->is_passed_on = source->is_passed_on;
	program->bytes = source->bytes;
	if (!source->is_lent && !copy_bytes(program, source)) {
		curfew__wasm_program_destroy(program);
		return NULL;
	}
	return program;
}

void curfew__wasm_program_take_mapping(curfew__wasm_program *program)
{
	program->is_mapping = true;
}

static void finish_flavour(flavour *own)
{
	if (own->job)
		curfew__job_end(own->job);
	if (own->interface >= 0)
		close(own->interface);
	curfew__compiled_unref(own->code);
	free(own->description);
	free(own->failure.message);
}

void curfew__wasm_program_destroy(curfew__wasm_program *program)
{
	if (!program)
		return;
	for (int i = 0; i < FLAVOURS; i++)
		curfew__loader_remove(loader_of(program), &program->flavours[i].load);
	for (curfew__code *code = program->codes, *next; code; code = next) {
		next = code->next;
		curfew__code_destroy(code);
	}
	for (int i = 0; i < FLAVOURS; i++)
		finish_flavour(&program->flavours[i]);
	if (program->is_mapping)
		munmap((void *)(uintptr_t)program->bytes, program->length);
	free(program->copy);
	curfew__mutex_finish(&program->lock);
	free(program);
}

const char *curfew__wasm_program_kind(curfew__wasm_program *program)
{
	curfew__mutex_lock(&program->lock);
	bool component = program->is_component;
	curfew__mutex_unlock(&program->lock);
	return component ? "component" : "module";
}

void curfew__wasm_program_import(curfew__wasm_program *program, const curfew__wasm_import *imports, size_t count)
{
	program->offered = (curfew__offered){imports, count};
}

/* ---- What the compiler tells ------------------------------------------------------------------------------ */

/* Under the lock. */
static void wake_all(const flavour *own)
{
	for (curfew__wasm_waiter *waiter = own->waiters; waiter; waiter = waiter->next)
		waiter->wake(waiter->context);
}

static void set_failure(flavour *own, const curfew__wasm_error *error)
{
	free(own->failure.message);
	own->failure = *error;
	own->state = FLAVOUR_BAD;
}

/* Reads a file as text. It is mapped, because a confined worker may map its files, but not read at an offset. */
static char *read_text(int file, size_t *length)
{
	struct stat status;
	char *text = NULL;
	void *mapped = MAP_FAILED;

	if (!fstat(file, &status) && status.st_size > 0)
		mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (mapped != MAP_FAILED && (text = malloc((size_t)status.st_size + 1))) {
		*length = (size_t)status.st_size;
		memcpy(text, mapped, *length);
		text[*length] = 0;
	}
	if (mapped != MAP_FAILED)
		munmap(mapped, (size_t)status.st_size);
	close(file);
	return text;
}

/* The description begins with the kind, which is returned separately. */
static void take_kind(flavour *own)
{
	static const char module[] = "{\"kind\":\"module\",", component[] = "{\"kind\":\"component\",";
	char *text = own->description;

	own->program->is_component = !strncmp(text, component, strlen(component));
	size_t skip = own->program->is_component ? strlen(component) : strlen(module);
	if (own->description_length < skip)
		return;
	own->description_length -= skip - 1;
	memmove(text + 1, text + skip, own->description_length);
}

static void on_interface(void *context, int file)
{
	flavour *own = context;

	bool is_read = own->which == DESCRIPTION && !own->program->is_passed_on;

	curfew__mutex_lock(&own->program->lock);
	if (is_read && !own->description) {
		own->description = read_text(file, &own->description_length);
		if (own->description)
			take_kind(own);
	} else if (!is_read && own->interface < 0) {
		own->interface = file;
		wake_all(own);
	} else {
		close(file);
	}
	curfew__mutex_unlock(&own->program->lock);
}

/* Under the lock. */
static void take_result(flavour *own, int file, const curfew__compile_failure *failure)
{
	curfew__wasm_error error;

	if (failure) {
		curfew__wasm_fail(&error, "CompileError", failure->internal, failure->why.message);
		error.line = failure->line;
		error.column = failure->column;
		set_failure(own, &error);
	} else if (own->which == DESCRIPTION ? own->description != NULL || own->interface >= 0
	                                     : (own->code = curfew__compiled_open(file, false)) != NULL) {
		own->state = FLAVOUR_DONE;
	} else {
		curfew__wasm_fail(&error, "CompileError", true, "the compiled code cannot be read");
		set_failure(own, &error);
	}
}

static void on_done(void *context, int file, const curfew__compile_failure *failure)
{
	flavour *own = context;

	curfew__mutex_lock(&own->program->lock);
	if (own->state == FLAVOUR_ASKED) {
		take_result(own, file, failure);
		wake_all(own);
	} else if (file >= 0) {
		close(file);
	}
	curfew__mutex_unlock(&own->program->lock);
}

/* ---- Waiting ----------------------------------------------------------------------------------------------- */

/* CPU time for it so far, of the compiler and the loader. Under the lock. */
static uint64_t cpu_of(const flavour *own)
{
	return curfew__loader_cpu(loader_of(own->program), &own->load) + (own->job ? curfew__job_cpu(own->job) : 0);
}

/* Under the lock. */
static void join_waiters(flavour *own, curfew__wasm_waiter *waiter)
{
	if (waiter->at)
		return;
	waiter->at = own;
	waiter->cpu_before_ns = cpu_of(own);
	waiter->next = own->waiters;
	own->waiters = waiter;
}

/* Under the lock. */
static void leave_waiters(curfew__wasm_waiter *waiter)
{
	flavour *own = waiter->at;
	curfew__wasm_waiter **at = own ? &own->waiters : NULL;

	if (!own)
		return;
	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	waiter->at = NULL;
	waiter->cpu_ns += cpu_of(own) - waiter->cpu_before_ns;
}

/* Takes the job of a flavour, if it is over or nobody waits for it. The caller ends it without the lock. Under the
 * lock. */
static curfew__job *take_needless_job(flavour *own)
{
	curfew__job *job = own->job;

	if (own->waiters)
		return NULL;
	own->job = NULL;
	/* If the program was not at fault, a later run tries again. */
	if (own->state == FLAVOUR_BAD && own->failure.internal)
		own->state = FLAVOUR_NEW;
	if (own->state == FLAVOUR_ASKED) {
		own->state = FLAVOUR_NEW;
		if (own->interface >= 0)
			close(own->interface);
		own->interface = -1;
	}
	return job;
}

static void unlock_and_end(curfew__wasm_program *program, curfew__job *job) CURFEW__RELEASES(program->lock);
static void unlock_and_end(curfew__wasm_program *program, curfew__job *job)
{
	curfew__mutex_unlock(&program->lock);
	if (job)
		curfew__job_end(job);
}

void curfew__wasm_program_leave(curfew__wasm_program *program, curfew__wasm_waiter *waiter)
{
	curfew__mutex_lock(&program->lock);
	flavour *own = waiter->at;
	leave_waiters(waiter);
	unlock_and_end(program, own ? take_needless_job(own) : NULL);
}

uint64_t curfew__wasm_waiter_cpu(curfew__wasm_program *program, const curfew__wasm_waiter *waiter)
{
	curfew__mutex_lock(&program->lock);
	uint64_t cpu_ns = waiter->cpu_ns;
	if (waiter->at)
		cpu_ns += cpu_of(waiter->at) - waiter->cpu_before_ns;
	curfew__mutex_unlock(&program->lock);
	return cpu_ns;
}

/* ---- Compiling --------------------------------------------------------------------------------------------- */

/* Under the lock. */
static void ask_compiler(flavour *own, const char *cache_name)
{
	curfew__wasm_program *program = own->program;
	curfew__wasm_error error;

	curfew__compile_request request = {
		.is_text = program->is_text, .metered = own->which == METERED, .describe = own->which == DESCRIPTION};
	curfew__job_listener listener = {own, on_interface, on_done};
	curfew__compile_source source = {program->bytes, program->length, cache_name, program->owner, own->asker};
	own->job = curfew__compiler_start(program->compiler, &request, &source, &listener);
	if (own->job)
		return;
	curfew__wasm_fail(&error, "CompileError", true, "the compiler cannot be started");
	set_failure(own, &error);
}

/* ---- Loading ----------------------------------------------------------------------------------------------- */

/* This needs no lock, because nothing that it reads changes while own->loading is set. */

static void load_cached(const flavour *own, loaded *result)
{
	const curfew__wasm_program *program = own->program;
	char what[128];

	if (program->has_sha256)
		memcpy(result->sha256, program->sha256, sizeof result->sha256);
	else
		curfew__sha256(result->sha256, program->bytes, program->length);
	snprintf(what, sizeof what, "wasm %d %d " CURFEW_ENGINE_KEY " " WASMTIME_VERSION, own->which == METERED,
	         program->is_text);
	curfew__cache_name(what, result->sha256, sizeof result->sha256, result->name);
	int file = curfew__cache_open(program->cache_dir, result->name);
	result->compiled = file >= 0 ? curfew__compiled_open(file, true) : NULL;
}

static void load_shell(const flavour *own, loaded *result)
{
	curfew__code *code = curfew__code_create(own->shell, own->machine, &own->program->offered, &result->error);

	result->failed = !code;
	if (code)
		curfew__code_destroy(code);
}

static void load_code(const flavour *own, loaded *result)
{
	result->code = curfew__code_create(own->code, own->machine, &own->program->offered, &result->error);
	result->failed = !result->code;
}

static void carry_out(const flavour *own, loaded *result)
{
	switch (own->loading) {
	case LOADING_CACHED: load_cached(own, result); break;
	case LOADING_SHELL: load_shell(own, result); break;
	case LOADING_CODE: load_code(own, result); break;
	case LOADING_NOTHING: break;
	}
}

/* Under the lock. is_wanted: somebody waits for it. */
static void take_cached(flavour *own, const loaded *result, bool is_wanted)
{
	curfew__wasm_program *program = own->program;

	if (result->name[0]) {
		memcpy(program->sha256, result->sha256, sizeof program->sha256);
		program->has_sha256 = true;
	}
	own->code = result->compiled;
	own->state = own->code ? FLAVOUR_DONE : is_wanted ? FLAVOUR_ASKED : FLAVOUR_NEW;
	if (own->state == FLAVOUR_ASKED)
		ask_compiler(own, result->name);
}

/* Under the lock. */
static void take_code(flavour *own, curfew__code *code)
{
	code->metered = own->which == METERED;
	code->next = own->program->codes;
	own->program->codes = code;
}

/* Under the lock. */
static void take_loaded(flavour *own, const loaded *result, bool is_wanted)
{
	if (own->loading == LOADING_CACHED)
		take_cached(own, result, is_wanted);
	if (result->code)
		take_code(own, result->code);
	if (result->failed && is_wanted)
		set_failure(own, &result->error);
	else if (result->failed)
		free(result->error.message);
	curfew__compiled_unref(own->shell);
	own->shell = NULL;
	own->machine = NULL;
	own->loading = LOADING_NOTHING;
}

/* On a thread of the loader's. */
static void load_called(void *context)
{
	flavour *own = context;
	curfew__wasm_program *program = own->program;
	loaded result = {.compiled = NULL};

	curfew__mutex_lock(&program->lock);
	bool is_wanted = own->waiters != NULL;
	curfew__mutex_unlock(&program->lock);
	if (is_wanted)
		carry_out(own, &result);
	curfew__mutex_lock(&program->lock);
	take_loaded(own, &result, own->waiters != NULL);
	wake_all(own);
	curfew__mutex_unlock(&program->lock);
}

/* Loads small code on this thread. It keeps the lock, because the threads that want the code wait for the lock as well.
 */
static void load(flavour *own, enum loading what, curfew__machine *machine, size_t bytes)
{
	loaded result = {.compiled = NULL};

	own->loading = what;
	own->machine = machine;
	if (bytes > LITTLE_BYTES && curfew__loader_add(loader_of(own->program), &own->load, &own->asker, bytes))
		return;
	carry_out(own, &result);
	take_loaded(own, &result, true);
	wake_all(own);
}

/* Begins to make the flavour, unless that has begun. Under the lock. */
static void start_flavour(flavour *own, const curfew__wasm_waiter *waiter)
{
	const curfew__wasm_program *program = own->program;

	/* If a load for runs that have left is still in progress, wait for its result. */
	if (own->state != FLAVOUR_NEW || own->loading)
		return;
	own->asker = waiter->asker;
	own->state = own->code ? FLAVOUR_DONE : FLAVOUR_ASKED;
	if (own->code)
		return;
	if (own->which != DESCRIPTION && program->cache_dir)
		load(own, LOADING_CACHED, NULL, program->length);
	else
		ask_compiler(own, "");
}

/* Under the lock. */
static bool is_under_way(const flavour *own)
{
	return own->loading || own->state == FLAVOUR_NEW || own->state == FLAVOUR_ASKED;
}

/* ---- Code --------------------------------------------------------------------------------------------------- */

/* Copies the error for the caller. */
static curfew__wasm_step tell_failure(const flavour *own, curfew__wasm_error *error)
{
	*error = own->failure;
	error->message = own->failure.message ? strdup(own->failure.message) : NULL;
	return CURFEW__WASM_BAD;
}

/* Under the lock. NULL: it is not loaded. */
static const curfew__code *find_code(const flavour *own, const curfew__machine *machine)
{
	const curfew__code *code = own->program->codes;

	while (code && (code->machine != machine || code->metered != (own->which == METERED)))
		code = code->next;
	return code;
}

/* Checks the imports with the shell, before anything is compiled. Under the lock. */
static void open_shell(flavour *own, curfew__machine *machine)
{
	curfew__wasm_error error;

	own->shell = curfew__compiled_open(own->interface, false);
	own->interface = -1;
	if (own->shell) {
		own->program->is_component = own->shell->is_component;
		load(own, LOADING_SHELL, machine, own->shell->length);
		return;
	}
	curfew__wasm_fail(&error, "CompileError", true, "the compiled code cannot be read");
	set_failure(own, &error);
	wake_all(own);
}

/* Loads the code from the compiler or the cache, unless that is in progress. Under the lock. */
static void load_given(flavour *own, curfew__machine *machine)
{
	if (own->loading)
		return;
	if (own->state == FLAVOUR_ASKED && own->interface >= 0) {
		open_shell(own, machine);
	} else if (own->state == FLAVOUR_DONE && !find_code(own, machine)) {
		own->program->is_component = own->code->is_component;
		load(own, LOADING_CODE, machine, own->code->length);
	}
}

/* Returns its progress. Under the lock. */
static curfew__wasm_step step_of(const flavour *own, const curfew__machine *machine, const curfew__code **code,
                                 curfew__wasm_error *error)
{
	if (is_under_way(own))
		return own->loading == LOADING_CACHED || own->loading == LOADING_CODE ? CURFEW__WASM_LOADING
		                                                                      : CURFEW__WASM_COMPILING;
	*code = find_code(own, machine);
	return own->state == FLAVOUR_BAD ? tell_failure(own, error) : CURFEW__WASM_LOADED;
}

curfew__wasm_step curfew__wasm_program_code(curfew__wasm_program *program, curfew__machines *machines, bool metered,
                                            uint64_t stack_bytes, curfew__wasm_waiter *waiter,
                                            const curfew__code **code, curfew__wasm_error *error)
{
	flavour *own = &program->flavours[metered ? METERED : PLAIN];
	curfew_failure failure;
	curfew__machine *machine = curfew__machines_get(machines, stack_bytes, &failure);

	*error = (curfew__wasm_error){0};
	curfew__mutex_lock(&program->lock);
	if (machine) {
		start_flavour(own, waiter);
		load_given(own, machine);
	}
	curfew__wasm_step step = machine ? step_of(own, machine, code, error) : CURFEW__WASM_BAD;
	if (!machine)
		curfew__wasm_fail(error, "CompileError", true, failure.message);
	if (step == CURFEW__WASM_LOADED || step == CURFEW__WASM_BAD) {
		leave_waiters(waiter);
		unlock_and_end(program, take_needless_job(own));
	} else {
		join_waiters(own, waiter);
		curfew__mutex_unlock(&program->lock);
	}
	return step;
}

curfew__wasm_step curfew__wasm_program_describe(curfew__wasm_program *program, curfew__wasm_waiter *waiter,
                                                const char **json, size_t *length, curfew__wasm_error *error)
{
	flavour *own = &program->flavours[DESCRIPTION];
	curfew__wasm_step step = CURFEW__WASM_LOADED;

	*error = (curfew__wasm_error){0};
	curfew__mutex_lock(&program->lock);
	start_flavour(own, waiter);
	if (is_under_way(own)) {
		join_waiters(own, waiter);
		curfew__mutex_unlock(&program->lock);
		return CURFEW__WASM_COMPILING;
	}
	leave_waiters(waiter);
	if (own->state == FLAVOUR_BAD)
		step = tell_failure(own, error);
	*json = own->description;
	*length = own->description_length;
	unlock_and_end(program, take_needless_job(own));
	return step;
}

curfew__wasm_step curfew__wasm_program_part(curfew__wasm_program *program, curfew__wasm_part part,
                                            curfew__wasm_waiter *waiter, bool with_interface, int *file,
                                            curfew__wasm_error *error)
{
	flavour *own = &program->flavours[part];
	curfew__wasm_step step = CURFEW__WASM_LOADED;

	*error = (curfew__wasm_error){0};
	*file = -1;
	curfew__mutex_lock(&program->lock);
	start_flavour(own, waiter);
	bool is_asked = is_under_way(own);
	int from = own->code ? own->code->file : is_asked && !with_interface ? -1 : own->interface;
	if (own->state != FLAVOUR_BAD && from >= 0)
		*file = fcntl(from, F_DUPFD_CLOEXEC, 0);
	if (is_asked) {
		join_waiters(own, waiter);
		curfew__mutex_unlock(&program->lock);
		return CURFEW__WASM_COMPILING;
	}
	leave_waiters(waiter);
	if (own->state == FLAVOUR_BAD) {
		step = tell_failure(own, error);
	} else if (*file < 0) {
		curfew__wasm_fail(error, "CompileError", true, "no descriptor is left for the compiled code");
		step = CURFEW__WASM_BAD;
	}
	unlock_and_end(program, take_needless_job(own));
	return step;
}

/* ---- Images, places ---------------------------------------------------------------------------------------- */

const void *curfew__wasm_program_bytes(const curfew__wasm_program *program, size_t *length, bool *is_text)
{
	*length = program->length;
	*is_text = program->is_text;
	return program->bytes;
}

curfew__compiled *curfew__wasm_program_compiled(curfew__wasm_program *program, bool metered)
{
	curfew__mutex_lock(&program->lock);
	curfew__compiled *code = program->flavours[metered ? METERED : PLAIN].code;
	if (code)
		curfew__compiled_ref(code);
	curfew__mutex_unlock(&program->lock);
	return code;
}

void curfew__wasm_program_adopt(curfew__wasm_program *program, bool metered, curfew__compiled *compiled)
{
	flavour *own = &program->flavours[metered ? METERED : PLAIN];

	curfew__compiled_unref(own->code);
	own->code = compiled;
	if (compiled)
		program->is_component = compiled->is_component;
}

static void place_one(curfew__location *location, curfew__wasm_place place, void *context)
{
	char number[32];

	if (location->hidden)
		return;
	if (!location->function && location->index != CURFEW__NO_INDEX) {
		snprintf(number, sizeof number, "func[%" PRIu32 "]", location->index);
		location->function = number;
	}
	place(context, location);
}

bool curfew__wasm_program_locate(curfew__wasm_program *program, bool metered, uint64_t start, uint64_t offset,
                                 curfew__wasm_place place, void *context)
{
	curfew__location locations[LOCATIONS_MAX];
	curfew__compiled *code = curfew__wasm_program_compiled(program, metered);

	if (!code)
		return false;
	size_t count = curfew__places_find(code->places, code->places_length, start, offset, locations, LOCATIONS_MAX);
	for (size_t i = 0; i < count; i++)
		place_one(&locations[i], place, context);
	bool whole = count && !curfew__places_is_cut(code->places, code->places_length);
	curfew__compiled_unref(code);
	return whole;
}

bool curfew__wasm_program_locate_address(curfew__wasm_program *program, const curfew__code *code, uintptr_t address,
                                         curfew__wasm_place place, void *context)
{
	curfew__location locations[LOCATIONS_MAX];
	size_t module;
	uint64_t offset;

	if (!curfew__code_place(code->module, code->component, address, &module, &offset))
		return false;
	curfew__compiled *compiled = curfew__wasm_program_compiled(program, code->metered);
	if (!compiled)
		return false;
	size_t count = curfew__places_find_in(compiled->places, compiled->places_length, module, offset, locations,
	                                      LOCATIONS_MAX);
	for (size_t i = 0; i < count; i++)
		place_one(&locations[i], place, context);
	curfew__compiled_unref(compiled);
	return true;
}
