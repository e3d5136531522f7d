/* SPDX-License-Identifier: Apache-2.0 */
/* Durations, sizes and counts as people write them: "1.5s", "64MiB", "10M". */
#ifndef CURFEW_LIMITS_QUANTITY_H
#define CURFEW_LIMITS_QUANTITY_H

#include "curfew.h"

/* Parses a whole text to ns, bytes or a number. If it is none, *why is a phrase in static memory. */
bool curfew__quantity_parse(curfew_unit unit, const char *text, uint64_t *value, const char **why);

/*
 * Writes the value exactly, in the largest unit that divides it, with `space` between number and unit. Always ends in
 * NUL; 32 bytes are enough for an empty space.
 */
void curfew__quantity_format(curfew_unit unit, uint64_t value, const char *space, char *text, size_t size);

#endif
