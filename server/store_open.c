/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the database that a place names. */
#include "store_private.h"

#include <string.h>

bool store_is_postgres(const char *place, const char **directory)
{
	if (directory != NULL)
		*directory = strncmp(place, "sqlite:", 7) == 0 ? place + 7 : place;
	return strncmp(place, "postgres://", 11) == 0 || strncmp(place, "postgresql://", 13) == 0;
}

store *store_open(const char *place, store_user user, curfew_failure *failure)
{
	const char *directory;
	return store_is_postgres(place, &directory) ? store_open_postgres(place, user, failure)
	                                            : store_open_sqlite(directory, user, failure);
}
