/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How functions say why they failed: in a curfew_failure of their caller's. Functions of the public interface answer a
 * status as well.
 */
#ifndef CURFEW_BASE_REFUSE_H
#define CURFEW_BASE_REFUSE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "curfew.h"

/*
 * Puts the line into failure (may be NULL; "" after success) and answers status. What a message quotes may hold
 * anything: control characters become '?', so that it stays one line and says nothing to a terminal.
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

/* Within the library: says why something failed. Always false. */
__attribute__((format(printf, 2, 3))) static inline bool curfew__fail(curfew_failure *failure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(failure->message, sizeof failure->message, format, arguments);
	va_end(arguments);
	return false;
}

#endif
