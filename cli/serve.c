/* SPDX-License-Identifier: Apache-2.0 */
/* curfew serve and curfew token: the arguments of the server, which does the rest. */
#include "commands.h"
#include "files.h"
#include "say.h"
#include "server/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CLI_GO_ON, or the exit code after an error was reported. */
static int open_secrets(const config *c, curfew_secrets **secrets)
{
	const char *key = c->secrets_key[0] != '\0' ? c->secrets_key : NULL;
	if (c->secrets[0] != '\0')
		return cli_secrets_open(key, c->secrets, 0, "--secrets ", secrets);
	return key != NULL ? cli_usage_error("--secrets-key %s: needs --secrets FILE", key) : CLI_GO_ON;
}

/* The command line takes precedence over the file, as at the start. */
static bool read_again(void *context, config *fresh, curfew_failure *failure)
{
	const cli_arguments *arguments = context;
	const char *path = arguments->values[CLI_OPTION_CONFIG];
	*fresh = arguments->server;
	return path == NULL || config_read(fresh, path, failure);
}

/* All commands share the compiled code, if this user has a directory for it. */
static void set_cache(config *settings)
{
	char *directory = cli_cache_dir();
	if (directory != NULL && strlen(directory) < sizeof settings->cache)
		(void)snprintf(settings->cache, sizeof settings->cache, "%s", directory);
	free(directory);
}

/* Reads the place of the database: "@FILE" means the first line of that file. False, and why. */
static bool read_place(const char *given, char *place, size_t room, curfew_failure *failure)
{
	char why[160] = "";
	char *read = given[0] == '@' ? cli_file_read(given + 1, room - 1, why, sizeof why) : NULL;
	if (given[0] == '@' && read == NULL) {
		(void)snprintf(failure->message, sizeof failure->message, "store: %.60s: %.150s", given + 1, why);
		return false;
	}
	const char *words = read != NULL ? read : given;
	size_t length = strcspn(words, "\r\n");
	bool fits = length > 0 && length < room;
	if (fits) {
		memcpy(place, words, length);
		place[length] = '\0';
	} else {
		(void)snprintf(failure->message, sizeof failure->message, "store: it is empty, or too long");
	}
	free(read);
	/* Anything else would silently become a directory of that name. It may hold a password, so it is not shown. */
	bool is_place = fits && serve_is_place(place);
	if (fits && !is_place)
		(void)snprintf(failure->message, sizeof failure->message,
		               "store: must be postgres://..., sqlite:DIR, or @FILE that contains one of these");
	return is_place;
}

/* Without a given place, takes it from the environment, and removes it there. */
static bool take_place(config *settings, curfew_failure *failure)
{
	char given[CONFIG_TEXT_MAX];
	const char *said = settings->store[0] == '\0' ? getenv("CURFEW_STORE") : settings->store;
	if (said == NULL || said[0] == '\0')
		return true;
	if (strlen(said) >= sizeof given) {
		(void)snprintf(failure->message, sizeof failure->message, "store: CURFEW_STORE is too long");
		return false;
	}
	memcpy(given, said, strlen(said) + 1);
	(void)unsetenv("CURFEW_STORE");
	return read_place(given, settings->store, sizeof settings->store, failure);
}

const char *cli_store_place(const cli_arguments *arguments)
{
	static char place[CONFIG_TEXT_MAX];
	curfew_failure failure;
	const char *store = arguments->values[CLI_OPTION_STORE], *data = arguments->values[CLI_OPTION_DATA];
	if (store == NULL && data == NULL)
		store = getenv("CURFEW_STORE");
	if (store == NULL || *store == '\0')
		return data != NULL ? data : arguments->server.data;
	bool good = read_place(store, place, sizeof place, &failure);
	if (arguments->values[CLI_OPTION_STORE] != NULL)
		cli_hide_place(store);
	if (good)
		return place;
	cli_say("%s", failure.message);
	return NULL;
}

int cli_serve(const cli_arguments *arguments)
{
	static config settings; /* too large for the stack, and needed as long as the server lives */
	curfew_failure failure = {0};
	curfew_secrets *secrets = NULL;
	const char *path = arguments->values[CLI_OPTION_CONFIG];

	settings = arguments->server;
	if (path != NULL && !config_read(&settings, path, &failure))
		return cli_usage_error("--%s", failure.message);
	set_cache(&settings);
	if (!take_place(&settings, &failure)) {
		cli_say("%s", failure.message);
		return CLI_EXIT_USAGE;
	}

	int code = open_secrets(&settings, &secrets);
	if (code != CLI_GO_ON)
		return code;
	bool good = serve(&settings, secrets, read_again, (void *)(uintptr_t)arguments, &failure);
	curfew_secrets_close(secrets);
	if (good)
		return CLI_EXIT_OK;
	cli_say("%s", failure.message);
	return CLI_EXIT_INTERNAL;
}

/* ---- Tokens ---------------------------------------------------------------------------------------------- */

static bool read_scopes(const char *words, unsigned *scopes)
{
	static const struct {
		const char *name;
		unsigned scope;
	} known[] = {{"run", SERVE_SCOPE_RUN},
	             {"read", SERVE_SCOPE_READ},
	             {"metrics", SERVE_SCOPE_METRICS},
	             {"admin", SERVE_SCOPE_ADMIN}};

	*scopes = 0;
	for (size_t length; *words != '\0'; words += length + (words[length] == ',')) {
		unsigned found = 0;
		length = strcspn(words, ",");
		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
			if (strlen(known[i].name) == length && memcmp(known[i].name, words, length) == 0)
				found = known[i].scope;
		}
		if (found == 0)
			return false;
		*scopes |= found;
	}

	return *scopes != 0;
}

