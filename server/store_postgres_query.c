/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a PostgreSQL database: connections, the parameters of statements, and the columns of results. */
#include "common/clock.h"
#include "store_postgres.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { TRY_AGAIN_US = 500000 };

bool pg_refuse_newer(const pg_store *st, int64_t version, int64_t oldest, curfew_failure *failure)
{
	(void)snprintf(failure->message, sizeof failure->message,
	               "the database has version %lld for curfew of version %lld or newer, and this curfew knows %lld",
	               (long long)version, (long long)oldest, (long long)st->schema);
	return false;
}

/* ---- Connections ------------------------------------------------------------------------------------------- */

static void note_reason(pg_store *st, const char *words)
{
	(void)pthread_mutex_lock(&st->lock);
	(void)snprintf(st->reason, sizeof st->reason, "%.*s", (int)strcspn(words, "\n"), words);
	(void)pthread_mutex_unlock(&st->lock);
}

void pg_copy_reason(pg_store *st, char reason[160])
{
	(void)pthread_mutex_lock(&st->lock);
	memcpy(reason, st->reason, sizeof st->reason);
	(void)pthread_mutex_unlock(&st->lock);
}

/* Why there is no connection. libpq's message about a malformed address may contain a part of the address, even the
 * password. */
static void note_unconnected(pg_store *st, const char *words)
{
	if (strncmp(words, "connection to server", 20) == 0)
		note_reason(st, words);
	else if (strncmp(words, "could not translate host name", 29) == 0)
		note_reason(st, "its host name is not known");
	else
		note_reason(
			st,
			"its address is malformed: it must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, other characters as %XX");
}

static void ignore_notice(void *context, const char *message)
{
	(void)context;
	(void)message;
}

/* The first statements of every connection. A forgotten transaction must not block the others, so it has a timeout. */
#define SETTINGS                                                                                                                            \
	"SET search_path = curfew; SET client_encoding = 'UTF8'; SET synchronous_commit = on; SET idle_in_transaction_session_timeout = '5s'; " \
	"SET client_min_messages = warning"

/*
 * Nobody waits for long, and all that is asked for is found by an index: the few runs that have not ended, among all
 * that have. What the statistics of such a table say of it is soon no longer so, and then the planner reads all of it,
 * again and again. A plain index scan also marks entries of runs that have ended meanwhile, so that the next one skips
 * them; a bitmap scan does not. A plan that is to be avoided looks expensive enough to be compiled, which takes longer
 * than it does. What changes the schema and what is dropped does read all.
 */
#define LIMITS                                                                                                          \
	"; SET lock_timeout = '2s'; SET statement_timeout = '10s'; SET enable_seqscan = off; SET enable_bitmapscan = off; " \
	"SET jit = off"

static bool set_up(pg_store *st, const pg_link *link)
{
	PGconn *conn = link->conn;
	(void)PQsetNoticeProcessor(conn, ignore_notice, NULL);
	PGresult *done = PQexec(conn, link == &st->admin || link == &st->upkeep ? SETTINGS : SETTINGS LIMITS);
	bool good = PQresultStatus(done) == PGRES_COMMAND_OK;
	if (!good)
		note_reason(st, PQerrorMessage(conn));
	PQclear(done);
	return good;
}

/* A connection that was never opened needs no libpq. */
void pg_close(pg_link *link)
{
	if (link->conn != NULL)
		PQfinish(link->conn);
	link->conn = NULL;
}

/* Notices that the server has ended an idle connection: a statement that is sent on it would be lost. */
static bool is_alive(PGconn *conn)
{
	struct pollfd wait = {.fd = PQsocket(conn), .events = POLLIN};
	/* The reason arrives first, then the end itself. */
	for (int i = 0; i < 3 && PQstatus(conn) == CONNECTION_OK && poll(&wait, 1, 0) > 0; i++) {
		if (PQconsumeInput(conn) != 1)
			return false;
	}
	return PQstatus(conn) == CONNECTION_OK;
}

