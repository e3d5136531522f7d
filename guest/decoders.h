/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy encodings of the Encoding Standard, a character at a time. */
#ifndef CURFEW_GUEST_DECODERS_H
#define CURFEW_GUEST_DECODERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are those of guest/prelude/35-encoding.js; from the first to the last one: one byte for a character. */
enum {
	DECODER_SINGLE_FIRST = 4,
	DECODER_SINGLE_LAST = 29,
	DECODER_BIG5,
	DECODER_EUC_JP,
	DECODER_EUC_KR,
	DECODER_GB18030, /* of GBK, too */
	DECODER_ISO_2022_JP,
	DECODER_SHIFT_JIS,
	DECODER_X_USER_DEFINED,
};

/* In place of a character: an error, or nothing at all. */
#define DECODED_ERROR 0xffffffffu
#define DECODED_NOTHING 0xfffffffeu

/* What ISO-2022-JP remembers; all zeros at the beginning. */
typedef struct decoder_mode {
	uint8_t set;
	uint8_t switched; /* the last thing was a change of the set */
} decoder_mode;

/*
 * Reads the next character of `left` bytes at p, one at least, and returns how many bytes it has; 0: more are needed,
 * and may come unless `last` is set. c[1] is a second character, or 0.
 */
size_t curfew_decode_next(int decoder, const uint8_t *p, size_t left, bool last, decoder_mode *mode, uint32_t c[2]);

#endif
