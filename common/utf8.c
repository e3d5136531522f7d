/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes and repairs UTF-8. The repair follows the Unicode recommendation (a maximal ill-formed prefix becomes one
 * U+FFFD), like TextDecoder, so that a report shows the same text as a browser.
 */
#include "common/utf8.h"

static const char replacement[] = "\xef\xbf\xbd";

/* What a lead byte requires: the number of continuation bytes, and the range of the first of them. */
typedef struct lead {
	unsigned more;
	unsigned char low;
	unsigned char high;
} lead;

static lead lead_of(unsigned char byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return (lead){1, 0x80, 0xbf};
	if (byte == 0xe0)
		return (lead){2, 0xa0, 0xbf};
	if (byte == 0xed)
		return (lead){2, 0x80, 0x9f};
	if (byte >= 0xe1 && byte <= 0xef)
		return (lead){2, 0x80, 0xbf};
	if (byte == 0xf0)
		return (lead){3, 0x90, 0xbf};
	if (byte >= 0xf1 && byte <= 0xf3)
		return (lead){3, 0x80, 0xbf};
	if (byte == 0xf4)
		return (lead){3, 0x80, 0x8f};
	return (lead){0, 0, 0};
}

/* The number of valid bytes of a multi-byte sequence, including the lead byte. */
static size_t right_bytes(const char *text, size_t length, lead form)
{
	size_t right = 1;
	while (right <= form.more && right < length) {
		unsigned char byte = (unsigned char)text[right];
		unsigned char low = right == 1 ? form.low : 0x80;
		unsigned char high = right == 1 ? form.high : 0xbf;
		if (byte < low || byte > high)
			break;
		right++;
	}
	return right;
}

size_t curfew__utf8_decode(const char *text, size_t length, uint32_t *character)
{
	unsigned char first = (unsigned char)text[0];
	if (first < 0x80) {
		*character = first;
		return 1;
	}
	lead form = lead_of(first);
	if (form.more == 0 || right_bytes(text, length, form) != form.more + 1)
		return 0;
	uint32_t value = first & (0x3fu >> form.more);
	for (unsigned i = 1; i <= form.more; i++)
		value = value << 6 | ((unsigned char)text[i] & 0x3fu);
	*character = value;
	return form.more + 1;
}

size_t curfew__utf8_encode(uint32_t character, char text[4])
{
	unsigned more = character < 0x80 ? 0 : character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
	text[0] = (char)(leads[more] | character >> 6 * more);
	for (unsigned i = 1; i <= more; i++)
		text[i] = (char)(0x80 | (character >> 6 * (more - i) & 0x3f));
	return more + 1;
}

size_t curfew__utf8_skip(const char *text, size_t length)
{
	lead form = lead_of((unsigned char)text[0]);
	return form.more == 0 ? 1 : right_bytes(text, length, form);
}

bool curfew__utf8_check(const char *text, size_t length, size_t *error_offset)
{
	size_t at = 0;
	while (at < length) {
		uint32_t character;
		size_t step = curfew__utf8_decode(text + at, length - at, &character);
		if (step == 0) {
			if (error_offset != NULL)
				*error_offset = at;
			return false;
		}
		at += step;
	}
	return true;
}

size_t curfew__utf8_cut(const char *text, size_t length, size_t most)
{
	if (length <= most)
		return length;
	/* Step back over the continuation bytes of a character that the cut would split. */
	size_t cut = most;
	while (cut > 0 && most - cut < 3 && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

bool curfew__utf8_add_clean(curfew__buffer *buffer, const char *text, size_t length)
{
	size_t start = 0;
	size_t at = 0;
	bool added = true;
	while (at < length) {
		uint32_t character;
		size_t step = curfew__utf8_decode(text + at, length - at, &character);
		if (step != 0) {
			at += step;
			continue;
		}
		added = curfew__buffer_add(buffer, text + start, at - start) && added;
		added = curfew__buffer_add(buffer, replacement, sizeof replacement - 1) && added;
		at += curfew__utf8_skip(text + at, length - at);
		start = at;
	}
	return curfew__buffer_add(buffer, text + start, at - start) && added;
}
