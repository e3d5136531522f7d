/* SPDX-License-Identifier: Apache-2.0 */
/* The public checks of an embedder's JSON. Their messages are for the author of the text. */
#include "base/refuse.h"
#include "common/json.h"

static curfew_status refuse_text(curfew_failure *failure, const char *what, const char *why, size_t offset)
{
	if (failure != NULL)
		curfew__fail(failure, "%s: %s (at byte %zu)", what, why, offset);
	return CURFEW_INVALID;
}

curfew_status curfew_json_check(const char *text, size_t length, curfew_failure *failure)
{
	size_t offset = 0;
	const char *why = "is NULL";
	(void)curfew__refuse(failure, CURFEW_OK, "");
	if (text != NULL && curfew__json_check(text, length, &offset, &why))
		return CURFEW_OK;
	return refuse_text(failure, "JSON", why, offset);
}

curfew_status curfew_params_check(const char *params, size_t length, curfew_failure *failure)
{
	size_t offset = 0;
	const char *why = "";
	(void)curfew__refuse(failure, CURFEW_OK, "");
	if (params == NULL)
		return CURFEW_INVALID;
	if (!curfew__json_check(params, length, &offset, &why))
		return refuse_text(failure, "params", why, offset);
	if (!curfew__json_is_array(params, length))
		return refuse_text(failure, "params", "must be a JSON array", 0);
	return CURFEW_OK;
}
