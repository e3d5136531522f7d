/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a call's parameters, for the library itself and for clients that want to refuse them early. */
#include "base/json.h"
#include "curfew.h"

#include <stdio.h>

static curfew_status refuse(curfew_failure *failure, const char *why, size_t offset)
{
	if (failure != NULL)
		(void)snprintf(failure->message, sizeof failure->message, "params: %s (at byte %zu)", why, offset);
	return CURFEW_INVALID;
}

curfew_status curfew_params_check(const char *params, size_t length, curfew_failure *failure)
{
	if (failure != NULL)
		failure->message[0] = '\0';
	if (params == NULL)
		return CURFEW_INVALID;
	size_t offset = 0;
	const char *why = "";
	if (!curfew__json_check(params, length, &offset, &why))
		return refuse(failure, why, offset);
	if (!curfew__json_is_array(params, length))
		return refuse(failure, "must be a JSON array", 0);
	return CURFEW_OK;
}
