/* SPDX-License-Identifier: Apache-2.0 */
#include "host/files.h"

#include <dirent.h>
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

#define NONE (-1)
#define ENTRIES_BYTES 32768
#define MODE_BITS 0777u

typedef struct directory {
	const char *host;
	char *guest; /* without slashes at both ends; "": the root */
	int top;     /* NONE: not opened yet */
	bool writable;
} directory;

typedef struct open_file {
	int fd; /* NONE: free */
	bool writable;
} open_file;

struct curfew__files {
	directory *directories;
	size_t directory_count;
	open_file open[CURFEW__FILES_OPEN_MAX];
};

/* A path of the guest's: the directory that contains it, and the path inside that directory. */
typedef struct place {
	directory *directory;
	char rest[PATH_MAX]; /* ".": the directory itself */
} place;

/* ---- Directories and paths ------------------------------------------------------------------------------------ */

/* Skips the parts at the beginning that mean nothing: slashes, dots, and steps above the root. */
static const char *skip_top(const char *path)
{
	for (;;) {
		size_t dots = strspn(path, ".");
		if (*path == '/')
			path++;
		else if ((dots == 1 || dots == 2) && (path[dots] == '/' || !path[dots]))
			path += dots;
		else
			return path;
	}
}

static char *trimmed(const char *path)
{
	const char *from = skip_top(path);
	size_t length = strlen(from);

	while (length && from[length - 1] == '/')
		length--;
	return strndup(from, length);
}

curfew__files *curfew__files_create(const curfew__wasi_directory *directories, size_t count)
{
	curfew__files *files = calloc(1, sizeof *files);

	if (!files || !(files->directories = calloc(count + 1, sizeof *files->directories))) {
		free(files);
		return NULL;
	}
	for (size_t i = 0; i < CURFEW__FILES_OPEN_MAX; i++)
		files->open[i].fd = NONE;
	for (size_t i = 0; i < count; i++) {
		directory *made = &files->directories[files->directory_count++];
		*made = (directory){directories[i].host, trimmed(directories[i].guest), NONE, directories[i].writable};
		if (!made->guest) {
			curfew__files_destroy(files);
			return NULL;
		}
	}
	return files;
}

void curfew__files_destroy(curfew__files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < CURFEW__FILES_OPEN_MAX; i++)
		if (files->open[i].fd != NONE)
			close(files->open[i].fd);
	for (size_t i = 0; i < files->directory_count; i++) {
		if (files->directories[i].top != NONE)
			close(files->directories[i].top);
		free(files->directories[i].guest);
	}
	free(files->directories);
	free(files);
}

