/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wasmtime alone, from the same library, in its common form: unchanged modules, a thread that increments the epoch
 * every millisecond, a store with a deadline in epochs. Answers speed, late and fresh of bench/wasm.c, with the
 * variants none (nothing is counted or checked), epochs and fuel (fuel and epochs). A component exports a function of a
 * u32. It also answers compile: how long a file takes on one thread.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wasm.h>
#include <wasmtime.h>

enum { NONE, EPOCHS, FUEL, VARIANTS };
enum { TICK_NS = 1000000, PARAMS_MAX = 1, RESULTS_MAX = 1 };

static const char *const names[VARIANTS] = {"none", "epochs", "fuel"};
static const char small_text[] =
	"(module (memory 1) (func (export \"run\") (param i32) (result i32)\n"
	" (i32.store (i32.const 8) (local.get 0)) (i32.add (i32.load (i32.const 8)) (i32.const 1))))";

static wasm_engine_t *engines[VARIANTS];
static atomic_bool ending;

struct entry {
	char path[1024];
	int variant;
	wasmtime_module_t *module;
	wasmtime_instance_pre_t *pre;
	wasmtime_component_t *component; /* set instead of both */
};

static struct entry entries[1024];
static size_t entry_count;

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what, wasmtime_error_t *error)
{
	wasm_byte_vec_t text = {0};

	if (error)
		wasmtime_error_message(error, &text);
	fprintf(stderr, "%s: %.*s\n", what, (int)text.size, text.size ? text.data : "");
	exit(1);
}

static void *tick(void *context)
{
	while (!atomic_load(&ending)) {
		struct timespec pause = {0, TICK_NS};

		nanosleep(&pause, NULL);
		wasmtime_engine_increment_epoch(engines[EPOCHS]);
		wasmtime_engine_increment_epoch(engines[FUEL]);
	}
	return context;
}

static void add_entry(const char *path, int variant, const char *bytes, size_t length)
{
	struct entry *entry = &entries[entry_count];
	wasmtime_linker_t *linker = wasmtime_linker_new(engines[variant]);
	wasmtime_error_t *error = wasmtime_module_new(engines[variant], (const uint8_t *)bytes, length, &entry->module);

	if (!error)
		error = wasmtime_linker_instantiate_pre(linker, entry->module, &entry->pre);
	if (error)
		die(path, error);
	wasmtime_linker_delete(linker);
	snprintf(entry->path, sizeof entry->path, "%s", path);
	entry->variant = variant;
	entry_count++;
}

static void add_component(const char *path, int variant, const char *bytes, size_t length)
{
	struct entry *entry = &entries[entry_count++];
	wasmtime_error_t *error = wasmtime_component_new(engines[variant], (const uint8_t *)bytes, length,
	                                                 &entry->component);

	if (error)
		die(path, error);
	snprintf(entry->path, sizeof entry->path, "%s", path);
	entry->variant = variant;
}

static void add_text(const char *path, int variant, const char *text, size_t length)
{
	wasm_byte_vec_t binary;
	wasmtime_error_t *error = wasmtime_wat2wasm(text, length, &binary);

	if (error)
		die(path, error);
	/* The second half of the version field is the kind of the file. */
	if (binary.size > 6 && binary.data[6] == 1)
		add_component(path, variant, binary.data, binary.size);
	else
		add_entry(path, variant, binary.data, binary.size);
	wasm_byte_vec_delete(&binary);
}

