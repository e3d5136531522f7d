/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packer compresses or decompresses a piece at a time, with any library. compression.c has the part that all packers
 * share.
 */
#ifndef CURFEW_GUEST_PACKER_H
#define CURFEW_GUEST_PACKER_H

#include "guest.h"

#define CURFEW_PIECE_BYTES 65536

typedef struct curfew_packer curfew_packer;

typedef struct curfew_packer_kind {
	/* Fills a piece from the rest of the input, advances `taken` and sets `ended`. Returns how many bytes it wrote. */
	size_t (*step)(curfew_packer *p, const uint8_t *input, size_t length, uint8_t *piece, int flush, bool *failed);
	/* Why the step failed, in the form that stepPacker returns. */
	JSValue (*failure)(JSContext *ctx, const curfew_packer *p);
	void (*close)(curfew_packer *p);
	/* Whether more data begins behind the end, with this byte; it is ready to be read then. NULL: never. */
	bool (*resume)(curfew_packer *p, uint8_t next);
	int finish; /* the flush value that means that no more input follows */
} curfew_packer_kind;

/* The first member of each library's own struct. */
struct curfew_packer {
	const curfew_packer_kind *kind;
	bool ended;   /* the end of the compressed data was reached */
	size_t taken; /* how much of the input is used; each step receives the same input again */
};

/* Creates a value that owns a packer of `size` bytes, zeroed except for its kind. Throws if memory runs out. */
JSValue curfew_packer_create(JSContext *ctx, const curfew_packer_kind *kind, size_t size, curfew_packer **packer);

#endif
