/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of secrets: a SQLite file whose values are sealed with XChaCha20-Poly1305. SQLite provides transactions,
 * locks and recovery after a crash, and sees only sealed values. A value that it returns is trusted once its seal is
 * verified. A seal covers the store's id, the user and the name, so no value can be opened in another place.
 */
#include "host/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/refuse.h"
#include "common/mutex.h"
#include "common/utf8.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEAL (NONCE + TAG)
#define ID_BYTES 16
#define SUM_BYTES 16
/* The store's own record: its id, a seal over nothing, which verifies the key, and a checksum, which detects damage. */
#define RECORD_BYTES (ID_BYTES + SEAL + SUM_BYTES)
#define BUSY_MS 2000
#define FORMAT_ID "1129465427" /* "CRFS" */
#define FORMAT_VERSION 1

struct curfew_secrets {
	sqlite3 *database;
	curfew__mutex lock;
	unsigned char *key; /* in locked memory */
	unsigned char id[ID_BYTES];
	char path[PATH_MAX];
};

_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == CURFEW_SECRETS_KEY_BYTES, "the key of the cipher");

/* ---- Arguments -------------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	return length > 0 && length <= CURFEW_SECRET_NAME_BYTES && !name[length] && (name[0] < '0' || name[0] > '9');
}

static curfew_status check_name(const char *name, curfew_failure *failure)
{
	char message[256];

	if (name && is_name(name))
		return CURFEW_OK;
	snprintf(message, sizeof message,
	         "secret %.100s: a name is at most %u letters, digits and _, and does not begin with a digit",
	         name && name[0] ? name : "\"\"", CURFEW_SECRET_NAME_BYTES);
	return curfew__refuse(failure, CURFEW_INVALID, message);
}

static curfew_status check_user(const char *user, curfew_failure *failure)
{
	size_t length = user ? strlen(user) : 0;
	char message[256];

	if (length >= 1 && length <= CURFEW_USER_BYTES && curfew__utf8_check(user, length, NULL))
		return CURFEW_OK;
	snprintf(message, sizeof message, "user %.100s: must be from 1 to %u bytes of UTF-8", length ? user : "\"\"",
	         CURFEW_USER_BYTES);
	return curfew__refuse(failure, CURFEW_INVALID, message);
}

curfew_status curfew_secret_check(const curfew_secret *secret, curfew_failure *failure)
{
	char message[256];
	size_t offset;

	curfew__refuse(failure, CURFEW_OK, "");
	if (!secret)
		return curfew__refuse(failure, CURFEW_INVALID, "secret is NULL");
	curfew_status status = check_name(secret->name, failure);
	if (status != CURFEW_OK || !secret->value)
		return status;
	if (secret->value_length == 0)
		snprintf(message, sizeof message, "secret %s: the value is empty", secret->name);
	else if (secret->value_length > CURFEW_SECRET_BYTES)
		snprintf(message, sizeof message, "secret %s: the value is larger than 64 KiB", secret->name);
	else if (memchr(secret->value, 0, secret->value_length))
		snprintf(message, sizeof message, "secret %s: the value holds a NUL", secret->name);
	else if (!curfew__utf8_check(secret->value, secret->value_length, &offset))
		snprintf(message, sizeof message, "secret %s: the value is not UTF-8 at byte %zu", secret->name, offset);
	else
		return CURFEW_OK;
	return curfew__refuse(failure, CURFEW_INVALID, message);
}

static curfew_status check_whole(const curfew_secret *secret, curfew_failure *failure)
{
	if (secret && !secret->value)
		return curfew__refuse(failure, CURFEW_INVALID, "the value of a secret is NULL");
	return curfew_secret_check(secret, failure);
}

/* ---- Failures --------------------------------------------------------------------------------------------- */

static curfew_status refuse_path(const char *path, curfew_status status, const char *why, curfew_failure *failure)
{
	char message[256];

	snprintf(message, sizeof message, "%.150s: %s", path, why);
	return curfew__refuse(failure, status, message);
}

