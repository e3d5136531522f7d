/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curfew inspect: describes a program. The library's description is JSON, which is printed as it is or as aligned text.
 * Names in it are the program's own, and are made safe for a terminal.
 */
#include "commands.h"
#include "format.h"
#include "say.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_COLUMN_MAX = 48, TEXT_MAX = 4096 };

typedef struct page {
	FILE *out;
	int kind_width;
	int name_width;
} page;

static const char *text_of(const json_t *item, const char *key)
{
	const char *text = json_string_value(json_object_get(item, key));
	return text != NULL ? text : "";
}

/* MODULE.NAME for an import of a module, otherwise NAME, as one safe line. */
static void format_name(const json_t *item, char text[TEXT_MAX])
{
	char whole[TEXT_MAX];
	const char *module = text_of(item, "module");
	int length = snprintf(whole, sizeof whole, "%s%s%s", module, module[0] != '\0' ? "." : "", text_of(item, "name"));
	cli_format_line(whole, length < TEXT_MAX ? (size_t)length : TEXT_MAX - 1, text, TEXT_MAX);
}

/* Computes the widths of the columns. The contents of an instance are printed below it, indented. */
static void measure(page *p, const json_t *items, int indent)
{
	char name[TEXT_MAX];
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
	{
		format_name(item, name);
		int kind_length = (int)strlen(text_of(item, "kind")) + indent;
		int length = (int)strlen(name);
		if (kind_length > p->kind_width)
			p->kind_width = kind_length;
		if (length > p->name_width && length <= NAME_COLUMN_MAX)
			p->name_width = length;
		measure(p, json_object_get(item, "exports"), indent + 2);
	}
}

static void print_items(const page *p, const json_t *items, int indent)
{
	char name[TEXT_MAX];
	char type[TEXT_MAX];
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item)
	{
		const char *given = text_of(item, "type");
		format_name(item, name);
		cli_format_line(given, strlen(given), type, sizeof type);
		fprintf(p->out, "  %*s%-*s  ", indent, "", p->kind_width - indent, text_of(item, "kind"));
		if (type[0] != '\0')
			fprintf(p->out, "%-*s  %s\n", p->name_width, name, type);
		else
			fprintf(p->out, "%s\n", name);
		print_items(p, json_object_get(item, "exports"), indent + 2);
	}
}

static void print_list(page *p, const char *title, const json_t *items)
{
	fprintf(p->out, "\n%s\n", title);
	if (json_is_null(items))
		fputs("  known when it runs\n", p->out);
	else if (json_array_size(items) == 0)
		fputs("  none\n", p->out);
	print_items(p, items, 0);
}

static void print_memory(FILE *out, const json_t *needs, bool is_js)
{
	char text[CLI_QUANTITY];
	const json_t *least = json_object_get(needs, "memory_bytes");
	const json_t *most = json_object_get(needs, "memory_most_bytes");
	bool is_known = is_js || json_is_integer(json_object_get(needs, "table_elements"));
	if (!is_known || (!is_js && json_is_null(most))) {
		fputs(is_known ? "none" : "known when it runs", out);
		return;
	}
	cli_format_bytes((uint64_t)json_integer_value(least), text);
	fprintf(out, "%s to begin with", text);
	if (is_js)
		return;
	cli_format_bytes((uint64_t)json_integer_value(most), text);
	fprintf(out, ", may grow to %s", text);
}

/* Whether a component makes requests. */
static bool imports_http(const json_t *imports)
{
	static const char handler[] = "wasi:http/outgoing-handler@";
	const json_t *one;
	size_t i;

	json_array_foreach(imports, i, one) if (!strncmp(text_of(one, "name"), handler, sizeof handler - 1)) return true;
	return false;
}

static void print_needs(FILE *out, const json_t *needs, const json_t *imports, bool is_js)
{
	json_int_t elements = json_integer_value(json_object_get(needs, "table_elements"));
	fputs("\nneeds\n  memory  ", out);
	print_memory(out, needs, is_js);
	fputc('\n', out);
	if (elements > 0)
		fprintf(out, "  tables  %" PRIu64 " elements, counted as memory\n", (uint64_t)elements);
	if (!is_js)
		fprintf(out, "  WASI    %s\n",
		        json_is_true(json_object_get(needs, "wasi")) ? "yes: --dir and --allow-env say what it may see" : "no");
	if (!is_js && imports_http(imports))
		fputs("  HTTP    yes: --allow-fetch says what it may reach\n", out);
}

