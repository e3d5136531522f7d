/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that contain a report. The report may be large, so it is read and sent piece by piece. */
#ifndef CURFEW_SERVER_PIECES_H
#define CURFEW_SERVER_PIECES_H

#include "http.h"

/* A report, in memory or in the store. */
typedef struct piece_report {
	blob *here;     /* one reference, owned; NULL: it is in the store */
	int64_t number; /* of the report in the store; PIECE_OF_RUN: it is looked up */
	size_t length;
	char id[ID_SIZE]; /* of its run; "": there is none */
} piece_report;

enum { PIECE_OF_RUN = -1 };

/* The report of a view, with a reference of its own; blob is that of a run in memory, or NULL. */
piece_report piece_of(const run_view *view, blob *here);

/*
 * Answers 200 with head (NULL: none; owned), the report and tail, as this type. 404 if the run was dropped meanwhile;
 * 500 if the store has the run and not its report.
 */
answer reply_pieces(request *q, const char *type, text *head, piece_report report, const char *tail);

/*
 * The same as a part of a stream. Everything is taken over; head may be NULL, tail is static. NULL: out of memory.
 * pieces_read returns what the callback of a response returns: 0 if it has suspended the request, END_OF_STREAM after
 * the last byte.
 */
struct pieces;
struct pieces *pieces_create(request *q, text *head, piece_report report, const char *tail);
ssize_t pieces_read(struct pieces *p, char *buffer, size_t max);
void pieces_free(struct pieces *p);

#endif
