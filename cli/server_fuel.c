/* SPDX-License-Identifier: Apache-2.0 */
/* --fuel DUR for a server, which measures once how much fuel a millisecond is, and keeps the result. */
#include "calibrate.h"
#include "client.h"
#include "say.h"

#include <poll.h>

enum { PATIENCE_MS = 30000, PAUSE_MS = 250 };

/* Gets the server's figure, 0 if it has none yet. CLI_GO_ON, or the exit code after an error was reported. */
static int ask_figure(const cli_server *server, cli_http *http, const char *method, bool is_js, uint64_t *fuel_per_ms)
{
	cli_http_answer answer;
	const cli_http_request request = {.method = method, .path = "/v1/calibration", .silence_ms = PATIENCE_MS};
	int code = cli_server_ask(server, http, &request, NULL, &answer);
	span all = cli_json_member(cli_json(&answer), "calibration");
	span figure = is_js ? cli_json_member(cli_json_member(all, "fuel_per_ms"), "javascript")
	                    : cli_json_member(all, "webassembly_fuel_per_ms");
	int64_t number = cli_json_number(figure);
	*fuel_per_ms = number > 0 ? (uint64_t)number : 0;
	cli_http_answer_finish(&answer);
	return code;
}

int cli_server_apply_fuel(const cli_server *server, cli_http *http, const cli_arguments *arguments, bool is_js,
                          curfew_limits *limits)
{
	uint64_t fuel_per_ms = 0;
	if (arguments->fuel_time_ns == 0)
		return CLI_GO_ON;
	int code = ask_figure(server, http, "GET", is_js, &fuel_per_ms);
	for (int waited_ms = 0; code == CLI_GO_ON && fuel_per_ms == 0 && waited_ms < PATIENCE_MS; waited_ms += PAUSE_MS) {
		if (waited_ms == 0 && arguments->values[CLI_OPTION_QUIET] == NULL)
			cli_say("%s measures once how much fuel a millisecond is on its machine", server->url);
		code = ask_figure(server, http, waited_ms == 0 ? "POST" : "GET", is_js, &fuel_per_ms);
		(void)poll(NULL, 0, fuel_per_ms == 0 ? PAUSE_MS : 0);
	}
	if (code != CLI_GO_ON)
		return code;
	if (fuel_per_ms > 0)
		return cli_fuel_set(arguments, fuel_per_ms, "there", limits);
	cli_say("--fuel %s: %s cannot measure how much fuel that is; give a number", arguments->fuel_time_text,
	        server->url);
	return CLI_EXIT_INTERNAL;
}
