/* SPDX-License-Identifier: Apache-2.0 */
/* A PostgreSQL database as the store: the schema and its versions, and opening it. */
#include "store_postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Migration takes this lock, so that one server migrates at a time. */
#define MIGRATION_LOCK "7433181301"

/*
 * Each entry upgrades the schema from its index to the next version. Never change one: add one. One that servers of
 * before cannot use names its own version as the oldest, and deletes all fences: from then on these write nothing.
 */
static const struct migration {
	int oldest; /* the oldest version whose servers may still use it */
	const char *sql;
} migrations[] = {
	{1,
     "CREATE FUNCTION clock_us() RETURNS bigint LANGUAGE sql VOLATILE AS $$ "
     "  SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;"
     "CREATE TABLE sources(sha256 text NOT NULL, language int NOT NULL, bytes bytea NOT NULL, "
     "  PRIMARY KEY(sha256, language));"
     "CREATE TABLE programs(owner text NOT NULL, name text NOT NULL, sha256 text NOT NULL, language int NOT NULL, "
     "  kind text NOT NULL, exports text NOT NULL, size bigint NOT NULL, created_us bigint NOT NULL, "
     "  updated_us bigint NOT NULL, PRIMARY KEY(owner, name), FOREIGN KEY(sha256, language) REFERENCES sources);"
     "CREATE INDEX programs_sha256 ON programs(sha256, language);"
     /* node: the owner of a run that has not ended, 0 for none; epoch: how often it was taken. */
     "CREATE TABLE runs(number bigserial PRIMARY KEY, id text COLLATE \"C\" NOT NULL UNIQUE, owner text NOT NULL, "
     "  state int NOT NULL, program text, name text NOT NULL, sha256 text NOT NULL, language int NOT NULL, call bytea, "
     "  params bytea NOT NULL, \"user\" bytea, limits text NOT NULL, flags bigint NOT NULL, priority int NOT NULL, "
     "  retry int NOT NULL, attempt int NOT NULL, created_us bigint NOT NULL, due_us bigint NOT NULL, "
     "  started_us bigint NOT NULL, ended_us bigint NOT NULL DEFAULT 0, queue_us bigint NOT NULL, outcome int, "
     "  checkpoint bytea, last_event bigint NOT NULL DEFAULT 0, key text, body_sha256 text, allow_fetch text, wasi bytea, "
     "  schedule text, hook_url text, hook_secret text, hook_state int NOT NULL DEFAULT 0, hook_attempts int NOT NULL "
     "  DEFAULT 0, hook_status int NOT NULL DEFAULT 0, hook_us bigint NOT NULL DEFAULT 0, hook_due_us bigint NOT NULL "
     "  DEFAULT 0, hook_problem text, "
     "  bytes bigint NOT NULL DEFAULT 0, report_bytes bigint NOT NULL DEFAULT 0, wall_us bigint, cpu_us bigint, "
     "  memory_bytes bigint, output_bytes bigint, stop_us bigint, node bigint NOT NULL, epoch bigint NOT NULL DEFAULT 0, "
     "  memory bigint NOT NULL, cancels int NOT NULL DEFAULT 0, watched boolean NOT NULL DEFAULT false, "
     "  FOREIGN KEY(sha256, language) REFERENCES sources);"
     "CREATE INDEX runs_waiting ON runs(owner, priority DESC, number) WHERE state=1 AND node=0;"
     "CREATE INDEX runs_due ON runs(due_us) WHERE state=0 AND node=0;"
     "CREATE INDEX runs_held ON runs(node, owner) WHERE state<>4 AND node<>0;"
     "CREATE INDEX runs_owner ON runs(owner, id);"
     "CREATE INDEX runs_program ON runs(owner, program, id) WHERE program IS NOT NULL;"
     "CREATE INDEX runs_any_program ON runs(program, id) WHERE program IS NOT NULL;"
     "CREATE INDEX runs_sha256 ON runs(sha256, language);"
     "CREATE UNIQUE INDEX runs_key ON runs(owner, key) WHERE key IS NOT NULL;"
     "CREATE INDEX runs_ended ON runs(ended_us) WHERE state=4;"
     "CREATE INDEX runs_hook ON runs(hook_due_us) WHERE hook_due_us>0;"
     "CREATE INDEX runs_live ON runs(state, id) WHERE state<>4;"
     "CREATE INDEX runs_outcome ON runs(outcome, id) WHERE state=4 AND outcome<>0;"
     "CREATE INDEX runs_owner_outcome ON runs(owner, outcome, id) WHERE state=4 AND outcome<>0;"
     "CREATE TABLE reports(run bigint NOT NULL REFERENCES runs ON DELETE CASCADE, part int NOT NULL, "
     "  data bytea NOT NULL, PRIMARY KEY(run, part));"
     "CREATE TABLE output(run text COLLATE \"C\" NOT NULL, number bigint NOT NULL, kind int NOT NULL, "
     "  data bytea NOT NULL, PRIMARY KEY(run, number));"
     "CREATE TABLE tokens(id text PRIMARY KEY, name text NOT NULL, hash bytea NOT NULL, scopes int NOT NULL, "
     "  running bigint, queued bigint, per_minute bigint, ceilings text NOT NULL, created_us bigint NOT NULL, "
     "  revoked_us bigint NOT NULL DEFAULT 0, \"user\" text NOT NULL, allow_fetch text NOT NULL, priority int NOT NULL, "
     "  expires_us bigint NOT NULL, used_us bigint NOT NULL DEFAULT 0, programs_bytes bigint);"
     /* Recurring runs. taken_us: until then the node that took it has it. */
     "CREATE TABLE schedules(owner text NOT NULL, name text COLLATE \"C\" NOT NULL, cron text NOT NULL, zone text NOT "
     "  NULL, overlap int NOT NULL, paused int NOT NULL, body bytea NOT NULL, created_us bigint NOT NULL, "
     "  updated_us bigint NOT NULL, next_us bigint NOT NULL, taken_us bigint NOT NULL DEFAULT 0, "
     "  last_us bigint NOT NULL DEFAULT 0, last_run text NOT NULL DEFAULT '', problem text NOT NULL DEFAULT '', "
     "  runs bigint NOT NULL DEFAULT 0, skipped bigint NOT NULL DEFAULT 0, PRIMARY KEY(owner, name));"
     "CREATE INDEX schedules_next ON schedules(next_us) WHERE next_us>0;"
     "CREATE TABLE keys(owner text NOT NULL, key text NOT NULL, id text NOT NULL, body_sha256 text NOT NULL, "
     "  created_us bigint NOT NULL, PRIMARY KEY(owner, key));"
     "CREATE INDEX keys_created ON keys(created_us);"
     "CREATE FUNCTION keep_key() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
     "  INSERT INTO keys VALUES(OLD.owner, OLD.key, OLD.id, OLD.body_sha256, OLD.created_us) ON CONFLICT DO NOTHING; "
     "  RETURN OLD; END $$;"
     "CREATE TRIGGER runs_drop_key AFTER DELETE ON runs FOR EACH ROW WHEN (OLD.key IS NOT NULL AND OLD.state=4) "
     "  EXECUTE FUNCTION keep_key();"
     /* All servers so far. A fence exists as long as its node may write. */
     "CREATE TABLE nodes(number bigserial PRIMARY KEY, name text NOT NULL, version text NOT NULL, address text NOT NULL, "
     "  capacity bigint NOT NULL, running bigint NOT NULL DEFAULT 0, is_draining boolean NOT NULL DEFAULT false, "
     "  started_us bigint NOT NULL, lease_until_us bigint NOT NULL, is_over boolean NOT NULL DEFAULT false);"
     "CREATE TABLE fences(node bigint PRIMARY KEY);"
     /* Ends expired leases. */
     "CREATE FUNCTION expire() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE ended bigint; BEGIN "
     "  WITH over AS (UPDATE nodes SET is_over=true WHERE NOT is_over AND lease_until_us < clock_us() RETURNING number), "
     "  gone AS (DELETE FROM fences USING over WHERE node=over.number RETURNING node) SELECT count(*) INTO ended FROM gone; "
     "  IF ended > 0 THEN PERFORM pg_notify('curfew', 'w'); END IF; "
     "  DELETE FROM nodes WHERE is_over AND lease_until_us < clock_us() - 86400000000; RETURN ended; END $$;"
     /*
      * Takes waiting runs. One node at a time chooses, so that turns and quotas hold over all nodes. The first run of
      * the token with the fewest runs in progress goes first; within a token the highest priority, and then its users
      * in turn.
      */
     "CREATE FUNCTION take(me bigint, wanted bigint, memory_free bigint, memory_max bigint) RETURNS SETOF runs "
     "LANGUAGE plpgsql AS $$ BEGIN "
     "  PERFORM pg_advisory_xact_lock(7433181302);"
     "  PERFORM 1 FROM fences WHERE node=me FOR KEY SHARE;"
     "  IF NOT FOUND THEN RETURN; END IF;"
     "  UPDATE runs SET state=1 WHERE number IN (SELECT number FROM runs WHERE state=0 AND node=0 AND due_us<=clock_us() "
     "    ORDER BY due_us LIMIT 1000 FOR UPDATE SKIP LOCKED);"
     "  UPDATE runs SET state=1, node=0 WHERE number IN (SELECT number FROM runs r WHERE state<>4 AND node<>0 AND "
     "    (state<2 OR attempt<=retry) AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.node=r.node) LIMIT 1000 "
     "    FOR UPDATE SKIP LOCKED);"
     "  RETURN QUERY WITH RECURSIVE o(owner) AS ("
     "    (SELECT r.owner FROM runs r WHERE r.state=1 AND r.node=0 ORDER BY r.owner LIMIT 1) UNION ALL "
     "    SELECT (SELECT r.owner FROM runs r WHERE r.state=1 AND r.node=0 AND r.owner>o.owner ORDER BY r.owner LIMIT 1) "
     "    FROM o WHERE o.owner IS NOT NULL), "
     "  busy AS (SELECT r.owner, count(*) AS n FROM runs r WHERE r.state<>4 AND r.node<>0 GROUP BY r.owner), "
     "  c AS (SELECT w.number, w.memory, t.running, coalesce(busy.n, 0) + row_number() OVER (PARTITION BY o.owner ORDER BY "
     "    w.priority DESC, w.turn, w.number) AS place FROM o CROSS JOIN LATERAL (SELECT x.*, row_number() OVER "
     "    (PARTITION BY x.priority, x.\"user\" ORDER BY x.number) AS turn FROM (SELECT r.number, r.memory, r.priority, "
     "    r.\"user\" FROM runs r WHERE r.state=1 AND r.node=0 AND r.owner=o.owner AND r.memory<=memory_max "
     "    ORDER BY r.priority DESC, r.number LIMIT wanted * 4) x) w "
     "    LEFT JOIN busy ON busy.owner=o.owner LEFT JOIN tokens t ON t.id=o.owner), "
     "  f AS (SELECT c.number, sum(c.memory) OVER (ORDER BY c.place, c.number) AS needs FROM c "
     "    WHERE c.running IS NULL OR c.place<=c.running ORDER BY c.place, c.number LIMIT wanted), "
     "  chosen AS (SELECT r.number FROM runs r WHERE r.number IN (SELECT f.number FROM f WHERE f.needs<=memory_free) "
     "    AND r.state=1 AND r.node=0 FOR UPDATE SKIP LOCKED) "
     "  UPDATE runs SET state=2, node=me, epoch=runs.epoch+1, attempt=runs.attempt+1, started_us=clock_us(), "
     "    queue_us=greatest(clock_us()-greatest(runs.created_us, runs.due_us), 0) FROM chosen "
     "    WHERE runs.number=chosen.number RETURNING runs.*; END $$;"
     /* Takes runs of dead nodes that may not be repeated: state 3 until they are closed. */
     "CREATE FUNCTION take_lost(me bigint) RETURNS SETOF runs LANGUAGE plpgsql AS $$ BEGIN "
     "  PERFORM 1 FROM fences WHERE node=me FOR KEY SHARE;"
     "  IF NOT FOUND THEN RETURN; END IF;"
     "  RETURN QUERY UPDATE runs SET node=me, state=3, epoch=runs.epoch+1 WHERE number IN (SELECT r.number FROM runs r "
     "    WHERE r.state IN (2,3) AND r.node<>0 AND ((r.state=3 AND r.node=me) OR (r.attempt>r.retry AND NOT EXISTS "
     "    (SELECT 1 FROM fences f WHERE f.node=r.node))) LIMIT 100 FOR UPDATE SKIP LOCKED) RETURNING runs.*; END $$;"
     /* A run without an owner is taken by the node that ends it. */
     "CREATE FUNCTION cancel(me bigint, run text) RETURNS SETOF runs LANGUAGE plpgsql AS $$ BEGIN "
     "  PERFORM 1 FROM fences WHERE node=me FOR KEY SHARE;"
     "  IF NOT FOUND THEN me := 0; END IF;"
     "  PERFORM pg_notify('curfew', 'o');"
     "  RETURN QUERY UPDATE runs SET cancels=runs.cancels+1, watched=true, "
     "    epoch=CASE WHEN runs.node=0 AND me<>0 THEN runs.epoch+1 ELSE runs.epoch END, "
     "    node=CASE WHEN runs.node=0 THEN me ELSE runs.node END WHERE id=run AND state<>4 RETURNING runs.*; END $$;"},
	/*
     * 2: NOTIFY takes a lock that lasts until its transaction is on disk, so no transaction that waits for the disk
     * uses it. The notifications are also for version 1, which reads their first letter.
     */
	{1,
     /* Only the remaining nodes can detect that one has died. */
     "CREATE OR REPLACE FUNCTION expire() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE ended bigint; BEGIN "
     "  WITH over AS (UPDATE nodes SET is_over=true WHERE NOT is_over AND lease_until_us < clock_us() RETURNING number), "
     "  gone AS (DELETE FROM fences USING over WHERE node=over.number RETURNING node) SELECT count(*) INTO ended FROM gone; "
     "  IF ended > 0 THEN PERFORM pg_notify('curfew', 'w lost'); END IF; "
     "  DELETE FROM nodes WHERE is_over AND lease_until_us < clock_us() - 86400000000; RETURN ended; END $$;"
     /*
      * Takes waiting runs: so many begin, and so many more wait on the node that took them. The first run of the token
      * with the fewest runs in progress goes first; within a token the highest priority, and then its users in turn.
      * Nodes choose concurrently: rows that one has locked are skipped by the others. Only runs of tokens with a limit
      * of concurrent runs are chosen by one node after the other, because each has to see what the one before took. An
      * index is always the right plan, whatever the statistics say of a table whose rows come and go so quickly.
      */
     "CREATE FUNCTION choose(me bigint, wanted bigint, ahead bigint, memory_free bigint, memory_max bigint) "
     "RETURNS SETOF runs LANGUAGE plpgsql SET enable_seqscan=off SET enable_bitmapscan=off AS $$ "
     "DECLARE is_alone boolean; BEGIN "
     "  PERFORM 1 FROM fences WHERE node=me FOR KEY SHARE;"
     "  IF NOT FOUND THEN RETURN; END IF;"
     "  UPDATE runs SET state=1 WHERE number IN (SELECT number FROM runs WHERE state=0 AND node=0 AND due_us<=clock_us() "
     "    ORDER BY due_us LIMIT 1000 FOR UPDATE SKIP LOCKED);"
     "  is_alone := EXISTS (SELECT 1 FROM tokens t WHERE t.running IS NOT NULL AND EXISTS (SELECT 1 FROM runs r WHERE "
     "    r.state=1 AND r.node=0 AND r.owner=t.id));"
     "  IF is_alone THEN PERFORM pg_advisory_xact_lock(7433181302); END IF;"
     "  RETURN QUERY WITH RECURSIVE o(owner) AS ("
     "    (SELECT r.owner FROM runs r WHERE r.state=1 AND r.node=0 ORDER BY r.owner LIMIT 1) UNION ALL "
     "    SELECT (SELECT r.owner FROM runs r WHERE r.state=1 AND r.node=0 AND r.owner>o.owner ORDER BY r.owner LIMIT 1) "
     "    FROM o WHERE o.owner IS NOT NULL), "
     "  busy AS (SELECT r.owner, count(*) AS n FROM runs r WHERE r.state<>4 AND r.node<>0 AND "
     "    (is_alone OR (SELECT count(o.owner) FROM o)>1) GROUP BY r.owner), "
     "  c AS (SELECT w.number, t.running, coalesce(busy.n, 0) + row_number() OVER (PARTITION BY o.owner ORDER BY "
     "    w.priority DESC, w.turn, w.number) AS place FROM o CROSS JOIN LATERAL (SELECT x.*, row_number() OVER "
     "    (PARTITION BY x.priority, x.\"user\" ORDER BY x.number) AS turn FROM (SELECT r.number, r.priority, "
     "    r.\"user\" FROM runs r WHERE r.state=1 AND r.node=0 AND r.owner=o.owner AND r.memory<=memory_max "
     "    ORDER BY r.priority DESC, r.number LIMIT (wanted + ahead) * 4) x) w "
     "    LEFT JOIN busy ON busy.owner=o.owner LEFT JOIN tokens t ON t.id=o.owner), "
     "  f AS (SELECT c.number, c.running, row_number() OVER (ORDER BY c.place, c.number) AS turn FROM c "
     "    WHERE c.running IS NULL OR (is_alone AND c.place<=c.running)), "
     "  l AS (SELECT r.number, r.memory, f.running, f.turn FROM f JOIN runs r ON r.number=f.number WHERE "
     "    f.turn<=(wanted + ahead) * 4 AND r.state=1 AND r.node=0 ORDER BY f.turn LIMIT wanted + ahead FOR UPDATE OF r "
     "    SKIP LOCKED), "
     "  s AS (SELECT l.number, l.running, row_number() OVER (ORDER BY l.turn)<=wanted AS begins, sum(l.memory) OVER "
     "    (ORDER BY l.turn) AS needs FROM l), "
     "  chosen AS (SELECT s.number, s.begins FROM s WHERE s.needs<=memory_free AND (s.begins OR s.running IS NULL)) "
     "  UPDATE runs SET state=1+chosen.begins::int, node=me, epoch=runs.epoch+1, attempt=runs.attempt+chosen.begins::int, "
     "    started_us=CASE WHEN chosen.begins THEN clock_us() ELSE runs.started_us END, queue_us=CASE WHEN chosen.begins "
     "    THEN greatest(clock_us()-greatest(runs.created_us, runs.due_us), 0) ELSE runs.queue_us END FROM chosen "
     "    WHERE runs.number=chosen.number RETURNING runs.*; END $$;"
     /* Runs of dead nodes: first those that are repeated, which then have no owner. */
     "CREATE OR REPLACE FUNCTION take_lost(me bigint) RETURNS SETOF runs LANGUAGE plpgsql AS $$ BEGIN "
     "  PERFORM 1 FROM fences WHERE node=me FOR KEY SHARE;"
     "  IF NOT FOUND THEN RETURN; END IF;"
     "  UPDATE runs SET state=1, node=0 WHERE number IN (SELECT number FROM runs r WHERE state<>4 AND node<>0 AND "
     "    (state<2 OR attempt<=retry) AND NOT EXISTS (SELECT 1 FROM fences f WHERE f.node=r.node) LIMIT 1000 "
     "    FOR UPDATE SKIP LOCKED);"
     "  IF FOUND THEN PERFORM pg_notify('curfew', 'w'); END IF;"
     "  RETURN QUERY UPDATE runs SET node=me, state=3, epoch=runs.epoch+1 WHERE number IN (SELECT r.number FROM runs r "
     "    WHERE r.state IN (2,3) AND r.node<>0 AND ((r.state=3 AND r.node=me) OR (r.attempt>r.retry AND NOT EXISTS "
     "    (SELECT 1 FROM fences f WHERE f.node=r.node))) LIMIT 100 FOR UPDATE SKIP LOCKED) RETURNING runs.*; END $$;"
     /* The request to a run's node may be lost with the database; the caller then gets an error. */
     "CREATE OR REPLACE FUNCTION cancel(me bigint, run text) RETURNS SETOF runs LANGUAGE plpgsql AS $$ "
     "DECLARE whose bigint; BEGIN "
     "  PERFORM 1 FROM fences WHERE node=me FOR KEY SHARE;"
     "  IF NOT FOUND THEN me := 0; END IF;"
     "  SELECT r.node INTO whose FROM runs r WHERE r.id=run AND r.state<>4 FOR NO KEY UPDATE;"
     "  IF whose <> 0 THEN "
     "    PERFORM set_config('synchronous_commit', 'off', true), pg_notify('curfew', 'o '||whose); "
     "  END IF;"
     "  RETURN QUERY UPDATE runs SET cancels=runs.cancels+1, watched=true, "
     "    epoch=CASE WHEN runs.node=0 AND me<>0 THEN runs.epoch+1 ELSE runs.epoch END, "
     "    node=CASE WHEN runs.node=0 THEN me ELSE runs.node END WHERE id=run AND state<>4 RETURNING runs.*; END $$;"
     /* Reads a run in any state. From now on all of its events are written, and its end is notified. */
     "CREATE FUNCTION look_at(run text) RETURNS SETOF runs LANGUAGE plpgsql AS $$ DECLARE whose bigint; BEGIN "
     "  PERFORM set_config('synchronous_commit', 'off', true);"
     "  UPDATE runs SET watched=true WHERE id=run AND state<>4 AND NOT watched RETURNING node INTO whose;"
     "  IF whose <> 0 THEN PERFORM pg_notify('curfew', 'o '||whose); END IF;"
     "  RETURN QUERY SELECT * FROM runs WHERE id=run; END $$;"},
	/* 3: for a long history: indexes of lists, and the sources that may be unused, so that only these are checked. */
	{1,
     "CREATE INDEX runs_schedule ON runs(owner, schedule, id) WHERE schedule IS NOT NULL;"
     "CREATE INDEX runs_any_schedule ON runs(schedule, id) WHERE schedule IS NOT NULL;"
     "CREATE INDEX runs_program_outcome ON runs(owner, program, outcome, id) WHERE state=4 AND outcome<>0 AND program IS "
     "  NOT NULL;"
     "CREATE INDEX runs_any_program_outcome ON runs(program, outcome, id) WHERE state=4 AND outcome<>0 AND program IS NOT "
     "  NULL;"
     "CREATE INDEX runs_schedule_outcome ON runs(owner, schedule, outcome, id) WHERE state=4 AND outcome<>0 AND schedule "
     "  IS NOT NULL;"
     "CREATE INDEX runs_any_schedule_outcome ON runs(schedule, outcome, id) WHERE state=4 AND outcome<>0 AND schedule IS "
     "  NOT NULL;"
     "CREATE TABLE loose(sha256 text NOT NULL, language int NOT NULL, since_us bigint NOT NULL, PRIMARY KEY(sha256, "
     "  language));"
     "INSERT INTO loose SELECT s.sha256, s.language, clock_us() FROM sources s WHERE NOT EXISTS (SELECT 1 FROM runs r "
     "  WHERE r.sha256=s.sha256 AND r.language=s.language) AND NOT EXISTS (SELECT 1 FROM programs p WHERE "
     "  p.sha256=s.sha256 AND p.language=s.language);"
     "CREATE FUNCTION note_loose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
     "  INSERT INTO loose SELECT sha256, language, clock_us() FROM (SELECT DISTINCT sha256, language FROM gone) AS once "
     "  ORDER BY sha256, language ON CONFLICT (sha256, language) DO UPDATE SET since_us=excluded.since_us; "
     "  RETURN NULL; END $$;"
     "CREATE TRIGGER runs_loosen AFTER DELETE ON runs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT "
     "  EXECUTE FUNCTION note_loose();"
     "CREATE TRIGGER programs_loosen AFTER DELETE ON programs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT "
     "  EXECUTE FUNCTION note_loose();"
     "CREATE TRIGGER programs_replace AFTER UPDATE ON programs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT "
     "  EXECUTE FUNCTION note_loose();"},
};

