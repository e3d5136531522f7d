/* SPDX-License-Identifier: Apache-2.0 */
/* curfew cancel: ends runs of a server. */
#include "client.h"
#include "commands.h"
#include "say.h"

#include <string.h>

static int report_cancelled(const cli_arguments *arguments, const cli_server *server, const char *id,
                            const cli_http_answer *answer)
{
	char words[128], outcome[32];
	cli_json_line(cli_json_member(cli_json(answer), "outcome"), outcome, sizeof outcome);
	if (outcome[0] == '\0')
		return cli_server_strange(server);
	if (arguments->values[CLI_OPTION_JSON] != NULL) {
		int code = cli_print(answer->body.data, answer->body.length);
		return code != CLI_EXIT_OK ? code : cli_print("\n", 1);
	}
	bool cancelled = strcmp(outcome, curfew_outcome_name(CURFEW_OUTCOME_CANCELLED)) == 0;
	int length = cancelled ? snprintf(words, sizeof words, "%s cancelled\n", id)
	                       : snprintf(words, sizeof words, "%s had ended: %s\n", id, outcome);
	return cli_print(words, (size_t)length);
}

static int cancel(const cli_arguments *arguments, const cli_server *server, cli_http *http, const char *id)
{
	char path[64], what[64];
	cli_http_answer answer;
	(void)snprintf(path, sizeof path, "/v1/runs/%s", id);
	(void)snprintf(what, sizeof what, "run %s", id);
	const cli_http_request request = {.method = "DELETE", .path = path};
	int code = cli_server_ask(server, http, &request, what, &answer);
	if (code == CLI_GO_ON && answer.status == 202) {
		cli_say("run %s is not cancelled: %s is ending, and keeps it on disk for its next start", id, server->url);
		code = CLI_EXIT_INTERNAL;
	}
	if (code == CLI_GO_ON)
		code = report_cancelled(arguments, server, id, &answer);
	cli_http_answer_finish(&answer);
	return code;
}

/* Cancels each run, even if others fail. The exit code is the last one that is not 0. */
static int cancel_all(const cli_arguments *arguments, const cli_server *server)
{
	int code = CLI_EXIT_OK;
	cli_http *http = cli_server_connect(server, -1);
	if (http == NULL)
		return CLI_EXIT_INTERNAL;
	for (size_t i = 0; i < arguments->operands.count; i++) {
		int one = cancel(arguments, server, http, arguments->operands.items[i]);
		code = one != CLI_EXIT_OK ? one : code;
	}
	cli_http_destroy(http);
	return code;
}

int cli_cancel(const cli_arguments *arguments)
{
	cli_server server;
	int code = CLI_GO_ON;
	if (arguments->operands.count == 0)
		return cli_usage_error("cancel needs the ID of a run; see curfew cancel --help");
	for (size_t i = 0; i < arguments->operands.count && code == CLI_GO_ON; i++)
		code = cli_check_id(arguments->operands.items[i]);
	if (code != CLI_GO_ON)
		return code;
	code = cli_server_init(arguments, &server);
	if (code == CLI_GO_ON)
		code = cancel_all(arguments, &server);
	cli_server_finish(&server);
	return code;
}
