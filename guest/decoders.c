/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoders of the Encoding Standard, except UTF-8, UTF-16 and windows-1252. Each reads one character.
 * guest/encodings makes the tables during the build. An invalid sequence ends before a byte that is ASCII, so that no
 * text can swallow a quote or a bracket.
 */
#include "decoders.h"

#include "encodings.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool in(uint8_t byte, uint8_t low, uint8_t high)
{
	return byte >= low && byte <= high;
}

static size_t give(uint32_t c[2], uint32_t value, size_t length)
{
	c[0] = value;
	return length;
}

/* An invalid sequence of two bytes. If its second byte is ASCII, that byte is not consumed. */
static size_t bad_pair(uint32_t c[2], uint8_t second, size_t length)
{
	return give(c, DECODED_ERROR, second < 0x80 ? length - 1 : length);
}

/* If the text ends where more bytes are needed, that is one error; otherwise 0. */
static size_t incomplete(uint32_t c[2], size_t left, bool last)
{
	return last ? give(c, DECODED_ERROR, left) : 0;
}

static uint32_t in_table(const uint16_t *table, size_t count, size_t place)
{
	return place < count && table[place] ? table[place] : DECODED_ERROR;
}

static size_t next_single(int decoder, const uint8_t *p, uint32_t c[2])
{
	uint32_t value = *p < 0x80 ? *p : single_byte[decoder - DECODER_SINGLE_FIRST][*p - 0x80];
	return give(c, value || !*p ? value : DECODED_ERROR, 1);
}

static size_t next_big5(const uint8_t *p, size_t left, bool last, uint32_t c[2])
{
	if (!in(p[0], 0x81, 0xfe))
		return give(c, p[0] < 0x80 ? p[0] : DECODED_ERROR, 1);
	if (left < 2)
		return incomplete(c, left, last);
	if (!in(p[1], 0x40, 0x7e) && !in(p[1], 0xa1, 0xfe))
		return bad_pair(c, p[1], 2);
	size_t place = (size_t)(p[0] - 0x81) * 157 + p[1] - (p[1] < 0x7f ? 0x40 : 0x62);
	/* Four pointers stand for two characters. */
	if (place == 1133 || place == 1135 || place == 1164 || place == 1166) {
		c[1] = place == 1133 || place == 1164 ? 0x304 : 0x30c;
		return give(c, place < 1164 ? 0xca : 0xea, 2);
	}
	uint32_t value = in_table(big5_pairs, COUNT(big5_pairs), place);
	if (value == DECODED_ERROR)
		return bad_pair(c, p[1], 2);
	return give(c, value | (uint32_t)(big5_plane2[place / 16] >> place % 16 & 1) << 17, 2);
}

static size_t next_euc_jp(const uint8_t *p, size_t left, bool last, uint32_t c[2])
{
	if (p[0] < 0x80)
		return give(c, p[0], 1);
	if (!in(p[0], 0xa1, 0xfe) && p[0] != 0x8e && p[0] != 0x8f)
		return give(c, DECODED_ERROR, 1);
	if (left < 2)
		return incomplete(c, left, last);
	if (p[0] == 0x8e && in(p[1], 0xa1, 0xdf))
		return give(c, 0xff61 - 0xa1 + p[1], 2);
	if (p[0] == 0x8f && in(p[1], 0xa1, 0xfe)) {
		if (left < 3)
			return incomplete(c, left, last);
		uint32_t value = in(p[2], 0xa1, 0xfe)
		                     ? in_table(jis0212, COUNT(jis0212), (size_t)(p[1] - 0xa1) * 94 + p[2] - 0xa1)
		                     : DECODED_ERROR;
		return value == DECODED_ERROR ? bad_pair(c, p[2], 3) : give(c, value, 3);
	}
	if (p[0] < 0xa1 || !in(p[1], 0xa1, 0xfe))
		return bad_pair(c, p[1], 2);
	return give(c, in_table(jis0208, COUNT(jis0208), (size_t)(p[0] - 0xa1) * 94 + p[1] - 0xa1), 2);
}

static size_t next_euc_kr(const uint8_t *p, size_t left, bool last, uint32_t c[2])
{
	if (!in(p[0], 0x81, 0xfe))
		return give(c, p[0] < 0x80 ? p[0] : DECODED_ERROR, 1);
	if (left < 2)
		return incomplete(c, left, last);
	uint32_t value = in(p[1], 0x41, 0xfe)
	                     ? in_table(euc_kr_pairs, COUNT(euc_kr_pairs), (size_t)(p[0] - 0x81) * 190 + p[1] - 0x41)
	                     : DECODED_ERROR;
	return value == DECODED_ERROR ? bad_pair(c, p[1], 2) : give(c, value, 2);
}

static uint32_t gb18030_of_four(const uint8_t *p)
{
	uint32_t place = (p[0] - 0x81u) * 12600 + (p[1] - 0x30u) * 1260 + (p[2] - 0x81u) * 10 + p[3] - 0x30u;
	size_t low = 0, high = COUNT(gb18030_ranges);

	if (place >= 189000)
		return place <= 1237575 ? place - 189000 + 0x10000 : DECODED_ERROR;
	if (place > 39419)
		return DECODED_ERROR;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;
		if (gb18030_ranges[middle][0] <= place)
			low = middle;
		else
			high = middle;
	}
	return gb18030_ranges[low][1] ? gb18030_ranges[low][1] + place - gb18030_ranges[low][0] : DECODED_ERROR;
}

