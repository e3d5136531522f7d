/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each returns the exit code. */
#ifndef CURFEW_CLI_COMMANDS_H
#define CURFEW_CLI_COMMANDS_H

#include <stdio.h>
#include "files.h"
#include "options.h"

int cli_run(const cli_arguments *arguments);
int cli_compile(const cli_arguments *arguments);
int cli_bench(const cli_arguments *arguments);
int cli_secret(const cli_arguments *arguments);

/* ---- What they share (session.c) ------------------------------------------------------------------------- */

/*
 * The call's parameters: --params, or each ARG as a string. *params (free with free; may be NULL) and *length. -1, or
 * the exit code after an error was said.
 */
int cli_make_params(const cli_arguments *arguments, char **params, size_t *length);

/* An engine with the user's cache, or without where that cannot be used. */
curfew_status cli_engine_create(uint32_t threads, curfew_engine **engine, curfew_failure *failure);

/* What a source that is no image is written in. */
curfew_language cli_language(const cli_source *source, const cli_arguments *arguments);

/* The program of a source, an image included. */
curfew_status cli_program_create(curfew_engine *engine, const cli_source *source, const cli_arguments *arguments,
                                 uint32_t flags, curfew_program **program, curfew_failure *failure);

/* What --secret and --secrets give to a run (secret.c). */
typedef struct cli_grants {
	curfew_secret *items;
	size_t count;
	curfew_secrets *store;
} cli_grants;

/* -1, or the exit code after an error was said; to be finished in any case. */
int cli_grants_init(const cli_arguments *arguments, cli_grants *grants);
/* Names them, and the user, in the options of a run. */
void cli_grants_put(const cli_grants *grants, const cli_arguments *arguments, curfew_run_options *options);
/* Runs that were started have copies: wipes the values in the argument list, closes the store. */
void cli_grants_finish(cli_grants *grants);

/* Whether a failure to create a program is the program's fault. */
bool cli_is_program_fault(curfew_status status);

/* Tells a person on stderr what a report says. */
void cli_tell(const curfew_report *report);

/* Writes a string as JSON, quotes included. */
void cli_write_json_string(FILE *out, const char *text);

#endif
