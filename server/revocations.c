/* SPDX-License-Identifier: Apache-2.0 */
/* A file of lines, which is written in place. */
#include "revocations.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(const char *directory, int flags)
{
	char path[4200];
	(void)snprintf(path, sizeof path, "%s/revoked", directory);
	return open(path, flags | O_CLOEXEC, 0600);
}

bool revocations_prepare(const char *directory)
{
	static const char zeros[REVOCATIONS_BYTES];
	struct stat info;
	int fd = open_file(directory, O_RDWR | O_CREAT);
	if (fd < 0)
		return true;
	/* Write zeros, which reserve space on the disk. Only extending the file would not. */
	if (fstat(fd, &info) == 0 && info.st_size < REVOCATIONS_BYTES)
		(void)(pwrite(fd, zeros, (size_t)(REVOCATIONS_BYTES - info.st_size), info.st_size) < 0);
	(void)close(fd);
	return true;
}

void revocations_read(const char *directory, revocations *list)
{
	int fd = open_file(directory, O_RDONLY);
	ssize_t got = fd >= 0 ? pread(fd, list->lines, REVOCATIONS_BYTES, 0) : 0;
	list->lines[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		(void)close(fd);
}

bool revocations_has(const revocations *list, const char *id)
{
	size_t length = strlen(id);
	for (const char *at = list->lines; length > 0 && (at = strstr(at, id)) != NULL; at++) {
		if ((at == list->lines || at[-1] == '\n') && at[length] == '\n')
			return true;
	}
	return false;
}

bool revocations_add(const char *directory, const char *id)
{
	revocations list;
	char line[64];
	revocations_read(directory, &list);
	size_t used = strlen(list.lines);
	int length = snprintf(line, sizeof line, "%s\n", id);
	if (revocations_has(&list, id))
		return true;
	if (length < 0 || used + (size_t)length > REVOCATIONS_BYTES)
		return false;
	int fd = open_file(directory, O_WRONLY);
	if (fd < 0)
		return false;
	bool good = pwrite(fd, line, (size_t)length, (off_t)used) == length && fsync(fd) == 0;
	(void)close(fd);
	return good;
}
