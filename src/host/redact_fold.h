/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folding reduces a text to what remains the same under the encoders that a value may go through, whichever of them
 * were used and how often. Escapes are decoded repeatedly: backslashes of JSON, JavaScript and the console, percent
 * signs of URLs, forms and escape(). Bytes that encoders drop, replace or quote are left out: spaces, line ends,
 * control characters, quotes, slashes, brackets, plus and question marks. A value and its encoded forms fold to the
 * same bytes. So one search finds them all: URL, URLSearchParams, encodeURI, JSON once or several times, the console's
 * quotes and indentation, names in stacks.
 */
#ifndef CURFEW_HOST_REDACT_FOLD_H
#define CURFEW_HOST_REDACT_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One byte of the folded text, and the bytes of the text that it stands for. */
typedef struct curfew__folded {
	uint64_t start, end;
	unsigned char byte;
	bool is_left_out; /* not part of the folded text, but counted */
} curfew__folded;

/* The maximum number of folded bytes that one byte can produce. */
#define CURFEW__FOLDED_MAX 12

enum curfew__fold_state { CURFEW__FOLD_PLAIN, CURFEW__FOLD_BACKSLASH, CURFEW__FOLD_PERCENT, CURFEW__FOLD_HEX };

typedef struct curfew__fold {
	enum curfew__fold_state state;
	uint64_t escape; /* the start of the escape that is being read */
	unsigned digits; /* HEX, PERCENT: that were read, and that are expected */
	unsigned expected;
	uint32_t code;         /* so far */
	unsigned char text[8]; /* the escape without its first characters, in case it turns out to be none */
	unsigned text_length;
	bool is_percent; /* it begins with a percent sign, which stays if it is no escape */
	uint32_t high;   /* the first half of a surrogate pair, whose second half is expected; 0: none */
	uint64_t high_start;
} curfew__fold;

/* The bytes that are left out, apart from escapes. NUL is not left out: it separates texts. */
static const bool curfew__fold_leaves_out[256] = {
	[1 ... ' '] = true, [0x7f] = true, ['+'] = true, ['/'] = true,  ['\\'] = true, ['('] = true,
	[')'] = true,       ['?'] = true,  ['"'] = true, ['\''] = true, ['`'] = true,
};

/* Whether the byte can begin or continue an escape. */
static inline bool curfew__fold_is_plain(const curfew__fold *fold, unsigned char byte)
{
	return fold->state == CURFEW__FOLD_PLAIN && !fold->high && byte != '\\' && byte != '%';
}