enum { SCHEMA = sizeof migrations / sizeof migrations[0] };

static bool execute_sql(pg_store *st, pg_link *link, const char *sql, const char *what, curfew_failure *failure)
{
	return pg_end(pg_run(st, link, sql, NULL, what, failure));
}

static int64_t number_of(PGresult *rows)
{
	int64_t number = PQntuples(rows) == 1 && PQnfields(rows) > 0 ? pg_get_number(rows, 0, PQfname(rows, 0)) : -1;
	PQclear(rows);
	return number;
}

static int64_t read_number(pg_store *st, pg_link *link, const char *sql, curfew_failure *failure)
{
	PGresult *rows = pg_run(st, link, sql, &(pg_params){0}, "the database cannot be read", failure);
	return rows != NULL ? number_of(rows) : -1;
}

/* ---- The schema ---------------------------------------------------------------------------------------------- */

/* Reads the schema's version. -1: it cannot be read; 0: there is none yet. *oldest: the oldest version that may use it.
 */
static int64_t read_version(pg_store *st, pg_link *link, int64_t *oldest)
{
	int64_t there = read_number(
		st, link, "SELECT count(*) FROM pg_tables WHERE schemaname='curfew' AND tablename='schema_version'", NULL);
	*oldest = 0;
	if (there <= 0)
		return there;
	*oldest = read_number(st, link, "SELECT coalesce(max(oldest), 0)::bigint FROM schema_version", NULL);
	return read_number(st, link, "SELECT coalesce(max(version), 0)::bigint FROM schema_version", NULL);
}

