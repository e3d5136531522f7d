/* SPDX-License-Identifier: Apache-2.0 */
/* Loads compiled code for a machine, and links it with what it may import. */
#ifndef CURFEW_WASM_LINK_H
#define CURFEW_WASM_LINK_H

#include "wasm/program.h"

/* What programs may import in addition to WASI; borrowed. */
typedef struct curfew__offered {
	const curfew__wasm_import *imports; /* [count] */
	size_t count;
} curfew__offered;

/* NULL, and *error, if it cannot be linked. */
curfew__code *curfew__code_create(const curfew__compiled *compiled, curfew__machine *machine,
                                  const curfew__offered *offered, curfew__wasm_error *error);
void curfew__code_destroy(curfew__code *code);
/* Sets why a program does not load. Always returns false. */
bool curfew__wasm_fail(curfew__wasm_error *error, const char *name, bool internal, const char *message);

#endif