bool pg_connect(pg_store *st, pg_link *link)
{
	static const char *const names[] = {"dbname",
	                                    "connect_timeout",
	                                    "fallback_application_name",
	                                    "keepalives_idle",
	                                    "keepalives_interval",
	                                    "keepalives_count",
	                                    "tcp_user_timeout",
	                                    NULL};
	const char *values[] = {st->url, "3", "curfew", "10", "5", "3", "15000", NULL};

	if (link->conn != NULL && is_alive(link->conn))
		return true;
	int64_t now_us = clock_now_us();
	if (link->tried_us != 0 && now_us - link->tried_us < TRY_AGAIN_US)
		return false;
	if (link->conn != NULL)
		PQfinish(link->conn);

	link->prepared_count = 0;
	link->is_new = true;
	/* The address itself takes precedence over these. */
	link->conn = PQconnectdbParams(names, values, 1);
	if (PQstatus(link->conn) == CONNECTION_OK && set_up(st, link)) {
		link->tried_us = 0;
		return true;
	}

	if (PQstatus(link->conn) != CONNECTION_OK)
		note_unconnected(st, PQerrorMessage(link->conn));
	PQfinish(link->conn);
	link->conn = NULL;
	link->tried_us = clock_now_us();
	return false;
}

static void report_failure(pg_store *st, const char *what, const char *why, curfew_failure *failure)
{
	if (failure == NULL)
		return;
	(void)pthread_mutex_lock(&st->lock);
	const char *reason = why != NULL ? why : st->reason;
	(void)snprintf(failure->message, sizeof failure->message, "%.90s: %.*s", what, (int)strcspn(reason, "\n"), reason);
	(void)pthread_mutex_unlock(&st->lock);
}

/* FNV-1a. Statements are this program's own: none is chosen to meet another. */
static uint64_t hash_of(const char *sql)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	for (; *sql != '\0'; sql++)
		hash = (hash ^ (unsigned char)*sql) * UINT64_C(1099511628211);
	return hash;
}

static bool is_prepared(const pg_link *link, uint64_t hash)
{
	for (size_t i = 0; i < link->prepared_count; i++) {
		if (link->prepared[i] == hash)
			return true;
	}
	return false;
}

/* Planning a statement takes longer than executing most of them. Only so many different ones are prepared. */
static PGresult *execute(pg_link *link, const char *sql, const pg_params *p)
{
	char name[24];
	uint64_t hash = hash_of(sql);
	(void)snprintf(name, sizeof name, "s%016llx", (unsigned long long)hash);
	if (!is_prepared(link, hash)) {
		if (link->prepared_count == PG_PREPARED_MAX)
			return PQexecParams(link->conn, sql, p->count, NULL, p->values, p->lengths, p->formats, 1);
		PGresult *done = PQprepare(link->conn, name, sql, 0, NULL);
		if (PQresultStatus(done) != PGRES_COMMAND_OK)
			return done;
		PQclear(done);
		link->prepared[link->prepared_count++] = hash;
	}
	return PQexecPrepared(link->conn, name, p->count, p->values, p->lengths, p->formats, 1);
}

/* A newer version of curfew has changed a table meanwhile (0A000), or who stands between has lost the statement
 * (26000). */
static bool is_outdated(const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	return code != NULL && (strcmp(code, "0A000") == 0 || strcmp(code, "26000") == 0);
}

static PGresult *execute_anew(pg_store *st, pg_link *link, const char *sql, const pg_params *p)
{
	PGresult *result = execute(link, sql, p);
	if (!is_outdated(result))
		return result;
	pg_close(link);
	if (!pg_connect(st, link))
		return result;
	PQclear(result);
	return execute(link, sql, p);
}

