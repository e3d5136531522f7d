/* SPDX-License-Identifier: Apache-2.0 */
/* What the server tells of itself. Both under its lock. */
#ifndef CURFEW_SERVER_FIGURES_H
#define CURFEW_SERVER_FIGURES_H

#include "server.h"
#include "common/text.h"

void figures_write(server *s, text *out);
void figures_write_stats(server *s, text *out);

#endif
