/* SPDX-License-Identifier: Apache-2.0 */
/* An entry is the SHA-256 of its contents, followed by the contents. */
#include "engine/cache.h"
#include "base/refuse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SUM crypto_hash_sha256_BYTES
/* How often the time of an entry's use is updated. */
#define USED_EVERY_S 3600
/* The length of an entry's name until it is finished: a dot, the beginning of its own name, a dot, a number. */
#define UNFINISHED_NAME (1 + 40 + 1 + 16)

static bool make_directories(const char *directory)
{
	char path[PATH_MAX];
	size_t length = strlen(directory);

	if (length >= sizeof path)
		return false;
	memcpy(path, directory, length + 1);
	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(path, 0700) && errno != EEXIST)
			return false;
		*slash = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Opens the directory, if only this user can write to it. */
static int open_directory(const char *directory)
{
	struct stat status;
	int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (file >= 0 && (fstat(file, &status) || status.st_uid != geteuid() || (status.st_mode & 022))) {
		close(file);
		return -1;
	}
	return file;
}

bool curfew__cache_prepare(const char *directory, curfew_failure *failure)
{
	if (!make_directories(directory)) {
		return curfew__fail(failure, "cache directory %.150s cannot be made: %s", directory, strerror(errno));
	}
	int file = open_directory(directory);
	if (file < 0) {
		return curfew__fail(failure, "cache directory %.150s must belong to this user and be writable by nobody else",
		                    directory);
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

void *curfew__cache_read(const char *directory, const char *name, size_t *length)
{
	int opened = open_directory(directory);
	int file = opened < 0 ? -1 : openat(opened, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
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
	if (opened >= 0)
		close(opened);
	return bytes;
}

/* ---- Room -------------------------------------------------------------------------------------------------- */

typedef struct kept {
	char name[CURFEW__CACHE_NAME];
	uint64_t bytes;
	struct timespec used;
} kept;

typedef struct kept_list {
	kept *items;
	size_t count, room;
	uint64_t bytes;
} kept_list;

/* An unfinished entry of a killed process counts too. Its name begins with a dot. */
static bool is_entry(const char *name)
{
	bool is_unfinished = name[0] == '.';

	return strlen(name) == (is_unfinished ? UNFINISHED_NAME : CURFEW__CACHE_NAME - 1) &&
	       name[strspn(name, is_unfinished ? ".0123456789abcdef" : "0123456789abcdef")] == 0;
}

static void note_entry(kept_list *list, int directory, const char *name)
{
	struct stat status;

	if (!is_entry(name) || fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) || !S_ISREG(status.st_mode))
		return;
	if (list->count == list->room) {
		kept *grown = realloc(list->items, (list->room * 2 + 64) * sizeof *grown);
		if (!grown)
			return;
		list->items = grown;
		list->room = list->room * 2 + 64;
	}
	kept *own = &list->items[list->count++];
	*own = (kept){.bytes = (uint64_t)status.st_size, .used = status.st_mtim};
	memcpy(own->name, name, sizeof own->name);
	list->bytes += own->bytes;
}

static int compare_use(const void *one, const void *other)
{
	const struct timespec *a = &((const kept *)one)->used, *b = &((const kept *)other)->used;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return a->tv_nsec < b->tv_nsec ? -1 : a->tv_nsec > b->tv_nsec;
}

static void trim(int directory, uint64_t bytes_max)
{
	kept_list list = {0};
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = again < 0 ? NULL : fdopendir(again);

	if (!entries) {
		if (again >= 0)
			close(again);
		return;
	}
	for (const struct dirent *entry; (entry = readdir(entries));)
		note_entry(&list, directory, entry->d_name);
	if (list.bytes > bytes_max)
		qsort(list.items, list.count, sizeof *list.items, compare_use);
	for (size_t i = 0; i < list.count && list.bytes > bytes_max; i++) {
		list.bytes -= list.items[i].bytes;
		unlinkat(directory, list.items[i].name, 0);
	}
	closedir(entries);
	free(list.items);
}

void curfew__cache_trim(const char *directory, uint64_t bytes_max)
{
	int opened = open_directory(directory);

	if (opened < 0)
		return;
	trim(opened, bytes_max);
	close(opened);
}

/* ---- Entries ----------------------------------------------------------------------------------------------- */

/* A function that writes an entry into its file. */
typedef bool (*entry_writer)(int file, const void *what);

/* Writes under a temporary name first, so that nobody sees a partial entry. */
static void publish_entry(const char *directory, const char *name, entry_writer write_entry, const void *what)
{
	char temporary[UNFINISHED_NAME + 1];
	uint64_t number;
	int opened = open_directory(directory);

	if (opened < 0)
		return;
	randombytes_buf(&number, sizeof number);
	snprintf(temporary, sizeof temporary, ".%.40s.%016llx", name, (unsigned long long)number);
	int file = openat(opened, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file >= 0) {
		bool good = write_entry(file, what);
		if (close(file) || !good || renameat(opened, temporary, opened, name))
			unlinkat(opened, temporary, 0);
	}
	trim(opened, CURFEW__CACHE_BYTES_MAX);
	close(opened);
}

typedef struct entry {
	const void *bytes;
	size_t length;
} entry;

static bool write_sum_and_bytes(int file, const void *what)
{
	const entry *own = what;
	uint8_t sum[SUM];

	crypto_hash_sha256(sum, own->bytes, own->length);
	return write_all(file, sum, SUM) && write_all(file, own->bytes, own->length);
}

void curfew__cache_write(const char *directory, const char *name, const void *bytes, size_t length)
{
	publish_entry(directory, name, write_sum_and_bytes, &(entry){bytes, length});
}

/* ---- Files ------------------------------------------------------------------------------------------------ */

int curfew__cache_open(const char *directory, const char *name)
{
	int opened = open_directory(directory);
	int file = opened < 0 ? -1 : openat(opened, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;

	if (opened >= 0)
		close(opened);
	if (file >= 0 && !fstat(file, &status) && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	    !(status.st_mode & 022)) {
		if (time(NULL) - status.st_mtime > USED_EVERY_S)
			futimens(file, NULL);
		return file;
	}
	if (file >= 0)
		close(file);
	return -1;
}

static bool copy_from(int to, const void *what)
{
	const int *from = what;
	struct stat status;
	off_t at = 0;

	if (fstat(*from, &status))
		return false;
	while (at < status.st_size)
		if (sendfile(to, *from, &at, (size_t)(status.st_size - at)) <= 0)
			return false;
	return true;
}

void curfew__cache_keep(const char *directory, const char *name, int file)
{
	publish_entry(directory, name, copy_from, &file);
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

bool curfew__cache_key(const char *directory, uint8_t key[32])
{
	char path[PATH_MAX], temporary[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/image.key", directory) >= (int)sizeof path)
		return false;
	if (read_key(path, key))
		return true;
	if (snprintf(temporary, sizeof temporary, "%s/.key-XXXXXX", directory) >= (int)sizeof temporary)
		return false;
	int file = mkostemp(temporary, O_CLOEXEC);
	if (file < 0)
		return false;
	randombytes_buf(key, 32);
	bool written = write(file, key, 32) == 32 && fsync(file) == 0;
	close(file);
	/* Another process may have made the key first; then use that one. */
	bool made = written && link(temporary, path) == 0;
	unlink(temporary);
	return made || read_key(path, key);
}