/* CLI_GO_ON, or the exit code after an error was reported. */
static int read_quota(const cli_arguments *arguments, cli_option_id option, const char *name, uint64_t *most)
{
	const char *words = arguments->values[option];
	*most = UINT64_MAX;
	if (words == NULL || strcmp(words, "unlimited") == 0)
		return CLI_GO_ON;
	if (config_parse_amount(words, false, most) && *most > 0)
		return CLI_GO_ON;
	return cli_usage_error("--%s %s: must be a number above 0, or unlimited", name, words);
}

/* Reads the bounds of a token other than counts. CLI_GO_ON, or the exit code after an error was reported. */
static int read_bounds(const cli_arguments *arguments, serve_token *token)
{
	const char *priority = arguments->values[CLI_OPTION_TOP_PRIORITY],
			   *size = arguments->values[CLI_OPTION_PROGRAMS_SIZE];
	const char *expires = arguments->values[CLI_OPTION_EXPIRES];
	uint64_t number = 9;
	if (priority != NULL && (!config_parse_amount(priority, false, &number) || number > 9))
		return cli_usage_error("--top-priority %s: must be a number from 0 to 9", priority);
	token->priority_max = (unsigned)number;
	token->programs_bytes_max = UINT64_MAX;
	if (size != NULL && !config_parse_amount(size, true, &token->programs_bytes_max))
		return cli_usage_error("--programs-size %s: must be a size, such as 64MiB", size);
	token->lives_us = 0;
	if (expires != NULL && (!config_parse_duration(expires, &token->lives_us) || token->lives_us == 0))
		return cli_usage_error("--expires %s: must be a duration with its unit, such as 720h", expires);
	return CLI_GO_ON;
}

static bool is_clean(const char *name)
{
	for (; *name != '\0'; name++) {
		if ((unsigned char)*name <= ' ' || *name == 0x7f)
			return false;
	}
	return true;
}

static int fail_with(const curfew_failure *failure)
{
	cli_say("%s", failure->message);
	return CLI_EXIT_INTERNAL;
}

static int create_token(const cli_arguments *arguments, const char *directory)
{
	const char *name = arguments->values[CLI_OPTION_NAME], *scopes = arguments->values[CLI_OPTION_SCOPES];
	const char *user = arguments->values[CLI_OPTION_USER];
	const cli_list *hosts = &arguments->lists[CLI_OPTION_ALLOW_FETCH];
	serve_token token = {.name = name != NULL ? name : "token",
	                     .ceilings = arguments->limits,
	                     .user = user,
	                     .allow_fetch = hosts->items,
	                     .allow_fetch_count = hosts->count};
	curfew_failure failure = {0};
	char words[SERVE_TOKEN_SIZE + 1];

	if (*token.name == '\0' || strlen(token.name) > 64 || !is_clean(token.name))
		return cli_usage_error("--name %s: must be 1 to 64 bytes without spaces", token.name);
	if (!read_scopes(scopes != NULL ? scopes : "run,read", &token.scopes))
		return cli_usage_error("--scopes %s: must be some of run, read, metrics and admin, separated by commas",
		                       scopes);
	int code = read_quota(arguments, CLI_OPTION_RUNNING, "running", &token.running_max);
	if (code == CLI_GO_ON)
		code = read_quota(arguments, CLI_OPTION_QUEUED, "queued", &token.queued_max);
	if (code == CLI_GO_ON)
		code = read_quota(arguments, CLI_OPTION_PER_MINUTE, "per-minute", &token.per_minute_max);
	if (code == CLI_GO_ON)
		code = read_bounds(arguments, &token);
	if (code == CLI_GO_ON)
		code = cli_check_hosts(hosts);
	if (code != CLI_GO_ON)
		return code;
	if (user != NULL && (*user == '\0' || strlen(user) > CURFEW_USER_BYTES))
		return cli_usage_error("--user %.300s: must be 1 to %u bytes", user, CURFEW_USER_BYTES);
	if (!serve_token_create(directory, &token, words, &failure))
		return fail_with(&failure);
	size_t length = strlen(words);
	words[length++] = '\n';
	return cli_print(words, length);
}

static int list_tokens(const char *directory)
{
	curfew_failure failure = {0};
	char *words = serve_token_list(directory, &failure);
	if (words == NULL)
		return fail_with(&failure);
	int code = cli_print(words, strlen(words));
	free(words);
	return code;
}

static int revoke_token(const cli_arguments *arguments, const char *directory)
{
	curfew_failure failure = {0};
	if (arguments->program == NULL)
		return cli_usage_error("token revoke needs the id or the name of a token");
	if (!serve_token_revoke(directory, arguments->program, &failure))
		return fail_with(&failure);
	return CLI_EXIT_OK;
}

int cli_token(const cli_arguments *arguments)
{
	const char *action = arguments->action;
	if (action == NULL)
		return cli_usage_error("token needs one of create, list and revoke; see curfew token --help");
	const char *directory = cli_store_place(arguments);
	if (directory == NULL)
		return CLI_EXIT_USAGE;
	if (strcmp(action, "revoke") == 0)
		return revoke_token(arguments, directory);
	if (arguments->program != NULL)
		return cli_usage_error("unexpected argument %s after token %s", arguments->program, action);
	if (strcmp(action, "create") == 0)
		return create_token(arguments, directory);
	if (strcmp(action, "list") == 0)
		return list_tokens(directory);
	return cli_usage_error("token %s: must be create, list or revoke", action);
}
