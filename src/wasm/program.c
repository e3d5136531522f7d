/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to linked code. Compiled code comes from an image, from what was compiled for another stack limit, from the
 * cache, or from the compiler, in this order; it is the same in all of them.
 */
#include "wasm/program.h"

#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cache.h"
#include "wasm/types.h"

/* Inlined calls that stand at one place, as far as they are told of. */
#define LOCATIONS_MOST 8

struct curfew__wasm_program {
	pthread_mutex_t lock; /* of everything below */
	uint8_t *bytes;       /* as given; binary once it was loaded */
	size_t length;
	bool is_text;
	bool needs_landing[2]; /* plain, metered: its compiled code has no instruction that traps */
	const char *cache_dir;
	const curfew__wasm_import *imports; /* [import_count] */
	size_t import_count;
	curfew__rewritten rewritten[2]; /* plain, metered; made at first need */
	curfew__code *codes;
	curfew__wasm_compiled adopted[2]; /* plain, metered */
	curfew__bytes places[2]; /* plain, metered; made when a stack is first needed */
};

static bool fail(curfew__wasm_error *error, bool internal, const char *message)
{
	error->name = "CompileError";
	error->message = strdup(message);
	error->internal = internal;
	return false;
}

curfew__wasm_program *curfew__wasm_program_create(const curfew__wasm_source *source)
{
	curfew__wasm_program *program = calloc(1, sizeof *program);

	if (!program)
		return NULL;
	pthread_mutex_init(&program->lock, NULL);
	program->length = source->length;
	program->is_text = source->is_text;
	program->cache_dir = source->cache_dir;
	program->bytes = malloc(source->length ? source->length : 1);
	if (!program->bytes) {
		curfew__wasm_program_destroy(program);
		return NULL;
	}
	memcpy(program->bytes, source->bytes, source->length);
	return program;
}

static void destroy_code(curfew__code *code)
{
	if (code->component_pre)
		curfew__component_pre_destroy(code->component_pre);
	if (code->component)
		wasmtime_component_delete(code->component);
	if (code->module_pre)
		wasmtime_instance_pre_delete(code->module_pre);
	if (code->module)
		wasmtime_module_delete(code->module);
	if (code->linker)
		wasmtime_linker_delete(code->linker);
	if (code->component_linker)
		wasmtime_component_linker_delete(code->component_linker);
	curfew__component_functions_destroy(code->functions);
	free(code);
}

void curfew__wasm_program_destroy(curfew__wasm_program *program)
{
	if (!program)
		return;
	for (curfew__code *code = program->codes, *next; code; code = next) {
		next = code->next;
		destroy_code(code);
	}
	for (int metered = 0; metered < 2; metered++) {
		curfew__bytes_finish(&program->places[metered]);
		curfew__rewritten_finish(&program->rewritten[metered]);
		free(program->adopted[metered].bytes);
	}
	free(program->bytes);
	pthread_mutex_destroy(&program->lock);
	free(program);
}

const char *curfew__wasm_program_kind(curfew__wasm_program *program)
{
	static const uint8_t component[] = { 0, 'a', 's', 'm', 0x0d, 0, 1, 0 };

	pthread_mutex_lock(&program->lock);
	bool is_component = !program->is_text && program->length >= 8 && !memcmp(program->bytes, component, 8);
	pthread_mutex_unlock(&program->lock);
	return is_component ? "component" : "module";
}

void curfew__wasm_program_import(curfew__wasm_program *program, const curfew__wasm_import *imports, size_t count)
{
	program->imports = imports;
	program->import_count = count;
}

/* ---- Reading ---------------------------------------------------------------------------------------------- */