static bool migrate_from(pg_store *st, pg_link *link, int64_t version, curfew_failure *failure)
{
	static const char what[] = "the database cannot be upgraded to this version";
	char note[96];
	if (version == 0 &&
	    !execute_sql(st, link,
	                 "CREATE SCHEMA IF NOT EXISTS curfew; CREATE TABLE IF NOT EXISTS schema_version(version "
	                 "bigint PRIMARY KEY, oldest bigint NOT NULL)",
	                 what, failure))
		return false;
	for (; version < SCHEMA; version++) {
		(void)snprintf(note, sizeof note, "INSERT INTO schema_version VALUES(%d, %d)", (int)version + 1,
		               migrations[version].oldest);
		if (!execute_sql(st, link, migrations[version].sql, what, failure) ||
		    !execute_sql(st, link, note, what, failure))
			return false;
	}
	return true;
}

/* Upgrades in one transaction, one server at a time. */
static bool migrate(pg_store *st, pg_link *link, curfew_failure *failure)
{
	static const char what[] = "the database cannot be used";
	int64_t oldest, version = read_version(st, link, &oldest);
	if (oldest > SCHEMA)
		return pg_refuse_newer(st, version, oldest, failure);
	if (version >= SCHEMA)
		return true;
	if (!execute_sql(st, link, "BEGIN", what, failure) ||
	    !execute_sql(st, link, "SELECT pg_advisory_xact_lock(" MIGRATION_LOCK ")", what, failure))
		return false;
	version = read_version(st, link, &oldest);
	bool good = version < 0       ? execute_sql(st, link, "SELECT 1", what, failure)
	            : oldest > SCHEMA ? pg_refuse_newer(st, version, oldest, failure)
	                              : migrate_from(st, link, version, failure);
	return execute_sql(st, link, good ? "COMMIT" : "ROLLBACK", what, good ? failure : NULL) && good;
}

