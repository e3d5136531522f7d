/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy encodings of the Encoding Standard, decoded one character at a time. */
#ifndef CURFEW_GUEST_DECODERS_H
#define CURFEW_GUEST_DECODERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The numbers are those of guest/prelude/35-encoding.js. From the first to the last one of these, a character is one
 * byte.
 */
enum {
	DECODER_SINGLE_FIRST = 4,
	DECODER_SINGLE_LAST = 29,
	DECODER_BIG5,
	DECODER_EUC_JP,
	DECODER_EUC_KR,
	DECODER_GB18030, /* also of GBK */
	DECODER_ISO_2022_JP,
	DECODER_SHIFT_JIS,
	DECODER_X_USER_DEFINED,
};

/* Results in place of a character: an error, or no output. */
#define DECODED_ERROR 0xffffffffu
#define DECODED_NOTHING 0xfffffffeu

/* The state of ISO-2022-JP. It begins as zeros. */
typedef struct decoder_mode {
	uint8_t set;
	uint8_t switched; /* the last sequence selected a set */
} decoder_mode;

/*
 * Reads the next character from the `left` bytes at p, of which there is at least one. Returns how many bytes it used.
 * 0: more bytes are needed, which may follow unless `last` is set. c[1] is a second character, or 0.
 */
size_t curfew_decode_next(int decoder, const uint8_t *p, size_t left, bool last, decoder_mode *mode, uint32_t c[2]);

#endif
