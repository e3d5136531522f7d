/* SPDX-License-Identifier: Apache-2.0 */
/* curfew logs: prints the output of a server's run. */
#include "commands.h"
#include "follow.h"
#include "say.h"

static int print_logs(const cli_arguments *arguments, const cli_server *server)
{
	const cli_follow_options options = {
		.server = server,
		.id = arguments->program,
		.kind = arguments->values[CLI_OPTION_JSON] != NULL ? CLI_FOLLOW_EVENTS : CLI_FOLLOW_OUTPUT,
		.quiet = arguments->values[CLI_OPTION_QUIET] != NULL,
		.once = arguments->values[CLI_OPTION_FOLLOW] == NULL,
	};
	cli_followed followed;
	int code = cli_follow(&options, &followed);
	if (code == CLI_GO_ON)
		code = cli_followed_check(&followed);
	if (code == CLI_GO_ON && followed.left)
		code = curfew_outcome_exit_code(CURFEW_OUTCOME_CANCELLED);
	cli_followed_finish(&followed);
	return code == CLI_GO_ON ? CLI_EXIT_OK : code;
}

int cli_logs(const cli_arguments *arguments)
{
	cli_server server;
	if (arguments->program == NULL)
		return cli_usage_error("logs needs the ID of a run; see curfew logs --help");
	int code = cli_check_id(arguments->program);
	if (code != CLI_GO_ON)
		return code;
	code = cli_server_init(arguments, &server);
	if (code == CLI_GO_ON)
		code = print_logs(arguments, &server);
	cli_server_finish(&server);
	return code;
}