/* Only a server upgrades: other commands leave a database of another version alone. */
static bool check_version(pg_store *st, pg_link *link, store_user user, curfew_failure *failure)
{
	int64_t oldest, version = read_version(st, link, &oldest);
	if (oldest > SCHEMA)
		return pg_refuse_newer(st, version, oldest, failure);
	if (version >= SCHEMA || (version == 0 && user == STORE_MAKER))
		return migrate(st, link, failure);
	if (version < 0)
		return execute_sql(st, link, "SELECT 1 FROM schema_version", "the database cannot be read", failure);
	(void)snprintf(
		failure->message, sizeof failure->message,
		version == 0
			? "it contains no database of curfew"
			: "the database has version %lld and this curfew needs version %d: start a server of this version first",
		(long long)version, SCHEMA);
	return false;
}

/* ---- Opening ------------------------------------------------------------------------------------------------- */

static void close_all(store *base)
{
	pg_store *st = pg_of(base);
	pg_leave(st);
	pg_link *const links[] = {&st->writer,   &st->keeper, &st->admin, &st->cluster,
	                          &st->listener, &st->taker,  &st->upkeep};
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
		pg_close(links[i]);
	for (int i = 0; i < PG_READERS; i++)
		pg_close(&st->readers[i]);
	(void)pthread_mutex_destroy(&st->lock);
	(void)pthread_cond_destroy(&st->free);
	if (st->url != NULL)
		explicit_bzero(st->url, strlen(st->url));
	free(st->url);
	store_finish(base);
	free(st->largest);
	free(st);
}

