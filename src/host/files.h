/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the directories that a JavaScript run was given. The system resolves each path so that no step of it, not
 * even through a link, leaves its directory (openat2, Linux 5.6). Only regular files and directories are opened, and
 * one call reads or writes a bounded piece. Only the run's thread uses this.
 */
#ifndef CURFEW_HOST_FILES_H
#define CURFEW_HOST_FILES_H

#include "engine/extra.h"
#include "js/guest.h"

/* The maximum number of open files of a run. */
#define CURFEW__FILES_OPEN_MAX 256

typedef struct curfew__files curfew__files;

/* The directories are not copied, and are opened at first use. NULL: out of memory. */
curfew__files *curfew__files_create(const curfew__wasi_directory *directories, size_t count);
/* Closes all files. files may be NULL. */
void curfew__files_destroy(curfew__files *files);
/* Executes an operation of guest/abi.h and returns its result, or -errno. Fills the status of the request if it asks
 * for one. */
int32_t curfew__files_call(curfew__files *files, curfew__guest_file *call);
/* Returns 0 or -errno. */
int curfew__file_status_of(int fd, curfew__file_status *to);

#endif
