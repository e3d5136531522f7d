/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine has. */
#ifndef CURFEW_SERVER_MACHINE_H
#define CURFEW_SERVER_MACHINE_H

#include <stdint.h>

/* Bytes of memory that this process may use: the machine's, or less where its control group says so. */
uint64_t machine_memory(void);

#endif