static curfew_status refuse_errno(const char *path, int error, curfew_failure *failure)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR: return refuse_path(path, CURFEW_NOT_FOUND, strerror(error), failure);
	case EACCES:
	case EPERM:
	case EROFS: return refuse_path(path, CURFEW_READ_ONLY, strerror(error), failure);
	default: return refuse_path(path, CURFEW_SYSTEM, strerror(error), failure);
	}
}

/* Converts an error of SQLite's to a status. */
static curfew_status refuse_sqlite(const curfew_secrets *s, int code, curfew_failure *failure)
{
	int error = s->database ? sqlite3_system_errno(s->database) : 0;

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return refuse_path(s->path, CURFEW_BUSY, "another process keeps it locked", failure);
	case SQLITE_READONLY:
	case SQLITE_PERM: return refuse_path(s->path, CURFEW_READ_ONLY, "cannot be written", failure);
	case SQLITE_CANTOPEN:
		return error == EACCES || error == EROFS || !error
		           ? refuse_path(s->path, CURFEW_READ_ONLY, "it or its directory cannot be written", failure)
		           : refuse_errno(s->path, error, failure);
	case SQLITE_NOMEM: return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return refuse_path(s->path, CURFEW_SYSTEM, error ? strerror(error) : sqlite3_errstr(code), failure);
	default:
		/* Reports a missing or damaged record. */
		return refuse_path(s->path, CURFEW_DAMAGED, "damaged, or not a file of secrets", failure);
	}
}

static curfew_status refuse_row(const char *user, const char *name, curfew_failure *failure)
{
	char message[256];

	snprintf(message, sizeof message, "secret %.100s of user %.100s: damaged", is_name(name) ? name : "?", user);
	return curfew__refuse(failure, CURFEW_DAMAGED, message);
}

/* ---- Seals ------------------------------------------------------------------------------------------------ */

#define BOUND_BYTES (ID_BYTES + 4 + CURFEW_USER_BYTES + CURFEW_SECRET_NAME_BYTES)

/* What a seal covers besides the value. It includes each length, so that no two pairs give the same bytes. */
static size_t bind_place(const curfew_secrets *s, const char *user, const char *name, unsigned char bound[BOUND_BYTES])
{
	size_t user_length = strlen(user), name_length = strlen(name), at = ID_BYTES;

	memcpy(bound, s->id, ID_BYTES);
	bound[at++] = (unsigned char)(user_length & 0xff);
	bound[at++] = (unsigned char)(user_length >> 8);
	bound[at++] = (unsigned char)(name_length & 0xff);
	bound[at++] = (unsigned char)(name_length >> 8);
	memcpy(bound + at, user, user_length);
	memcpy(bound + at + user_length, name, name_length);
	return at + user_length + name_length;
}

/* sealed consists of the nonce, the encrypted value and its tag: SEAL bytes more than the value. */
static void seal(const curfew_secrets *s, const char *user, const char *name, const void *value, size_t length,
                 unsigned char *sealed)
{
	unsigned char bound[BOUND_BYTES];
	size_t bound_length = bind_place(s, user, name, bound);

	randombytes_buf(sealed, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE, NULL, value, length, bound, bound_length, NULL, sealed,
	                                           s->key);
}

/* value must have a capacity of length - SEAL bytes. */
static bool unseal(const curfew_secrets *s, const char *user, const char *name, const unsigned char *sealed,
                   size_t length, void *value)
{
	unsigned char bound[BOUND_BYTES];
	size_t bound_length = bind_place(s, user, name, bound);

	return length >= SEAL &&
	       crypto_aead_xchacha20poly1305_ietf_decrypt(value, NULL, NULL, sealed + NONCE, length - NONCE, bound,
	                                                  bound_length, sealed, s->key) == 0;
}

/* ---- Statements ------------------------------------------------------------------------------------------- */

