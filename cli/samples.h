/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of one measured quantity, and the two ways to look at them: percentiles and a histogram. */
#ifndef CURFEW_CLI_SAMPLES_H
#define CURFEW_CLI_SAMPLES_H

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

typedef struct cli_samples {
	uint64_t *values;
	size_t count;
} cli_samples;

typedef struct cli_summary {
	uint64_t minimum;
	uint64_t p50;
	uint64_t p90;
	uint64_t p99;
	uint64_t maximum;
} cli_summary;

/* Sorts the samples; there is at least one. */
cli_summary cli_samples_summarize(cli_samples *samples);

typedef void (*cli_format_function)(uint64_t value, char *text);

/* Prints a histogram of sorted samples, in bars. Samples far above most others share a row. */
void cli_samples_draw(FILE *out, const cli_samples *samples, cli_format_function format);

#endif
