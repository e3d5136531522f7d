/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that is served. It can be loaded anew while connections go on; each has the one it began with. */
#ifndef CURFEW_SERVER_TLS_H
#define CURFEW_SERVER_TLS_H

#include "curfew.h"

#include <gnutls/abstract.h>
#include <stdbool.h>

/*
 * Reads a chain of certificates and its key (PEM). New connections have these from now on; where they cannot be used
 * everything stays as it was, and failure says why. Threads: one at a time.
 */
bool tls_load(const char *cert_path, const char *key_path, curfew_failure *failure);

/* Chooses for a connection, as gnutls_certificate_retrieve_function2 does. Threads: any. */
int tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
               const gnutls_pk_algorithm_t *kinds, int kind_count, gnutls_pcert_st **certs, unsigned *cert_count,
               gnutls_privkey_t *key);

/* Frees everything that was loaded. No connection is left. */
void tls_finish(void);

#endif
