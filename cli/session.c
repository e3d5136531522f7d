/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share: parameters, the engine, programs, and telling a person about a report. */
#include "commands.h"
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Parameters ------------------------------------------------------------------------------------------ */

void cli_write_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < 0x20)
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}

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

int cli_make_params(const cli_arguments *arguments, char **params, size_t *length)
{
	const char *given = arguments->values[CLI_OPTION_PARAMS];
	*params = NULL;
	*length = 0;
	if (given == NULL && arguments->rest_count == 0)
		return -1;
	if (given != NULL && arguments->rest_count > 0)
		return cli_usage_error("--params and arguments after -- exclude each other: %s", arguments->rest[0]);
	*params = given != NULL ? strdup(given) : rest_to_json(arguments, length);
	if (*params == NULL) {
		cli_say("out of memory");
		return CLI_EXIT_INTERNAL;
	}
	*length = strlen(*params);
	curfew_failure failure;
	if (curfew_params_check(*params, *length, &failure) == CURFEW_OK)
		return -1;
	const char *why = strncmp(failure.message, "params: ", 8) == 0 ? failure.message + 8 : failure.message;
	int code = given != NULL ? cli_usage_error("--params %.200s: %s", given, why)
	                         : cli_usage_error("an argument after --: %s", why);
	free(*params);
	*params = NULL;
	return code;
}

/* ---- Engine and program ---------------------------------------------------------------------------------- */

curfew_status cli_engine_create(uint32_t threads, curfew_engine **engine, curfew_failure *failure)
{
	char *cache_dir = cli_cache_dir();
	curfew_engine_options options = {.size = sizeof options, .threads = threads, .cache_dir = cache_dir};
	curfew_status status = curfew_engine_create(&options, engine, failure);
	if (status != CURFEW_OK && cache_dir != NULL) {
		/* A home that cannot be written is no reason not to run: it is only slower. */
		options.cache_dir = NULL;
		status = curfew_engine_create(&options, engine, failure);
	}
	free(cache_dir);
	return status;
}

curfew_language cli_language(const cli_source *source, const cli_arguments *arguments)
{
	/* --lang js says "script or module, told apart by syntax" whatever the file's ending is. */
	bool is_module = source->is_module && arguments->values[CLI_OPTION_LANG] == NULL;
	return is_module ? CURFEW_LANGUAGE_JS_MODULE : CURFEW_LANGUAGE_JS;
}

curfew_status cli_program_create(curfew_engine *engine, const cli_source *source, const cli_arguments *arguments,
                                 uint32_t flags, curfew_program **program, curfew_failure *failure)
{
	if (source->is_image)
		return curfew_program_load(engine, source->text, source->length, program, failure);
	curfew_source in = {
		.size = sizeof in,
		.language = cli_language(source, arguments),
		.name = source->name,
		.text = source->text,
		.text_length = source->length,
		.import_dir = source->import_dir,
		.flags = flags,
	};
	return curfew_program_create(engine, &in, program, failure);
}

bool cli_is_program_fault(curfew_status status)
{
	return status == CURFEW_BAD_PROGRAM || status == CURFEW_BAD_IMAGE || status == CURFEW_INVALID;
}

void cli_tell(const curfew_report *report)
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
