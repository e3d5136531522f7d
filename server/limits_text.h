/* SPDX-License-Identifier: Apache-2.0 */
/* Limits in the form that is kept on disk: those that are set, as lines "name=value". */
#ifndef CURFEW_SERVER_LIMITS_TEXT_H
#define CURFEW_SERVER_LIMITS_TEXT_H

#include "curfew.h"

/* Free with free; NULL: out of memory. */
char *limits_to_text(const curfew_limits *limits);
/* False: this build cannot read them. */
bool limits_from_text(curfew_limits *limits, const char *words);

#endif
