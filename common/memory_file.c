/* SPDX-License-Identifier: Apache-2.0 */
#include "common/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int curfew__memory_file(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

bool curfew__file_write(int file, const void *bytes, size_t length, off_t at)
{
	for (size_t done = 0; done < length;) {
		ssize_t written = pwrite(file, (const char *)bytes + done, length - done, at + (off_t)done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		done += (size_t)written;
	}
	return true;
}

/*
 * While the system holds one of the file's pages, to move it or to see how it is used, it refuses that (EBUSY;
 * memfd_wait_for_pins in Linux), so this tries for a while.
 */
bool curfew__file_seal(int file)
{
	for (int tries = 0; fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE); tries++) {
		if (errno != EBUSY || tries == 20)
			return false;
		(void)usleep(1000);
	}
	return true;
}
