/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets that a run is granted of its user's. The values are decrypted into one piece of locked memory, which is
 * wiped when the run drops it; nothing else in the library keeps a value.
 */
#ifndef CURFEW_HOST_SECRETS_H
#define CURFEW_HOST_SECRETS_H

#include "curfew.h"

typedef struct curfew__grants {
	size_t count;
	curfew_secret items[]; /* names and values end in NUL, and are stored after the items */
} curfew__grants;

/*
 * Collects the secrets that were given directly and, if there is a store, those of the user. Of two with one name the
 * given one counts. *grants is NULL if there are none at all.
 */
curfew_status curfew__grants_create(const curfew_secret *given, size_t count, curfew_secrets *store, const char *user,
                                    curfew__grants **grants, curfew_failure *failure);
/* Wipes them. */
void curfew__grants_destroy(curfew__grants *grants);

/* The secret of that name, or NULL; grants may be NULL. */
const curfew_secret *curfew__grants_find(const curfew__grants *grants, const char *name, size_t length);

#endif