/* A shared database cannot be claimed. */
static bool claim(store *base, curfew_failure *failure)
{
	(void)base;
	(void)failure;
	return true;
}

/* Event numbers continue from the run's epoch instead. */
static uint64_t begin_life(store *base)
{
	(void)base;
	return 0;
}

static const store_backend backend = {
	.close = close_all,
	.claim = claim,
	.begin_life = begin_life,
	.join = pg_join,
	.node = pg_node,
	.publish_load = pg_publish_load,
	.read_nodes = pg_read_nodes,
	.take_runs = pg_take_runs,
	.take_lost = pg_take_lost,
	.next_due = pg_next_due,
	.cancel_run = pg_cancel_run,
	.look_at_run = pg_look_at_run,
	.read_orders = pg_read_orders,
	.follow = pg_follow,
	.count_waiting = pg_count_waiting,
	.make_due = pg_make_due,
	.await = pg_await,
	.offer_capacity = pg_offer_capacity,
	.ask_for_capacity = pg_ask_for_capacity,
	.begin = pg_begin,
	.write = pg_write,
	.write_news = pg_write_news,
	.commit = pg_commit,
	.clean = pg_clean,
	.drop_sources = pg_drop_sources,
	.cleans_aside = true,
	.read_runs = pg_read_runs,
	.read_part = pg_read_part,
	.find_key = pg_find_key,
	.read_programs = pg_read_programs,
	.count_program_bytes = pg_count_program_bytes,
	.read_source = pg_read_source,
	.read_schedules = pg_read_schedules,
	.take_schedules = pg_take_schedules,
	.take_deliveries = pg_take_deliveries,
	.load_runs = pg_load_runs,
	.read_tokens = pg_read_tokens,
	.add_token = pg_add_token,
	.revoke_token = pg_revoke_token,
	.drop_runs = pg_drop_runs,
	.back_up = pg_back_up,
	.examine = pg_examine,
};

