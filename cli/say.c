/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages and results are written with write(2), so no buffer is lost at exit, and each failure is noticed where it
 * happens.
 */
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void say_line(const char *format, va_list arguments)
{
	char line[1024] = "curfew: ";
	size_t start = strlen(line);
	(void)vsnprintf(line + start, sizeof line - start - 1, format, arguments);
	size_t length = strlen(line);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)line[i];
		if (byte < 0x20 || byte == 0x7f)
			line[i] = '?';
	}
	line[length++] = '\n';
	(void)cli_write(STDERR_FILENO, line, length, NULL);
}

void cli_say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say_line(format, arguments);
	va_end(arguments);
}

int cli_usage_error(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say_line(format, arguments);
	va_end(arguments);
	return CLI_EXIT_USAGE;
}

int cli_write(int fd, const void *bytes, size_t length, const volatile bool *give_up)
{
	const char *at = bytes;
	while (length > 0) {
		ssize_t written = write(fd, at, length);
		if (written >= 0) {
			at += written;
			length -= (size_t)written;
		} else if (errno == EAGAIN) {
			/* Someone else made the file description non-blocking: wait as a blocking one would. */
			struct pollfd ready = {.fd = fd, .events = POLLOUT};
			(void)poll(&ready, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
		if (length > 0 && give_up != NULL && *give_up)
			return EINTR;
	}
	return 0;
}

int cli_print(const char *text, size_t length)
{
	int error = cli_write(STDOUT_FILENO, text, length, NULL);
	if (error == 0)
		return CLI_EXIT_OK;
	if (error == EPIPE)
		return CLI_EXIT_PIPE;
	cli_say("cannot write to standard output: %s", strerror(error));
	return CLI_EXIT_INTERNAL;
}
