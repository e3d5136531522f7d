/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write-ahead log. What it has is copied to the database, page by page, and synchronised, which takes longer than
 * many transactions. So a thread does it while transactions go on, and the writing thread copies only what was added
 * meanwhile: then the log begins anew.
 */
#include "store_sqlite.h"

/* Pages of a log that is copied, and of what the writing thread may copy itself. */
enum { LONG_LOG = 2000, SHORT_REST = 200 };

static void copy(sqlite3 *db)
{
	/* What cannot be copied now, because of the disk or a reader, is copied next time. */
	(void)sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* Under the lock: whether the log has grown enough since it was last copied, or has begun anew. */
static bool is_long(sqlite_log *log, int pages)
{
	if (pages < log->copied)
		log->copied = 0;
	return pages - log->copied >= LONG_LOG;
}

/* Called after each transaction, with the number of pages in the log. */
static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
	sqlite_log *log = context;
	(void)name;
	(void)pthread_mutex_lock(&log->lock);
	/* Another process may have added much meanwhile. Then the thread copies that, too. */
	bool is_copied = log->state == LOG_COPIED, finishes = is_copied && pages - log->begun <= SHORT_REST;
	if (is_copied && !finishes) {
		log->state = LOG_COPYING;
		log->begun = pages;
		(void)pthread_cond_signal(&log->changed);
	} else if (finishes) {
		log->state = LOG_GROWS;
		log->copied = pages;
	} else if (log->state == LOG_GROWS && is_long(log, pages)) {
		log->state = LOG_COPYING;
		log->begun = pages;
		(void)pthread_cond_signal(&log->changed);
	}
	(void)pthread_mutex_unlock(&log->lock);
	if (finishes)
		copy(db);
	return SQLITE_OK;
}

static void *copy_aside(void *context)
{
	sqlite_log *log = context;
	(void)pthread_mutex_lock(&log->lock);
	while (!log->ends) {
		if (log->state != LOG_COPYING) {
			(void)pthread_cond_wait(&log->changed, &log->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&log->lock);
		copy(log->db);
		(void)pthread_mutex_lock(&log->lock);
		log->state = LOG_COPIED;
	}
	(void)pthread_mutex_unlock(&log->lock);
	return NULL;
}

bool sqlite_start_log(sqlite_store *st, curfew_failure *failure)
{
	sqlite_log *log = &st->log;
	log->db = sqlite_connect(st, SQLITE_OPEN_READWRITE, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0",
	                         failure);
	if (log->db == NULL)
		return false;
	(void)pthread_mutex_init(&log->lock, NULL);
	(void)pthread_cond_init(&log->changed, NULL);
	log->has_thread = pthread_create(&log->thread, NULL, copy_aside, log) == 0;
	if (log->has_thread)
		(void)sqlite3_wal_hook(st->writer, on_commit, log);
	return log->has_thread || sqlite_refuse(NULL, "no thread can be started", failure);
}

bool sqlite_log_is_copied(sqlite_store *st)
{
	sqlite_log *log = &st->log;
	if (!log->has_thread)
		return false;
	(void)pthread_mutex_lock(&log->lock);
	bool is_copied = log->state == LOG_COPYING;
	(void)pthread_mutex_unlock(&log->lock);
	return is_copied;
}

void sqlite_end_log(sqlite_store *st)
{
	sqlite_log *log = &st->log;
	if (log->has_thread) {
		(void)pthread_mutex_lock(&log->lock);
		log->ends = true;
		(void)pthread_cond_signal(&log->changed);
		(void)pthread_mutex_unlock(&log->lock);
		(void)pthread_join(log->thread, NULL);
		log->has_thread = false;
	}
	(void)sqlite3_close(log->db);
	log->db = NULL;
}