static void print_text(FILE *out, const json_t *about)
{
	page p = {.out = out};
	char text[CLI_QUANTITY];
	char name[TEXT_MAX];
	const json_t *imports = json_object_get(about, "imports");
	const json_t *exports = json_object_get(about, "exports");
	format_name(about, name);
	cli_format_bytes((uint64_t)json_integer_value(json_object_get(about, "bytes")), text);
	fprintf(out, "%s: %s, %s\nsha256 %s\n", name, text_of(about, "kind"), text, text_of(about, "sha256"));
	print_needs(out, json_object_get(about, "needs"), imports, strcmp(text_of(about, "kind"), "js") == 0);
	measure(&p, imports, 0);
	measure(&p, exports, 0);
	print_list(&p, "imports", imports);
	print_list(&p, "exports", exports);
}

static int print_as_text(const char *json, size_t length)
{
	char *text = NULL;
	size_t text_length = 0;
	json_t *about = json_loadb(json, length, JSON_ALLOW_NUL, NULL);
	FILE *out = about != NULL ? open_memstream(&text, &text_length) : NULL;
	if (out != NULL)
		print_text(out, about);
	json_decref(about);
	bool written = out != NULL && fclose(out) == 0;
	int code = written ? cli_print(text, text_length) : CLI_EXIT_INTERNAL;
	if (!written)
		cli_say("out of memory");
	free(text);
	return code;
}

static int print_description(const cli_arguments *arguments, const char *json, size_t length)
{
	if (arguments->values[CLI_OPTION_JSON] == NULL)
		return print_as_text(json, length);
	int code = cli_print(json, length);
	return code == CLI_EXIT_OK ? cli_print("\n", 1) : code;
}

static int refuse_program(const cli_arguments *arguments, curfew_status status, const curfew_failure *failure)
{
	curfew_outcome outcome = cli_is_program_fault(status) ? CURFEW_OUTCOME_BAD_PROGRAM : CURFEW_OUTCOME_INTERNAL_ERROR;
	if (arguments->values[CLI_OPTION_QUIET] == NULL)
		cli_say("%s: %s", curfew_outcome_name(outcome),
		        failure->message[0] != '\0' ? failure->message : curfew_status_text(status));
	return curfew_outcome_exit_code(outcome);
}

static int inspect(const cli_arguments *arguments, const cli_source *source, curfew_engine *engine)
{
	curfew_failure failure = {.message = ""};
	curfew_program *program = NULL;
	curfew_report *report = NULL;
	char *json = NULL;
	size_t length = 0;
	int code;
	cli_source own = *source;

	own.has_node = arguments->values[CLI_OPTION_NODE] != NULL;
	curfew_status status = cli_program_create(engine, &own, CURFEW_SOURCE_ONCE, &program, &failure);
	if (status == CURFEW_OK)
		status = curfew_program_inspect(program, &arguments->limits, &json, &length, &report, &failure);
	if (status == CURFEW_OK) {
		code = print_description(arguments, json, length);
	} else if (report != NULL) {
		if (arguments->values[CLI_OPTION_QUIET] == NULL)
			cli_report_lines(report);
		code = curfew_outcome_exit_code(report->outcome);
	} else {
		code = refuse_program(arguments, status, &failure);
	}
	curfew_free(json);
	curfew_report_destroy(report);
	curfew_program_destroy(program);
	return code;
}

int cli_inspect(const cli_arguments *arguments)
{
	curfew_failure failure = {.message = ""};
	cli_source source;
	curfew_engine *engine = NULL;
	int code;

	if (arguments->rest_count > 0)
		return cli_usage_error("inspect runs nothing, so it takes no arguments for the program: %s",
		                       arguments->rest[0]);
	if (strcmp(arguments->program, "-") == 0 && arguments->values[CLI_OPTION_LANG] == NULL)
		return cli_usage_error("- (standard input) needs --lang js, ts, wasm or wat");
	if (!cli_source_read(arguments->program, arguments->values[CLI_OPTION_LANG], &source, &failure))
		code = refuse_program(arguments, CURFEW_BAD_PROGRAM, &failure);
	else if (!cli_source_set_imports(&source, arguments->program, arguments, &failure))
		code = cli_usage_error("%s", failure.message);
	else if (cli_engine_create(1, 0, &engine, &failure) != CURFEW_OK)
		code = refuse_program(arguments, CURFEW_INTERNAL, &failure);
	else
		code = inspect(arguments, &source, engine);
	curfew_engine_destroy(engine);
	cli_source_finish(&source);
	return code;
}
