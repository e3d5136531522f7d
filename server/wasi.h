/* SPDX-License-Identifier: Apache-2.0 */
/* What a run gives a WASI program: arguments and environment, kept as JSON {"args": [...], "env": {...}}. */
#ifndef CURFEW_SERVER_WASI_H
#define CURFEW_SERVER_WASI_H

#include "fields.h"

typedef struct wasi {
	json_t *parsed;
	const char **args; /* [arg_count] */
	char **env;        /* [env_count] "NAME=value" */
	size_t arg_count, env_count;
} wasi;

/*
 * Takes args and env of a submission: *words is that JSON, free with free; NULL: neither is given, or they cannot be.
 * What is wrong with them is said in *wrong.
 */
void wasi_take(fields *f, char **words, fields *wrong);
/* NULL is none. False: out of memory. To be finished in any case. */
bool wasi_split(wasi *w, const char *words);
void wasi_finish(wasi *w);

#endif
