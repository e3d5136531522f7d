/* SPDX-License-Identifier: Apache-2.0 */
/* curfew's own messages on stderr, and writing that handles closed and full outputs. */
#ifndef CURFEW_CLI_SAY_H
#define CURFEW_CLI_SAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How a command ends: each of its steps returns CLI_GO_ON, or, after reporting an error, the exit code with which the
 * command ends. These exit codes are not those of an outcome:
 */
enum {
	CLI_GO_ON = -1,
	CLI_EXIT_OK = 0,
	CLI_EXIT_FAILED = 1, /* of commands that run nothing */
	CLI_EXIT_USAGE = 2,
	CLI_EXIT_BAD_PROGRAM = 3,
	CLI_EXIT_INTERNAL = 125,
	CLI_EXIT_PIPE = 141,
};

/* Prints "curfew: ..." in one line. Control characters in it are shown as '?'. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Like cli_say, but returns CLI_EXIT_USAGE. */
int cli_usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes all of it. 0, or the errno of the failure. Continues after EINTR, unless *give_up (may be NULL) is set by
 * then. */
int cli_write(int fd, const void *bytes, size_t length, const volatile bool *give_up);

/* Writes a result to stdout. CLI_EXIT_OK, or the exit code after reporting the error (a closed pipe is not reported).
 */
int cli_print(const char *text, size_t length);

#endif
