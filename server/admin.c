/* SPDX-License-Identifier: Apache-2.0 */
/* Upkeep of a server's database from the command line, also while a server uses it. */
#include "common/clock.h"
#include "serve.h"
#include "store.h"

#include <stdio.h>
#include <stdlib.h>

static char *take_text(store *st, text *out, curfew_failure *failure, bool good)
{
	store_close(st);
	if (!good) {
		text_finish(out);
		return NULL;
	}
	char *words = text_take(out, NULL);
	if (words == NULL)
		(void)snprintf(failure->message, sizeof failure->message, "out of memory");
	return words;
}

char *serve_admin_prune(const char *place, uint64_t older_than_us, uint64_t keep_bytes, bool json,
                        curfew_failure *failure)
{
	store_prune prune = {INT64_MIN, keep_bytes};
	store_pruned pruned = {0};
	text out;

	text_init(&out, 4096);
	store *st = store_open(place, STORE_VISITOR, failure);
	if (st == NULL)
		return NULL;
	int64_t now_us = clock_wall_us();
	if (older_than_us != UINT64_MAX)
		prune.ended_before_us = older_than_us < (uint64_t)now_us ? now_us - (int64_t)older_than_us : 0;
	bool good = store_drop_runs(st, &prune, &pruned, failure);
	if (json)
		text_print(&out, "{\"runs\":%llu,\"bytes_before\":%llu,\"bytes_after\":%llu}\n",
		           (unsigned long long)pruned.runs, (unsigned long long)pruned.bytes_before,
		           (unsigned long long)pruned.bytes_after);
	else
		text_print(&out, "dropped %llu runs; the database holds %.1f MiB, %.1f MiB before\n",
		           (unsigned long long)pruned.runs, (double)pruned.bytes_after / 1048576,
		           (double)pruned.bytes_before / 1048576);
	return take_text(st, &out, failure, good);
}

char *serve_admin_back_up(const char *place, const char *path, bool json, curfew_failure *failure)
{
	uint64_t bytes = 0;
	text out;
	text_init(&out, 65536);
	store *st = store_open(place, STORE_VISITOR, failure);
	if (st == NULL)
		return NULL;
	bool good = store_back_up(st, path, &bytes, failure);
	if (json) {
		text_say(&out, "{\"file\":");
		text_say_json(&out, path);
		text_print(&out, ",\"bytes\":%llu}\n", (unsigned long long)bytes);
	} else {
		text_print(&out, "%s: %.1f MiB\n", path, (double)bytes / 1048576);
	}
	return take_text(st, &out, failure, good);
}

static void write_check_json(text *out, const store_check *c)
{
	text_say(out, "{\"problem\":");
	text_say_json(out, c->problem[0] != '\0' ? c->problem : NULL);
	text_print(
		out,
		",\"runs\":%llu,\"waiting\":%llu,\"programs\":%llu,\"tokens\":%llu,\"bytes\":%llu,\"unreadable\":%llu,\"lacking\":%llu,"
		"\"reportless\":%llu}\n",
		(unsigned long long)c->runs, (unsigned long long)c->waiting, (unsigned long long)c->programs,
		(unsigned long long)c->tokens, (unsigned long long)c->bytes, (unsigned long long)c->unreadable,
		(unsigned long long)c->lacking, (unsigned long long)c->reportless);
}

static void write_fault(text *out, uint64_t count, const char *what)
{
	if (count > 0)
		text_print(out, "%llu %s\n", (unsigned long long)count, what);
}

static void write_check(text *out, const store_check *c)
{
	text_print(out, "%llu runs, %llu of them waiting or running; %llu programs; %llu tokens; %.1f MiB\n",
	           (unsigned long long)c->runs, (unsigned long long)c->waiting, (unsigned long long)c->programs,
	           (unsigned long long)c->tokens, (double)c->bytes / 1048576);
	if (c->problem[0] != '\0')
		text_print(out, "damaged: %s\n", c->problem);
	write_fault(out, c->unreadable,
	            "waiting runs cannot be read by this version: the next start closes them as internal");
	write_fault(out, c->lacking, "waiting runs have no source: they will end as internal");
	write_fault(out, c->reportless, "ended runs have no report, or not all of it");
}

char *serve_admin_check(const char *place, bool json, bool *is_sound, curfew_failure *failure)
{
	store_check check;
	text out;
	text_init(&out, 65536);
	store *st = store_open(place, STORE_VISITOR, failure);
	if (st == NULL)
		return NULL;
	bool good = store_examine(st, &check, failure);
	*is_sound = good && check.problem[0] == '\0' && check.unreadable + check.lacking + check.reportless == 0;
	if (good)
		(json ? write_check_json : write_check)(&out, &check);
	return take_text(st, &out, failure, good);
}
