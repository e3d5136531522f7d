/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run is given besides its parameters, kept as the JSON that it came as: {"args": [...], "env": {...},
 * "timezone": "...", "stdin": "..." or {"base64": "..."}, "files": {...}}. Standard input and files may be large: they
 * are not made into values, and the guest's files not into bytes, which is done in the guest.
 */
#ifndef CURFEW_SERVER_WASI_H
#define CURFEW_SERVER_WASI_H

#include "fields.h"
#include "common/json_scan.h"

typedef struct wasi {
	json_t *args_parsed, *env_parsed;
	const char **args; /* [arg_count] */
	char **env;        /* [env_count] "NAME=value" */
	size_t arg_count, env_count;
	char *timezone; /* NULL: none */
	char *input;    /* [input_length]; NULL: none */
	size_t input_length;
	span files; /* JSON, of the text that was split */
} wasi;

/*
 * Takes these of a submission, whose standard input and files are texts of their own (no data: none): *words is that
 * JSON, free with free; NULL: none is given, or they cannot be. What is wrong with them is said in *wrong.
 */
void wasi_take(fields *f, span input, span files, char **words, fields *wrong);
/* NULL is none. False: out of memory. The text must stay; to be finished in any case. */
bool wasi_split(wasi *w, const char *words);
void wasi_finish(wasi *w);

#endif
