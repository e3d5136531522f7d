/* SPDX-License-Identifier: Apache-2.0 */
/* The server's figures. All of it under the lock. */
#ifndef CURFEW_SERVER_FIGURES_H
#define CURFEW_SERVER_FIGURES_H

#include "server.h"
#include "common/text.h"

void figures_write(server *s, text *out);
void figures_write_stats(server *s, text *out);
/* Only of the runs of this account. */
void figures_write_own_stats(server *s, const account *who, text *out);

#endif
