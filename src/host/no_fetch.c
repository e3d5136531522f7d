/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces fetch.c in a library without libcurl (-Dfetch=false): a run that asks for hosts is refused. */
#include "host/fetch.h"
#include "base/refuse.h"

#include <stdio.h>

curfew__fetcher *curfew__fetcher_create(curfew_failure *failure)
{
	curfew__fail(failure, "this library was built without fetch (-Dfetch=false)");
	return NULL;
}

void curfew__fetcher_destroy(curfew__fetcher *fetcher)
{
	(void)fetcher;
}

curfew__fetch_session *curfew__fetch_session_create(curfew__fetcher *fetcher, curfew__allow_list *allowed,
                                                    curfew__secret_headers *secret_headers, size_t bytes_limit)
{
	(void)fetcher;
	(void)bytes_limit;
	curfew__allow_list_destroy(allowed);
	curfew__secret_headers_unref(secret_headers);
	return NULL;
}

void curfew__fetch_session_unref(curfew__fetch_session *session)
{
	(void)session;
}

uint32_t curfew__fetch_start(curfew__fetch_session *session, curfew__operations *operations, const char *request,
                             size_t length)
{
	(void)session;
	(void)request;
	(void)length;
	return curfew__fetch_refuse(operations, CURFEW__FETCH_NOT_ALLOWED);
}
