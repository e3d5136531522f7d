/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounds of the limit table that other parts of the library depend on. The table itself is public:
 * curfew_limit_table() in curfew.h.
 */
#ifndef CURFEW_LIMITS_LIMITS_H
#define CURFEW_LIMITS_LIMITS_H

#include "curfew.h"

#define CURFEW__TIMEOUT_CEILING (UINT64_C(24) * 3600 * 1000000000)
#define CURFEW__GRACE_CEILING (UINT64_C(3600) * 1000000000)
#define CURFEW__COUNT_CEILING UINT64_C(1000000000000000)
/* A 32-bit guest memory is at most 4 GiB, with the stack. */
#define CURFEW__MEMORY_CEILING (UINT64_C(4088) << 20)
/* What the JavaScript engine itself needs is somewhat less. */
#define CURFEW__MEMORY_MINIMUM (UINT64_C(4) << 20)
#define CURFEW__STACK_CEILING (UINT64_C(4) << 20)
#define CURFEW__STACK_MINIMUM (UINT64_C(16) << 10)
#define CURFEW__OUTPUT_CEILING (UINT64_C(1) << 30)

#endif
