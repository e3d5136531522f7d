/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and foreign text for a terminal. */
#ifndef CURFEW_CLI_FORMAT_H
#define CURFEW_CLI_FORMAT_H

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

enum { CLI_QUANTITY = 32 };

/* "12.3 us", "1.25 s": three figures. */
void cli_format_time(uint64_t ns, char text[CLI_QUANTITY]);
/* "12.345 us": five figures, to distinguish close values. */
void cli_format_time_finely(uint64_t ns, char text[CLI_QUANTITY]);
/* "3.1 MiB" */
void cli_format_bytes(uint64_t bytes, char text[CLI_QUANTITY]);
/* "12.3 M" */
void cli_format_count(uint64_t count, char text[CLI_QUANTITY]);

/* Makes one safe short line of the guest's text: nothing in it moves the cursor or changes the direction of writing. */
void cli_format_line(const char *data, size_t length, char *line, size_t size);

/* Writes a string as JSON, quotes included. */
void cli_write_json_string(FILE *out, const char *text);

#endif
