/* SPDX-License-Identifier: Apache-2.0 */
/* The server, as the command line uses it. The command line sees only this and the table of settings in config.h. */
#ifndef CURFEW_SERVER_SERVE_H
#define CURFEW_SERVER_SERVE_H

#include "config.h"

/* Reads the settings again, into another config. False, and why: the present settings stay. */
typedef bool (*serve_reload)(void *context, config *fresh, curfew_failure *failure);

/*
 * Serves until SIGTERM, SIGINT or SIGQUIT, and then shuts down in order. False: it could not start, and failure says
 * why. It handles all signals of the process except those of faults. At SIGHUP it takes the ceilings and the log level
 * that reload reads (context is its first argument). secrets (borrowed; may be NULL) has the secrets of users.
 */
bool serve(const config *c, curfew_secrets *secrets, serve_reload reload, void *context, curfew_failure *failure);

#define SERVE_SCOPE_RUN 1u     /* store and run programs, cancel */
#define SERVE_SCOPE_READ 2u    /* see programs and runs, and figures of these */
#define SERVE_SCOPE_ADMIN 4u   /* all of that, for every token */
#define SERVE_SCOPE_METRICS 8u /* see figures of the whole server */

/* A token to create. Counts: UINT64_MAX means no limit. */
typedef struct serve_token {
	const char *name;
	unsigned scopes;
	uint64_t running_max, queued_max, per_minute_max;
	unsigned priority_max;
	uint64_t programs_bytes_max;
	uint64_t lives_us;              /* until it expires; 0: it does not */
	curfew_limits ceilings;         /* 0: none */
	const char *user;               /* the user of its runs; NULL: each run names it */
	const char *const *allow_fetch; /* [allow_fetch_count] checked; none: what the server allows */
	size_t allow_fetch_count;
} serve_token;

enum { SERVE_TOKEN_SIZE = 96 };

/*
 * The place of a server's database is its setting store, or the directory of its data.
 *
 * Makes a token and stores its hash. words is the token itself, which nothing can show again.
 */
bool serve_token_create(const char *place, const serve_token *token, char words[SERVE_TOKEN_SIZE],
                        curfew_failure *failure);
/* Lists all tokens as lines of text; free it with free. NULL, and why. */
char *serve_token_list(const char *place, curfew_failure *failure);
/* Revokes by id or name. A running server notices within a second. */
bool serve_token_revoke(const char *place, const char *word, curfew_failure *failure);

/*
 * Maintenance, also while a server runs. Each function returns text to print; free it with free. NULL, and why. Prune
 * drops runs that ended longer ago than that (UINT64_MAX: none), and the oldest until the rest takes at most keep_bytes
 * (UINT64_MAX: any).
 */
char *serve_admin_prune(const char *place, uint64_t older_than_us, uint64_t keep_bytes, bool json,
                        curfew_failure *failure);
char *serve_admin_back_up(const char *place, const char *path, bool json, curfew_failure *failure);
char *serve_admin_check(const char *place, bool json, bool *is_sound, curfew_failure *failure);

/* Whether this names a database: postgres://..., or sqlite:DIR. */
bool serve_is_place(const char *words);

#endif
