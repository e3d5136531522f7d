/* SPDX-License-Identifier: Apache-2.0 */
/* Creates engines from options, with everything that all programs and runs share. */
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/copy_in.h"
#include "base/refuse.h"
#include "engine/cache.h"
#include "engine/interrupt.h"
#include "common/mutex.h"

#define RUNS_DEFAULT 10000
#define RESIDENT_BYTES_DEFAULT ((uint64_t)256 << 20)

static bool create_stacks(curfew_engine *engine)
{
	for (int i = 0; i < CURFEW__STACK_CLASSES; i++) {
		engine->stacks[i] = curfew__stacks_create(curfew__guest_native_stack(i) + 2 * CURFEW__NATIVE_STACK_MORE, false);
		if (!engine->stacks[i])
			return false;
	}
	return true;
}

static curfew_status fill_engine(curfew_engine *engine, const curfew_engine_options *options, curfew_failure *failure)
{
	const curfew__work_calls work = {curfew__run_step, curfew__run_release, curfew__run_unref};
	uint32_t threads = options->threads ? options->threads : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);

	if (options->cache_dir && !curfew__cache_prepare(options->cache_dir, failure))
		return CURFEW_INVALID;
	if (options->cache_dir && !(engine->cache_dir = strdup(options->cache_dir)))
		return CURFEW_NO_MEMORY;
	if (!curfew__interrupt_prepare(failure))
		return CURFEW_SYSTEM;
	if (!(engine->watch = curfew__watch_create())) {
		curfew__fail(failure, "the watch thread cannot be started");
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
	engine->executor = engine->pool ? curfew__executor_create(threads, engine->pool, work) : NULL;
	if (!engine->pool || !engine->machines || !engine->compiler || !engine->image || !engine->redactors ||
	    !engine->executor || !create_stacks(engine)) {
		curfew__fail(failure, "out of memory");
		return CURFEW_NO_MEMORY;
	}
	return CURFEW_OK;
}

curfew_status curfew_engine_create(const curfew_engine_options *options, curfew_engine **engine,
                                   curfew_failure *failure)
{
	curfew_engine_options known = {0};
	curfew_failure inner = {.message = ""};

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
	curfew__mutex_init(&made->lock);
	curfew_status status = fill_engine(made, &known, &inner);
	if (status != CURFEW_OK) {
		curfew__engine_free(made);
		return curfew__refuse(failure, status, inner.message);
	}
	*engine = made;
	return CURFEW_OK;
}