static int run_sql(const curfew_secrets *s, const char *sql)
{
	return sqlite3_exec(s->database, sql, NULL, NULL, NULL);
}

/* Prepares a statement with the user and the name (each may be NULL) as its first parameters. */
static int prepare_statement(const curfew_secrets *s, const char *sql, const char *user, const char *name,
                             sqlite3_stmt **statement)
{
	int code = sqlite3_prepare_v2(s->database, sql, -1, statement, NULL);

	if (code == SQLITE_OK && user)
		code = sqlite3_bind_text(*statement, 1, user, -1, SQLITE_STATIC);
	if (code == SQLITE_OK && name)
		code = sqlite3_bind_text(*statement, 2, name, -1, SQLITE_STATIC);
	return code;
}

/* Reads the numbers in the first row of a query. */
static int read_numbers(const curfew_secrets *s, const char *sql, const char *user, const char *name, int count,
                        sqlite3_int64 *numbers)
{
	sqlite3_stmt *statement = NULL;
	int code = prepare_statement(s, sql, user, name, &statement);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	for (int i = 0; code == SQLITE_ROW && i < count; i++)
		numbers[i] = sqlite3_column_int64(statement, i);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_CORRUPT : code;
}

/* Ends a transaction: commits it if everything succeeded, otherwise rolls it back. */
static curfew_status end_transaction(const curfew_secrets *s, curfew_status status, curfew_failure *failure)
{
	int code = status == CURFEW_OK ? run_sql(s, "COMMIT") : SQLITE_OK;

	if (status != CURFEW_OK || code != SQLITE_OK)
		run_sql(s, "ROLLBACK");
	return code == SQLITE_OK ? status : refuse_sqlite(s, code, failure);
}

static curfew_status begin_transaction(curfew_secrets *s, const char *sql, curfew_failure *failure)
{
	int code = run_sql(s, sql);
	return code == SQLITE_OK ? CURFEW_OK : refuse_sqlite(s, code, failure);
}

/* ---- Opening ---------------------------------------------------------------------------------------------- */

static void sum_record(const unsigned char *record, unsigned char sum[SUM_BYTES])
{
	crypto_generichash(sum, SUM_BYTES, record, RECORD_BYTES - SUM_BYTES, NULL, 0);
}

