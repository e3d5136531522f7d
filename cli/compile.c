/* SPDX-License-Identifier: Apache-2.0 */
/* curfew compile: parses a program under limits and writes its image. */
#include "commands.h"
#include "say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The default of --memory for WebAssembly: it suffices for the largest programs. */
#define MEMORY_BYTES (UINT64_C(8) << 30)

/* PROGRAM with the ending .curfew instead of its own. Free with free. */
static char *default_target(const char *program)
{
	const char *name = cli_base_name(program);
	const char *dot = strrchr(name, '.');
	size_t stem = dot != NULL && dot != name ? (size_t)(dot - program) : strlen(program);
	size_t size = stem + sizeof ".curfew";
	char *target = malloc(size);
	if (target != NULL)
		(void)snprintf(target, size, "%.*s.curfew", (int)stem, program);
	return target;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat first;
	struct stat second;
	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* Checks the options. -1: they are valid. */
static int check_arguments(const cli_arguments *arguments, const char *target)
{
	bool is_stdin = strcmp(arguments->program, "-") == 0;
	if (arguments->rest_count > 0)
		return cli_usage_error("compile runs nothing, so it takes no arguments for the program: %s",
		                       arguments->rest[0]);
	if (is_stdin && arguments->values[CLI_OPTION_LANG] == NULL)
		return cli_usage_error("- (standard input) needs --lang js, wasm or wat");
	if (is_stdin && arguments->values[CLI_OPTION_OUT] == NULL)
		return cli_usage_error("- (standard input) needs -o FILE");
	if (!is_stdin && is_same_file(arguments->program, target))
		return cli_usage_error("-o %s: is PROGRAM itself", target);
	int error = cli_file_check(target);
	if (error != 0)
		return cli_usage_error("-o %s: %s", target, strerror(error));
	return CLI_GO_ON;
}

static int refuse_program(const cli_arguments *arguments, curfew_outcome outcome, const char *message)
{
	if (arguments->values[CLI_OPTION_QUIET] == NULL)
		cli_say("%s: %s", curfew_outcome_name(outcome), message);
	return curfew_outcome_exit_code(outcome);
}

static int save(curfew_program *program, const char *target)
{
	curfew_failure failure = {.message = ""};
	void *image = NULL;
	size_t length = 0;
	curfew_status status = curfew_program_save(program, &image, &length, &failure);
	if (status != CURFEW_OK) {
		cli_say("cannot save the image: %s", failure.message[0] != '\0' ? failure.message : curfew_status_text(status));
		return CLI_EXIT_INTERNAL;
	}
	int error = cli_file_write(target, image, length);
	curfew_free(image);
	if (error == 0)
		return CLI_EXIT_OK;
	cli_say("-o %s: %s", target, strerror(error));
	return CLI_EXIT_INTERNAL;
}

static int compile(const cli_arguments *arguments, const cli_source *source, curfew_engine *engine, const char *target)
{
	curfew_failure failure = {.message = ""};
	curfew_program *program = NULL;
	curfew_report *report = NULL;
	int code;
	curfew_limits limits = arguments->limits;

	if (limits.timeout_ns == 0)
		limits.timeout_ns = CLI_COMPILE_TIMEOUT_NS;
	cli_source own = *source;
	own.has_node = arguments->values[CLI_OPTION_NODE] != NULL;
	curfew_status status = cli_program_create(engine, &own, 0, &program, &failure);
	if (status == CURFEW_OK)
		status = curfew_program_compile(program, &limits, &report, &failure);
	if (status == CURFEW_OK) {
		code = save(program, target);
	} else if (report != NULL) {
		if (arguments->values[CLI_OPTION_QUIET] == NULL)
			cli_report_lines(report);
		code = curfew_outcome_exit_code(report->outcome);
	} else {
		code = refuse_program(arguments,
		                      cli_is_program_fault(status) ? CURFEW_OUTCOME_BAD_PROGRAM : CURFEW_OUTCOME_INTERNAL_ERROR,
		                      failure.message[0] != '\0' ? failure.message : curfew_status_text(status));
	}

	curfew_report_destroy(report);
	curfew_program_destroy(program);
	return code;
}

/* Memory for compiling WebAssembly: as much as --memory says. */
static uint64_t memory_of(const cli_arguments *arguments)
{
	return arguments->limits.memory_bytes != 0 ? arguments->limits.memory_bytes : MEMORY_BYTES;
}

static int compile_to(const cli_arguments *arguments, const char *target)
{
	int code = check_arguments(arguments, target);
	if (code != CLI_GO_ON)
		return code;
	curfew_failure failure = {.message = ""};
	cli_source source;
	curfew_engine *engine = NULL;
	if (!cli_source_read(arguments->program, arguments->values[CLI_OPTION_LANG], &source, &failure))
		code = refuse_program(arguments, CURFEW_OUTCOME_BAD_PROGRAM, failure.message);
	else if (!cli_source_set_imports(&source, arguments->program, arguments, &failure))
		code = cli_usage_error("%s", failure.message);
	else if (source.is_image)
		code = cli_usage_error("%s: is an image already", arguments->program);
	else if (cli_engine_create_for_compiling(memory_of(arguments), &engine, &failure) != CURFEW_OK)
		code = refuse_program(arguments, CURFEW_OUTCOME_INTERNAL_ERROR, failure.message);
	else
		code = compile(arguments, &source, engine, target);
	curfew_engine_destroy(engine);
	cli_source_finish(&source);
	return code;
}

int cli_compile(const cli_arguments *arguments)
{
	const char *given = arguments->values[CLI_OPTION_OUT];
	char *target = given != NULL ? strdup(given) : default_target(arguments->program);
	if (target == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	int code = compile_to(arguments, target);
	free(target);
	return code;
}
