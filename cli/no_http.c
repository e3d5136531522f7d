/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces http.c in a command without libcurl (-Dfetch=false): commands that ask a server report that. */
#include "http.h"

#include <stdio.h>

cli_http *cli_http_create(const cli_http_options *options, curfew_failure *failure)
{
	(void)options;
	(void)snprintf(failure->message, sizeof failure->message,
	               "this curfew was built without the commands that ask a server (-Dfetch=false)");
	return NULL;
}

void cli_http_destroy(cli_http *http)
{
	(void)http;
}

cli_http_result cli_http_exchange(cli_http *http, const cli_http_request *request, cli_http_answer *answer)
{
	(void)http;
	(void)request;
	*answer = (cli_http_answer){0};
	return CLI_HTTP_FAILED;
}
