/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that must hold whenever the code is reached. They are checked in builds with -Dinvariants=true and with
 * sanitizers, where a violation ends the process and names the place. In other builds they are compiled, and cost
 * nothing.
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
