/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How functions say why they failed: in their caller's curfew_failure. Functions of the public interface return a
 * status as well.
 */
#ifndef CURFEW_BASE_REFUSE_H
#define CURFEW_BASE_REFUSE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "curfew.h"

/*
 * Writes the line to failure (may be NULL; "" after success) and returns status. Quoted text may contain anything, so
 * control characters become '?': the message stays one line and cannot control a terminal.
 */
static inline curfew_status curfew__refuse(curfew_failure *failure, curfew_status status, const char *message)
{
	if (failure == NULL)
		return status;
	snprintf(failure->message, sizeof failure->message, "%s", message);
	for (char *c = failure->message; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return status;
}

/* Within the library: sets why something failed. Always returns false. */
__attribute__((format(printf, 2, 3))) static inline bool curfew__fail(curfew_failure *failure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(failure->message, sizeof failure->message, format, arguments);
	va_end(arguments);
	return false;
}

#endif
