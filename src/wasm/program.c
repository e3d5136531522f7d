/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to linked code. Compiled code comes from an image, from the cache, or from the compiler, in this order; it
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

/* Inlined calls that stand at one place, as far as they are told of. */
#define LOCATIONS_MOST 8

enum {
	PLAIN = CURFEW__PART_CODE,
	METERED = CURFEW__PART_METERED_CODE,
	DESCRIPTION = CURFEW__PART_DESCRIPTION,
	FLAVOURS
};

enum flavour_state { FLAVOUR_NEW, FLAVOUR_ASKED, FLAVOUR_DONE, FLAVOUR_BAD };

/* What the compiler makes of a program for one purpose. */
typedef struct curfew__wasm_flavour {
	curfew__wasm_program *program;
	int which;
	enum flavour_state state;
	curfew__job *job; /* NULL: none, or one that has to be ended no more */
	curfew__wasm_waiter *waiters;
	int interface; /* the shell, not looked at yet; -1: none */
	curfew__compiled *code;
	char *description;
	size_t description_length;
	curfew__wasm_error failure;
} flavour;

struct curfew__wasm_program {
	curfew__mutex lock;   /* of everything below, but for what never changes */
	const uint8_t *bytes; /* as given */
	uint8_t *copy;        /* that is where they are; NULL: they are lent */
	size_t length;
	uint8_t sha256[32];
	bool has_sha256;
	bool is_text;
	bool is_component; /* as far as it is known */
	curfew__compiler *compiler;
	const char *cache_dir;
	const void *owner;
	bool is_passed_on;
	curfew__offered offered;
	curfew__code *codes;
	flavour flavours[FLAVOURS];
};

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
		program->flavours[i] = (flavour){.program = program, .which = i, .interface = -1};
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
	for (curfew__code *code = program->codes, *next; code; code = next) {
		next = code->next;
		curfew__code_destroy(code);
	}
	for (int i = 0; i < FLAVOURS; i++)
		finish_flavour(&program->flavours[i]);
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

/* What a file says, as text. It is mapped: a confined worker may map its files, and not read at a place. */
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

/* The description begins with the kind, which is told apart from the rest. */
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
		curfew__wasm_fail(&error, "CompileError", true, "what was compiled cannot be read");
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

/* Under the lock. */
static void join_waiters(flavour *own, curfew__wasm_waiter *waiter)
{
	if (waiter->at)
		return;
	waiter->at = own;
	waiter->cpu_before_ns = own->job ? curfew__job_cpu(own->job) : 0;
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
	if (own->job)
		waiter->cpu_ns += curfew__job_cpu(own->job) - waiter->cpu_before_ns;
}

/* The job of a flavour, if it is over or nobody waits for it: to be ended without the lock. Under the lock. */
static curfew__job *take_needless_job(flavour *own)
{
	curfew__job *job = own->job;

	if (own->waiters)
		return NULL;
	own->job = NULL;
	/* What was not the program's fault is tried again. */
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
	if (waiter->at && waiter->at->job)
		cpu_ns += curfew__job_cpu(waiter->at->job) - waiter->cpu_before_ns;
	curfew__mutex_unlock(&program->lock);
	return cpu_ns;
}

/* ---- Compiling --------------------------------------------------------------------------------------------- */

static void cache_name(curfew__wasm_program *program, bool metered, char name[CURFEW__CACHE_NAME])
{
	char what[128];

	if (!program->has_sha256)
		curfew__sha256(program->sha256, program->bytes, program->length);
	program->has_sha256 = true;
	snprintf(what, sizeof what, "wasm %d %d " CURFEW_ENGINE_KEY " " WASMTIME_VERSION, metered, program->is_text);
	curfew__cache_name(what, program->sha256, sizeof program->sha256, name);
}

static bool read_cache(flavour *own, const char *name)
{
	int file = curfew__cache_open(own->program->cache_dir, name);

	return file >= 0 && (own->code = curfew__compiled_open(file, true)) != NULL;
}

/* Begins to make what is asked for, if nobody has. Under the lock. */
static void begin(flavour *own)
{
	curfew__wasm_program *program = own->program;
	char name[CURFEW__CACHE_NAME] = "";
	curfew__wasm_error error;

	if (own->state != FLAVOUR_NEW)
		return;
	if (own->which != DESCRIPTION && !own->code && program->cache_dir)
		cache_name(program, own->which == METERED, name);
	if (own->code || (name[0] && read_cache(own, name))) {
		own->state = FLAVOUR_DONE;
		return;
	}
	curfew__compile_request request = {
		.is_text = program->is_text, .metered = own->which == METERED, .describe = own->which == DESCRIPTION};
	curfew__job_listener listener = {own, on_interface, on_done};
	own->state = FLAVOUR_ASKED;
	curfew__compile_source source = {program->bytes, program->length, name, program->owner};
	own->job = curfew__compiler_start(program->compiler, &request, &source, &listener);
	if (own->job)
		return;
	curfew__wasm_fail(&error, "CompileError", true, "the compiler cannot be started");
	set_failure(own, &error);
}

