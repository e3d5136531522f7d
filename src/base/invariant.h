/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be so whenever the code comes by. Checked where the build says so (-Dinvariants=true, and wherever a
 * sanitizer is): there the process ends with the place. Elsewhere it is compiled, and costs nothing.
 */
#ifndef CURFEW_BASE_INVARIANT_H
#define CURFEW_BASE_INVARIANT_H

#include <stdio.h>
#include <stdlib.h>

#ifdef CURFEW_INVARIANTS
#define CURFEW__INVARIANT(condition)                                                                                   \
	((condition) ? (void)0                                                                                             \
	             : (fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition), (abort)()))
#else
#define CURFEW__INVARIANT(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

#endif
