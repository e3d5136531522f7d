/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask: tokens, what they allow, and the marks of requests that another site's page made. */
#ifndef CURFEW_SERVER_ACCOUNTS_H
#define CURFEW_SERVER_ACCOUNTS_H

#include "http.h"
#include "store.h"

/* The account of everybody, and those on disk. False, and why. */
bool accounts_load(server *s, curfew_failure *failure);
void accounts_finish(server *s);
/* Without the lock: reads again what another process may have changed; ends what tokens have that may be used no more.
 */
void accounts_refresh(server *s);
/* Without the lock: has the store write when tokens were used last. */
void accounts_note_uses(server *s);
/* How many tokens may be used. */
size_t accounts_count_active(const server *s);

/* Under the lock: the account of that id, if runs may be carried out for it by now; else NULL. "": of everybody. */
account *accounts_find_working(const server *s, const char *id);

/* Who this request is of; NULL: nobody who may ask. */
account *accounts_find(request *q);

/* Whether it does not come from a page of another site, nor through a name that is not this server's. */
bool accounts_is_own_site(const request *q, bool changes);

/* A token's text: makes one, and its id and hash. */
enum { TOKEN_TEXT_ROOM = 96 };
void account_make_token(stored_token *token, char words[TOKEN_TEXT_ROOM]);

/* Under the lock: takes one of the runs of this minute; else *wait_seconds until there is one. */
bool account_take_run(account *a, int64_t now_us, unsigned *wait_seconds);

#endif
