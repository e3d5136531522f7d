/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces the PostgreSQL store if curfew is built without it (-Dpostgres=false, static executables). */
#include "store_private.h"

#include <stdio.h>

store *store_open_postgres(const char *url, store_user user, curfew_failure *failure)
{
	(void)url;
	(void)user;
	(void)snprintf(
		failure->message, sizeof failure->message,
		"store: this curfew is built without PostgreSQL, as static executables are; the Debian package has it");
	return NULL;
}
