/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with a report in them, which may be large: it is sent piece by piece, and copied or read no further ahead. */
#ifndef CURFEW_SERVER_PIECES_H
#define CURFEW_SERVER_PIECES_H

#include "http.h"

/* A report: here, or where the store has it. */
typedef struct piece_report {
	blob *here; /* one reference, taken over; NULL: it is in the store */
	int64_t number;
	size_t length;
} piece_report;

/* What view shows as a report, with a reference of its own: blob of a run in memory, or NULL. */
piece_report piece_of(const run_view *view, blob *here);

/* Answers 200 with head (NULL: none; taken over), the report and tail, as this type. */
answer reply_pieces(request *q, const char *type, text *head, piece_report report, const char *tail);

#endif