static int write_record(curfew_secrets *s)
{
	unsigned char record[RECORD_BYTES];
	sqlite3_stmt *statement = NULL;

	randombytes_buf(s->id, ID_BYTES);
	memcpy(record, s->id, ID_BYTES);
	seal(s, "", "", NULL, 0, record + ID_BYTES);
	sum_record(record, record + ID_BYTES + SEAL);
	int code = prepare_statement(s, "INSERT INTO store VALUES(1, ?)", NULL, NULL, &statement);
	if (code == SQLITE_OK)
		code = sqlite3_bind_blob(statement, 1, record, sizeof record, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Whether the file is empty, without even another program's tables. */
static int is_empty(const curfew_secrets *s, bool *empty)
{
	sqlite3_int64 found[2] = {1, 1};
	int code = read_numbers(s, "SELECT (SELECT count(*) FROM sqlite_schema), application_id FROM pragma_application_id",
	                        NULL, NULL, 2, found);
	*empty = code == SQLITE_OK && !found[0] && !found[1];
	return code;
}

/* Makes an empty file a store. If two processes try at once, one of them does it. */
static curfew_status make_store(curfew_secrets *s, curfew_failure *failure)
{
	bool empty;
	int code = is_empty(s, &empty);

	if (code != SQLITE_OK || !empty)
		return code == SQLITE_OK ? CURFEW_OK : refuse_sqlite(s, code, failure);
	curfew_status status = begin_transaction(s, "BEGIN IMMEDIATE", failure);
	if (status != CURFEW_OK)
		return status;
	code = is_empty(s, &empty);
	if (code == SQLITE_OK && empty)
		code = run_sql(s, "PRAGMA application_id = " FORMAT_ID "; PRAGMA user_version = 1;"
		                  "CREATE TABLE store(id INTEGER PRIMARY KEY CHECK(id = 1), record BLOB NOT NULL) STRICT;"
		                  "CREATE TABLE secrets(user TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL,"
		                  " PRIMARY KEY(user, name)) STRICT;");
	if (code == SQLITE_OK && empty)
		code = write_record(s);
	return end_transaction(s, code == SQLITE_OK ? CURFEW_OK : refuse_sqlite(s, code, failure), failure);
}

static curfew_status check_record(curfew_secrets *s, const unsigned char *record, size_t length,
                                  curfew_failure *failure)
{
	unsigned char sum[SUM_BYTES], nothing;

	if (!record || length != RECORD_BYTES)
		return refuse_path(s->path, CURFEW_DAMAGED, "damaged", failure);
	sum_record(record, sum);
	if (sodium_memcmp(sum, record + ID_BYTES + SEAL, SUM_BYTES))
		return refuse_path(s->path, CURFEW_DAMAGED, "damaged", failure);
	memcpy(s->id, record, ID_BYTES);
	if (!unseal(s, "", "", record + ID_BYTES, SEAL, &nothing))
		return refuse_path(s->path, CURFEW_WRONG_KEY, "the key is not the one it was made with", failure);
	return CURFEW_OK;
}

static curfew_status read_record(curfew_secrets *s, curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	sqlite3_int64 version = 0;
	int code = read_numbers(s,
	                        "SELECT user_version FROM pragma_user_version, pragma_application_id"
	                        " WHERE application_id = " FORMAT_ID,
	                        NULL, NULL, 1, &version);

	if (code != SQLITE_OK)
		return refuse_sqlite(s, code, failure);
	if (version != FORMAT_VERSION)
		return refuse_path(s->path, CURFEW_DAMAGED, "made by another version of Curfew", failure);
	code = prepare_statement(s, "SELECT record FROM store", NULL, NULL, &statement);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	curfew_status status = code == SQLITE_ROW ? check_record(s, sqlite3_column_blob(statement, 0),
	                                                         (size_t)sqlite3_column_bytes(statement, 0), failure)
	                                          : refuse_sqlite(s, code, failure);
	sqlite3_finalize(statement);
	return status;
}

/* Creates the file before SQLite opens it, because SQLite would create one that others can read. */
static curfew_status prepare_file(const char *path, uint32_t flags, curfew_failure *failure)
{
	struct stat found;
	int file = flags & CURFEW_SECRETS_CREATE ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;

	if (file >= 0) {
		int error = fchmod(file, 0600) ? errno : 0;
		close(file);
		return error ? refuse_errno(path, error, failure) : CURFEW_OK;
	}
	if (flags & CURFEW_SECRETS_CREATE && errno == ENOENT)
		return refuse_path(path, CURFEW_NOT_FOUND, "its directory does not exist", failure);
	if (flags & CURFEW_SECRETS_CREATE && errno != EEXIST)
		return refuse_errno(path, errno, failure);
	if (stat(path, &found))
		return refuse_errno(path, errno, failure);
	if (!S_ISREG(found.st_mode))
		return refuse_path(path, CURFEW_INVALID, S_ISDIR(found.st_mode) ? "is a directory" : "is no regular file",
		                   failure);
	if (access(path, R_OK))
		return refuse_path(path, CURFEW_SYSTEM, strerror(errno), failure);
	return CURFEW_OK;
}

static curfew_status open_database(curfew_secrets *s, const char *path, curfew_failure *failure)
{
	char name[PATH_MAX + 2];

	/* Pass a path that cannot be one of SQLite's special names. */
	snprintf(name, sizeof name, "%s%s", path[0] == '/' ? "" : "./", path);
	int code = sqlite3_open_v2(name, &s->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	                           NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(s->database, BUSY_MS);
	/* The file may come from someone else, so nothing in it may be executed. */
	if (code == SQLITE_OK)
		code = sqlite3_db_config(s->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(s->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_db_config(s->database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	if (code == SQLITE_OK)
		code = run_sql(s, "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON");
	return code == SQLITE_OK ? CURFEW_OK : refuse_sqlite(s, code, failure);
}

void curfew_secrets_close(curfew_secrets *s)
{
	if (!s)
		return;
	sqlite3_close(s->database);
	sodium_free(s->key);
	curfew__mutex_finish(&s->lock);
	free(s);
}

curfew_status curfew_secrets_open(const char *path, const void *key, uint32_t flags, curfew_secrets **secrets,
                                  curfew_failure *failure)
{
	curfew__refuse(failure, CURFEW_OK, "");
	if (!path || !key || !secrets || flags & ~CURFEW_SECRETS_CREATE)
		return curfew__refuse(failure, CURFEW_INVALID, "path, key or secrets is NULL, or a flag is unknown");
	*secrets = NULL;
	if (!path[0] || strlen(path) >= PATH_MAX)
		return refuse_path(path, CURFEW_INVALID, path[0] ? strerror(ENAMETOOLONG) : "the path is empty", failure);
	curfew_status status = prepare_file(path, flags, failure);
	if (status != CURFEW_OK)
		return status;
	curfew_secrets *s = sodium_init() < 0 ? NULL : calloc(1, sizeof *s);
	if (!s || !(s->key = sodium_malloc(CURFEW_SECRETS_KEY_BYTES))) {
		free(s);
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	}

	curfew__mutex_init(&s->lock);
	memcpy(s->key, key, CURFEW_SECRETS_KEY_BYTES);
	memcpy(s->path, path, strlen(path) + 1);
	status = open_database(s, path, failure);
	if (status == CURFEW_OK && flags & CURFEW_SECRETS_CREATE)
		status = make_store(s, failure);
	if (status == CURFEW_OK)
		status = read_record(s, failure);
	if (status != CURFEW_OK) {
		curfew_secrets_close(s);
		return status;
	}

	*secrets = s;
	return CURFEW_OK;
}

/* ---- Changing --------------------------------------------------------------------------------------------- */

/* The number of secrets, the bytes of their values, and the bytes of their names with a NUL each. */
#define TOTALS                                                                                                         \
	"SELECT count(*), coalesce(sum(max(length(sealed) - 40, 0)), 0),"                                                  \
	" coalesce(sum(length(CAST(name AS BLOB)) + 1), 0) FROM secrets WHERE user = ?1"
_Static_assert(SEAL == 40, "TOTALS has it as a number");

/* Checks that the user may have one more secret, or a new value of the one of that name. */
static curfew_status check_fits(const curfew_secrets *s, const char *user, const curfew_secret *secret,
                                curfew_failure *failure)
{
	sqlite3_int64 totals[2];
	char message[256];
	int code = read_numbers(s, TOTALS " AND name <> ?2", user, secret->name, 2, totals);

	if (code != SQLITE_OK)
		return refuse_sqlite(s, code, failure);
	if (totals[0] < CURFEW_SECRETS_COUNT && totals[1] + (sqlite3_int64)secret->value_length <= CURFEW_SECRETS_BYTES)
		return CURFEW_OK;
	snprintf(message, sizeof message, "secret %.100s: a user has at most %u secrets, of 256 KiB together", secret->name,
	         CURFEW_SECRETS_COUNT);
	return curfew__refuse(failure, CURFEW_INVALID, message);
}

static int put_row(const curfew_secrets *s, const char *user, const curfew_secret *secret, const unsigned char *sealed)
{
	sqlite3_stmt *statement = NULL;
	int code = prepare_statement(s, "INSERT INTO secrets VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET sealed = ?3",
	                             user, secret->name, &statement);

	if (code == SQLITE_OK)
		code = sqlite3_bind_blob(statement, 3, sealed, (int)(secret->value_length + SEAL), SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static curfew_status set_locked(curfew_secrets *s, const char *user, const curfew_secret *secret,
                                const unsigned char *sealed, curfew_failure *failure)
{
	curfew_status status = begin_transaction(s, "BEGIN IMMEDIATE", failure);

	if (status != CURFEW_OK)
		return status;
	status = check_fits(s, user, secret, failure);
	if (status == CURFEW_OK) {
		int code = put_row(s, user, secret, sealed);
		status = code == SQLITE_OK ? CURFEW_OK : refuse_sqlite(s, code, failure);
	}
	return end_transaction(s, status, failure);
}

curfew_status curfew_secrets_set(curfew_secrets *s, const char *user, const curfew_secret *secret,
                                 curfew_failure *failure)
{
	curfew__refuse(failure, CURFEW_OK, "");
	if (!s)
		return curfew__refuse(failure, CURFEW_INVALID, "secrets is NULL");
	curfew_status status = check_user(user, failure);
	if (status == CURFEW_OK)
		status = check_whole(secret, failure);
	if (status != CURFEW_OK)
		return status;
	unsigned char *sealed = malloc(secret->value_length + SEAL);
	if (!sealed)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	curfew__mutex_lock(&s->lock);
	seal(s, user, secret->name, secret->value, secret->value_length, sealed);
	status = set_locked(s, user, secret, sealed, failure);
	curfew__mutex_unlock(&s->lock);
	free(sealed);
	return status;
}

static curfew_status remove_locked(curfew_secrets *s, const char *user, const char *name, curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	char message[256];
	int code = prepare_statement(s, "DELETE FROM secrets WHERE user = ?1 AND name = ?2", user, name, &statement);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	if (code != SQLITE_DONE)
		return refuse_sqlite(s, code, failure);
	if (sqlite3_changes(s->database))
		return CURFEW_OK;
	snprintf(message, sizeof message, "user %.100s has no secret %.100s", user, name);
	return curfew__refuse(failure, CURFEW_NOT_FOUND, message);
}

curfew_status curfew_secrets_remove(curfew_secrets *s, const char *user, const char *name, curfew_failure *failure)
{
	curfew__refuse(failure, CURFEW_OK, "");
	if (!s)
		return curfew__refuse(failure, CURFEW_INVALID, "secrets is NULL");
	curfew_status status = check_user(user, failure);
	if (status == CURFEW_OK)
		status = check_name(name, failure);
	if (status != CURFEW_OK)
		return status;
	curfew__mutex_lock(&s->lock);
	status = remove_locked(s, user, name, failure);
	curfew__mutex_unlock(&s->lock);
	return status;
}

/* ---- Reading ---------------------------------------------------------------------------------------------- */

/* Handles the current row of the statement. */
typedef curfew_status (*row_function)(void *context, const char *name, sqlite3_stmt *statement,
                                      curfew_failure *failure);

static curfew_status each_row(const curfew_secrets *s, const char *user, row_function do_row, void *context,
                              curfew_failure *failure)
{
	sqlite3_stmt *statement = NULL;
	curfew_status status = CURFEW_OK;
	int code = prepare_statement(s, "SELECT name, sealed FROM secrets WHERE user = ?1 ORDER BY name", user, NULL,
	                             &statement);

	while (code == SQLITE_OK && status == CURFEW_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(statement, 0);
		status = name && is_name(name) ? do_row(context, name, statement, failure)
		                               : refuse_row(user, name ? name : "", failure);
		code = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return status != CURFEW_OK || code == SQLITE_DONE ? status : refuse_sqlite(s, code, failure);
}

typedef struct name_list {
	char **names;
	size_t count, most;
	char *at, *end;
} name_list;

static curfew_status add_name(void *context, const char *name, sqlite3_stmt *statement, curfew_failure *failure)
{
	name_list *list = context;
	size_t size = strlen(name) + 1;

	if (list->count == list->most || size > (size_t)(list->end - list->at))
		return curfew__refuse(failure, CURFEW_DAMAGED, "the store of secrets is damaged");
	list->names[list->count++] = memcpy(list->at, name, size);
	list->at += size;
	return CURFEW_OK;
}

static curfew_status list_locked(curfew_secrets *s, const char *user, name_list *list, curfew_failure *failure)
{
	sqlite3_int64 totals[3];
	int code = read_numbers(s, TOTALS, user, NULL, 3, totals);

	if (code != SQLITE_OK)
		return refuse_sqlite(s, code, failure);
	list->most = (size_t)totals[0];
	size_t heads = (list->most + 1) * sizeof *list->names;
	list->names = calloc(1, heads + (size_t)totals[2]);
	if (!list->names)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	list->at = (char *)list->names + heads;
	list->end = list->at + totals[2];
	return each_row(s, user, add_name, list, failure);
}

curfew_status curfew_secrets_list(curfew_secrets *s, const char *user, char ***names, size_t *count,
                                  curfew_failure *failure)
{
	name_list list = {0};

	curfew__refuse(failure, CURFEW_OK, "");
	if (!s || !names || !count)
		return curfew__refuse(failure, CURFEW_INVALID, "secrets, names or count is NULL");
	curfew_status status = check_user(user, failure);
	if (status != CURFEW_OK)
		return status;
	curfew__mutex_lock(&s->lock);
	status = begin_transaction(s, "BEGIN", failure);
	if (status == CURFEW_OK)
		status = end_transaction(s, list_locked(s, user, &list, failure), failure);
	curfew__mutex_unlock(&s->lock);
	if (status != CURFEW_OK) {
		free(list.names);
		return status;
	}
	*names = list.names;
	*count = list.count;
	return CURFEW_OK;
}

/* ---- For a run -------------------------------------------------------------------------------------------- */

typedef struct granting {
	curfew__grants *grants;
	size_t most;
	char *at, *end; /* memory for names and values */
	const curfew_secrets *store;
	const char *user;
} granting;

/* Reserves memory for a secret, whose value the caller fills in. NULL: there is none left. */
static char *reserve_value(granting *g, const char *name, size_t value_length)
{
	size_t name_size = strlen(name) + 1;

	if (g->grants->count == g->most || name_size + value_length + 1 > (size_t)(g->end - g->at))
		return NULL;
	char *value = g->at + name_size;
	g->grants->items[g->grants->count++] = (curfew_secret){memcpy(g->at, name, name_size), value, value_length};
	value[value_length] = 0;
	g->at = value + value_length + 1;
	return value;
}

static curfew_status grant_row(void *context, const char *name, sqlite3_stmt *statement, curfew_failure *failure)
{
	granting *g = context;
	const unsigned char *sealed = sqlite3_column_blob(statement, 1);
	size_t length = (size_t)sqlite3_column_bytes(statement, 1);

	if (curfew__grants_find(g->grants, name, strlen(name)))
		return CURFEW_OK;
	char *value = length > SEAL ? reserve_value(g, name, length - SEAL) : NULL;
	if (value && unseal(g->store, g->user, name, sealed, length, value))
		return CURFEW_OK;
	return refuse_row(g->user, name, failure);
}

static curfew_status make_grants(granting *g, size_t count, size_t bytes, curfew_failure *failure)
{
	size_t heads = sizeof *g->grants + count * sizeof *g->grants->items;

	if (count > CURFEW_SECRETS_COUNT || bytes > CURFEW_SECRETS_BYTES + count * (CURFEW_SECRET_NAME_BYTES + 2))
		return curfew__refuse(failure, CURFEW_INVALID, "a run has at most 256 secrets, of 256 KiB together");
	if (!count)
		return CURFEW_OK;
	/* The memory ends at the end of a page, so only a round size leaves its start aligned. */
	g->grants = sodium_init() < 0 ? NULL : sodium_malloc((heads + bytes + 15) & ~(size_t)15);
	if (!g->grants)
		return curfew__refuse(failure, CURFEW_NO_MEMORY, "out of memory");
	g->grants->count = 0;
	g->most = count;
	g->at = (char *)g->grants + heads;
	g->end = g->at + bytes;
	return CURFEW_OK;
}

static curfew_status grant(granting *g, const curfew_secret *given, size_t count, curfew_failure *failure)
{
	sqlite3_int64 totals[3] = {0};
	size_t bytes = 0;
	int code = g->store ? read_numbers(g->store, TOTALS, g->user, NULL, 3, totals) : SQLITE_OK;

	if (code != SQLITE_OK)
		return refuse_sqlite(g->store, code, failure);
	for (size_t i = 0; i < count; i++)
		bytes += strlen(given[i].name) + 1 + given[i].value_length + 1;
	bytes += (size_t)(totals[0] + totals[1] + totals[2]);
	curfew_status status = make_grants(g, count + (size_t)totals[0], bytes, failure);
	if (status != CURFEW_OK || !g->grants)
		return status;
	/* The last secret of a name counts, as with options. */
	for (size_t i = count; i-- > 0;)
		if (!curfew__grants_find(g->grants, given[i].name, strlen(given[i].name)))
			memcpy(reserve_value(g, given[i].name, given[i].value_length), given[i].value, given[i].value_length);
	return g->store ? each_row(g->store, g->user, grant_row, g, failure) : CURFEW_OK;
}

curfew_status curfew__grants_create(const curfew_secret *given, size_t count, curfew_secrets *store, const char *user,
                                    curfew__grants **grants, curfew_failure *failure)
{
	granting g = {.store = store, .user = user};
	curfew_status status = store ? check_user(user, failure) : CURFEW_OK;

	*grants = NULL;
	if (count && !given)
		return curfew__refuse(failure, CURFEW_INVALID, "secrets is NULL, but secret_count is not 0");
	if (count > CURFEW_SECRETS_COUNT)
		return curfew__refuse(failure, CURFEW_INVALID, "a run has at most 256 secrets, of 256 KiB together");
	for (size_t i = 0; i < count && status == CURFEW_OK; i++)
		status = check_whole(&given[i], failure);
	if (status != CURFEW_OK)
		return status;
	if (store) {
		curfew__mutex_lock(&store->lock);
		status = begin_transaction(store, "BEGIN", failure);
		if (status == CURFEW_OK)
			status = end_transaction(store, grant(&g, given, count, failure), failure);
		curfew__mutex_unlock(&store->lock);
	} else {
		status = grant(&g, given, count, failure);
	}
	if (status == CURFEW_OK)
		*grants = g.grants;
	else
		curfew__grants_destroy(g.grants);
	return status;
}

void curfew__grants_destroy(curfew__grants *grants)
{
	sodium_free(grants);
}

const curfew_secret *curfew__grants_find(const curfew__grants *grants, const char *name, size_t length)
{
	for (size_t i = 0; grants && i < grants->count; i++) {
		const char *other = grants->items[i].name;
		if (strlen(other) == length && !memcmp(other, name, length))
			return &grants->items[i];
	}
	return NULL;
}

/* ---- For another process ---------------------------------------------------------------------------------- */

curfew_status curfew_secrets_collect(const curfew_secret *given, size_t given_count, curfew_secrets *store,
                                     const char *user, curfew_secret **secrets, size_t *count, curfew_failure *failure)
{
	curfew__grants *grants;

	if (!secrets || !count)
		return curfew__refuse(failure, CURFEW_INVALID, "secrets or count is NULL");
	*secrets = NULL;
	*count = 0;
	curfew_status status = curfew__grants_create(given, given_count, store, user, &grants, failure);
	if (status == CURFEW_OK && grants) {
		*secrets = grants->items;
		*count = grants->count;
	}
	return status;
}

void curfew_secrets_wipe(curfew_secret *secrets)
{
	if (secrets)
		curfew__grants_destroy((curfew__grants *)(void *)((char *)secrets - offsetof(curfew__grants, items)));
}
