/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: "curfew_ID_SECRET". The store has only the SHA-256 of a token. A secret has 256 random bits, so a slow hash
 * would add nothing. Another process may add and revoke tokens, so they are read again twice a second.
 */
#include "accounts.h"

#include "common/clock.h"
#include "log.h"
#include "service.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SECRET_BYTES = 32, ID_BYTES = 6 };

#define PREFIX "curfew_"

void account_make_token(stored_token *token, char words[TOKEN_TEXT_SIZE])
{
	unsigned char id[ID_BYTES], secret[SECRET_BYTES];
	char secret_words[2 * SECRET_BYTES + 1];
	randombytes_buf(id, sizeof id);
	randombytes_buf(secret, sizeof secret);
	(void)sodium_bin2hex(token->id, sizeof token->id, id, sizeof id);
	(void)sodium_bin2base64(secret_words, sizeof secret_words, secret, sizeof secret,
	                        sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	(void)snprintf(words, TOKEN_TEXT_SIZE, PREFIX "%s_%s", token->id, secret_words);
	(void)crypto_hash_sha256(token->hash, (const unsigned char *)words, strlen(words));
	sodium_memzero(secret, sizeof secret);
	sodium_memzero(secret_words, sizeof secret_words);
}

/* ---- What is on disk ------------------------------------------------------------------------------------- */

/* Whether the token may no longer be used. */
static bool is_over(const account *a)
{
	return a->revoked || (a->expires_us != 0 && clock_wall_us() >= a->expires_us);
}

static void add_account(server *s, const stored_token *seen)
{
	account *a = calloc(1, sizeof *a);

	if (a == NULL)
		return;
	memcpy(a->id, seen->id, sizeof a->id);
	memcpy(a->name, seen->name, sizeof a->name);
	memcpy(a->hash, seen->hash, sizeof a->hash);
	a->scopes = seen->scopes;
	a->revoked = seen->is_revoked;
	a->tenant.running_max = seen->running_max;
	a->tenant.large.all = &s->scheduler.large;
	a->queued_max = seen->queued_max;
	a->per_minute_max = seen->per_minute_max;
	a->programs_bytes_max = seen->programs_bytes_max;
	a->priority_max = seen->priority_max < PRIORITIES ? seen->priority_max : PRIORITIES - 1;
	a->ceilings = seen->ceilings;
	a->expires_us = seen->expires_us;
	a->used_us = a->noted_us = seen->used_us;
	(void)snprintf(a->user, sizeof a->user, "%s", seen->user);
	(void)snprintf(a->allow_fetch, sizeof a->allow_fetch, "%s", seen->allow_fetch);
	a->allowance = a->per_minute_max == UINT64_MAX ? 0 : (double)a->per_minute_max;
	a->allowance_us = clock_now_us();
	a->is_over = is_over(a);
	a->next = s->accounts;
	s->accounts = a;
}

/* Cancels the waiting runs of a token, and closes its event streams. */
static void end_account(server *s, account *a)
{
	a->is_over = true;
	log_event(LOG_INFO, "token", (log_field[]){{"id", a->id, 0}, {"what", a->revoked ? "revoked" : "expired", 0}, {0}});
	service_cancel_waiting(s, a);
	http_end_streams(s->http, a);
}

/* An account is kept as long as the server runs, because runs point to it. */
static void take_token(void *context, const stored_token *token)
{
	server *s = context;
	server_lock(s);
	account *a = s->accounts;
	while (a != NULL && strcmp(a->id, token->id) != 0)
		a = a->next;
	if (a == NULL) {
		add_account(s, token);
		/* Tokens that existed at the start are not logged as changes. */
		if (s->http != NULL)
			log_event(LOG_INFO, "token", (log_field[]){{"id", token->id, 0}, {"what", "created", 0}, {0}});
	} else {
		a->revoked = token->is_revoked;
		if (!a->is_over && is_over(a))
			end_account(s, a);
	}
	s->tokens_needed = true;
	server_unlock(s);
}

static account *make_anybody(server *s)
{
	account *a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	a->scopes = SCOPE_ALL;
	a->tenant.large.all = &s->scheduler.large;
	a->tenant.running_max = a->queued_max = a->per_minute_max = a->programs_bytes_max = UINT64_MAX;
	a->priority_max = PRIORITIES - 1;
	a->ceilings.size = sizeof a->ceilings;
	return a;
}

bool accounts_load(server *s, curfew_failure *failure)
{
	s->anybody = make_anybody(s);
	return s->anybody != NULL && store_read_tokens(s->store, take_token, s, failure);
}

void accounts_finish(server *s)
{
	while (s->accounts != NULL) {
		account *next = s->accounts->next;
		free(s->accounts);
		s->accounts = next;
	}
	free(s->anybody);
}

size_t accounts_count_active(const server *s)
{
	size_t count = 0;
	for (const account *a = s->accounts; a != NULL; a = a->next)
		count += !a->is_over;
	return count;
}

void accounts_note_uses(server *s)
{
	server_lock(s);
	for (account *a = s->accounts; a != NULL; a = a->next) {
		if (a->used_us != a->noted_us && store_use_token(s->store, a->id, a->used_us))
			a->noted_us = a->used_us;
	}
	server_unlock(s);
}

void accounts_refresh(server *s)
{
	curfew_failure failure;
	bool failed = !store_read_tokens(s->store, take_token, s, &failure);
	if (failed && !s->refresh_failed)
		log_say(LOG_ERROR, "tokens", "%s", failure.message);
	s->refresh_failed = failed;
	service_launch(s);
}

/* ---- Requests -------------------------------------------------------------------------------------------- */

static account *find_token(server *s, const char *words)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	account *found = NULL;
	(void)crypto_hash_sha256(hash, (const unsigned char *)words, strlen(words));
	/* Compare with all tokens, each in constant time. */
	for (account *a = s->accounts; a != NULL; a = a->next) {
		if (sodium_memcmp(a->hash, hash, sizeof hash) == 0 && !is_over(a))
			found = a;
	}
	return found;
}

