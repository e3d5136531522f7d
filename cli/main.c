/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: a client of include/curfew.h like any other. This file finds the command; each command has a file
 * of its own.
 */
#include "commands.h"
#include "say.h"
#include "worker/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Open closed standard streams: otherwise the next opened file would get such a number. */
static void fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* Open stdin write-only and the others read-only, so that using them stays an error. */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
	}
}

static int help(int count, char **words)
{
	if (count == 0)
		return cli_print_overview();
	cli_command_id command = cli_find_command(words[0]);
	if (command == CLI_COMMANDS)
		return cli_usage_error("unknown command %s; the nearest one is %s", words[0], cli_nearest_command(words[0]));
	return cli_print_help(command);
}

static int execute(cli_command_id command, const cli_arguments *arguments)
{
	switch (command) {
	case CLI_RUN: return cli_run(arguments);
	case CLI_COMPILE: return cli_compile(arguments);
	case CLI_INSPECT: return cli_inspect(arguments);
	case CLI_CALIBRATE: return cli_calibrate(arguments);
	case CLI_SECRET: return cli_secret(arguments);
	case CLI_SERVE: return cli_serve(arguments);
	case CLI_TOKEN: return cli_token(arguments);
	case CLI_ADMIN: return cli_admin(arguments);
	case CLI_DOCTOR: return cli_doctor(arguments);
	case CLI_SUBMIT: return cli_submit(arguments);
	case CLI_PS: return cli_ps(arguments);
	case CLI_LOGS: return cli_logs(arguments);
	case CLI_CANCEL: return cli_cancel(arguments);
	case CLI_PROGRAMS: return cli_programs(arguments);
	case CLI_SCHEDULES: return cli_schedules(arguments);
	case CLI_REPL: return cli_repl(arguments);
	case CLI_MCP: return cli_mcp(arguments);
	default: return cli_bench(arguments);
	}
}

static int dispatch(cli_command_id command, int count, char **words)
{
	cli_arguments arguments;
	if (command == CLI_HELP)
		return help(count, words);
	int code = cli_parse(command, count, words, &arguments);
	if (code == CLI_GO_ON)
		code = execute(command, &arguments);
	cli_arguments_finish(&arguments);
	return code;
}

static bool is_file(const char *path)
{
	return access(path, F_OK) == 0;
}

int main(int count, char **words)
{
	fill_standard_streams();
	(void)signal(SIGPIPE, SIG_IGN);
	if (count < 2)
		return cli_usage_error("a command is needed, such as run; curfew --help lists them");
	const char *word = words[1];
	if (strcmp(word, "worker") == 0 && count == 2)
		return worker_main();
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return cli_print_overview();
	if (strcmp(word, "--version") == 0)
		return cli_print_version();
	if (strcmp(word, "--generate") == 0 && count == 3)
		return cli_generate(words[2]);
	cli_command_id command = cli_find_command(word);
	if (command != CLI_COMMANDS)
		return dispatch(command, count - 2, words + 2);
	if (word[0] == '-')
		return cli_usage_error("unknown option %s before a command; see curfew --help", word);
	if (is_file(word))
		return cli_usage_error("unknown command %s; to run that file: curfew run %s", word, word);
	return cli_usage_error("unknown command %s; the nearest one is %s", word, cli_nearest_command(word));
}