/* The parser's message: a line, a place as "--> <anon>:LINE:COLUMN", an excerpt. */
static bool fail_text(curfew__wasm_error *error, wasmtime_error_t *from)
{
	wasm_byte_vec_t text;
	char *message;

	wasmtime_error_message(from, &text);
	wasmtime_error_delete(from);
	message = strndup(text.data, text.size);
	wasm_byte_vec_delete(&text);
	if (!message)
		return false;
	const char *place = strstr(message, "--> <anon>:");
	if (place)
		sscanf(place, "--> <anon>:%u:%u", &error->line, &error->column);
	message[strcspn(message, "\n")] = 0;
	error->name = "CompileError";
	error->message = message;
	return false;
}

static bool read_text(curfew__wasm_program *program, curfew__wasm_error *error)
{
	wasm_byte_vec_t binary;
	wasmtime_error_t *failed = wasmtime_wat2wasm((const char *)program->bytes, program->length, &binary);

	if (failed)
		return fail_text(error, failed);
	uint8_t *bytes = malloc(binary.size ? binary.size : 1);
	if (bytes) {
		memcpy(bytes, binary.data, binary.size);
		free(program->bytes);
		program->bytes = bytes;
		program->length = binary.size;
		program->is_text = false;
	}
	wasm_byte_vec_delete(&binary);
	return bytes || fail(error, true, "out of memory");
}

static uint32_t rewrite_flags(const curfew__wasm_program *program, bool metered)
{
	uint32_t meter = metered ? CURFEW__REWRITE_METER : 0, landing = program->needs_landing[metered] ? CURFEW__REWRITE_LANDING : 0;

	return meter | landing;
}

/* Under the lock. */
static bool load(curfew__wasm_program *program, bool metered, curfew__wasm_error *error)
{
	curfew__rewritten *rewritten = &program->rewritten[metered];
	char message[256];

	if (rewritten->bytes)
		return true;
	if (program->is_text && !read_text(program, error))
		return false;
	if (!curfew__rewrite(program->bytes, program->length, rewrite_flags(program, metered), rewritten, message))
		return fail(error, false, message);
	return true;
}

/* ---- Compiling -------------------------------------------------------------------------------------------- */

static void cache_name(const curfew__wasm_program *program, bool metered, char name[CURFEW__CACHE_NAME])
{
	const curfew__rewritten *rewritten = &program->rewritten[metered];
	char flavour[64];

	snprintf(flavour, sizeof flavour, "wasm %d %d " WASMTIME_VERSION, metered, (int)rewritten->kind);
	curfew__cache_name(flavour, rewritten->bytes, rewritten->length, name);
}

static bool deserialize(curfew__code *code, const void *bytes, size_t length)
{
	char message[256];
	wasm_engine_t *engine = code->machine->engine;

	if (!bytes)
		return false;
	return !curfew__wasm_failed(code->is_component ? wasmtime_component_deserialize(engine, bytes, length, &code->component)
	                                               : wasmtime_module_deserialize(engine, bytes, length, &code->module),
	                            message);
}

static bool serialize(const curfew__code *code, curfew__wasm_compiled *compiled)
{
	wasm_byte_vec_t bytes;
	char message[256];

	if (curfew__wasm_failed(code->is_component ? wasmtime_component_serialize(code->component, &bytes)
	                                           : wasmtime_module_serialize(code->module, &bytes),
	                        message))
		return false;
	compiled->length = bytes.size;
	if ((compiled->bytes = malloc(bytes.size)))
		memcpy(compiled->bytes, bytes.data, bytes.size);
	wasm_byte_vec_delete(&bytes);
	return compiled->bytes != NULL;
}

static void sum_of(const curfew__rewritten *rewritten, uint8_t sum[32])
{
	crypto_hash_sha256(sum, rewritten->bytes, rewritten->length);
}

/* What an image brought along, if it is of this very program as this library rewrites it. */
static bool from_image(const curfew__wasm_program *program, curfew__code *code)
{
	const curfew__wasm_compiled *adopted = &program->adopted[code->metered];
	uint8_t sum[32];

	if (!adopted->bytes)
		return false;
	sum_of(&program->rewritten[code->metered], sum);
	return !memcmp(sum, adopted->sum, sizeof sum) && deserialize(code, adopted->bytes, adopted->length);
}

