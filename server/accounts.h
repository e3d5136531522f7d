/* SPDX-License-Identifier: Apache-2.0 */
/* Access: tokens, what they allow, and how requests of another site's page are recognised. */
#ifndef CURFEW_SERVER_ACCOUNTS_H
#define CURFEW_SERVER_ACCOUNTS_H

#include "http.h"
#include "store.h"

/* Loads the account of everybody, and those on disk. False, and why. */
bool accounts_load(server *s, curfew_failure *failure);
void accounts_finish(server *s);
/* Without the lock: reads tokens again, which another process may have changed, and ends runs and streams of those that
 * may no longer be used. */
void accounts_refresh(server *s);
/* Without the lock: makes the store write when tokens were last used. */
void accounts_note_uses(server *s);
/* The number of tokens that may be used. */
size_t accounts_count_active(const server *s);

/* Under the lock: the account with that id, if it may have runs now, otherwise NULL. "": that of everybody. */
account *accounts_find_working(const server *s, const char *id);

/* The account of a request. NULL: it has no access. */
account *accounts_find(request *q);

/* Whether a request comes neither from a page of another site nor through a name that is not this server's. */
bool accounts_is_own_site(const request *q, bool changes);

/* Makes the text of a token, its id and its hash. */
enum { TOKEN_TEXT_SIZE = 96 };
void account_make_token(stored_token *token, char words[TOKEN_TEXT_SIZE]);

/* Under the lock: uses one of the runs of this minute. False: *wait_seconds until there is one. */
bool account_take_run(account *a, int64_t now_us, unsigned *wait_seconds);

#endif