/* Returns the rest of the path inside this directory. NULL: the path is not inside it. */
static const char *below(const directory *f, const char *path)
{
	size_t length = strlen(f->guest);

	if (!length)
		return path;
	if (strncmp(path, f->guest, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	return path + length + strspn(path + length, "/");
}

/* 0, or -errno. */
static int find_place(curfew__files *files, const char *path, size_t length, place *found)
{
	char text[PATH_MAX];

	found->directory = NULL;
	if (!path || !length || memchr(path, 0, length))
		return -ENOENT;
	if (length >= sizeof text)
		return -ENAMETOOLONG;
	memcpy(text, path, length);
	text[length] = 0;
	const char *from = skip_top(text);
	for (size_t i = 0; i < files->directory_count; i++) {
		directory *f = &files->directories[i];
		const char *rest = below(f, from);
		if (!rest || (found->directory && strlen(f->guest) < strlen(found->directory->guest)))
			continue;
		found->directory = f;
		snprintf(found->rest, sizeof found->rest, "%s", *rest ? rest : ".");
	}
	if (!found->directory)
		return -ENOENT;
	if (found->directory->top == NONE)
		found->directory->top = open(found->directory->host, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return found->directory->top == NONE ? -errno : 0;
}

/* A file descriptor, or -errno. */
static int open_below(const place *at, const char *rest, int flags, uint32_t mode)
{
	struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
	                       .mode = flags & O_CREAT ? mode & MODE_BITS : 0,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};

	for (;;) {
		int fd = (int)syscall(SYS_openat2, at->directory->top, rest, &how, sizeof how);
		if (fd >= 0)
			return fd;
		if (errno != EINTR && errno != EAGAIN)
			return errno == EXDEV ? -EPERM : -errno;
	}
}

/* Opens the directory that contains the last step of a path, and sets *last to that step. Returns a descriptor, or
 * -errno.
 */
static int open_parent(place *at, const char **last)
{
	size_t length = strlen(at->rest);

	while (length > 1 && at->rest[length - 1] == '/')
		at->rest[--length] = 0;
	char *slash = strrchr(at->rest, '/');
	*last = slash ? slash + 1 : at->rest;
	if (!strcmp(*last, ".") || !strcmp(*last, ".."))
		return -EBUSY;
	if (!slash)
		return open_below(at, ".", O_PATH | O_DIRECTORY, 0);
	*slash = 0;
	return open_below(at, at->rest, O_PATH | O_DIRECTORY, 0);
}

static int find_parent(curfew__files *files, const char *path, size_t length, const char **last, place *at)
{
	int error = find_place(files, path, length, at);

	if (error)
		return error;
	return at->directory->writable ? open_parent(at, last) : -EROFS;
}

/* ---- Open files ------------------------------------------------------------------------------------------- */

static open_file *find_open(curfew__files *files, uint32_t file)
{
	open_file *found = file < CURFEW__FILES_OPEN_MAX ? &files->open[file] : NULL;
	return found && found->fd != NONE ? found : NULL;
}

static int64_t nanoseconds(struct timespec time)
{
	return time.tv_sec * 1000000000 + time.tv_nsec;
}

int curfew__file_status_of(int fd, curfew__file_status *to)
{
	struct stat status;

	if (fstat(fd, &status))
		return -errno;
	*to = (curfew__file_status){
		.device = status.st_dev,
		.inode = status.st_ino,
		.size = (uint64_t)status.st_size,
		.blocks = (uint64_t)status.st_blocks,
		.mode = status.st_mode,
		.links = (uint32_t)status.st_nlink,
		.user = status.st_uid,
		.group = status.st_gid,
		.block_bytes = (uint32_t)status.st_blksize,
		.access_ns = nanoseconds(status.st_atim),
		.modify_ns = nanoseconds(status.st_mtim),
		.change_ns = nanoseconds(status.st_ctim),
	};
	return 0;
}

static int host_flags(uint32_t flags)
{
	static const int accesses[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
	static const struct {
		uint32_t ours;
		int theirs;
	} table[] = {
		{CURFEW_OPEN_CREATE, O_CREAT},  {CURFEW_OPEN_EXCLUSIVE, O_EXCL},      {CURFEW_OPEN_TRUNCATE, O_TRUNC},
		{CURFEW_OPEN_APPEND, O_APPEND}, {CURFEW_OPEN_DIRECTORY, O_DIRECTORY}, {CURFEW_OPEN_NO_FOLLOW, O_NOFOLLOW},
	};
	int result = accesses[flags & 3] | O_NONBLOCK | O_NOCTTY;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (flags & table[i].ours)
			result |= table[i].theirs;
	return result;
}

static int32_t do_open(curfew__files *files, curfew__guest_file *call)
{
	const uint32_t writes = 3 | CURFEW_OPEN_CREATE | CURFEW_OPEN_TRUNCATE | CURFEW_OPEN_APPEND;
	uint32_t flags = call->request.flags, file = 0;
	place at;

	while (file < CURFEW__FILES_OPEN_MAX && files->open[file].fd != NONE)
		file++;
	if (file == CURFEW__FILES_OPEN_MAX)
		return -EMFILE;
	int error = find_place(files, call->path, call->request.path_length, &at);
	if (error)
		return error;
	if ((flags & writes) && !at.directory->writable)
		return -EROFS;
	int fd = open_below(&at, at.rest, host_flags(flags), call->request.mode);
	if (fd < 0)
		return fd;
	error = curfew__file_status_of(fd, &call->request.status);
	/* Open without blocking: it may be a device or a pipe. */
	if (!error && !S_ISREG(call->request.status.mode) && !S_ISDIR(call->request.status.mode))
		error = -ENXIO;
	if (error) {
		close(fd);
		return error;
	}
	files->open[file] = (open_file){fd, at.directory->writable};
	return (int32_t)file;
}

static int32_t do_close(curfew__files *files, curfew__guest_file *call)
{
	open_file *file = find_open(files, call->request.file);

	if (!file)
		return -EBADF;
	close(file->fd);
	file->fd = NONE;
	return 0;
}

static int32_t do_read_write(curfew__files *files, curfew__guest_file *call)
{
	const open_file *file = find_open(files, call->request.file);
	bool reads = call->request.operation == CURFEW_FILE_READ;
	size_t length = call->request.length < CURFEW_FILE_PIECE_BYTES ? call->request.length : CURFEW_FILE_PIECE_BYTES;
	off_t position = call->request.position;
	ssize_t done;

	if (!file || !call->bytes)
		return -EBADF;
	do {
		if (position < 0)
			done = reads ? read(file->fd, call->bytes, length) : write(file->fd, call->bytes, length);
		else
			done = reads ? pread(file->fd, call->bytes, length, position)
			             : pwrite(file->fd, call->bytes, length, position);
	} while (done < 0 && errno == EINTR);
	return done < 0 ? -errno : (int32_t)done;
}

static int32_t do_file_status(curfew__files *files, curfew__guest_file *call)
{
	const open_file *file = find_open(files, call->request.file);
	return file ? curfew__file_status_of(file->fd, &call->request.status) : -EBADF;
}

static int32_t do_truncate(curfew__files *files, curfew__guest_file *call)
{
	const open_file *file = find_open(files, call->request.file);

	if (!file)
		return -EBADF;
	return ftruncate(file->fd, call->request.position < 0 ? 0 : call->request.position) ? -errno : 0;
}

static int32_t do_sync(curfew__files *files, curfew__guest_file *call)
{
	const open_file *file = find_open(files, call->request.file);

	if (!file)
		return -EBADF;
	return fsync(file->fd) ? -errno : 0;
}

/* An entry of a directory in the kernel's form (getdents64). */
typedef struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
} entry;

/* Reads some entries, and rewrites each in place as its type, name and a NUL, which is shorter than the kernel's form.
 * 0: no more. */
static int32_t do_read_directory(curfew__files *files, curfew__guest_file *call)
{
	const open_file *file = find_open(files, call->request.file);
	_Alignas(entry) char entries[ENTRIES_BYTES];
	size_t made = 0;

	if (!file || !call->bytes || call->request.length < ENTRIES_BYTES)
		return -EBADF;
	while (!made) {
		long got = syscall(SYS_getdents64, file->fd, entries, sizeof entries);
		if (got <= 0)
			return got ? -errno : 0;
		for (long at = 0; at < got;) {
			const entry *e = (const entry *)(const void *)(entries + at);
			at += e->length;
			if (!strcmp(e->name, ".") || !strcmp(e->name, ".."))
				continue;
			size_t length = strlen(e->name) + 1;
			call->bytes[made++] = (char)e->type;
			memcpy(call->bytes + made, e->name, length);
			made += length;
		}
	}
	return (int32_t)made;
}

/* ---- Paths ------------------------------------------------------------------------------------------------ */

/* Opens a path only to query it. Returns a descriptor, or -errno. */
static int open_to_look(curfew__files *files, const curfew__guest_file *call, place *at)
{
	int error = find_place(files, call->path, call->request.path_length, at);
	int link = call->request.flags & CURFEW_OPEN_NO_FOLLOW ? O_NOFOLLOW : 0;

	return error ? error : open_below(at, at->rest, O_PATH | link, 0);
}

static int32_t do_status(curfew__files *files, curfew__guest_file *call)
{
	place at;
	int fd = open_to_look(files, call, &at);

	if (fd < 0)
		return fd;
	int error = curfew__file_status_of(fd, &call->request.status);
	close(fd);
	return error;
}

static void name_of_open(char text[32], int fd)
{
	snprintf(text, 32, "/proc/self/fd/%d", fd);
}

static int32_t do_access(curfew__files *files, curfew__guest_file *call)
{
	place at;
	char name[32];
	int fd = open_to_look(files, call, &at);

	if (fd < 0)
		return fd;
	name_of_open(name, fd);
	int error = faccessat(AT_FDCWD, name, (int)(call->request.mode & 7), AT_EACCESS) ? -errno : 0;
	close(fd);
	return !error && (call->request.mode & W_OK) && !at.directory->writable ? -EROFS : error;
}

/* Returns the guest's path with every link resolved. */
static int32_t do_real_path(curfew__files *files, curfew__guest_file *call)
{
	place at;
	char name[32], top[PATH_MAX], real[PATH_MAX];
	int fd = open_to_look(files, call, &at);

	if (fd < 0)
		return fd;
	name_of_open(name, fd);
	ssize_t length = readlink(name, real, sizeof real - 1);
	close(fd);
	name_of_open(name, at.directory->top);
	ssize_t top_length = readlink(name, top, sizeof top - 1);
	if (length < top_length || top_length <= 0 || memcmp(real, top, (size_t)top_length) != 0)
		return -ENOENT;
	if (top_length == 1)
		top_length = 0; /* the directory is the root */
	real[length] = 0;
	const char *rest = real + top_length;
	int made = snprintf(call->bytes, call->request.length, "/%s%s", at.directory->guest,
	                    *at.directory->guest || !*rest ? rest : rest + 1);
	return made < 0 || (size_t)made >= call->request.length ? -ENAMETOOLONG : made;
}

static int32_t do_read_link(curfew__files *files, curfew__guest_file *call)
{
	place at;
	const char *last;
	int error = find_place(files, call->path, call->request.path_length, &at);
	int parent = error ? error : open_parent(&at, &last);

	if (parent < 0)
		return parent == -EBUSY ? -EINVAL : parent;
	ssize_t length = readlinkat(parent, last, call->bytes, call->request.length);
	error = errno;
	close(parent);
	return length < 0 ? -error : (int32_t)length;
}

/* Changes one name in a directory. */
static int change_name(const curfew__guest_file *call, int parent, const char *last)
{
	const curfew__file_request *request = &call->request;
	struct timespec times[2] = {
		{request->access_ns / 1000000000, request->access_ns % 1000000000},
		{request->modify_ns / 1000000000, request->modify_ns % 1000000000},
	};
	char target[PATH_MAX];

	switch (request->operation) {
	case CURFEW_FILE_MAKE_DIRECTORY: return mkdirat(parent, last, request->mode & MODE_BITS);
	case CURFEW_FILE_REMOVE: return unlinkat(parent, last, request->flags & CURFEW_OPEN_DIRECTORY ? AT_REMOVEDIR : 0);
	case CURFEW_FILE_SET_TIMES: return utimensat(parent, last, times, AT_SYMLINK_NOFOLLOW);
	default: break;
	}
	/* A link must not be absolute: from the system's root it would mean another file. */
	errno = EPERM;
	if (!call->other || request->other_length >= sizeof target || *call->other == '/')
		return -1;
	memcpy(target, call->other, request->other_length);
	target[request->other_length] = 0;
	return symlinkat(target, parent, last);
}

static int32_t do_change(curfew__files *files, curfew__guest_file *call)
{
	place at;
	const char *last;
	int parent = find_parent(files, call->path, call->request.path_length, &last, &at);

	if (parent < 0)
		return parent;
	int error = change_name(call, parent, last) ? -errno : 0;
	close(parent);
	return error;
}

static int32_t do_rename_link(curfew__files *files, curfew__guest_file *call)
{
	place from, to;
	const char *from_last, *to_last;
	int from_parent = find_parent(files, call->path, call->request.path_length, &from_last, &from);

	if (from_parent < 0)
		return from_parent;
	int to_parent = find_parent(files, call->other, call->request.other_length, &to_last, &to);
	if (to_parent < 0) {
		close(from_parent);
		return to_parent;
	}
	int failed = call->request.operation == CURFEW_FILE_RENAME ? renameat(from_parent, from_last, to_parent, to_last)
	                                                           : linkat(from_parent, from_last, to_parent, to_last, 0);
	int error = failed ? -errno : 0;
	close(from_parent);
	close(to_parent);
	return error;
}

/* Lists the guest's names of the directories, each ended by a NUL. */
static int32_t do_directories(curfew__files *files, curfew__guest_file *call)
{
	size_t made = 0;

	for (size_t i = 0; i < files->directory_count; i++) {
		size_t length = strlen(files->directories[i].guest) + 1;
		if (!call->bytes || length > call->request.length - made)
			return -ENAMETOOLONG;
		memcpy(call->bytes + made, files->directories[i].guest, length);
		made += length;
	}
	return (int32_t)made;
}

int32_t curfew__files_call(curfew__files *files, curfew__guest_file *call)
{
	static int32_t (*const operations[])(curfew__files *, curfew__guest_file *) = {
		[CURFEW_FILE_OPEN] = do_open,
		[CURFEW_FILE_CLOSE] = do_close,
		[CURFEW_FILE_READ] = do_read_write,
		[CURFEW_FILE_WRITE] = do_read_write,
		[CURFEW_FILE_STATUS_OF_OPEN] = do_file_status,
		[CURFEW_FILE_STATUS] = do_status,
		[CURFEW_FILE_READ_DIRECTORY] = do_read_directory,
		[CURFEW_FILE_TRUNCATE] = do_truncate,
		[CURFEW_FILE_SYNC] = do_sync,
		[CURFEW_FILE_ACCESS] = do_access,
		[CURFEW_FILE_REAL_PATH] = do_real_path,
		[CURFEW_FILE_READ_LINK] = do_read_link,
		[CURFEW_FILE_MAKE_DIRECTORY] = do_change,
		[CURFEW_FILE_REMOVE] = do_change,
		[CURFEW_FILE_SET_TIMES] = do_change,
		[CURFEW_FILE_MAKE_LINK] = do_change,
		[CURFEW_FILE_RENAME] = do_rename_link,
		[CURFEW_FILE_LINK] = do_rename_link,
		[CURFEW_FILE_DIRECTORIES] = do_directories,
	};
	uint32_t operation = call->request.operation;

	if (operation >= sizeof operations / sizeof *operations || !operations[operation])
		return -ENOSYS;
	return operations[operation](files, call);
}
