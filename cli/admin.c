/* SPDX-License-Identifier: Apache-2.0 */
/* curfew admin: maintenance of a server's database. */
#include "commands.h"
#include "say.h"
#include "server/serve.h"

#include <stdlib.h>
#include <string.h>

static int print_words(char *words, const curfew_failure *failure)
{
	if (words == NULL) {
		cli_say("%s", failure->message);
		return CLI_EXIT_INTERNAL;
	}
	int code = cli_print(words, strlen(words));
	free(words);
	return code;
}

static int prune(const cli_arguments *arguments, const char *directory, bool json)
{
	curfew_failure failure = {0};
	const char *age = arguments->values[CLI_OPTION_OLDER_THAN], *keep = arguments->values[CLI_OPTION_KEEP];
	uint64_t age_us = UINT64_MAX, keep_bytes = UINT64_MAX;
	if (age == NULL && keep == NULL)
		return cli_usage_error("admin prune needs --older-than DUR, --keep SIZE or both");
	if (age != NULL && !config_parse_duration(age, &age_us))
		return cli_usage_error("--older-than %s: must be a duration with its unit, such as 720h", age);
	if (keep != NULL && !config_parse_amount(keep, true, &keep_bytes))
		return cli_usage_error("--keep %s: must be a size, such as 1GiB", keep);
	return print_words(serve_admin_prune(directory, age_us, keep_bytes, json, &failure), &failure);
}

static int check_database(const char *directory, bool json)
{
	curfew_failure failure = {0};
	bool is_sound = false;
	int code = print_words(serve_admin_check(directory, json, &is_sound, &failure), &failure);
	return code == CLI_EXIT_OK && !is_sound ? 1 : code;
}

static int refuse_operand(const cli_arguments *arguments, const char *action)
{
	return cli_usage_error("unexpected argument %s after admin %s", arguments->program, action);
}

int cli_admin(const cli_arguments *arguments)
{
	curfew_failure failure = {0};
	const char *directory = cli_store_place(arguments), *action = arguments->action, *file = arguments->program;
	bool json = arguments->values[CLI_OPTION_JSON] != NULL;
	bool is_prune = action != NULL && strcmp(action, "prune") == 0;
	if (directory == NULL)
		return CLI_EXIT_USAGE;
	if (action == NULL)
		return cli_usage_error("admin needs one of prune, backup and check; see curfew admin --help");
	if (!is_prune && (arguments->values[CLI_OPTION_OLDER_THAN] != NULL || arguments->values[CLI_OPTION_KEEP] != NULL))
		return cli_usage_error("--older-than and --keep are for admin prune");
	if (is_prune)
		return file != NULL ? refuse_operand(arguments, action) : prune(arguments, directory, json);
	if (strcmp(action, "check") == 0)
		return file != NULL ? refuse_operand(arguments, action) : check_database(directory, json);
	if (strcmp(action, "backup") != 0)
		return cli_usage_error("admin %s: must be prune, backup or check", action);
	if (file == NULL)
		return cli_usage_error("admin backup needs the name of a new file");
	return print_words(serve_admin_back_up(directory, file, json, &failure), &failure);
}
