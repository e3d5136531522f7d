/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's resources. */
#ifndef CURFEW_SERVER_MACHINE_H
#define CURFEW_SERVER_MACHINE_H

#include "curfew.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of memory that this process may use: the machine's, or the limit of its control group. */
uint64_t machine_memory(void);
/* Makes a directory with its parents, for this user only. An existing one must not be writable by everybody. False, and
 * why. */
bool machine_make_directory(const char *directory, curfew_failure *failure);

/* The resources that the server's own process uses. */
typedef struct machine_process {
	double cpu_seconds, start_seconds; /* start: since 1970 */
	uint64_t resident_bytes, virtual_bytes, threads, open_files, files_max;
} machine_process;

bool machine_read_process(machine_process *p);

#endif
