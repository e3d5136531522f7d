/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of a command line, driven by the table of options. */
#include "options.h"

#include "files.h"
#include "masks.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The library's maximum. */
#define PARAMS_MAX ((size_t)16 << 20)

enum { NAME_SHOWN_MAX = 40 };

/* Iterates over the arguments of a command line. */
typedef struct parser {
	cli_command_id command;
	const cli_option *options;
	size_t option_count;
	char **words;
	int count;
	int at;
	cli_arguments *arguments;
} parser;

/* name need not end where its option's does: "timeout=1s". */
static const cli_option *find_option(const parser *p, const char *name, size_t length)
{
	for (size_t i = 0; i < p->option_count; i++) {
		if (strlen(p->options[i].name) == length && memcmp(p->options[i].name, name, length) == 0)
			return &p->options[i];
	}
	return NULL;
}

static const cli_option *find_letter(const parser *p, char letter)
{
	for (size_t i = 0; i < p->option_count; i++) {
		if (p->options[i].letter == letter)
			return &p->options[i];
	}
	return NULL;
}

/* For commands that run a program, fuel may be given as a time on this machine. */
static bool set_fuel_time(parser *p, const cli_option *option, const char *value)
{
	curfew_limits limits = {.size = sizeof limits};
	bool is_fuel = option->limit->offset == offsetof(curfew_limits, fuel);
	p->arguments->fuel_time_ns = is_fuel ? 0 : p->arguments->fuel_time_ns;
	if (!is_fuel || strcmp(option->argument, CLI_FUEL_OR_TIME) != 0 || strcmp(value, "unlimited") == 0 ||
	    curfew_limits_set(&limits, "timeout", value, NULL) != CURFEW_OK)
		return false;
	p->arguments->fuel_time_ns = limits.timeout_ns;
	p->arguments->fuel_time_text = value;
	return true;
}

static int set_limit(parser *p, const cli_option *option, const char *value)
{
	curfew_failure failure;
	if (set_fuel_time(p, option, value))
		return CLI_GO_ON;
	if (curfew_limits_set(&p->arguments->limits, option->name, value, &failure) == CURFEW_OK)
		return CLI_GO_ON;
	bool may_be_time = strcmp(option->argument, CLI_FUEL_OR_TIME) == 0;
	/* The library's message begins with the limit's name, which is the option's. */
	return cli_usage_error("--%s%s", failure.message, may_be_time ? "; or give a time, such as 250ms" : "");
}

void cli_hide_place(const char *given)
{
	/* Writing to an argument is allowed. */
	char *words = strstr((char *)(uintptr_t)given, "://");
	if (words != NULL)
		memset(words + 3, '*', strlen(words + 3));
}

static int set_setting(parser *p, const cli_option *option, const char *value)
{
	curfew_failure failure;
	/* A flag has no value here. */
	if (config_set(&p->arguments->server, option->setting, option->argument != NULL ? value : "on", &failure)) {
		if (strcmp(option->name, "store") == 0)
			cli_hide_place(value);
		return CLI_GO_ON;
	}
	return cli_usage_error("--%s", failure.message);
}

static bool is_listed(const char *values, const char *value)
{
	size_t length = strlen(value);
	for (const char *at = values; length > 0 && (at = strstr(at, value)) != NULL; at++) {
		bool starts = at == values || at[-1] == ' ';
		if (starts && (at[length] == '\0' || at[length] == ' '))
			return true;
	}
	return false;
}