PGresult *pg_run(pg_store *st, pg_link *link, const char *sql, const pg_params *p, const char *what,
                 curfew_failure *failure)
{
	if (!pg_connect(st, link)) {
		report_failure(st, what, NULL, failure);
		return NULL;
	}
	PGresult *result = p != NULL ? execute_anew(st, link, sql, p) : PQexec(link->conn, sql);
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	/* A broken connection may have no result. */
	const char *why = result != NULL ? PQresultErrorMessage(result) : PQerrorMessage(link->conn);
	report_failure(st, what, why, failure);
	note_reason(st, why);
	/* 25006: the server is read-only now. If there are several addresses, another one may be writable. */
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool is_wrong_one = code != NULL && strcmp(code, "25006") == 0;
	PQclear(result);
	if (is_wrong_one)
		pg_close(link);
	return NULL;
}

static pg_link *acquire(pg_store *st)
{
	pg_link *found = NULL;
	(void)pthread_mutex_lock(&st->lock);
	while (found == NULL) {
		for (int i = 0; i < PG_READERS && found == NULL; i++)
			found = st->readers[i].is_busy ? NULL : &st->readers[i];
		if (found == NULL)
			(void)pthread_cond_wait(&st->free, &st->lock);
	}
	found->is_busy = true;
	(void)pthread_mutex_unlock(&st->lock);
	return found;
}

static void release_link(pg_store *st, pg_link *link)
{
	(void)pthread_mutex_lock(&st->lock);
	link->is_busy = false;
	(void)pthread_cond_signal(&st->free);
	(void)pthread_mutex_unlock(&st->lock);
}

PGresult *pg_read_rows(store *base, const char *sql, const pg_params *p, const char *what, curfew_failure *failure)
{
	pg_store *st = pg_of(base);
	pg_link *link = acquire(st);
	PGresult *rows = pg_run(st, link, sql, p, what, failure);
	release_link(st, link);
	return rows;
}

/* ---- Parameters and columns ---------------------------------------------------------------------------------- */

static void add_param(pg_params *p, const char *value, size_t length, int format)
{
	if (p->count == PG_PARAMS_MAX)
		return; /* the statement then lacks a parameter, and fails */
	p->values[p->count] = value;
	p->lengths[p->count] = (int)length;
	p->formats[p->count++] = format;
}

void pg_words(pg_params *p, const char *words)
{
	add_param(p, words, 0, 0);
}

void pg_bytes(pg_params *p, const void *data, size_t length)
{
	add_param(p, data, length, 1);
}

void pg_number(pg_params *p, int64_t number)
{
	char *digits = p->numbers[p->count < PG_PARAMS_MAX ? p->count : 0];
	(void)snprintf(digits, sizeof p->numbers[0], "%lld", (long long)number);
	add_param(p, digits, 0, 0);
}

void pg_quota(pg_params *p, uint64_t max)
{
	if (max == UINT64_MAX)
		add_param(p, NULL, 0, 0);
	else
		pg_number(p, (int64_t)max);
}

int pg_count(const PGresult *rows)
{
	return rows != NULL ? PQntuples(rows) : 0;
}

bool pg_end(PGresult *rows)
{
	bool good = rows != NULL;
	PQclear(rows);
	return good;
}

const char *pg_get(const PGresult *rows, int row, const char *column)
{
	int index = PQfnumber(rows, column);
	return index < 0 || PQgetisnull(rows, row, index) ? NULL : PQgetvalue(rows, row, index);
}

size_t pg_get_length(const PGresult *rows, int row, const char *column)
{
	return (size_t)PQgetlength(rows, row, PQfnumber(rows, column));
}

/* Results are binary, in big-endian order. */
int64_t pg_get_number(const PGresult *rows, int row, const char *column)
{
	const unsigned char *data = (const unsigned char *)pg_get(rows, row, column);
	uint64_t number = 0;
	if (data == NULL)
		return 0;
	size_t length = pg_get_length(rows, row, column);
	for (size_t i = 0; i < length && i < 8; i++)
		number = number << 8 | data[i];
	return length == 4 ? (int32_t)number : (int64_t)number;
}