static size_t next_gb18030(const uint8_t *p, size_t left, bool last, uint32_t c[2])
{
	if (p[0] <= 0x80 || p[0] == 0xff)
		return give(c, p[0] < 0x80 ? p[0] : p[0] == 0x80 ? 0x20ac : DECODED_ERROR, 1);
	if (left < 2)
		return incomplete(c, left, last);
	if (in(p[1], 0x30, 0x39)) {
		if (left < 3)
			return incomplete(c, left, last);
		if (!in(p[2], 0x81, 0xfe))
			return give(c, DECODED_ERROR, 1);
		if (left < 4)
			return incomplete(c, left, last);
		return in(p[3], 0x30, 0x39) ? give(c, gb18030_of_four(p), 4) : give(c, DECODED_ERROR, 1);
	}
	uint32_t value = in(p[1], 0x40, 0x7e) || in(p[1], 0x80, 0xfe)
	                     ? in_table(gb18030_pairs, COUNT(gb18030_pairs),
	                                (size_t)(p[0] - 0x81) * 190 + p[1] - (p[1] < 0x7f ? 0x40 : 0x41))
	                     : DECODED_ERROR;
	return value == DECODED_ERROR ? bad_pair(c, p[1], 2) : give(c, value, 2);
}

static size_t next_shift_jis(const uint8_t *p, size_t left, bool last, uint32_t c[2])
{
	if (p[0] <= 0x80)
		return give(c, p[0], 1);
	if (in(p[0], 0xa1, 0xdf))
		return give(c, 0xff61 - 0xa1 + p[0], 1);
	if (p[0] == 0xa0 || p[0] > 0xfc)
		return give(c, DECODED_ERROR, 1);
	if (left < 2)
		return incomplete(c, left, last);
	uint32_t value = in(p[1], 0x40, 0x7e) || in(p[1], 0x80, 0xfc)
	                     ? in_table(jis0208, COUNT(jis0208),
	                                (size_t)(p[0] - (p[0] < 0xa0 ? 0x81 : 0xc1)) * 188 + p[1] -
	                                    (p[1] < 0x7f ? 0x40 : 0x41))
	                     : DECODED_ERROR;
	return value == DECODED_ERROR ? bad_pair(c, p[1], 2) : give(c, value, 2);
}

enum { SET_ASCII, SET_ROMAN, SET_KATAKANA, SET_PAIRS };

/* An escape changes the set. Two escapes with nothing between them are an error, and so is any other escape. */
static size_t next_escape(const uint8_t *p, size_t left, bool last, decoder_mode *mode, uint32_t c[2])
{
	static const uint8_t escapes[][3] = {
		{'(', 'B', SET_ASCII}, {'(', 'J', SET_ROMAN}, {'(', 'I', SET_KATAKANA},
		{'$', '@', SET_PAIRS}, {'$', 'B', SET_PAIRS},
	};

	bool begins = left > 1 && (p[1] == '(' || p[1] == '$');
	if (!last && (left < 2 || (begins && left < 3)))
		return 0;
	for (size_t i = 0; begins && left > 2 && i < COUNT(escapes); i++) {
		if (p[1] != escapes[i][0] || p[2] != escapes[i][1])
			continue;
		bool twice = mode->switched;
		mode->set = escapes[i][2];
		mode->switched = 1;
		return give(c, twice ? DECODED_ERROR : DECODED_NOTHING, 3);
	}
	mode->switched = 0;
	return give(c, DECODED_ERROR, 1);
}

static size_t next_iso_2022_jp(const uint8_t *p, size_t left, bool last, decoder_mode *mode, uint32_t c[2])
{
	if (p[0] == 0x1b)
		return next_escape(p, left, last, mode, c);
	if (mode->set == SET_PAIRS && in(p[0], 0x21, 0x7e) && left < 2 && !last)
		return 0;
	mode->switched = 0;
	if (mode->set == SET_KATAKANA)
		return give(c, in(p[0], 0x21, 0x5f) ? 0xff61 - 0x21 + p[0] : DECODED_ERROR, 1);
	if (mode->set == SET_PAIRS) {
		if (!in(p[0], 0x21, 0x7e) || left < 2 || p[1] == 0x1b)
			return give(c, DECODED_ERROR, 1);
		return give(c,
		            in(p[1], 0x21, 0x7e) ? in_table(jis0208, COUNT(jis0208), (size_t)(p[0] - 0x21) * 94 + p[1] - 0x21)
		                                 : DECODED_ERROR,
		            2);
	}

	if (p[0] > 0x7f || p[0] == 0x0e || p[0] == 0x0f)
		return give(c, DECODED_ERROR, 1);
	if (mode->set == SET_ROMAN && (p[0] == 0x5c || p[0] == 0x7e))
		return give(c, p[0] == 0x5c ? 0xa5 : 0x203e, 1);
	return give(c, p[0], 1);
}

size_t curfew_decode_next(int decoder, const uint8_t *p, size_t left, bool last, decoder_mode *mode, uint32_t c[2])
{
	c[1] = 0;
	switch (decoder) {
	case DECODER_BIG5: return next_big5(p, left, last, c);
	case DECODER_EUC_JP: return next_euc_jp(p, left, last, c);
	case DECODER_EUC_KR: return next_euc_kr(p, left, last, c);
	case DECODER_GB18030: return next_gb18030(p, left, last, c);
	case DECODER_ISO_2022_JP: return next_iso_2022_jp(p, left, last, mode, c);
	case DECODER_SHIFT_JIS: return next_shift_jis(p, left, last, c);
	case DECODER_X_USER_DEFINED: return give(c, *p < 0x80 ? *p : 0xf780u + *p - 0x80, 1);
	default: return next_single(decoder, p, c);
	}
}