static bool from_other(const curfew__wasm_program *program, curfew__code *code)
{
	const curfew__code *other = program->codes;
	curfew__wasm_compiled compiled;

	while (other && other->metered != code->metered)
		other = other->next;
	if (!other || !serialize(other, &compiled))
		return false;
	bool good = deserialize(code, compiled.bytes, compiled.length);
	free(compiled.bytes);
	return good;
}

static bool from_cache(const curfew__wasm_program *program, curfew__code *code, const char *name)
{
	size_t length;
	void *bytes = program->cache_dir ? curfew__cache_read(program->cache_dir, name, &length) : NULL;
	bool good = bytes && deserialize(code, bytes, length);

	free(bytes);
	return good;
}

static void keep(const curfew__wasm_program *program, const curfew__code *code, const char *name)
{
	curfew__wasm_compiled compiled;

	if (!program->cache_dir || !serialize(code, &compiled))
		return;
	curfew__cache_write(program->cache_dir, name, compiled.bytes, compiled.length);
	free(compiled.bytes);
}

static bool compile_as_it_is(const curfew__wasm_program *program, curfew__code *code, curfew__wasm_error *error)
{
	const curfew__rewritten *from = &program->rewritten[code->metered];
	wasm_engine_t *engine = code->machine->engine;
	char name[CURFEW__CACHE_NAME], message[256];

	if (from_image(program, code) || from_other(program, code))
		return true;
	cache_name(program, code->metered, name);
	if (from_cache(program, code, name))
		return true;
	if (curfew__wasm_failed(code->is_component ? wasmtime_component_new(engine, from->bytes, from->length, &code->component)
	                                           : wasmtime_module_new(engine, from->bytes, from->length, &code->module),
	                        message))
		return fail(error, false, message);
	keep(program, code, name);
	return true;
}

static bool find_range(curfew__code *code, curfew__wasm_error *error)
{
	if (curfew__code_range_find(code->module, code->component, &code->range))
		return true;
	return fail(error, true, "the compiled code is not laid out as is known: it could not be interrupted");
}

static void forget_compiled(curfew__code *code)
{
	if (code->component)
		wasmtime_component_delete(code->component);
	if (code->module)
		wasmtime_module_delete(code->module);
	code->component = NULL;
	code->module = NULL;
}

static bool has_landing(const curfew__code *code)
{
	return code->range.first == code->range.end || code->range.landing;
}

/* Nearly all code has an instruction that traps. Where there is none it is compiled once more, with one. */
static bool compile(curfew__wasm_program *program, curfew__code *code, curfew__wasm_error *error)
{
	bool metered = code->metered;

	if (!compile_as_it_is(program, code, error) || !find_range(code, error))
		return false;
	if (has_landing(code))
		return true;
	forget_compiled(code);
	program->needs_landing[metered] = true;
	curfew__rewritten_finish(&program->rewritten[metered]);
	if (!load(program, metered, error) || !compile_as_it_is(program, code, error) || !find_range(code, error))
		return false;
	return has_landing(code) || fail(error, true, "the compiled code has no place where it could be interrupted");
}

/* ---- Linking ---------------------------------------------------------------------------------------------- */

static const wasmtime_linker_t *linker_of(const curfew__code *code)
{
	return code->linker ? code->linker : code->machine->linker;
}

/* The imports of a module that the linker does not have. */
static void list_unknown(const curfew__code *code, curfew__buffer *list)
{
	wasm_importtype_vec_t imports;
	wasmtime_store_t *store = wasmtime_store_new(code->machine->engine, NULL, NULL);

	wasmtime_module_imports(code->module, &imports);
	for (size_t i = 0; i < imports.size; i++) {
		const wasm_name_t *module = wasm_importtype_module(imports.data[i]), *name = wasm_importtype_name(imports.data[i]);
		wasmtime_extern_t found;
		if (wasmtime_linker_get(linker_of(code), wasmtime_store_context(store), module->data, module->size,
		                        name->data, name->size, &found)) {
			wasmtime_extern_delete(&found);
			continue;
		}
		curfew__buffer_add(list, ", ", list->length ? 2 : 0);
		curfew__buffer_add(list, module->data, module->size);
		curfew__buffer_add(list, ".", 1);
		curfew__buffer_add(list, name->data, name->size);
		curfew__buffer_add(list, " ", 1);
		curfew__externtype_text(wasm_importtype_type(imports.data[i]), list);
	}
	wasm_importtype_vec_delete(&imports);
	wasmtime_store_delete(store);
}

