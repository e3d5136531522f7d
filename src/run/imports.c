/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that programs import, read from below one directory. The name comes from the guest. The system opens it so that
 * no step of it, not even through a link, leaves the directory (openat2). Without openat2 the name is resolved first,
 * and then opened without following any link.
 */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A package.json is parsed as a whole, so it has a smaller limit. */
#define PACKAGE_BYTES_MAX ((size_t)1 << 20)

static bool has_ending(const char *path, const char *ending)
{
	size_t length = strlen(path), ending_length = strlen(ending);
	return length > ending_length && !strcmp(path + length - ending_length, ending);
}

/* Only files with the names of modules are read: the parser's messages must not reveal other files piece by piece. */
static bool is_module_name(const char *path)
{
	static const char *const endings[] = {".js", ".mjs", ".cjs", ".json", ".ts", ".mts", ".cts"};

	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (has_ending(path, endings[i]))
			return true;
	return false;
}

static int32_t answer_of(int error)
{
	switch (error) {
	case EXDEV: return CURFEW__IMPORT_OUTSIDE;
	case EACCES:
	case ELOOP:
	case ENXIO: return CURFEW__IMPORT_UNREADABLE;
	default: return CURFEW__IMPORT_NOT_FOUND;
	}
}

/* For systems without openat2. */
static int open_resolved(const char *directory, const char *name)
{
	char path[PATH_MAX], resolved[PATH_MAX];
	size_t length = strlen(directory);

	errno = ENAMETOOLONG;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path || !realpath(path, resolved))
		return -1;
	if (strncmp(resolved, directory, length) != 0 || (resolved[length] != '/' && strcmp(directory, "/") != 0)) {
		errno = EXDEV;
		return -1;
	}
	return open(resolved, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
}

static int open_below(const char *directory, const char *name)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	int top = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return -1;
	int file = (int)syscall(SYS_openat2, top, name, &how, sizeof how);
	int error = errno;
	close(top);
	if (file < 0 && (error == ENOSYS || error == EPERM || error == EAGAIN))
		return open_resolved(directory, name);
	errno = error;
	return file;
}

/* Finds the path of the open file below the directory, with links resolved, so that a module that is reached in several
 * ways is loaded once. */
static bool find_place(int file, const char *directory, char place[PATH_MAX])
{
	char link[32], path[PATH_MAX];
	size_t length = strcmp(directory, "/") ? strlen(directory) : 0;

	snprintf(link, sizeof link, "/proc/self/fd/%d", file);
	ssize_t got = readlink(link, path, sizeof path - 1);
	if (got <= 0)
		return false;
	path[got] = 0;
	if ((size_t)got <= length + 1 || strncmp(path, directory, length) != 0 || path[length] != '/')
		return false;
	memcpy(place, path + length + 1, (size_t)got - length);
	return true;
}

int32_t curfew__import_check(const char *place, size_t length)
{
	bool is_package = !strcmp(place, "package.json") || has_ending(place, "/package.json");

	if (!is_module_name(place))
		return CURFEW__IMPORT_UNREADABLE;
	return length > (size_t)(is_package ? PACKAGE_BYTES_MAX : CURFEW__MODULE_BYTES_MAX) ? CURFEW__IMPORT_TOO_LARGE : 0;
}

/* Reads a file that must not be longer than it was when it was checked. -1: it cannot be read. */
static ssize_t read_whole(int file, char *to, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got = read(file, to + done, length - done);
		if (got < 0 && errno != EINTR)
			return -1;
		if (!got)
			break;
		done += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)done;
}

/* Reads an open file: its path, a NUL, and its text. */
static char *read_open_file(int file, const char *directory, size_t most, int32_t *answer)
{
	char place[PATH_MAX];
	struct stat status;

	*answer = CURFEW__IMPORT_UNREADABLE;
	if (fstat(file, &status))
		return NULL;
	if (S_ISDIR(status.st_mode))
		*answer = CURFEW__IMPORT_DIRECTORY;
	if (!S_ISREG(status.st_mode) || !find_place(file, directory, place))
		return NULL;
	if ((*answer = curfew__import_check(place, (size_t)status.st_size)) < 0)
		return NULL;
	*answer = CURFEW__IMPORT_TOO_LARGE;
	if ((size_t)status.st_size > most)
		return NULL;
	size_t before = strlen(place) + 1;
	char *text = malloc(before + (size_t)status.st_size + 1);
	ssize_t got = text ? read_whole(file, text + before, (size_t)status.st_size) : -1;
	if (got < 0) {
		*answer = CURFEW__IMPORT_UNREADABLE;
		free(text);
		return NULL;
	}
	memcpy(text, place, before);
	*answer = (int32_t)(before + (size_t)got);
	return text;
}

char *curfew__import_open(const char *directory, const char *name, size_t name_length, size_t most, int32_t *answer)
{
	char copy[PATH_MAX];

	*answer = CURFEW__IMPORT_NOT_FOUND;
	if (name_length >= sizeof copy || memchr(name, 0, name_length))
		return NULL;
	memcpy(copy, name, name_length);
	copy[name_length] = 0;
	int file = open_below(directory, copy[0] ? copy : ".");
	if (file < 0) {
		*answer = answer_of(errno);
		return NULL;
	}
	char *text = read_open_file(file, directory, most, answer);
	close(file);
	return text;
}
