/* SPDX-License-Identifier: Apache-2.0 */
/* Creates, lists and revokes tokens, for the command line. A server on the same directory notices changes by itself. */
#include "accounts.h"
#include "common/clock.h"
#include "hosts.h"
#include "limits_text.h"
#include "serve.h"
#include "store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SERVE_SCOPE_RUN == SCOPE_RUN && SERVE_SCOPE_READ == SCOPE_READ && SERVE_SCOPE_ADMIN == SCOPE_ADMIN &&
                   SERVE_SCOPE_METRICS == SCOPE_METRICS,
               "the same");
_Static_assert((int)SERVE_TOKEN_SIZE == (int)TOKEN_TEXT_SIZE, "the same");

bool serve_token_create(const char *place, const serve_token *token, char words[SERVE_TOKEN_SIZE],
                        curfew_failure *failure)
{
	stored_token made = {.scopes = token->scopes,
	                     .running_max = token->running_max,
	                     .queued_max = token->queued_max,
	                     .per_minute_max = token->per_minute_max,
	                     .priority_max = token->priority_max,
	                     .programs_bytes_max = token->programs_bytes_max,
	                     .expires_us = token->lives_us != 0 ? clock_wall_us() + (int64_t)token->lives_us : 0,
	                     .ceilings = token->ceilings,
	                     .user = token->user != NULL ? token->user : ""};

	if (sodium_init() < 0 || strlen(token->name) >= sizeof made.name) {
		(void)snprintf(failure->message, sizeof failure->message, "name: must be at most %zu bytes",
		               sizeof made.name - 1);
		return false;
	}

	memcpy(made.name, token->name, strlen(token->name) + 1);
	char *allowed = hosts_join(token->allow_fetch, token->allow_fetch_count);
	if (allowed == NULL || strlen(allowed) >= CONFIG_TEXT_MAX) {
		(void)snprintf(failure->message, sizeof failure->message, "allow-fetch: the hosts are too many");
		free(allowed);
		return false;
	}

	made.allow_fetch = allowed;
	store *st = store_open(place, STORE_MAKER, failure);
	bool good = false;
	if (st != NULL) {
		account_make_token(&made, words);
		good = store_add_token(st, &made, failure);
	}

	store_close(st);
	free(allowed);
	return good;
}

static void write_quota(text *out, const char *name, uint64_t most)
{
	if (most != UINT64_MAX)
		text_print(out, "  %s %llu", name, (unsigned long long)most);
}

/* Writes a text that could be taken for something else, or act on a terminal, as JSON. */
static void write_word(text *out, const char *words)
{
	bool is_plain = *words != '\0';
	for (const char *at = words; *at != '\0'; at++)
		is_plain = is_plain && (unsigned char)*at > ' ' && *at != 0x7f && *at != '"';
	if (is_plain)
		text_say(out, words);
	else
		text_say_json(out, words);
}

static void write_time(text *out, const char *name, int64_t wall_us)
{
	if (wall_us == 0)
		return;
	text_print(out, "  %s ", name);
	text_say_time(out, wall_us);
}

static const char *state_of(const stored_token *token)
{
	if (token->is_revoked)
		return "revoked";
	return token->expires_us != 0 && token->expires_us <= clock_wall_us() ? "expired" : "active";
}

static void write_token(void *context, const stored_token *a)
{
	text *out = context;
	char *ceilings = limits_to_text(&a->ceilings);

	text_print(out, "%s  %-16s  %s%s%s%s%s", a->id, a->name, state_of(a), (a->scopes & SCOPE_RUN) != 0 ? "  run" : "",
	           (a->scopes & SCOPE_READ) != 0 ? "  read" : "", (a->scopes & SCOPE_METRICS) != 0 ? "  metrics" : "",
	           (a->scopes & SCOPE_ADMIN) != 0 ? "  admin" : "");
	write_quota(out, "running", a->running_max);
	write_quota(out, "queued", a->queued_max);
	write_quota(out, "per-minute", a->per_minute_max);
	write_quota(out, "programs", a->programs_bytes_max);
	if (a->priority_max < PRIORITIES - 1)
		text_print(out, "  priority %u", a->priority_max);
	write_time(out, "expires", a->expires_us);
	write_time(out, "used", a->used_us);
	if (a->user[0] != '\0') {
		text_say(out, "  user ");
		write_word(out, a->user);
	}
	if (a->allow_fetch[0] != '\0')
		text_print(out, "  allow-fetch %s", a->allow_fetch);
	for (char *at = ceilings; at != NULL && *at != '\0'; at += strcspn(at, "\n") + 1)
		text_print(out, "  %.*s", (int)strcspn(at, "\n"), at);
	text_say(out, "\n");
	free(ceilings);
}

char *serve_token_list(const char *place, curfew_failure *failure)
{
	text out;
	text_init(&out, 16 << 20);
	store *st = store_open(place, STORE_MAKER, failure);
	if (st == NULL)
		return NULL;
	bool good = store_read_tokens(st, write_token, &out, failure);
	store_close(st);
	if (good)
		return text_take(&out, NULL);
	text_finish(&out);
	return NULL;
}

bool serve_token_revoke(const char *place, const char *word, curfew_failure *failure)
{
	int count = 0;
	store *st = store_open(place, STORE_MAKER, failure);
	if (st == NULL)
		return false;
	bool good = store_revoke_token(st, word, &count, failure);
	store_close(st);
	if (good && count == 0)
		(void)snprintf(failure->message, sizeof failure->message, "%.100s: there is no active token of that id or name",
		               word);
	return good && count > 0;
}

bool serve_is_place(const char *words)
{
	const char *directory;
	return store_is_postgres(words, &directory) || (directory != words && *directory != '\0');
}
