/* SPDX-License-Identifier: Apache-2.0 */
/* How much fuel a millisecond is on this machine: measured once, kept in the user's cache, used for --fuel DUR. */
#ifndef CURFEW_CLI_CALIBRATE_H
#define CURFEW_CLI_CALIBRATE_H

#include "options.h"

/*
 * If --fuel was given as a duration, sets limits->fuel to that much work on this machine, which is measured first if
 * necessary. CLI_GO_ON, or the exit code after an error was reported.
 */
int cli_fuel_apply(const cli_arguments *arguments, bool is_js, curfew_limits *limits);
/* Sets limits->fuel to --fuel as a duration, if a millisecond is this much fuel ("here"). Returns as above. */
int cli_fuel_set(const cli_arguments *arguments, uint64_t fuel_per_ms, const char *where, curfew_limits *limits);

#endif
