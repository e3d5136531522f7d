/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces serve.c in a command without a server (-Dserver=false). */
#include "commands.h"
#include "say.h"

static int refuse_without_server(void)
{
	return cli_usage_error("this curfew was built without its server (-Dserver=false)");
}

int cli_serve(const cli_arguments *arguments)
{
	(void)arguments;
	return refuse_without_server();
}

int cli_token(const cli_arguments *arguments)
{
	(void)arguments;
	return refuse_without_server();
}

int cli_admin(const cli_arguments *arguments)
{
	(void)arguments;
	return refuse_without_server();
}
