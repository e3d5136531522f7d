/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the commands: parameters, the engine, programs, and printing a report for people. */
#include "commands.h"
#include "format.h"
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Parameters ------------------------------------------------------------------------------------------ */

static char *rest_to_json(const cli_arguments *arguments, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);
	if (out == NULL)
		return NULL;
	fputc('[', out);
	for (size_t i = 0; i < arguments->rest_count; i++) {
		fputs(i > 0 ? "," : "", out);
		cli_write_json_string(out, arguments->rest[i]);
	}
	fputc(']', out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int cli_check_params(const cli_arguments *arguments)
{
	const char *given = arguments->values[CLI_OPTION_PARAMS];
	curfew_failure failure;
	if (given == NULL || curfew_params_check(given, strlen(given), &failure) == CURFEW_OK)
		return CLI_GO_ON;
	const char *why = strncmp(failure.message, "params: ", 8) == 0 ? failure.message + 8 : failure.message;
	return cli_usage_error("--params %.200s: %s", arguments->params_from != NULL ? arguments->params_from : given, why);
}

int cli_make_params(const cli_arguments *arguments, bool is_js, char **params, size_t *length)
{
	const char *given = arguments->values[CLI_OPTION_PARAMS];
	bool are_params = arguments->rest_count > 0 && is_js;

	*params = NULL;
	*length = 0;
	if (given == NULL && !are_params)
		return CLI_GO_ON;
	if (given != NULL && are_params)
		return cli_usage_error("--params and the program's arguments exclude each other: %s", arguments->rest[0]);
	*params = given != NULL ? strdup(given) : rest_to_json(arguments, length);
	if (*params == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}

	*length = strlen(*params);
	curfew_failure failure;
	if (curfew_params_check(*params, *length, &failure) == CURFEW_OK)
		return CLI_GO_ON;
	int code = cli_usage_error("an argument of the program: %s", failure.message);
	free(*params);
	*params = NULL;
	return code;
}

/* ---- Hosts ------------------------------------------------------------------------------------------------ */

int cli_check_hosts(const cli_list *hosts)
{
	curfew_failure failure;
	for (size_t i = 0; i < hosts->count; i++) {
		if (curfew_allow_fetch_check(hosts->items[i], &failure) == CURFEW_OK)
			continue;
		const char *why = strstr(failure.message, ": ");
		return cli_usage_error("--allow-fetch %s%s", hosts->items[i], why != NULL ? why : "");
	}
	return CLI_GO_ON;
}

/* ---- WASI ------------------------------------------------------------------------------------------------ */

/* Parses HOST::GUEST, or one path for both, with :ro or :rw at its end. Cuts the text, and the directory points into
 * it. */
static bool parse_dir(char *text, curfew_dir *dir)
{
	size_t length = strlen(text);
	if (length > 3 && (strcmp(text + length - 3, ":ro") == 0 || strcmp(text + length - 3, ":rw") == 0)) {
		dir->flags = text[length - 1] == 'w' ? CURFEW_DIR_WRITE : 0;
		text[length - 3] = '\0';
	}
	char *between = strstr(text, "::");
	if (between != NULL)
		*between = '\0';
	dir->host = text;
	dir->guest = between != NULL ? between + 2 : text;
	return dir->host[0] != '\0' && dir->guest[0] != '\0';
}

static int parse_dirs(const cli_list *given, cli_wasi *wasi)
{
	wasi->dirs = calloc(given->count + 1, sizeof *wasi->dirs);
	wasi->texts = calloc(given->count + 1, sizeof *wasi->texts);
	for (size_t i = 0; wasi->dirs != NULL && wasi->texts != NULL && i < given->count; i++) {
		wasi->texts[i] = strdup(given->items[i]);
		if (wasi->texts[i] == NULL)
			return CLI_EXIT_INTERNAL;
		if (!parse_dir(wasi->texts[i], &wasi->dirs[wasi->dir_count++]))
			return cli_usage_error("--dir %s: give it as HOST::GUEST, then :ro (the default) or :rw", given->items[i]);
		const char *host = wasi->dirs[i].host;
		struct stat status;
		if (stat(host, &status) != 0)
			return cli_usage_error("--dir %s: %s", host, strerror(errno));
		if (!S_ISDIR(status.st_mode))
			return cli_usage_error("--dir %s: %s", host, strerror(ENOTDIR));
	}
	return wasi->dirs != NULL && wasi->texts != NULL ? CLI_GO_ON : CLI_EXIT_INTERNAL;
}

/* Takes ownership of NAME=value, which replaces an earlier one of that name: the last one counts. */
static void set_variable(cli_wasi *wasi, char *item)
{
	size_t at = 0, length = strcspn(item, "=") + 1;
	while (at < wasi->env_count && strncmp(wasi->env[at], item, length) != 0)
		at++;
	if (at == wasi->env_count)
		wasi->env_count++;
	else
		free(wasi->env[at]);
	wasi->env[at] = item;
}

static int parse_allowed_env(const cli_list *given, cli_wasi *wasi)
{
	for (size_t i = 0; i < given->count; i++) {
		const char *name = given->items[i];
		const char *value = getenv(name);
		if (name[0] == '\0' || strchr(name, '=') != NULL)
			return cli_usage_error("--allow-env %s: give the name of a variable", name);
		if (value == NULL)
			continue;
		char *item;
		if (asprintf(&item, "%s=%s", name, value) < 0)
			return CLI_EXIT_INTERNAL;
		set_variable(wasi, item);
	}
	return CLI_GO_ON;
}

/* Adds NAME=VALUE for the program. */
static int parse_env(const cli_list *given, cli_wasi *wasi)
{
	for (size_t i = 0; i < given->count; i++) {
		const char *item = given->items[i];
		if (item[0] == '=' || strchr(item, '=') == NULL)
			return cli_usage_error("--env %s: give it as NAME=VALUE", item);
		char *copy = strdup(item);
		if (copy == NULL)
			return CLI_EXIT_INTERNAL;
		set_variable(wasi, copy);
	}
	return CLI_GO_ON;
}

int cli_wasi_init(const cli_arguments *arguments, cli_wasi *wasi)
{
	*wasi = (cli_wasi){0};
	int code = parse_dirs(&arguments->lists[CLI_OPTION_DIR], wasi);
	const cli_list *allowed = &arguments->lists[CLI_OPTION_ALLOW_ENV], *given = &arguments->lists[CLI_OPTION_ENV];
	wasi->env = calloc(allowed->count + given->count + 1, sizeof *wasi->env);
	if (wasi->env == NULL && code == CLI_GO_ON)
		code = CLI_EXIT_INTERNAL;
	if (code == CLI_GO_ON)
		code = parse_allowed_env(allowed, wasi);
	if (code == CLI_GO_ON)
		code = parse_env(given, wasi);
	if (code == CLI_EXIT_INTERNAL)
		cli_say("out of memory");
	return code;
}

void cli_wasi_apply(const cli_wasi *wasi, const cli_arguments *arguments, curfew_run_options *options)
{
	options->args = (const char *const *)arguments->rest;
	options->arg_count = arguments->rest_count;
	options->env = (const char *const *)wasi->env;
	options->env_count = wasi->env_count;
	options->dirs = wasi->dirs;
	options->dir_count = wasi->dir_count;
	if (strcmp(arguments->program, "-") != 0) {
		options->flags |= CURFEW_RUN_STDIN;
		options->stdin_fd = STDIN_FILENO;
	}
}

void cli_wasi_finish(cli_wasi *wasi)
{
	for (size_t i = 0; i < wasi->env_count; i++)
		free(wasi->env[i]);
	for (size_t i = 0; wasi->texts != NULL && wasi->texts[i] != NULL; i++)
		free(wasi->texts[i]);
	free(wasi->env);
	free(wasi->texts);
	free(wasi->dirs);
}

/* ---- For commands that run what they read ------------------------------------------------------------------- */

int cli_given_init(const cli_arguments *arguments, cli_given *given)
{
	curfew_failure failure;
	const char *timezone = arguments->values[CLI_OPTION_TIMEZONE];
	if (timezone != NULL && curfew_timezone_check(timezone, &failure) != CURFEW_OK)
		return cli_usage_error("--%s", failure.message);
	int code = cli_check_hosts(&arguments->lists[CLI_OPTION_ALLOW_FETCH]);
	if (code == CLI_GO_ON)
		code = cli_wasi_init(arguments, &given->wasi);
	return code == CLI_GO_ON ? cli_grants_init(arguments, &given->grants) : code;
}

void cli_given_put(const cli_given *given, const cli_arguments *arguments, curfew_run_options *options)
{
	options->flags |= arguments->values[CLI_OPTION_DETERMINISTIC] != NULL ? CURFEW_RUN_DETERMINISTIC : 0;
	options->timezone = arguments->values[CLI_OPTION_TIMEZONE];
	options->allow_fetch = arguments->lists[CLI_OPTION_ALLOW_FETCH].items;
	options->allow_fetch_count = arguments->lists[CLI_OPTION_ALLOW_FETCH].count;
	options->env = (const char *const *)given->wasi.env;
	options->env_count = given->wasi.env_count;
	options->dirs = given->wasi.dirs;
	options->dir_count = given->wasi.dir_count;
	cli_grants_put(&given->grants, arguments, options);
}

void cli_given_finish(cli_given *given)
{
	cli_grants_finish(&given->grants);
	cli_wasi_finish(&given->wasi);
}

/* ---- Engine and program ---------------------------------------------------------------------------------- */

uint32_t cli_engine_flags(const cli_arguments *arguments)
{
	return arguments->values[CLI_OPTION_HUGEPAGES] != NULL ? CURFEW_ENGINE_HUGE_PAGES : 0;
}

/* The same, with the directory of the cache. */
static curfew_status create_engine(curfew_engine_options *options, curfew_engine **engine, curfew_failure *failure)
{
	char *cache_dir = cli_cache_dir();
	options->size = sizeof *options;
	options->cache_dir = cache_dir;
	curfew_status status = curfew_engine_create(options, engine, failure);
	if (status != CURFEW_OK && cache_dir != NULL) {
		/* Without a writable cache programs still run, but slower. */
		options->cache_dir = NULL;
		status = curfew_engine_create(options, engine, failure);
	}
	free(cache_dir);
	return status;
}

curfew_status cli_engine_create(uint32_t threads, uint32_t flags, curfew_engine **engine, curfew_failure *failure)
{
	curfew_engine_options options = {.threads = threads, .flags = flags};
	return create_engine(&options, engine, failure);
}

curfew_status cli_engine_create_for_compiling(uint64_t memory_bytes, curfew_engine **engine, curfew_failure *failure)
{
	curfew_engine_options options = {.threads = 1, .compiler_memory_bytes = memory_bytes};
	return create_engine(&options, engine, failure);
}

curfew_status cli_program_create(curfew_engine *engine, const cli_source *source, uint32_t flags,
                                 curfew_program **program, curfew_failure *failure)
{
	if (source->is_image)
		return curfew_program_load(engine, source->text, source->length, program, failure);
	curfew_source in = {
		.size = sizeof in,
		.language = source->language,
		.name = source->name,
		.text = source->text,
		.text_length = source->length,
		.import_dir = source->import_dir,
		.import_map = source->import_map,
		.import_map_length = source->import_map != NULL ? strlen(source->import_map) : 0,
		.import_map_name = source->import_map_name,
		.flags = flags | (source->is_path ? CURFEW_SOURCE_PATH : 0) | (source->has_node ? CURFEW_SOURCE_NODE : 0),
	};
	return curfew_program_create(engine, &in, program, failure);
}

bool cli_is_program_fault(curfew_status status)
{
	return status == CURFEW_BAD_PROGRAM || status == CURFEW_BAD_IMAGE || status == CURFEW_INVALID;
}

void cli_report_lines(const curfew_report *report)
{
	const char *no_color = getenv("NO_COLOR");
	bool colour = isatty(STDERR_FILENO) != 0 && (no_color == NULL || no_color[0] == '\0');
	char *text = NULL;
	size_t length = 0;
	if (curfew_report_to_text(report, colour, &text, &length) != CURFEW_OK) {
		cli_say("%s", curfew_outcome_name(report->outcome));
		return;
	}
	(void)cli_write(STDERR_FILENO, text, length, NULL);
	curfew_free(text);
}

/* Prints what the value lacks. This is the program's text, so it is made safe for the terminal. */
static void show_note(const char *note, bool has_value)
{
	char text[512];
	size_t length = 0;
	for (; note[length] != '\0' && length < sizeof text - 1; length++)
		text[length] = (unsigned char)note[length] < ' ' || note[length] == 0x7f ? '?' : note[length];
	text[length] = '\0';
	cli_say("%s%s", has_value ? "" : "the value is null: ", text);
}

int cli_print_value(const curfew_report *report)
{
	if (report->value_note != NULL)
		show_note(report->value_note, report->value != NULL);
	const char *value = report->value != NULL ? report->value : "null";
	int code = cli_print(value, strlen(value));
	return code != CLI_EXIT_OK ? code : cli_print("\n", 1);
}

int cli_exit_of(const curfew_report *report)
{
	if (report->outcome == CURFEW_OUTCOME_EXITED)
		return report->exit_code & 0xff;
	return curfew_outcome_exit_code(report->outcome);
}