static curfew__component_host host_of(const curfew__wasm_program *program, const curfew__code *code)
{
	return (curfew__component_host){ code->component, code->machine->engine, program->imports, program->import_count };
}

static void list_imports(const curfew__wasm_program *program, const curfew__code *code, curfew__buffer *list)
{
	curfew__component_host host = host_of(program, code);

	if (code->is_component)
		curfew__component_list_unknown(&host, list);
	else
		list_unknown(code, list);
}

static bool fail_link(const curfew__wasm_program *program, const curfew__code *code, const char *message,
                      curfew__wasm_error *error)
{
	const char *note = program->import_count && !code->is_component
	                       ? " (a module imports host functions of its type, and none that take JSON)"
	                       : "";
	curfew__buffer list, text;

	curfew__buffer_init(&list, 65536);
	curfew__buffer_init(&text, 65600);
	list_imports(program, code, &list);
	if (list.length)
		curfew__buffer_printf(&text, "unknown imports: %.*s%s", (int)list.length, list.data, note);
	bool listed = list.length && !list.failed && !text.failed;
	fail(error, false, listed ? text.data : message);
	error->name = "LinkError";
	curfew__buffer_finish(&list);
	curfew__buffer_finish(&text);
	return false;
}

/* The machine's linker and the host functions. False: *message [256] says which cannot be linked. */
static bool make_linker(const curfew__wasm_program *program, curfew__code *code, char *message)
{
	curfew__component_host host = host_of(program, code);

	if (!program->import_count)
		return true;
	if (code->is_component) {
		code->component_linker = curfew__component_linker_clone(code->machine->component_linker);
		return curfew__component_link(&host, code->component_linker, &code->functions, message);
	}
	code->linker = wasmtime_linker_clone(code->machine->linker);
	return !curfew__wasm_failed(curfew__linker_add_functions(code->linker, program->imports, program->import_count),
	                            message);
}

static bool link(const curfew__wasm_program *program, curfew__code *code, curfew__wasm_error *error)
{
	char message[256];
	wasmtime_error_t *failed = NULL;

	if (!make_linker(program, code, message)) {
		fail(error, false, message);
		error->name = "LinkError";
		return false;
	}
	if (code->is_component)
		code->component_pre = curfew__component_pre_create(
			code->component_linker ? code->component_linker : code->machine->component_linker, code->component, &failed);
	else
		failed = wasmtime_linker_instantiate_pre(linker_of(code), code->module, &code->module_pre);
	return !curfew__wasm_failed(failed, message) || fail_link(program, code, message, error);
}

/* Under the lock. */
static curfew__code *make_code(curfew__wasm_program *program, curfew__machine *machine, bool metered,
                               curfew__wasm_error *error)
{
	curfew__code *code = calloc(1, sizeof *code);

	if (!code) {
		fail(error, true, "out of memory");
		return NULL;
	}
	code->machine = machine;
	code->metered = metered;
	code->is_component = program->rewritten[metered].kind == CURFEW__WASM_COMPONENT;
	code->imports_wasi = program->rewritten[metered].imports_wasi;
	if (compile(program, code, error) && link(program, code, error)) {
		code->next = program->codes;
		program->codes = code;
		return code;
	}
	destroy_code(code);
	return NULL;
}

