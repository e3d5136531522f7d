/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each returns the exit code. */
#ifndef CURFEW_CLI_COMMANDS_H
#define CURFEW_CLI_COMMANDS_H

#include <stdio.h>
#include "files.h"
#include "options.h"

int cli_run(const cli_arguments *arguments);
int cli_compile(const cli_arguments *arguments);
int cli_inspect(const cli_arguments *arguments);
int cli_calibrate(const cli_arguments *arguments);
int cli_bench(const cli_arguments *arguments);
int cli_secret(const cli_arguments *arguments);
int cli_serve(const cli_arguments *arguments);
int cli_token(const cli_arguments *arguments);
/* The place of a server's database, for the commands that use it directly. NULL after an error was reported. */
const char *cli_store_place(const cli_arguments *arguments);
int cli_admin(const cli_arguments *arguments);
int cli_doctor(const cli_arguments *arguments);
int cli_submit(const cli_arguments *arguments);
int cli_ps(const cli_arguments *arguments);
int cli_logs(const cli_arguments *arguments);
int cli_cancel(const cli_arguments *arguments);
int cli_programs(const cli_arguments *arguments);
int cli_schedules(const cli_arguments *arguments);
int cli_repl(const cli_arguments *arguments);
int cli_mcp(const cli_arguments *arguments);

/* ---- What they share (session.c) ------------------------------------------------------------------------- */

/* Checks that --params is a JSON array. CLI_GO_ON, or the exit code after an error was reported. */
int cli_check_params(const cli_arguments *arguments);
/* Checks each host of --allow-fetch. CLI_GO_ON, or the exit code after an error was reported. */
int cli_check_hosts(const cli_list *hosts);
/*
 * The call's parameters: --params or, for JavaScript, each ARG as a string. *params (free with free; may be NULL) and
 * *length. CLI_GO_ON, or the exit code after an error was reported.
 */
int cli_make_params(const cli_arguments *arguments, bool is_js, char **params, size_t *length);

/* What --dir and --allow-env grant. */
/*
 * Makes a bundle of a program and its imports. To find these, the program is loaded under limits. A program that
 * imports nothing is unchanged. CLI_GO_ON, or the exit code after an error was reported.
 */
int cli_bundle(cli_source *source);

typedef struct cli_wasi {
	curfew_dir *dirs; /* [dir_count] */
	size_t dir_count;
	char **env; /* [env_count] NAME=value */
	size_t env_count;
	char **texts; /* that dirs point into; ends with NULL */
} cli_wasi;

/* CLI_GO_ON, or the exit code after an error was reported. It must be finished in any case. */
int cli_wasi_init(const cli_arguments *arguments, cli_wasi *wasi);
/* Sets the WASI part of options, which is borrowed. The program gets standard input, unless it was itself read from
 * there. */
void cli_wasi_apply(const cli_wasi *wasi, const cli_arguments *arguments, curfew_run_options *options);
void cli_wasi_finish(cli_wasi *wasi);

/* Creates an engine with the user's cache, or without one if that cannot be used. flags: CURFEW_ENGINE_*. */
curfew_status cli_engine_create(uint32_t threads, uint32_t flags, curfew_engine **engine, curfew_failure *failure);
/* The same, for programs whose compilation may need this much memory. */
curfew_status cli_engine_create_for_compiling(uint64_t memory_bytes, curfew_engine **engine, curfew_failure *failure);
/* The flags that the command's options ask for. */
uint32_t cli_engine_flags(const cli_arguments *arguments);

/* Creates the program of a source or image. */
curfew_status cli_program_create(curfew_engine *engine, const cli_source *source, uint32_t flags,
                                 curfew_program **program, curfew_failure *failure);

/*
 * Opens a file of secrets with the key of --secrets-key (NULL: from the environment). CLI_GO_ON, or the exit code after
 * an error was reported, whose message begins with origin ("": it is the command's own file). (secret.c)
 */
int cli_secrets_open(const char *key_path, const char *path, uint32_t flags, const char *origin,
                     curfew_secrets **store);

/* The secrets of --secret and --secrets for a run (secret.c). */
typedef struct cli_grants {
	curfew_secret *items;
	size_t count;
	curfew_secrets *store;
} cli_grants;

/* CLI_GO_ON, or the exit code after an error was reported. It must be finished in any case. */
int cli_grants_init(const cli_arguments *arguments, cli_grants *grants);
/* Sets them, and the user, in the options of a run. */
void cli_grants_put(const cli_grants *grants, const cli_arguments *arguments, curfew_run_options *options);
/* Call it when runs have their copies: wipes the values in the argument list, and closes the store. */
void cli_grants_finish(cli_grants *grants);

/* What the programs of repl and mcp are given. */
typedef struct cli_given {
	cli_grants grants;
	cli_wasi wasi;
} cli_given;

/* CLI_GO_ON, or the exit code after an error was reported. It must be finished in any case. */
int cli_given_init(const cli_arguments *arguments, cli_given *given);
/* Sets it in the options of a run or session, which borrow it. */
void cli_given_put(const cli_given *given, const cli_arguments *arguments, curfew_run_options *options);
void cli_given_finish(cli_given *given);

/* Whether a failure to create a program is the program's fault. */
bool cli_is_program_fault(curfew_status status);

/* Prints a report for people on stderr. */
void cli_report_lines(const curfew_report *report);
/* Prints the report's value, as JSON on a line of its own; returns the exit code. */
int cli_print_value(const curfew_report *report);
/* The exit code for a run that ended like this. */
int cli_exit_of(const curfew_report *report);

#endif