static void add_file(const char *path, int variant)
{
	static char bytes[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;

	if (!length)
		die(path, NULL);
	fclose(file);
	if (bytes[0])
		add_text(path, variant, bytes, length);
	else
		add_entry(path, variant, bytes, length);
}

static struct entry *entry_get(const char *path, int variant)
{
	for (size_t i = 0; i < entry_count; i++)
		if (entries[i].variant == variant && !strcmp(entries[i].path, path))
			return &entries[i];
	if (entry_count == sizeof entries / sizeof *entries)
		die("too many programs", NULL);
	if (!strcmp(path, "small"))
		add_text(path, variant, small_text, sizeof small_text - 1);
	else
		add_file(path, variant);
	return &entries[entry_count - 1];
}

/* Makes an instance, calls run, and drops it. True: it ended by itself. */
static bool run_once(const struct entry *entry, uint64_t epochs, size_t param_count, wasmtime_val_t *result)
{
	wasmtime_store_t *store = wasmtime_store_new(engines[entry->variant], NULL, NULL);
	wasmtime_context_t *context = wasmtime_store_context(store);
	wasmtime_val_t param = {.kind = WASMTIME_I32, .of.i32 = 41};
	wasmtime_instance_t instance;
	wasmtime_extern_t found;
	wasm_trap_t *trap = NULL;

	if (entry->variant != NONE)
		wasmtime_context_set_epoch_deadline(context, epochs);
	wasmtime_error_t *error = entry->variant == FUEL ? wasmtime_context_set_fuel(context, UINT64_MAX / 4) : NULL;
	if (!error)
		error = wasmtime_instance_pre_instantiate(entry->pre, context, &instance, &trap);
	if (!error && !trap && wasmtime_instance_export_get(context, &instance, "run", 3, &found)) {
		wasm_functype_t *type = wasmtime_func_type(context, &found.of.func);
		error = wasmtime_func_call(context, &found.of.func, &param, param_count, result,
		                           wasm_functype_results(type)->size, &trap);
		wasm_functype_delete(type);
	}
	bool ended = !error && !trap;
	if (error)
		wasmtime_error_delete(error);
	if (trap)
		wasm_trap_delete(trap);
	wasmtime_store_delete(store);
	return ended;
}

/* The same for a component. Any error ends the process. */
static bool run_component(const struct entry *entry, wasmtime_val_t *result)
{
	wasmtime_store_t *store = wasmtime_store_new(engines[entry->variant], NULL, NULL);
	wasmtime_context_t *context = wasmtime_store_context(store);
	wasmtime_component_linker_t *linker = wasmtime_component_linker_new(engines[entry->variant]);
	wasmtime_component_export_index_t *index = wasmtime_component_get_export_index(entry->component, NULL, "run", 3);
	wasmtime_component_val_t value = {0};
	wasmtime_component_instance_t instance;
	wasmtime_component_func_t function;

	if (entry->variant != NONE)
		wasmtime_context_set_epoch_deadline(context, 1000000);
	wasmtime_error_t *error = entry->variant == FUEL ? wasmtime_context_set_fuel(context, UINT64_MAX / 4) : NULL;
	if (!error)
		error = wasmtime_component_linker_instantiate(linker, context, entry->component, &instance);
	if (!error && index && wasmtime_component_instance_get_func(&instance, context, index, &function))
		error = wasmtime_component_func_call(&function, context, NULL, 0, &value, 1);
	if (error)
		die(entry->path, error);
	result->of.i32 = (int32_t)value.of.u32;
	wasmtime_component_export_index_delete(index);
	wasmtime_component_linker_delete(linker);
	wasmtime_store_delete(store);
	return true;
}

static void speed(int variant, const char *path)
{
	const struct entry *entry = entry_get(path, variant);
	wasmtime_val_t result = {0};
	uint64_t start_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
	bool ended = entry->component ? run_component(entry, &result) : run_once(entry, 1000000, 0, &result);
	uint64_t elapsed_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;

	if (ended)
		printf("{\"ns\": %" PRIu64 ", \"value\": %d}\n", elapsed_ns, result.of.i32);
	else
		printf("{\"error\": \"it did not end\"}\n");
}

static void late(int variant, uint64_t us, const char *path)
{
	const struct entry *entry = entry_get(path, variant);
	wasmtime_val_t result = {0};
	uint64_t due_ns = now_ns(CLOCK_MONOTONIC) + us * 1000;
	/* One more, since the current epoch has begun already. */
	bool ended = run_once(entry, us * 1000 / TICK_NS + 1, 0, &result);
	uint64_t end_ns = now_ns(CLOCK_MONOTONIC);

	printf("{\"outcome\": \"%s\", \"stopped\": %s, \"late_ns\": %" PRIu64 "}\n", ended ? "ok" : "trap",
	       ended ? "false" : "true", end_ns > due_ns ? end_ns - due_ns : 0);
}

static void fresh(size_t count)
{
	const struct entry *entry = entry_get("small", EPOCHS);
	size_t wrong = 0;

	printf("{\"samples_ns\": [");
	for (size_t i = 0; i < count; i++) {
		wasmtime_val_t result = {0};
		uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
		bool ended = run_once(entry, 1000, 1, &result);

		printf("%s%" PRIu64, i ? ", " : "", now_ns(CLOCK_MONOTONIC) - start_ns);
		wrong += !ended || result.of.i32 != 42;
	}
	printf("], \"wrong\": %zu}\n", wrong);
}

/* Functions of the same library that the C API lacks. */
void curfew__config_parallel(wasm_config_t *config, bool parallel);

static uint8_t *read_whole(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;

	if (!file || fseek(file, 0, SEEK_END))
		die(path, NULL);
	*length = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*length + 1);
	if (!bytes || fread(bytes, 1, *length, file) != *length)
		die(path, NULL);
	fclose(file);
	return bytes;
}

