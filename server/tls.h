/* SPDX-License-Identifier: Apache-2.0 */
/* The server's certificate. It can be loaded again while connections are open; each keeps the one that it began with.
 */
#ifndef CURFEW_SERVER_TLS_H
#define CURFEW_SERVER_TLS_H

#include "curfew.h"

#include <gnutls/abstract.h>
#include <stdbool.h>

/*
 * Reads a chain of certificates and its key (PEM), for new connections from now on. If they cannot be used, nothing
 * changes, and failure says why. Threads: one at a time.
 */
bool tls_load(const char *cert_path, const char *key_path, curfew_failure *failure);

/* Chooses the certificate of a connection; a gnutls_certificate_retrieve_function2. Threads: any. */
int tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
               const gnutls_pk_algorithm_t *kinds, int kind_count, gnutls_pcert_st **certs, unsigned *cert_count,
               gnutls_privkey_t *key);

/* Frees everything that was loaded. Call it when no connection is left. */
void tls_finish(void);

#endif
