/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One grammar for all quantities: digits, maybe a point and digits, maybe a unit. The arithmetic is in integers: a
 * value that is not a whole number of ns, bytes or things is refused rather than rounded.
 */
#include "limits/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum { FRACTION_DIGITS = 12 };

typedef struct suffix {
	const char *text;
	uint64_t scale;
} suffix;

/* In the order of growing scale; of two with the same scale the last one is written. */
static const suffix duration_suffixes[] = {
	{"ns", 1},
	{"us", 1000},
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", UINT64_C(60000000000)},
	{"h", UINT64_C(3600000000000)},
	{NULL, 0},
};
static const suffix byte_suffixes[] = {
	{"", 1},
	{"K", UINT64_C(1) << 10},
	{"KiB", UINT64_C(1) << 10},
	{"M", UINT64_C(1) << 20},
	{"MiB", UINT64_C(1) << 20},
	{"G", UINT64_C(1) << 30},
	{"GiB", UINT64_C(1) << 30},
	{NULL, 0},
};
static const suffix count_suffixes[] = {
	{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0},
};

static const suffix *suffixes_of(curfew_unit unit)
{
	switch (unit) {
	case CURFEW_UNIT_DURATION: return duration_suffixes;
	case CURFEW_UNIT_BYTES: return byte_suffixes;
	case CURFEW_UNIT_COUNT: return count_suffixes;
	}
	return count_suffixes;
}

static const char *unknown_suffix(curfew_unit unit)
{
	switch (unit) {
	case CURFEW_UNIT_DURATION: return "a duration is a number and a unit (ns us ms s m h)";
	case CURFEW_UNIT_BYTES: return "a size is a number of bytes, or a number and a unit (KiB MiB GiB)";
	case CURFEW_UNIT_COUNT: return "a count is a number, or a number and a unit (k M G)";
	}
	return "unknown unit";
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A decimal as an integer over a power of ten. */
typedef struct decimal {
	uint64_t whole;
	uint64_t fraction;
	uint64_t fraction_scale;
} decimal;

static bool read_whole(const char **at, decimal *number)
{
	for (; is_digit(**at); (*at)++) {
		uint64_t digit = (uint64_t)(**at - '0');
		if (number->whole > (UINT64_MAX - digit) / 10)
			return false;
		number->whole = number->whole * 10 + digit;
	}
	return true;
}

static bool read_fraction(const char **at, decimal *number)
{
	for (int digits = 0; is_digit(**at); (*at)++, digits++) {
		if (digits >= FRACTION_DIGITS && **at != '0')
			return false;
		if (digits >= FRACTION_DIGITS)
			continue;
		number->fraction = number->fraction * 10 + (uint64_t)(**at - '0');
		number->fraction_scale *= 10;
	}
	return true;
}

static bool scale_number(const decimal *number, uint64_t scale, uint64_t *value, const char **why)
{
	wide fraction = (wide)number->fraction * scale;
	if (fraction % number->fraction_scale != 0) {
		*why = "finer than the smallest unit";
		return false;
	}
	wide total = (wide)number->whole * scale + fraction / number->fraction_scale;
	/* The largest number means "unlimited", so it is no value either. */
	if (total >= UINT64_MAX) {
		*why = "too large";
		return false;
	}
	*value = (uint64_t)total;
	return true;
}

bool curfew__quantity_parse(curfew_unit unit, const char *text, uint64_t *value, const char **why)
{
	const char *at = text;
	decimal number = {0, 0, 1};

	*why = unknown_suffix(unit);
	if (!is_digit(*at))
		return false;
	if (!read_whole(&at, &number)) {
		*why = "too large";
		return false;
	}

	if (at[0] == '.' && is_digit(at[1])) {
		at++;
		if (!read_fraction(&at, &number)) {
			*why = "finer than the smallest unit";
			return false;
		}
	}

	for (const suffix *s = suffixes_of(unit); s->text != NULL; s++) {
		if (strcmp(at, s->text) == 0)
			return scale_number(&number, s->scale, value, why);
	}

	return false;
}

void curfew__quantity_format(curfew_unit unit, uint64_t value, const char *space, char *text, size_t size)
{
	const suffix *best = suffixes_of(unit);
	/* A count is read more easily as 1000 than as 1k. */
	bool plain = value == 0 || (unit == CURFEW_UNIT_COUNT && value < 10000);
	for (const suffix *s = best; s->text != NULL && !plain; s++) {
		if (value % s->scale == 0)
			best = s;
	}
	if (value == 0 && unit == CURFEW_UNIT_DURATION)
		best = &duration_suffixes[2];
	(void)snprintf(text, size, "%" PRIu64 "%s%s", value / best->scale, best->text[0] != '\0' ? space : "", best->text);
}
