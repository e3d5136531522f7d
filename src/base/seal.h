/* SPDX-License-Identifier: Apache-2.0 */
/* Files in memory that nobody can change any more (memfd_create(2)). */
#ifndef CURFEW_BASE_SEAL_H
#define CURFEW_BASE_SEAL_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/*
 * Seals an anonymous file against every change, for ever. While the system holds one of its pages, to move it or to see
 * how it is used, it refuses that (EBUSY; memfd_wait_for_pins in Linux), so this tries for a while.
 */
static inline bool curfew__seal(int file)
{
	for (int tries = 0; fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE); tries++) {
		if (errno != EBUSY || tries == 20)
			return false;
		usleep(1000);
	}
	return true;
}

#endif