const curfew__code *curfew__wasm_program_code(curfew__wasm_program *program, curfew__machines *machines, bool metered,
                                              uint64_t stack_bytes, curfew__wasm_error *error)
{
	curfew__machine *machine;
	curfew__code *code = NULL;
	char message[256];

	*error = (curfew__wasm_error){ 0 };
	pthread_mutex_lock(&program->lock);
	if (load(program, metered, error)) {
		machine = curfew__machines_get(machines, stack_bytes, message);
		code = machine ? program->codes : NULL;
		if (!machine)
			fail(error, true, message);
		while (code && (code->machine != machine || code->metered != metered))
			code = code->next;
		if (!code && machine)
			code = make_code(program, machine, metered, error);
	}
	pthread_mutex_unlock(&program->lock);
	return code;
}

/* ---- Images, places, descriptions ------------------------------------------------------------------------- */

const void *curfew__wasm_program_binary(const curfew__wasm_program *program, size_t *length)
{
	*length = program->length;
	return program->bytes;
}

bool curfew__wasm_program_compiled(curfew__wasm_program *program, bool metered, curfew__wasm_compiled *compiled)
{
	pthread_mutex_lock(&program->lock);
	const curfew__code *code = program->codes;
	while (code && code->metered != metered)
		code = code->next;
	bool good = code && serialize(code, compiled);
	if (good)
		sum_of(&program->rewritten[metered], compiled->sum);
	pthread_mutex_unlock(&program->lock);
	return good;
}

void curfew__wasm_program_adopt(curfew__wasm_program *program, bool metered, curfew__wasm_compiled *compiled)
{
	free(program->adopted[metered].bytes);
	program->adopted[metered] = *compiled;
	*compiled = (curfew__wasm_compiled){ 0 };
}

/* Made at first need. Under the lock. */
static const curfew__bytes *places_of(curfew__wasm_program *program, bool metered)
{
	curfew__bytes *places = &program->places[metered];

	if (!places->data)
		curfew__places_create(program->bytes, program->length, rewrite_flags(program, metered), places);
	return places;
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

void curfew__wasm_program_locate(curfew__wasm_program *program, bool metered, uint64_t start, uint64_t offset,
                                 curfew__wasm_place place, void *context)
{
	curfew__location locations[LOCATIONS_MOST];

	pthread_mutex_lock(&program->lock);
	const curfew__bytes *places = places_of(program, metered);
	size_t count = curfew__places_find(places->data, places->length, start, offset, locations, LOCATIONS_MOST);
	for (size_t i = 0; i < count; i++)
		place_one(&locations[i], place, context);
	pthread_mutex_unlock(&program->lock);
}

bool curfew__wasm_program_locate_address(curfew__wasm_program *program, const curfew__code *code, uintptr_t address,
                                         curfew__wasm_place place, void *context)
{
	curfew__location locations[LOCATIONS_MOST];
	size_t module;
	uint64_t offset;

	if (!curfew__code_place(code->module, code->component, address, &module, &offset))
		return false;
	pthread_mutex_lock(&program->lock);
	const curfew__bytes *places = places_of(program, code->metered);
	size_t count = curfew__places_find_in(places->data, places->length, module, offset, locations, LOCATIONS_MOST);
	for (size_t i = 0; i < count; i++)
		place_one(&locations[i], place, context);
	pthread_mutex_unlock(&program->lock);
	return true;
}

bool curfew__wasm_program_imports_wasi(curfew__wasm_program *program)
{
	pthread_mutex_lock(&program->lock);
	bool imports = program->rewritten[0].imports_wasi || program->rewritten[1].imports_wasi;
	pthread_mutex_unlock(&program->lock);
	return imports;
}

void curfew__wasm_program_describe(curfew__wasm_program *program, curfew__buffer *buffer)
{
	pthread_mutex_lock(&program->lock);
	const curfew__code *code = program->codes;
	if (code && code->is_component)
		curfew__component_describe(code->component, code->machine->engine, buffer);
	else if (code)
		curfew__module_describe(code->module, buffer);
	pthread_mutex_unlock(&program->lock);
}
