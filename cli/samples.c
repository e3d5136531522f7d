/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles are samples that occurred (nearest rank), not values between two of them. */
#include "samples.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 10, BAR_CELLS = 40 };

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a;
	uint64_t second = *(const uint64_t *)b;
	return (first > second) - (first < second);
}

static uint64_t percentile(const cli_samples *samples, unsigned percent)
{
	size_t rank = (samples->count * percent + 99) / 100;
	return samples->values[rank > 0 ? rank - 1 : 0];
}

cli_summary cli_samples_summarize(cli_samples *samples)
{
	qsort(samples->values, samples->count, sizeof samples->values[0], compare);
	return (cli_summary){
		.minimum = samples->values[0],
		.p50 = percentile(samples, 50),
		.p90 = percentile(samples, 90),
		.p99 = percentile(samples, 99),
		.maximum = samples->values[samples->count - 1],
	};
}

/* A bar of eighths of a cell. */
static void draw_bar(FILE *out, size_t value, size_t most)
{
	static const char *const parts[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
	size_t eighths = most > 0 ? value * BAR_CELLS * 8 / most : 0;
	if (eighths == 0 && value > 0)
		eighths = 1;
	for (size_t i = 0; i < eighths / 8; i++)
		fputs("\u2588", out);
	fputs(parts[eighths % 8], out);
}

static void draw_row(FILE *out, const char *label, size_t value, size_t most)
{
	fprintf(out, "  %12s  %6zu  ", label, value);
	draw_bar(out, value, most);
	fputc('\n', out);
}

/* The end of the last row. A few outliers must not squeeze the rest into one row. */
static uint64_t drawn_maximum(const cli_samples *samples)
{
	uint64_t low = samples->values[0];
	uint64_t usual = low + (percentile(samples, 90) - low) * 3;
	uint64_t high = percentile(samples, 99);
	return high < usual ? high : usual;
}

void cli_samples_draw(FILE *out, const cli_samples *samples, cli_format_function format)
{
	uint64_t low = samples->values[0];
	uint64_t high = drawn_maximum(samples);
	uint64_t width = (high - low) / ROWS + 1;
	size_t rows[ROWS] = {0};
	size_t above = 0;
	size_t most = 0;

	for (size_t i = 0; i < samples->count; i++) {
		uint64_t row = (samples->values[i] - low) / width;
		size_t *counter = row < ROWS ? &rows[row] : &above;
		(*counter)++;
		if (*counter > most)
			most = *counter;
	}

	char label[48];
	for (size_t i = 0; i < ROWS && low + i * width <= high; i++) {
		format(low + i * width, label);
		draw_row(out, label, rows[i], most);
	}

	if (above > 0)
		draw_row(out, "above", above, most);
}
