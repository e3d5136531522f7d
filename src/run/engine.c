/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: what all programs and runs share. */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/copy_in.h"
#include "base/refuse.h"
#include "engine/cache.h"
#include "engine/interrupt.h"

#define RUNS_DEFAULT 10000
#define RESIDENT_BYTES_DEFAULT ((uint64_t)256 << 20)

static void free_engine(curfew_engine *engine)
{
	curfew__executor_destroy(engine->executor);
	curfew__fetcher_destroy(engine->fetcher);
	curfew__watch_destroy(engine->watch);
	for (int i = 0; i < CURFEW__STACK_CLASSES; i++)
		for (int metered = 0; metered < 2; metered++)
			curfew__vm_destroy(engine->vms[i][metered]);
	curfew__machines_destroy(engine->machines);
	curfew__redactors_destroy(engine->redactors);
	curfew__compiler_destroy(engine->compiler);
	curfew__pool_destroy(engine->pool);
	curfew__image_unref(engine->image);
	pthread_mutex_destroy(&engine->lock);
	free(engine->cache_dir);
	free(engine);
}

static curfew_status fill_engine(curfew_engine *engine, const curfew_engine_options *options, char *message)
{
	uint32_t threads = options->threads ? options->threads : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);

	if (options->cache_dir && !curfew__cache_prepare(options->cache_dir, message))
		return CURFEW_INVALID;
	if (options->cache_dir && !(engine->cache_dir = strdup(options->cache_dir)))
		return CURFEW_NO_MEMORY;
	if (!curfew__interrupt_prepare(message))
		return CURFEW_SYSTEM;
	if (!(engine->watch = curfew__watch_create())) {
		snprintf(message, 256, "the watch thread cannot be started");
		return CURFEW_SYSTEM;
	}
	engine->pool = curfew__pool_create(options->resident_bytes ? options->resident_bytes : RESIDENT_BYTES_DEFAULT,
	                                   options->pagemap_fd, options->flags & CURFEW_ENGINE_HUGE_PAGES);
	engine->machines = engine->pool ? curfew__machines_create(engine->pool) : NULL;
	engine->on_compile = options->on_compile;
	engine->compile_context = options->compile_context;
	engine->compiler = curfew__engine_compiler(options, engine->cache_dir, engine);
	engine->max_runs = options->max_runs ? options->max_runs : RUNS_DEFAULT;
	engine->image = curfew__guest_image_create();
	engine->redactors = curfew__redactors_create();
	engine->executor = engine->pool ? curfew__executor_create(threads, engine->pool) : NULL;
	if (!engine->pool || !engine->machines || !engine->compiler || !engine->image || !engine->redactors ||
	    !engine->executor) {
		snprintf(message, 256, "out of memory");
		return CURFEW_NO_MEMORY;
	}
	return CURFEW_OK;
}

curfew_status curfew_engine_create(const curfew_engine_options *options, curfew_engine **engine,
                                   curfew_failure *failure)
{
	curfew_engine_options known = {0};
	char message[256] = "";

	curfew__refuse(failure, CURFEW_OK, "");
	if (!engine) {
		return curfew__refuse(failure, CURFEW_INVALID, "engine is NULL");
	}
	*engine = NULL;
	if (options && !curfew__copy_in(&known, sizeof known, options)) {
		return curfew__refuse(failure, CURFEW_INVALID, "options.size is not that of a curfew_engine_options");
	}
	if (known.flags & ~CURFEW_ENGINE_HUGE_PAGES)
		return curfew__refuse(failure, CURFEW_INVALID, "options.flags has a flag that is not a CURFEW_ENGINE_* value");
	if (known.reserved || known.reserved2)
		return curfew__refuse(failure, CURFEW_INVALID, "options.reserved is not 0");
	if (known.compile > CURFEW_COMPILE_ELSEWHERE)
		return curfew__refuse(failure, CURFEW_INVALID, "options.compile is not a CURFEW_COMPILE_* value");
	if ((known.compile == CURFEW_COMPILE_ELSEWHERE) != (known.on_compile != NULL))
		return curfew__refuse(failure, CURFEW_INVALID, "options.on_compile belongs to CURFEW_COMPILE_ELSEWHERE");
	curfew_engine *made = calloc(1, sizeof *made);
	if (!made) {
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}
	atomic_init(&made->references, 1);
	pthread_mutex_init(&made->lock, NULL);
	curfew_status status = fill_engine(made, &known, message);
	if (status != CURFEW_OK) {
		free_engine(made);
		return curfew__refuse(failure, status, message);
	}
	*engine = made;
	return CURFEW_OK;
}

curfew_engine *curfew__engine_ref(curfew_engine *engine)
{
	atomic_fetch_add(&engine->references, 1);
	return engine;
}

void curfew_engine_destroy(curfew_engine *engine)
{
	if (engine && atomic_fetch_sub(&engine->references, 1) == 1)
		free_engine(engine);
}

curfew__vm *curfew__engine_vm(curfew_engine *engine, bool metered, int stack_class, char *message)
{
	pthread_mutex_lock(&engine->lock);
	curfew__vm **vm = &engine->vms[stack_class][metered];
	if (!*vm)
		*vm = curfew__guest_vm_create(metered, stack_class, engine->cache_dir, message);
	pthread_mutex_unlock(&engine->lock);
	return *vm;
}

curfew__fetcher *curfew__engine_fetcher(curfew_engine *engine, char *message)
{
	pthread_mutex_lock(&engine->lock);
	if (!engine->fetcher)
		engine->fetcher = curfew__fetcher_create(message);
	pthread_mutex_unlock(&engine->lock);
	return engine->fetcher;
}

size_t curfew_engine_stack_bytes(const curfew_engine *engine)
{
	(void)engine;
	return curfew__guest_native_stack(CURFEW__STACK_USUAL) + 2 * CURFEW__NATIVE_STACK_MORE;
}

void curfew_engine_get_stats(curfew_engine *engine, curfew_engine_stats *stats)
{
	curfew_engine_stats known = {.size = stats->size};

	known.runs_active = atomic_load(&engine->runs_active);
	known.runs_total = atomic_load(&engine->runs_total);
	curfew__pool_counts counts = curfew__pool_count(engine->pool);
	known.regions_in_use = counts.in_use;
	known.regions_pooled = counts.pooled;
	known.resident_bytes = counts.resident_bytes;
	curfew__copy_out(stats, &known, sizeof known);
}

void curfew_free(void *memory)
{
	free(memory);
}

const char *curfew_version(void)
{
	return CURFEW_VERSION;
}

curfew_status curfew_cancel_create(curfew_engine *engine, curfew_cancel **cancel)
{
	if (!engine || !cancel)
		return CURFEW_INVALID;
	*cancel = (curfew_cancel *)curfew__signal_create(engine->watch);
	return *cancel ? CURFEW_OK : CURFEW_NO_MEMORY;
}

void curfew_cancel_fire(curfew_cancel *cancel)
{
	if (cancel)
		curfew__signal_fire((curfew__signal *)cancel);
}

void curfew_cancel_destroy(curfew_cancel *cancel)
{
	curfew__signal_unref((curfew__signal *)cancel);
}
