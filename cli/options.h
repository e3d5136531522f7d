/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and options: one table of each. Parsing, help, the man page and the shell completions are made from them;
 * the limits in it come from curfew_limit_table().
 */
#ifndef CURFEW_CLI_OPTIONS_H
#define CURFEW_CLI_OPTIONS_H

#include "curfew.h"
#include "server/config.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum cli_command_id {
	CLI_RUN,
	CLI_COMPILE,
	CLI_INSPECT,
	CLI_CALIBRATE,
	CLI_BENCH,
	CLI_SECRET,
	CLI_SERVE,
	CLI_TOKEN,
	CLI_ADMIN,
	CLI_DOCTOR,
	CLI_SUBMIT,
	CLI_PS,
	CLI_LOGS,
	CLI_CANCEL,
	CLI_PROGRAMS,
	CLI_SCHEDULES,
	CLI_REPL,
	CLI_MCP,
	CLI_HELP,
	CLI_COMMANDS
} cli_command_id;

typedef struct cli_command {
	const char *name;
	const char *usage;       /* the text after "curfew NAME" */
	const char *summary;     /* one phrase */
	const char *description; /* a paragraph; lines have at most 100 characters */
	const char *actions;     /* its subcommands, separated by spaces; NULL: it has none */
} cli_command;

extern const cli_command cli_commands[CLI_COMMANDS];

/* The default of compile's --timeout: it suffices for the largest programs. */
#define CLI_COMPILE_TIMEOUT_NS (UINT64_C(600) * 1000000000)

typedef enum cli_option_id {
	CLI_OPTION_CALL,
	CLI_OPTION_PARAMS,
	CLI_OPTION_LANG,
	CLI_OPTION_DIR,
	CLI_OPTION_ALLOW_ENV,
	CLI_OPTION_ENV,
	CLI_OPTION_FILE,
	CLI_OPTION_STDIN,
	CLI_OPTION_EVAL,
	CLI_OPTION_IMPORT_DIR,
	CLI_OPTION_IMPORT_MAP,
	CLI_OPTION_NODE,
	CLI_OPTION_OUT,
	CLI_OPTION_RUNS,
	CLI_OPTION_WARM,
	CLI_OPTION_VS,
	CLI_OPTION_ISOLATE,
	CLI_OPTION_HUGEPAGES,
	CLI_OPTION_DETERMINISTIC,
	CLI_OPTION_TIMEZONE,
	CLI_OPTION_USER,
	CLI_OPTION_SECRET,
	CLI_OPTION_SECRET_FOR,
	CLI_OPTION_SECRETS,
	CLI_OPTION_SECRETS_KEY,
	CLI_OPTION_PRINT,
	CLI_OPTION_JSON,
	CLI_OPTION_KEPT,
	CLI_OPTION_ALLOW_FETCH,
	CLI_OPTION_REPORT,
	CLI_OPTION_QUIET,
	CLI_OPTION_CONFIG,
	CLI_OPTION_DATA,
	CLI_OPTION_STORE,
	CLI_OPTION_NAME,
	CLI_OPTION_SCOPES,
	CLI_OPTION_RUNNING,
	CLI_OPTION_QUEUED,
	CLI_OPTION_PER_MINUTE,
	CLI_OPTION_TOP_PRIORITY,
	CLI_OPTION_PROGRAMS_SIZE,
	CLI_OPTION_EXPIRES,
	CLI_OPTION_OLDER_THAN,
	CLI_OPTION_KEEP,
	CLI_OPTION_PROGRAM,
	CLI_OPTION_WAIT,
	CLI_OPTION_DELAY,
	CLI_OPTION_SCHEDULE,
	CLI_OPTION_ZONE,
	CLI_OPTION_OVERLAP,
	CLI_OPTION_WEBHOOK,
	CLI_OPTION_WEBHOOK_SECRET,
	CLI_OPTION_PRIORITY,
	CLI_OPTION_RETRY,
	CLI_OPTION_NOT_DURABLE,
	CLI_OPTION_IDEMPOTENCY_KEY,
	CLI_OPTION_ALL,
	CLI_OPTION_STATE,
	CLI_OPTION_MAX,
	CLI_OPTION_FOLLOW,
	CLI_OPTION_SERVER,
	CLI_OPTION_TOKEN_FILE,
	CLI_OPTION_CA_FILE,
	CLI_OPTION_HELP,
	CLI_OPTION_VERSION,
	CLI_OPTION_IDS,
	CLI_OPTION_LIMIT,   /* one of the limits: see cli_option.limit */
	CLI_OPTION_SETTING, /* one of the server's: see cli_option.setting */
} cli_option_id;

