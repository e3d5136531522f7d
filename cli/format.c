/* SPDX-License-Identifier: Apache-2.0 */
/* Rounding to three figures, and making foreign text harmless. */
#include "format.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Writes this many significant figures: 1.23, 12.3, 123. Trailing zeros of the fraction are dropped on request. */
static void format_scaled(double value, int figures, bool trim, const char *unit, char text[CLI_QUANTITY])
{
	int decimals = figures - (value < 9.995 ? 1 : value < 99.95 ? 2 : 3);
	int length = snprintf(text, CLI_QUANTITY, "%.*f", decimals, value);
	if (decimals > 0 && trim) {
		while (length > 0 && text[length - 1] == '0')
			length--;
		if (length > 0 && text[length - 1] == '.')
			length--;
	}
	(void)snprintf(text + length, CLI_QUANTITY - (size_t)length, " %s", unit);
}

static void format_time(uint64_t ns, int figures, bool trim, char text[CLI_QUANTITY])
{
	if (ns < 1000)
		(void)snprintf(text, CLI_QUANTITY, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		format_scaled((double)ns / 1e3, figures, trim, "us", text);
	else if (ns < 1000000000)
		format_scaled((double)ns / 1e6, figures, trim, "ms", text);
	else
		format_scaled((double)ns / 1e9, figures, trim, "s", text);
}

void cli_format_time(uint64_t ns, char text[CLI_QUANTITY])
{
	format_time(ns, 3, true, text);
}

void cli_format_time_finely(uint64_t ns, char text[CLI_QUANTITY])
{
	format_time(ns, 5, false, text);
}

void cli_format_bytes(uint64_t bytes, char text[CLI_QUANTITY])
{
	if (bytes < UINT64_C(1) << 10)
		(void)snprintf(text, CLI_QUANTITY, "%" PRIu64 " B", bytes);
	else if (bytes < UINT64_C(1) << 20)
		format_scaled((double)bytes / 1024, 3, true, "KiB", text);
	else if (bytes < UINT64_C(1) << 30)
		format_scaled((double)bytes / (1024 * 1024), 3, true, "MiB", text);
	else
		format_scaled((double)bytes / (1024 * 1024 * 1024), 3, true, "GiB", text);
}

void cli_format_count(uint64_t count, char text[CLI_QUANTITY])
{
	if (count < 10000)
		(void)snprintf(text, CLI_QUANTITY, "%" PRIu64, count);
	else if (count < 1000000)
		format_scaled((double)count / 1e3, 3, true, "k", text);
	else if (count < 1000000000)
		format_scaled((double)count / 1e6, 3, true, "M", text);
	else
		format_scaled((double)count / 1e9, 3, true, "G", text);
}

/* Control characters of two and three bytes in UTF-8: C1, and the marks that change the direction of writing. */
static size_t wide_control(const unsigned char *text, size_t length)
{
	if (length >= 2 && text[0] == 0xc2 && text[1] < 0xa0)
		return 2;
	bool marks = length >= 3 && text[0] == 0xe2 &&
	             ((text[1] == 0x80 && text[2] >= 0xa8 && text[2] <= 0xae) ||
	              (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
	return marks ? 3 : 0;
}

void cli_format_line(const char *data, size_t length, char *line, size_t size)
{
	const unsigned char *text = (const unsigned char *)data;
	size_t at = 0;
	size_t written = 0;
	while (at < length && written + 1 < size) {
		size_t control = text[at] < 0x20 || text[at] == 0x7f ? 1 : wide_control(text + at, length - at);
		line[written++] = control > 0 ? '?' : data[at];
		at += control > 0 ? control : 1;
	}
	/* Do not cut inside a character. */
	while (at < length && written > 0 && ((unsigned char)line[written - 1] & 0x80) != 0)
		written--;
	line[written] = '\0';
}

void cli_write_json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < 0x20)
			fprintf(out, "\\u%04x", byte);
		else
			fputc(byte, out);
	}
	fputc('"', out);
}
