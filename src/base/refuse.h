/* SPDX-License-Identifier: Apache-2.0 */
/* Saying why a public call failed. */
#ifndef CURFEW_BASE_REFUSE_H
#define CURFEW_BASE_REFUSE_H

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

#endif
