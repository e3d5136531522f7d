/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relative imports, read from below one folder. The name comes from the guest: it is resolved with every symbolic
 * link, must still lie below the folder, and is then opened without following any.
 */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODULE_BYTES_MAX ((off_t)16 << 20)

/* Answers to the guest: indexes into the refusals of guest/modules.c. */
enum { NOT_FOUND = -1, OUTSIDE = -2, TOO_LARGE = -3, UNREADABLE = -4 };

/* What is no module must not be told piece by piece in the messages of the parser. */
static bool is_module_name(const char *path)
{
	size_t length = strlen(path);
	return (length > 3 && !strcmp(path + length - 3, ".js")) || (length > 4 && !strcmp(path + length - 4, ".mjs"));
}

static int open_below(const char *folder, const char *name, int32_t *answer)
{
	char path[PATH_MAX], resolved[PATH_MAX];
	size_t length = strlen(folder);

	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path || !realpath(path, resolved)) {
		*answer = errno == EACCES ? UNREADABLE : NOT_FOUND;
		return -1;
	}
	if (strncmp(resolved, folder, length) || (resolved[length] != '/' && strcmp(folder, "/"))) {
		*answer = OUTSIDE;
		return -1;
	}
	*answer = UNREADABLE;
	if (!is_module_name(resolved))
		return -1;
	return open(resolved, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

char *curfew__import_open(const char *folder, const char *name, size_t name_length, int32_t *answer)
{
	char copy[PATH_MAX], *text = NULL;
	struct stat status;

	*answer = NOT_FOUND;
	if (name_length >= sizeof copy || memchr(name, 0, name_length))
		return NULL;
	memcpy(copy, name, name_length);
	copy[name_length] = 0;
	int file = open_below(folder, copy, answer);
	if (file < 0)
		return NULL;
	if (!fstat(file, &status) && S_ISREG(status.st_mode)) {
		if (status.st_size > MODULE_BYTES_MAX)
			*answer = TOO_LARGE;
		else if ((text = malloc((size_t)status.st_size + 1))) {
			ssize_t got = read(file, text, (size_t)status.st_size);
			if (got >= 0) {
				*answer = (int32_t)got;
			} else {
				free(text);
				text = NULL;
			}
		}
	}
	close(file);
	return text;
}
