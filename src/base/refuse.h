/* SPDX-License-Identifier: Apache-2.0 */
/* Saying why a public call failed. */
#ifndef CURFEW_BASE_REFUSE_H
#define CURFEW_BASE_REFUSE_H

#include <stdio.h>

#include "curfew.h"

/* Puts the line into failure (may be NULL; "" after success) and answers status. */
static inline curfew_status curfew__refuse(curfew_failure *failure, curfew_status status, const char *message)
{
	if (failure)
		snprintf(failure->message, sizeof failure->message, "%s", message);
	return status;
}

#endif
