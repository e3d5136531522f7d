/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input of a run besides its parameters, kept in its original JSON: {"args": [...], "env": {...}, "secret_for":
 * [...], "timezone": "...", "stdin": "..." or {"base64": "..."}, "files": {...}}. Standard input and files may be
 * large, so they are not converted to values. The guest itself decodes its files.
 */
#ifndef CURFEW_SERVER_WASI_H
#define CURFEW_SERVER_WASI_H

#include "fields.h"
#include "common/json_scan.h"

typedef struct wasi {
	json_t *args_parsed, *env_parsed, *secret_for_parsed;
	const char **args;       /* [arg_count] */
	const char **secret_for; /* [secret_for_count] */
	char **env;              /* [env_count] "NAME=value" */
	size_t arg_count, env_count, secret_for_count;
	char *timezone; /* NULL: none */
	char *input;    /* [input_length]; NULL: none */
	size_t input_length;
	span files; /* JSON, within the text that was split */
} wasi;

/*
 * Takes these members of a submission, whose standard input and files are separate texts (no data: none). *words is the
 * JSON; free it with free. NULL: there are none, or they are invalid; *wrong says what is wrong.
 */
void wasi_take(fields *f, span input, span files, char **words, fields *wrong);
/* Splits the JSON (NULL: none). False: out of memory. The text must stay valid; it must be finished in any case. */
bool wasi_split(wasi *w, const char *words);
void wasi_finish(wasi *w);

#endif
