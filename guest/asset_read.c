/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an asset from the host, by its name. */
#include <stdlib.h>
#include <string.h>

#include "guest.h"

char *curfew_assets_read(const char *name, size_t *length)
{
	int32_t found = host_asset_open(name, (uint32_t)strlen(name));

	if (found < 0)
		return NULL;
	char *bytes = malloc((size_t)found + 1);
	if (!bytes)
		host_stop(CURFEW_STOP_MEMORY);
	host_asset_read(bytes, (uint32_t)found);
	bytes[found] = 0;
	*length = (size_t)found;
	return bytes;
}
