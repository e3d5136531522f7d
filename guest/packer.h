/* SPDX-License-Identifier: Apache-2.0 */
/* What packs or unpacks a piece at a time, whatever the library: compression.c has what all of them share. */
#ifndef CURFEW_GUEST_PACKER_H
#define CURFEW_GUEST_PACKER_H

#include "guest.h"

#define CURFEW_PIECE_BYTES 65536

typedef struct curfew_packer curfew_packer;

typedef struct curfew_packer_kind {
	/* Fills a piece from what is left of the input; moves `taken` on and sets `ended`. Returns how many bytes it made.
	 */
	size_t (*step)(curfew_packer *p, const uint8_t *input, size_t length, uint8_t *piece, int flush, bool *failed);
	/* Why the step failed, as stepPacker gives it. */
	JSValue (*failure)(JSContext *ctx, const curfew_packer *p);
	void (*close)(curfew_packer *p);
	int finish; /* the flush that says that no more input comes */
} curfew_packer_kind;

/* The first member of each library's own struct. */
struct curfew_packer {
	const curfew_packer_kind *kind;
	bool ended;   /* the compressed data has come to its end */
	size_t taken; /* of the input that is given again for each step */
};

/* A value that has a packer of `size` bytes, zeroed but for its kind; an exception where there is no memory for it. */
JSValue curfew_packer_create(JSContext *ctx, const curfew_packer_kind *kind, size_t size, curfew_packer **packer);

#endif