static int add_to_list(cli_list *list, const char *value)
{
	const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
	if (items == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	items[list->count++] = value;
	list->items = items;
	return CLI_GO_ON;
}

void cli_arguments_finish(cli_arguments *arguments)
{
	for (size_t i = 0; i < CLI_OPTION_IDS; i++)
		free(arguments->lists[i].items);
	free(arguments->operands.items);
	free(arguments->params);
}

static int set_option(parser *p, const cli_option *option, const char *value)
{
	if (option->id == CLI_OPTION_HELP)
		return cli_print_help(p->command);
	if (option->id == CLI_OPTION_VERSION)
		return cli_print_version();
	if (option->id == CLI_OPTION_LIMIT)
		return set_limit(p, option, value);
	if (option->id == CLI_OPTION_SETTING)
		return set_setting(p, option, value);
	if (option->values != NULL && !is_listed(option->values, value))
		return cli_usage_error("--%s %s: must be one of: %s", option->name, value, option->values);
	p->arguments->values[option->id] = value;
	return option->repeatable ? add_to_list(&p->arguments->lists[option->id], value) : CLI_GO_ON;
}

/* The value of an option that needs one: the text after "=" or its letter, or else the next argument. */
static int take_value(parser *p, const cli_option *option, const char *attached)
{
	if (attached != NULL)
		return set_option(p, option, attached);
	if (p->at + 1 >= p->count)
		return cli_usage_error("--%s needs a value: --%s %s", option->name, option->name, option->argument);
	p->at++;
	return set_option(p, option, p->words[p->at]);
}

static int parse_long(parser *p, const char *word)
{
	const char *name = word + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const cli_option *option = find_option(p, name, length);
	if (option == NULL) {
		char shown[NAME_SHOWN_MAX + 1];
		(void)snprintf(shown, sizeof shown, "%.*s", (int)(length < NAME_SHOWN_MAX ? length : NAME_SHOWN_MAX), name);
		return cli_usage_error("unknown option --%s; the nearest one is --%s", shown,
		                       cli_nearest_option(p->options, p->option_count, shown));
	}
	if (option->argument != NULL)
		return take_value(p, option, equals != NULL ? equals + 1 : NULL);
	if (equals != NULL)
		return cli_usage_error("--%s takes no value, but was given %s", option->name, equals + 1);
	return set_option(p, option, "");
}

static int parse_short(parser *p, const char *word)
{
	const cli_option *option = find_letter(p, word[1]);
	if (option == NULL)
		return cli_usage_error("unknown option %s; the nearest one is --%s", word,
		                       cli_nearest_option(p->options, p->option_count, word + 1));
	if (option->argument != NULL)
		return take_value(p, option, word[2] != '\0' ? word + 2 : NULL);
	if (word[2] != '\0')
		return cli_usage_error("unknown option %s; the nearest one is -%c", word, option->letter);
	return set_option(p, option, "");
}

/* Whether the arguments after PROGRAM are its own. */
static bool takes_arguments(cli_command_id command)
{
	return ((RUN | BENCH | SUBMIT) & 1u << command) != 0;
}

/* Whether there is a PROGRAM, or something in its place. */
static bool has_program(const parser *p)
{
	const cli_arguments *arguments = p->arguments;
	return arguments->program != NULL || arguments->values[CLI_OPTION_EVAL] != NULL;
}

static int refuse_second(const parser *p, const char *word)
{
	return cli_usage_error("unexpected argument %s after %s", word, p->arguments->program);
}

/* The program's arguments: this argument and all that follow it. */
static void take_rest(parser *p, int at)
{
	p->arguments->rest = p->words + at;
	p->arguments->rest_count = (size_t)(p->count - at);
	p->at = p->count;
}

static int parse_word(parser *p, const char *word)
{
	if (strncmp(word, "--", 2) == 0)
		return parse_long(p, word);
	if (word[0] == '-' && word[1] != '\0')
		return parse_short(p, word);
	if (p->command == CLI_SERVE || p->command == CLI_DOCTOR || p->command == CLI_CALIBRATE || p->command == CLI_PS ||
	    p->command == CLI_REPL || p->command == CLI_MCP)
		return cli_usage_error("unexpected argument %s; see curfew %s --help", word, cli_commands[p->command].name);
	if (((SECRET | TOKEN | ADMIN | PROGRAMS | SCHEDULES) & 1u << p->command) != 0 && p->arguments->action == NULL) {
		p->arguments->action = word;
		return CLI_GO_ON;
	}

	if (takes_arguments(p->command) && has_program(p)) {
		take_rest(p, p->at);
		return CLI_GO_ON;
	}

	if (word[0] == '\0')
		return cli_usage_error("%s is empty", (LIMITED & 1u << p->command) != 0 ? "PROGRAM" : "an argument");
	if (((CANCEL | PROGRAMS | SCHEDULES) & 1u << p->command) != 0)
		return add_to_list(&p->arguments->operands, word);
	if (p->arguments->program != NULL)
		return refuse_second(p, word);
	p->arguments->program = word;
	return CLI_GO_ON;
}

/* After "--" nothing is an option: PROGRAM follows, unless it came before, and then its arguments. */
static int parse_literal(parser *p, int at)
{
	bool is_program = takes_arguments(p->command) && !has_program(p) &&
	                  p->arguments->values[CLI_OPTION_PROGRAM] == NULL;
	if (is_program && at < p->count) {
		p->arguments->program = p->words[at++];
		if (p->arguments->program[0] == '\0')
			return cli_usage_error("PROGRAM is empty");
	}
	take_rest(p, at);
	return CLI_GO_ON;
}

static int parse_words(parser *p)
{
	for (; p->at < p->count; p->at++) {
		const char *word = p->words[p->at];
		int code = strcmp(word, "--") == 0 ? parse_literal(p, p->at + 1) : parse_word(p, word);
		if (code != CLI_GO_ON)
			return code;
	}
	return CLI_GO_ON;
}

/* Checks that the arguments are complete and consistent. */
static int check_program(parser *p)
{
	cli_arguments *arguments = p->arguments;
	const char *name = cli_commands[p->command].name;
	const char *params = arguments->values[CLI_OPTION_PARAMS];
	if (arguments->values[CLI_OPTION_EVAL] != NULL && arguments->program != NULL)
		return cli_usage_error("--eval and %s exclude each other", arguments->program);
	if (arguments->values[CLI_OPTION_EVAL] != NULL)
		arguments->program = CLI_EVAL;
	if (arguments->program == NULL && (LIMITED & 1u << p->command) != 0)
		return cli_usage_error("%s needs a PROGRAM; see curfew %s --help", name, name);
	if (params != NULL && strcmp(params, "-") == 0 && arguments->program != NULL &&
	    strcmp(arguments->program, "-") == 0)
		return cli_usage_error("--params - and PROGRAM -: both would be read from standard input");
	return CLI_GO_ON;
}

/* --params @FILE and --params -: replaces them by the text. */
static int read_params(parser *p)
{
	cli_arguments *arguments = p->arguments;
	const char *given = arguments->values[CLI_OPTION_PARAMS];
	char why[128];
	if (given == NULL || (given[0] != '@' && strcmp(given, "-") != 0))
		return CLI_GO_ON;
	arguments->params = cli_file_read(given[0] == '@' ? given + 1 : given, PARAMS_MAX, why, sizeof why);
	if (arguments->params == NULL)
		return cli_usage_error("--params %s: %s", given, why);
	arguments->params_from = given;
	arguments->values[CLI_OPTION_PARAMS] = arguments->params;
	return CLI_GO_ON;
}

int cli_parse(cli_command_id command, int count, char **words, cli_arguments *arguments)
{
	cli_option options[CLI_OPTIONS_MAX];
	parser p = {.command = command, .words = words, .count = count, .arguments = arguments};
	p.options = options;
	p.option_count = cli_list_options(command, options);
	*arguments = (cli_arguments){.limits = {.size = sizeof(curfew_limits)}};
	if ((command == CLI_SERVE || command == CLI_TOKEN || command == CLI_ADMIN) && !config_init(&arguments->server))
		return cli_usage_error("neither HOME nor XDG_STATE_HOME says where data goes");
	int code = parse_words(&p);
	if (code == CLI_GO_ON)
		code = check_program(&p);
	return code == CLI_GO_ON ? read_params(&p) : code;
}
