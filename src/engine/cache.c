/* SPDX-License-Identifier: Apache-2.0 */
/* An entry is the SHA-256 of its contents, followed by the contents. */
#include "engine/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUM crypto_hash_sha256_BYTES

static bool make_folders(const char *folder)
{
	char path[PATH_MAX];
	size_t length = strlen(folder);

	if (length >= sizeof path)
		return false;
	memcpy(path, folder, length + 1);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return false;
		*slash = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* The folder, open, if it is one that only this user can write. */
static int open_folder(const char *folder)
{
	struct stat status;
	int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (file >= 0 && (fstat(file, &status) || status.st_uid != geteuid() || (status.st_mode & 022))) {
		close(file);
		return -1;
	}
	return file;
}

bool curfew__cache_prepare(const char *folder, char *message)
{
	if (!make_folders(folder)) {
		snprintf(message, 256, "cache folder %.150s cannot be made: %s", folder, strerror(errno));
		return false;
	}
	int file = open_folder(folder);
	if (file < 0) {
		snprintf(message, 256, "cache folder %.150s must belong to this user and be writable by nobody else", folder);
		return false;
	}
	close(file);
	return true;
}

static bool read_all(int file, uint8_t *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = read(file, bytes + done, length - done);
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool write_all(int file, const uint8_t *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = write(file, bytes + done, length - done);
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

void curfew__cache_name(const char *flavour, const void *bytes, size_t length, char name[CURFEW__CACHE_NAME])
{
	crypto_hash_sha256_state state;
	uint8_t sum[SUM];

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)flavour, strlen(flavour) + 1);
	crypto_hash_sha256_update(&state, bytes, length);
	crypto_hash_sha256_final(&state, sum);
	sodium_bin2hex(name, CURFEW__CACHE_NAME, sum, sizeof sum);
}

void *curfew__cache_read(const char *folder, const char *name, size_t *length)
{
	int directory = open_folder(folder);
	int file = directory < 0 ? -1 : openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	uint8_t *bytes = NULL, sum[SUM];

	if (file >= 0 && !fstat(file, &status) && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	    !(status.st_mode & 022) && status.st_size > (off_t)SUM && (bytes = malloc((size_t)status.st_size))) {
		size_t size = (size_t)status.st_size - SUM;
		bool good = read_all(file, bytes, SUM + size) && !crypto_hash_sha256(sum, bytes + SUM, size) &&
		            !memcmp(sum, bytes, SUM);
		if (good) {
			memmove(bytes, bytes + SUM, size);
			*length = size;
		} else {
			free(bytes);
			bytes = NULL;
		}
	}
	if (file >= 0)
		close(file);
	if (directory >= 0)
		close(directory);
	return bytes;
}

void curfew__cache_write(const char *folder, const char *name, const void *bytes, size_t length)
{
	char temporary[96];
	uint8_t sum[SUM];
	uint64_t number;
	int directory = open_folder(folder);

	if (directory < 0)
		return;
	randombytes_buf(&number, sizeof number);
	snprintf(temporary, sizeof temporary, ".%.40s.%016llx", name, (unsigned long long)number);
	int file = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file >= 0) {
		crypto_hash_sha256(sum, bytes, length);
		bool good = write_all(file, sum, SUM) && write_all(file, bytes, length);
		if (close(file) || !good || renameat(directory, temporary, directory, name))
			unlinkat(directory, temporary, 0);
	}
	close(directory);
}

/* ---- Files ------------------------------------------------------------------------------------------------ */

int curfew__cache_open(const char *folder, const char *name)
{
	int directory = open_folder(folder);
	int file = directory < 0 ? -1 : openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;

	if (directory >= 0)
		close(directory);
	if (file >= 0 && !fstat(file, &status) && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	    !(status.st_mode & 022))
		return file;
	if (file >= 0)
		close(file);
	return -1;
}

static bool copy_all(int from, int to)
{
	struct stat status;
	off_t at = 0;

	if (fstat(from, &status))
		return false;
	while (at < status.st_size)
		if (sendfile(to, from, &at, (size_t)(status.st_size - at)) <= 0)
			return false;
	return true;
}

void curfew__cache_keep(const char *folder, const char *name, int file)
{
	char temporary[96];
	uint64_t number;
	int directory = open_folder(folder);

	if (directory < 0)
		return;
	randombytes_buf(&number, sizeof number);
	snprintf(temporary, sizeof temporary, ".%.40s.%016llx", name, (unsigned long long)number);
	int copy = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (copy >= 0) {
		bool good = copy_all(file, copy);
		if (close(copy) || !good || renameat(directory, temporary, directory, name))
			unlinkat(directory, temporary, 0);
	}
	close(directory);
}

/* ---- The key ---------------------------------------------------------------------------------------------- */

static bool read_key(const char *path, uint8_t key[32])
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool good = file >= 0 && read(file, key, 32) == 32;

	if (file >= 0)
		close(file);
	return good;
}

bool curfew__cache_key(const char *folder, uint8_t key[32])
{
	char path[PATH_MAX], temporary[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/image.key", folder) >= (int)sizeof path)
		return false;
	if (read_key(path, key))
		return true;
	if (snprintf(temporary, sizeof temporary, "%s/.key-XXXXXX", folder) >= (int)sizeof temporary)
		return false;
	int file = mkostemp(temporary, O_CLOEXEC);
	if (file < 0)
		return false;
	randombytes_buf(key, 32);
	bool written = write(file, key, 32) == 32 && fsync(file) == 0;
	close(file);
	/* Whoever is first has made the key. */
	bool made = written && link(temporary, path) == 0;
	unlink(temporary);
	return made || read_key(path, key);
}
