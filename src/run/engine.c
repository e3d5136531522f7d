/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: what all programs and runs share, until the last of them drops its reference. */
#include "run/run.h"

#include <stdlib.h>

#include "base/copy_in.h"
#include "common/mutex.h"

void curfew__engine_free(curfew_engine *engine)
{
	curfew__executor_destroy(engine->executor);
	curfew__fetcher_destroy(engine->fetcher);
	curfew__watch_destroy(engine->watch);
	for (int i = 0; i < CURFEW__STACK_CLASSES; i++)
		for (int metered = 0; metered < 2; metered++)
			curfew__vm_destroy(engine->vms[i][metered]);
	for (int i = 0; i < CURFEW__STACK_CLASSES; i++)
		curfew__stacks_destroy(engine->stacks[i]);
	curfew__machines_destroy(engine->machines);
	curfew__redactors_destroy(engine->redactors);
	curfew__compiler_destroy(engine->compiler);
	curfew__pool_destroy(engine->pool);
	curfew__image_unref(engine->image);
	curfew__mutex_finish(&engine->lock);
	free(engine->cache_dir);
	free(engine);
}

curfew_engine *curfew__engine_ref(curfew_engine *engine)
{
	atomic_fetch_add(&engine->references, 1);
	return engine;
}

void curfew__engine_unref(curfew_engine *engine)
{
	if (engine && atomic_fetch_sub(&engine->references, 1) == 1)
		curfew__engine_free(engine);
}

void curfew_engine_destroy(curfew_engine *engine)
{
	if (!engine)
		return;
	curfew__executor_settle(engine->executor);
	curfew__engine_unref(engine);
}

curfew__vm *curfew__engine_vm(curfew_engine *engine, bool metered, int stack_class, curfew_failure *failure)
{
	curfew__mutex_lock(&engine->lock);
	curfew__vm **vm = &engine->vms[stack_class][metered];
	if (!*vm)
		*vm = curfew__guest_vm_create(metered, stack_class, engine->cache_dir, failure);
	curfew__mutex_unlock(&engine->lock);
	return *vm;
}

curfew__fetcher *curfew__engine_fetcher(curfew_engine *engine, curfew_failure *failure)
{
	curfew__mutex_lock(&engine->lock);
	if (!engine->fetcher)
		engine->fetcher = curfew__fetcher_create(failure);
	curfew__mutex_unlock(&engine->lock);
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