static inline int curfew__fold_digit(unsigned char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static inline size_t curfew__fold_add(curfew__folded *out, size_t count, unsigned char byte, uint64_t start,
                                      uint64_t end)
{
	out[count] = (curfew__folded){start, end, byte, curfew__fold_leaves_out[byte]};
	return count + 1;
}

/* Writes a character in UTF-8. Half of a surrogate pair is written as if it were one. */
static inline size_t curfew__fold_add_character(curfew__folded *out, size_t count, uint32_t code, uint64_t start,
                                                uint64_t end)
{
	if (code < 0x80)
		return curfew__fold_add(out, count, (unsigned char)code, start, end);
	int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
	count = curfew__fold_add(out, count, (unsigned char)(leads[more] | code >> (6 * more)), start, end);
	while (more-- > 0)
		count = curfew__fold_add(out, count, (unsigned char)(0x80 | (code >> (6 * more) & 0x3f)), start, end);
	return count;
}

/* Writes the first half of a surrogate pair whose second half did not come. */
static inline size_t curfew__fold_flush_high(curfew__fold *fold, curfew__folded *out, size_t count)
{
	uint32_t high = fold->high;
	fold->high = 0;
	return high ? curfew__fold_add_character(out, count, high, fold->high_start, fold->escape) : count;
}

static inline void curfew__fold_begin(curfew__fold *fold, enum curfew__fold_state state, uint64_t escape)
{
	fold->state = state;
	fold->escape = escape;
	fold->digits = fold->code = 0;
	fold->expected = 2;
	fold->text_length = 0;
	fold->is_percent = state == CURFEW__FOLD_PERCENT;
}

/* Ends an apparent escape: its characters stand for themselves. Backslashes are left out in any case. */
static inline size_t curfew__fold_give_up(curfew__fold *fold, curfew__folded *out, size_t count, uint64_t at)
{
	uint64_t start = at - fold->text_length;

	count = curfew__fold_flush_high(fold, out, count);
	if (fold->is_percent)
		count = curfew__fold_add(out, count, '%', fold->escape, start);
	for (unsigned i = 0; i < fold->text_length; i++)
		count = curfew__fold_add(out, count, fold->text[i], start + i, start + i + 1);
	fold->state = CURFEW__FOLD_PLAIN;
	return count;
}

/* Ends an escape whose digits are complete. It ends before `end`. */
static inline size_t curfew__fold_complete(curfew__fold *fold, curfew__folded *out, size_t count, uint64_t end)
{
	uint32_t code = fold->code;
	uint64_t start = fold->escape;
	bool is_byte = fold->state == CURFEW__FOLD_PERCENT;

	fold->state = CURFEW__FOLD_PLAIN;
	/* A decoded percent sign or backslash may begin another escape. */
	if (is_byte && (code == '%' || code == '\\')) {
		count = curfew__fold_flush_high(fold, out, count);
		curfew__fold_begin(fold, code == '%' ? CURFEW__FOLD_PERCENT : CURFEW__FOLD_BACKSLASH, start);
		return count;
	}
	if (!is_byte && code >= 0xd800 && code < 0xdc00) {
		count = curfew__fold_flush_high(fold, out, count);
		fold->high = code;
		fold->high_start = start;
		return count;
	}
	if (!is_byte && fold->high && code >= 0xdc00 && code < 0xe000) {
		code = 0x10000 + ((fold->high - 0xd800) << 10) + (code - 0xdc00);
		start = fold->high_start;
		fold->high = 0;
	}
	count = curfew__fold_flush_high(fold, out, count);
	return is_byte ? curfew__fold_add(out, count, (unsigned char)code, start, end)
	               : curfew__fold_add_character(out, count, code, start, end);
}

/* Folds a byte outside any escape. */
static inline size_t curfew__fold_plain(curfew__fold *fold, curfew__folded *out, size_t count, unsigned char byte,
                                        uint64_t at)
{
	if (byte == '\\' || byte == '%') {
		curfew__fold_begin(fold, byte == '%' ? CURFEW__FOLD_PERCENT : CURFEW__FOLD_BACKSLASH, at);
		return count;
	}
	fold->escape = at;
	count = curfew__fold_flush_high(fold, out, count);
	return curfew__fold_add(out, count, byte, at, at + 1);
}

/* Folds the byte after one or more backslashes. */
static inline size_t curfew__fold_behind_backslash(curfew__fold *fold, curfew__folded *out, size_t count,
                                                   unsigned char byte, uint64_t at)
{
	if (byte == '\\')
		return count;
	if (byte == 'u' || byte == 'x') {
		fold->state = CURFEW__FOLD_HEX;
		fold->expected = byte == 'u' ? 4 : 2;
		fold->text[fold->text_length++] = byte;
		return count;
	}
	fold->state = CURFEW__FOLD_PLAIN;
	if (strchr("nrtbfv", byte) && byte) {
		count = curfew__fold_flush_high(fold, out, count);
		return curfew__fold_add(out, count, '\n', fold->escape, at + 1);
	}
	return curfew__fold_plain(fold, out, count, byte, at);
}

static inline size_t curfew__fold_within(curfew__fold *fold, curfew__folded *out, size_t count, unsigned char byte,
                                         uint64_t at)
{
	int digit = curfew__fold_digit(byte);

	if (fold->state == CURFEW__FOLD_PERCENT && byte == 'u' && !fold->text_length) {
		fold->state = CURFEW__FOLD_HEX;
		fold->expected = 4;
		fold->text[fold->text_length++] = byte;
		return count;
	}
	if (digit < 0) {
		count = curfew__fold_give_up(fold, out, count, at);
		return curfew__fold_plain(fold, out, count, byte, at);
	}
	fold->text[fold->text_length++] = byte;
	fold->code = fold->code << 4 | (uint32_t)digit;
	return ++fold->digits < fold->expected ? count : curfew__fold_complete(fold, out, count, at + 1);
}

/* Folds the byte at a position of the text; out has CURFEW__FOLDED_MAX elements. Returns the number of folded bytes. */
static inline size_t curfew__fold_byte(curfew__fold *fold, unsigned char byte, uint64_t at, curfew__folded *out)
{
	switch (fold->state) {
	case CURFEW__FOLD_BACKSLASH: return curfew__fold_behind_backslash(fold, out, 0, byte, at);
	case CURFEW__FOLD_PERCENT:
	case CURFEW__FOLD_HEX: return curfew__fold_within(fold, out, 0, byte, at);
	case CURFEW__FOLD_PLAIN: break;
	}
	return curfew__fold_plain(fold, out, 0, byte, at);
}

/* Ends the text: an unfinished escape is none. */
static inline size_t curfew__fold_end(curfew__fold *fold, uint64_t at, curfew__folded *out)
{
	if (fold->state != CURFEW__FOLD_PLAIN)
		return curfew__fold_give_up(fold, out, 0, at);
	fold->escape = at;
	return curfew__fold_flush_high(fold, out, 0);
}

/* The position up to which the text is folded; `at` if all of it is. */
static inline uint64_t curfew__fold_unread(const curfew__fold *fold, uint64_t at)
{
	if (fold->high)
		return fold->high_start;
	return fold->state == CURFEW__FOLD_PLAIN ? at : fold->escape;
}

#endif