/* Why it failed, as the caller's own. */
static curfew__wasm_step tell_failure(const flavour *own, curfew__wasm_error *error)
{
	*error = own->failure;
	error->message = own->failure.message ? strdup(own->failure.message) : NULL;
	return CURFEW__WASM_BAD;
}

static curfew__machine *get_machine(curfew__machines *machines, uint64_t stack_bytes, curfew__wasm_error *error)
{
	curfew_failure failure;
	curfew__machine *machine = curfew__machines_get(machines, stack_bytes, &failure);

	if (!machine)
		curfew__wasm_fail(error, "CompileError", true, failure.message);
	return machine;
}

/* Whether what it imports is there, which its shell shows before anything is compiled. Under the lock. */
static bool can_be_linked(flavour *own, curfew__machines *machines, uint64_t stack_bytes, curfew__wasm_error *error)
{
	curfew__compiled *shell = curfew__compiled_open(own->interface, false);

	own->interface = -1;
	if (!shell)
		return curfew__wasm_fail(error, "CompileError", true, "what was compiled cannot be read");
	own->program->is_component = shell->is_component;
	curfew__machine *machine = get_machine(machines, stack_bytes, error);
	curfew__code *code = machine ? curfew__code_create(shell, machine, &own->program->offered, error) : NULL;
	if (code)
		curfew__code_destroy(code);
	curfew__compiled_unref(shell);
	return code != NULL;
}

/* Under the lock. */
static curfew__wasm_step find_code(flavour *own, curfew__machines *machines, uint64_t stack_bytes,
                                   const curfew__code **found, curfew__wasm_error *error)
{
	curfew__wasm_program *program = own->program;
	curfew__machine *machine = get_machine(machines, stack_bytes, error);
	curfew__code *code = machine ? program->codes : NULL;

	program->is_component = own->code->is_component;
	bool metered = own->which == METERED;
	while (code && (code->machine != machine || code->metered != metered))
		code = code->next;
	if (!code && machine && (code = curfew__code_create(own->code, machine, &program->offered, error))) {
		code->metered = metered;
		code->next = program->codes;
		program->codes = code;
	}
	*found = code;
	return code ? CURFEW__WASM_LOADED : CURFEW__WASM_BAD;
}

curfew__wasm_step curfew__wasm_program_code(curfew__wasm_program *program, curfew__machines *machines, bool metered,
                                            uint64_t stack_bytes, curfew__wasm_waiter *waiter,
                                            const curfew__code **code, curfew__wasm_error *error)
{
	flavour *own = &program->flavours[metered ? METERED : PLAIN];
	curfew__wasm_step step;

	*error = (curfew__wasm_error){0};
	curfew__mutex_lock(&program->lock);
	begin(own);
	if (own->state == FLAVOUR_ASKED && own->interface >= 0 && !can_be_linked(own, machines, stack_bytes, error)) {
		set_failure(own, error);
		wake_all(own);
	}
	if (own->state == FLAVOUR_ASKED) {
		join_waiters(own, waiter);
		curfew__mutex_unlock(&program->lock);
		return CURFEW__WASM_COMPILING;
	}
	leave_waiters(waiter);
	step = own->state == FLAVOUR_BAD ? tell_failure(own, error) : find_code(own, machines, stack_bytes, code, error);
	unlock_and_end(program, take_needless_job(own));
	return step;
}

curfew__wasm_step curfew__wasm_program_describe(curfew__wasm_program *program, curfew__wasm_waiter *waiter,
                                                const char **json, size_t *length, curfew__wasm_error *error)
{
	flavour *own = &program->flavours[DESCRIPTION];
	curfew__wasm_step step = CURFEW__WASM_LOADED;

	*error = (curfew__wasm_error){0};
	curfew__mutex_lock(&program->lock);
	begin(own);
	if (own->state == FLAVOUR_ASKED) {
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
	begin(own);
	bool is_asked = own->state == FLAVOUR_ASKED;
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
		curfew__wasm_fail(error, "CompileError", true, "there is no descriptor for what was compiled");
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
	curfew__location locations[LOCATIONS_MOST];
	curfew__compiled *code = curfew__wasm_program_compiled(program, metered);

	if (!code)
		return false;
	size_t count = curfew__places_find(code->places, code->places_length, start, offset, locations, LOCATIONS_MOST);
	for (size_t i = 0; i < count; i++)
		place_one(&locations[i], place, context);
	bool whole = count && !curfew__places_is_cut(code->places, code->places_length);
	curfew__compiled_unref(code);
	return whole;
}

bool curfew__wasm_program_locate_address(curfew__wasm_program *program, const curfew__code *code, uintptr_t address,
                                         curfew__wasm_place place, void *context)
{
	curfew__location locations[LOCATIONS_MOST];
	size_t module;
	uint64_t offset;

	if (!curfew__code_place(code->module, code->component, address, &module, &offset))
		return false;
	curfew__compiled *compiled = curfew__wasm_program_compiled(program, code->metered);
	if (!compiled)
		return false;
	size_t count = curfew__places_find_in(compiled->places, compiled->places_length, module, offset, locations,
	                                      LOCATIONS_MOST);
	for (size_t i = 0; i < count; i++)
		place_one(&locations[i], place, context);
	curfew__compiled_unref(compiled);
	return true;
}
