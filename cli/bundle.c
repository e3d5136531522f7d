/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles a program with its imports, for a server. */
#include "commands.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

/* Whether the text may import something. If so, the program is loaded to find out. */
static bool may_import(const cli_source *source)
{
	return source->import_map != NULL || source->has_node ||
	       memmem(source->text, source->length, "import", 6) != NULL ||
	       memmem(source->text, source->length, "require", 7) != NULL;
}

static int load(cli_source *source, curfew_program *program)
{
	/* Memory for parsing packages, which is only needed to find their imports. */
	const curfew_limits limits = {
		.size = sizeof limits, .timeout_ns = UINT64_C(60) * 1000000000, .memory_bytes = UINT64_C(1) << 30};
	curfew_failure failure = {.message = ""};
	curfew_report *report = NULL;
	void *bundle = NULL;
	size_t length = 0;
	curfew_status status = curfew_program_bundle(program, &limits, &bundle, &length, &report, &failure);
	int code = report != NULL ? cli_exit_of(report) : status != CURFEW_OK ? CLI_EXIT_BAD_PROGRAM : CLI_GO_ON;

	if (report != NULL)
		cli_report_lines(report);
	else if (status != CURFEW_OK)
		cli_say("%s", failure.message);
	if (bundle != NULL) {
		free(source->text);
		source->text = malloc(length);
		source->length = source->text != NULL ? length : 0;
		if (source->text != NULL)
			memcpy(source->text, bundle, length);
		source->language = CURFEW_LANGUAGE_BUNDLE;
	}

	curfew_free(bundle);
	curfew_report_destroy(report);
	return code;
}

int cli_bundle(cli_source *source)
{
	curfew_failure failure = {.message = ""};
	curfew_engine *engine = NULL;
	curfew_program *program = NULL;
	bool is_js = !source->is_image && !cli_language_is_wasm(source->language) &&
	             source->language != CURFEW_LANGUAGE_BUNDLE;
	if (!is_js || (source->import_dir == NULL && source->import_map == NULL) || !may_import(source))
		return CLI_GO_ON;
	int code = CLI_EXIT_INTERNAL;
	if (cli_engine_create(1, 0, &engine, &failure) != CURFEW_OK ||
	    cli_program_create(engine, source, CURFEW_SOURCE_ONCE, &program, &failure) != CURFEW_OK)
		cli_say("%s", failure.message);
	else
		code = load(source, program);
	curfew_program_destroy(program);
	curfew_engine_destroy(engine);
	return code;
}
