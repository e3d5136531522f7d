/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones for the host, by the same table as for programs (guest/zones.c). */
#ifndef CURFEW_JS_ZONES_H
#define CURFEW_JS_ZONES_H

#include <stdbool.h>
#include <stdint.h>

/* How many seconds a zone is ahead of UTC at a time, in seconds since 1970. False: there is no such zone. */
bool curfew__zone_offset(const char *name, int64_t seconds, int32_t *offset);

#endif