account *accounts_find_working(const server *s, const char *id)
{
	const unsigned enough = SCOPE_RUN | SCOPE_ADMIN;
	if (id[0] == '\0')
		return s->tokens_needed ? NULL : s->anybody;
	account *a = s->accounts;
	while (a != NULL && strcmp(a->id, id) != 0)
		a = a->next;
	return a != NULL && !a->revoked && !a->is_over && (a->scopes & enough) != 0 ? a : NULL;
}

account *accounts_find(request *q)
{
	server *s = q->server;
	const char *words = http_header(q, MHD_HTTP_HEADER_AUTHORIZATION);
	server_lock(s);
	account *found = s->tokens_needed ? NULL : s->anybody;
	if (found == NULL && words != NULL && strncasecmp(words, "Bearer ", 7) == 0 && strlen(words) <= 256)
		found = find_token(s, words + 7 + strspn(words + 7, " "));
	if (found != NULL)
		found->used_us = clock_wall_us();
	server_unlock(s);
	return found;
}

/* Whether the host of "host:port" is a name that only this machine has. */
static bool is_loopback_name(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		size_t length = strlen(names[i]);
		if (strncasecmp(host, names[i], length) == 0 && (host[length] == '\0' || host[length] == ':'))
			return true;
	}
	return strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.:") == strlen(host);
}

bool accounts_is_own_site(const request *q, bool changes)
{
	const char *host = http_header(q, MHD_HTTP_HEADER_HOST);
	const char *origin = http_header(q, "Origin");
	const char *site = http_header(q, "Sec-Fetch-Site");
	/* Without tokens, accept only this machine's names: a foreign name that resolves to it would let any page in (DNS
	 * rebinding). */
	if (!q->server->tokens_needed && host != NULL && !is_loopback_name(host))
		return false;
	if (!changes)
		return true;
	if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	if (origin == NULL)
		return true;
	const char *scheme = q->server->config->tls_cert[0] != '\0' ? "https://" : "http://";
	size_t length = strlen(scheme);
	return host != NULL && strncmp(origin, scheme, length) == 0 && strcasecmp(origin + length, host) == 0;
}

bool account_take_run(account *a, int64_t now_us, unsigned *wait_seconds)
{
	if (a->per_minute_max == UINT64_MAX)
		return true;
	double most = (double)a->per_minute_max;
	a->allowance += (double)(now_us - a->allowance_us) * most / 60e6;
	a->allowance_us = now_us;
	if (a->allowance > most)
		a->allowance = most;
	/* Include those that other nodes have accepted. */
	if (a->last_minute >= a->per_minute_max) {
		*wait_seconds = 1;
		return false;
	}
	if (a->allowance >= 1) {
		a->allowance -= 1;
		return true;
	}
	*wait_seconds = (unsigned)((1 - a->allowance) * 60 / most) + 1;
	return false;
}