static void compile(const char *path)
{
	wasm_config_t *config = wasm_config_new();
	wasmtime_module_t *module = NULL;
	size_t length;
	uint8_t *bytes = read_whole(path, &length);

	curfew__config_parallel(config, false);
	wasm_engine_t *engine = wasm_engine_new_with_config(config);
	uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
	wasmtime_error_t *error = wasmtime_module_new(engine, bytes, length, &module);
	uint64_t end_ns = now_ns(CLOCK_MONOTONIC);
	if (error)
		die(path, error);
	printf("{\"ns\": %" PRIu64 "}\n", end_ns - start_ns);
	wasmtime_module_delete(module);
	wasm_engine_delete(engine);
	free(bytes);
}

static int variant_of(const char *name)
{
	for (int i = 0; i < VARIANTS; i++)
		if (!strcmp(names[i], name))
			return i;
	die(name, NULL);
	return 0;
}

static void answer(const char *line)
{
	char variant[16];
	uint64_t us, mib;
	size_t count;
	int path_at = 0;

	if (sscanf(line, "speed %15s %n", variant, &path_at) == 1 && path_at > 0)
		speed(variant_of(variant), line + path_at);
	else if (sscanf(line, "late %15s %" SCNu64 " %" SCNu64 " %n", variant, &us, &mib, &path_at) == 3 && path_at > 0)
		late(variant_of(variant), us, line + path_at);
	else if (sscanf(line, "fresh %zu", &count) == 1 && count > 0)
		fresh(count);
	else if (!strncmp(line, "compile ", strlen("compile ")))
		compile(line + strlen("compile "));
	else
		printf("{\"error\": \"unknown command\"}\n");
}

int main(void)
{
	char line[1200];
	pthread_t ticker;

	for (int i = 0; i < VARIANTS; i++) {
		wasm_config_t *config = wasm_config_new();

		wasmtime_config_epoch_interruption_set(config, i != NONE);
		wasmtime_config_consume_fuel_set(config, i == FUEL);
		engines[i] = wasm_engine_new_with_config(config);
	}
	if (pthread_create(&ticker, NULL, tick, NULL))
		die("no thread can be started", NULL);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		answer(line);
		fflush(stdout);
	}
	atomic_store(&ending, true);
	pthread_join(ticker, NULL);
	return 0;
}