/* A replica takes no writes. */
static bool is_writable(pg_store *st, curfew_failure *failure)
{
	int64_t only = read_number(
		st, &st->admin,
		"SELECT CASE WHEN pg_is_in_recovery() OR current_setting('transaction_read_only')='on' THEN 1 ELSE 0 END",
		failure);
	if (only == 1)
		(void)snprintf(failure->message, sizeof failure->message,
		               "the database cannot be written: it is read-only, or a replica");
	return only == 0;
}

store *store_open_postgres(const char *url, store_user user, curfew_failure *failure)
{
	curfew_failure inner = {0};
	pg_store *st = calloc(1, sizeof *st);
	if (st == NULL || (st->url = text_copy(url, strlen(url))) == NULL) {
		free(st);
		(void)snprintf(failure->message, sizeof failure->message, "out of memory");
		return NULL;
	}
	store_init(&st->base, &backend);
	st->schema = SCHEMA;
	(void)pthread_mutex_init(&st->lock, NULL);
	(void)pthread_cond_init(&st->free, NULL);
	bool good = pq_load(&inner) && execute_sql(st, &st->admin, "SELECT 1", "the database cannot be reached", &inner) &&
	            is_writable(st, &inner) &&
	            (user == STORE_SERVER ? migrate(st, &st->admin, &inner) : check_version(st, &st->admin, user, &inner));
	if (good)
		return &st->base;
	/* Leave out the address, which contains the password. */
	(void)snprintf(failure->message, sizeof failure->message, "store: %.230s", inner.message);
	close_all(&st->base);
	return NULL;
}
