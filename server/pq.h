/* SPDX-License-Identifier: Apache-2.0 */
/* libpq, which is loaded when it is used. Linking it would make every start of curfew slower. */
#ifndef CURFEW_SERVER_PQ_H
#define CURFEW_SERVER_PQ_H

#include "curfew.h"

#include <libpq-fe.h>

/* X(NAME): the functions that are used. */
/* clang-format off */
#define PQ_CALLS(X) \
	X(PQclear) \
	X(PQcmdTuples) \
	X(PQconnectdbParams) \
	X(PQconsumeInput) \
	X(PQenterPipelineMode) \
	X(PQerrorMessage) \
	X(PQexec) \
	X(PQexecParams) \
	X(PQexecPrepared) \
	X(PQfinish) \
	X(PQfname) \
	X(PQfnumber) \
	X(PQfreemem) \
	X(PQgetResult) \
	X(PQgetisnull) \
	X(PQgetlength) \
	X(PQgetvalue) \
	X(PQnfields) \
	X(PQnotifies) \
	X(PQntuples) \
	X(PQpipelineSync) \
	X(PQprepare) \
	X(PQresultErrorField) \
	X(PQresultErrorMessage) \
	X(PQresultStatus) \
	X(PQsendPrepare) \
	X(PQsendQueryParams) \
	X(PQsendQueryPrepared) \
	X(PQsetNoticeProcessor) \
	X(PQsocket) \
	X(PQstatus)
/* clang-format on */

typedef struct pq_calls {
#define X(name) __typeof__(name) *name##_call;
	PQ_CALLS(X)
#undef X
} pq_calls;

extern pq_calls pq;

/* Loads libpq. Call it once, before anything else here. False, and why. */
bool pq_load(curfew_failure *failure);

#define PQclear pq.PQclear_call
#define PQcmdTuples pq.PQcmdTuples_call
#define PQconnectdbParams pq.PQconnectdbParams_call
#define PQconsumeInput pq.PQconsumeInput_call
#define PQenterPipelineMode pq.PQenterPipelineMode_call
#define PQerrorMessage pq.PQerrorMessage_call
#define PQexec pq.PQexec_call
#define PQexecParams pq.PQexecParams_call
#define PQexecPrepared pq.PQexecPrepared_call
#define PQfinish pq.PQfinish_call
#define PQfname pq.PQfname_call
#define PQfnumber pq.PQfnumber_call
#define PQfreemem pq.PQfreemem_call
#define PQgetResult pq.PQgetResult_call
#define PQgetisnull pq.PQgetisnull_call
#define PQgetlength pq.PQgetlength_call
#define PQgetvalue pq.PQgetvalue_call
#define PQnfields pq.PQnfields_call
#define PQnotifies pq.PQnotifies_call
#define PQntuples pq.PQntuples_call
#define PQpipelineSync pq.PQpipelineSync_call
#define PQprepare pq.PQprepare_call
#define PQresultErrorField pq.PQresultErrorField_call
#define PQresultErrorMessage pq.PQresultErrorMessage_call
#define PQresultStatus pq.PQresultStatus_call
#define PQsendPrepare pq.PQsendPrepare_call
#define PQsendQueryParams pq.PQsendQueryParams_call
#define PQsendQueryPrepared pq.PQsendQueryPrepared_call
#define PQsetNoticeProcessor pq.PQsetNoticeProcessor_call
#define PQsocket pq.PQsocket_call
#define PQstatus pq.PQstatus_call

#endif
