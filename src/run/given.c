/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run may see and reach, and where its events go. It is created once from options and never changes; all calls
 * of a session share it. With the last reference its secrets are wiped, and it is freed.
 */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/refuse.h"

/* Sets the hosts that the run may fetch from. */
static curfew_status allow_fetch(curfew__given *given, curfew_engine *engine, const curfew_limits *limits,
                                 const curfew_run_options *options, curfew_failure *failure)
{
	curfew_failure inner = {.message = ""};

	if (!options->allow_fetch_count || options->on_request)
		return CURFEW_OK;
	if (!options->allow_fetch)
		return curfew__refuse(failure, CURFEW_INVALID, "allow_fetch is NULL");
	curfew__allow_list *list = curfew__allow_list_create(options->allow_fetch, options->allow_fetch_count, &inner);
	if (!list)
		return curfew__refuse(failure, CURFEW_INVALID, inner.message);
	curfew__fetcher *fetcher = curfew__engine_fetcher(engine, &inner);
	if (!fetcher) {
		curfew__allow_list_destroy(list);
		return curfew__refuse(failure, CURFEW_SYSTEM, inner.message);
	}
	given->fetch = curfew__fetch_session_create(fetcher, list, curfew__secret_headers_ref(given->secret_headers),
	                                            (size_t)limits->memory_bytes);
	return given->fetch ? CURFEW_OK : curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
}

static curfew_status grant(curfew__given *given, curfew_engine *engine, const curfew_run_options *options,
                           curfew_failure *failure)
{
	curfew_status status = curfew__grants_create(options->secrets, options->secret_count, options->store, options->user,
	                                             &given->grants, failure);

	if (status != CURFEW_OK)
		return status;
	const curfew__grants *grants = given->grants;
	status = curfew__secret_headers_create(options->secret_for, options->secret_for_count,
	                                       grants ? grants->items : NULL, grants ? grants->count : 0,
	                                       &given->secret_headers, failure);
	if (status != CURFEW_OK || !grants)
		return status;
	given->redactor = curfew__redactors_get(engine->redactors, grants->items, grants->count);
	return given->redactor ? CURFEW_OK : curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
}

/* False: out of memory. */
static bool copy_texts(curfew__given *given, const curfew_program *program, const curfew_run_options *options)
{
	bool has_wasi = program->wasm || options->env_count || options->dir_count || options->stdin_bytes ||
	                (options->flags & CURFEW_RUN_STDIN);

	if (options->user && !(given->user = strdup(options->user)))
		return false;
	if (options->timezone && !(given->timezone = strdup(options->timezone)))
		return false;
	if (options->files) {
		/* The text was not checked yet, and may contain anything. */
		if (!(given->files = malloc(options->files_length + 1)))
			return false;
		memcpy(given->files, options->files, options->files_length);
		given->files[options->files_length] = 0;
		given->files_length = options->files_length;
	}
	return !has_wasi || (given->wasi = curfew__wasi_given_create(options, program->name));
}

curfew_status curfew__given_create(const curfew_program *program, const curfew_limits *limits,
                                   const curfew_run_options *options, curfew__given **result, curfew_failure *failure)
{
	*result = NULL;
	if (options->files && options->dir_count && program->wasm)
		return curfew__refuse(failure, CURFEW_INVALID, "a WebAssembly program has either files or directories");
	curfew__given *given = calloc(1, sizeof *given);
	if (!given)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	atomic_init(&given->references, 1);
	given->host_context = options->host_context;
	given->on_event = options->on_event;
	given->on_event_context = options->on_event_context;
	curfew_status status = copy_texts(given, program, options)
	                           ? grant(given, program->engine, options, failure)
	                           : curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	if (status == CURFEW_OK)
		status = allow_fetch(given, program->engine, limits, options, failure);
	if (status == CURFEW_OK)
		*result = given;
	else
		curfew__given_unref(given);
	return status;
}

curfew__given *curfew__given_ref(curfew__given *given)
{
	atomic_fetch_add(&given->references, 1);
	return given;
}

void curfew__given_unref(curfew__given *given)
{
	if (!given || atomic_fetch_sub(&given->references, 1) != 1)
		return;
	curfew__secret_headers_unref(given->secret_headers);
	curfew__redactor_unref(given->redactor);
	curfew__grants_destroy(given->grants);
	curfew__fetch_session_unref(given->fetch);
	curfew__wasi_given_destroy(given->wasi);
	free(given->files);
	free(given->timezone);
	free(given->user);
	free(given);
}

/* ---- What may be reached, as the public interface checks it ----------------------------------------------- */

curfew_status curfew_allow_fetch_check(const char *host, curfew_failure *failure)
{
	curfew_failure inner = {.message = ""};
	curfew__allow_list *list = curfew__allow_list_create(&host, 1, &inner);

	curfew__allow_list_destroy(list);
	return curfew__refuse(failure, list ? CURFEW_OK : CURFEW_INVALID, inner.message);
}

curfew_status curfew_allow_fetch_within(const char *host, const char *const *list, size_t count,
                                        curfew_failure *failure)
{
	curfew_failure inner = {.message = ""};
	curfew__allow_list *one = curfew__allow_list_create(&host, 1, &inner);
	curfew__allow_list *outer = one ? curfew__allow_list_create(list, count, &inner) : NULL;
	curfew_status status = CURFEW_INVALID;

	if (outer)
		status = curfew__allow_list_covers(outer, one) ? CURFEW_OK : CURFEW_NOT_FOUND;
	curfew__allow_list_destroy(one);
	curfew__allow_list_destroy(outer);
	return curfew__refuse(failure, status,
	                      status == CURFEW_NOT_FOUND ? "it is not among the hosts of the list" : inner.message);
}
