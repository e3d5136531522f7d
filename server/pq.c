/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libpq. */
#include "curfew.h"

#include <dlfcn.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Defined before pq.h is included, because its macros redefine these names. */
static const char *const names[] = {
	"PQclear",
	"PQcmdTuples",
	"PQconnectdbParams",
	"PQconsumeInput",
	"PQenterPipelineMode",
	"PQerrorMessage",
	"PQexec",
	"PQexecParams",
	"PQexecPrepared",
	"PQfinish",
	"PQfname",
	"PQfnumber",
	"PQfreemem",
	"PQgetResult",
	"PQgetisnull",
	"PQgetlength",
	"PQgetvalue",
	"PQnfields",
	"PQnotifies",
	"PQntuples",
	"PQpipelineSync",
	"PQprepare",
	"PQresultErrorField",
	"PQresultErrorMessage",
	"PQresultStatus",
	"PQsendPrepare",
	"PQsendQueryParams",
	"PQsendQueryPrepared",
	"PQsetNoticeProcessor",
	"PQsocket",
	"PQstatus",
};

#include "pq.h"

pq_calls pq;

_Static_assert(sizeof pq == sizeof names / sizeof names[0] * sizeof(void *), "a name for each of them");

bool pq_load(curfew_failure *failure)
{
	void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		(void)snprintf(failure->message, sizeof failure->message, "PostgreSQL needs libpq (Debian: libpq5): %.150s",
		               dlerror());
		return false;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		void *found = dlsym(library, names[i]);
		if (found == NULL) {
			(void)snprintf(failure->message, sizeof failure->message, "libpq has no %s: version 14 or newer is needed",
			               names[i]);
			return false;
		}
		memcpy((char *)&pq + i * sizeof found, &found, sizeof found);
	}
	return true;
}