typedef struct cli_option {
	cli_option_id id;
	const char *name;     /* without its dashes */
	char letter;          /* "-o"; 0: none */
	const char *argument; /* "FILE"; NULL: takes none */
	const char *meaning;  /* one phrase */
	const char *values;   /* the possible values for completion, separated by spaces; NULL: any */
	unsigned commands;    /* 1 << cli_command_id each */
	bool repeatable;      /* may be repeated; each value is kept, in cli_arguments.lists */
	const curfew_limit_info *limit;
	size_t setting;        /* row of config_table() */
	char default_text[32]; /* "": none is shown */
} cli_option;

enum { CLI_OPTIONS_MAX = 48 };

/* The argument of --fuel if it may be a time. */
#define CLI_FUEL_OR_TIME "N|DUR"

/* The options of a command, limits first; returns how many. */
size_t cli_list_options(cli_command_id command, cli_option options[CLI_OPTIONS_MAX]);

/* The values of an option that may be repeated, in order. */
typedef struct cli_list {
	const char **items; /* [count]; NULL: not given */
	size_t count;
} cli_list;

/* The name of the code of --eval in stacks and reports, in place of PROGRAM. */
#define CLI_EVAL "[eval]"

typedef struct cli_arguments {
	const char
		*values[CLI_OPTION_IDS];    /* by option; "" for an option without a value that was given; NULL: not given */
	cli_list lists[CLI_OPTION_IDS]; /* of those that may be repeated */
	curfew_limits limits;
	uint64_t fuel_time_ns; /* --fuel as a duration, which cli_fuel_apply converts; 0: it was not a duration */
	const char *fuel_time_text;
	config server;       /* of serve */
	const char *action;  /* of the commands secret, token, admin and programs: "set"; NULL: not given */
	const char *program; /* PROGRAM, or the operand of the action; CLI_EVAL: the code of --eval; NULL: not given */
	cli_list operands;   /* operands of the commands that take several */
	char **rest;         /* the program's arguments, rest_count of them */
	size_t rest_count;
	char *params;            /* the text of --params, if it was read from a file; or NULL */
	const char *params_from; /* its origin: "@FILE" or "-" */
} cli_arguments;

/*
 * Parses the arguments after the command's name. CLI_GO_ON, or the exit code after an error was reported or help was
 * printed. Release the result with cli_arguments_finish in any case.
 */
int cli_parse(cli_command_id command, int count, char **words, cli_arguments *arguments);
void cli_arguments_finish(cli_arguments *arguments);

/* The command of that name, or CLI_COMMANDS. */
cli_command_id cli_find_command(const char *name);
const char *cli_nearest_command(const char *name);
/* The option whose name is most similar. */
const char *cli_nearest_option(const cli_option *options, size_t count, const char *name);
/* Whether the command asks a server. */
bool cli_is_client(cli_command_id command);

int cli_print_help(cli_command_id command);
int cli_print_overview(void);
int cli_print_version(void);

/* Prints the man page or a completion: kind is "man", "bash", "zsh" or "fish". */
int cli_generate(const char *kind);

/* Removes a database's address from the arguments, which other users can see: it may contain a password. */
void cli_hide_place(const char *given);

#endif
