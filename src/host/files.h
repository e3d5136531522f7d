/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the folders that a JavaScript run was given. The system resolves each path so that no step of it, a link's
 * neither, leaves its folder (openat2, Linux 5.6). Only regular files and folders are opened, and one call reads or
 * writes a bounded piece. Used by the run's thread alone.
 */
#ifndef CURFEW_HOST_FILES_H
#define CURFEW_HOST_FILES_H

#include "engine/extra.h"
#include "js/guest.h"

/* What one run may have open at once. */
#define CURFEW__FILES_OPEN_MAX 256

typedef struct curfew__files curfew__files;

/* The folders are not copied, and opened when they are first used. NULL: out of memory. */
curfew__files *curfew__files_create(const curfew__wasi_folder *folders, size_t count);
/* Closes what is open. files may be NULL. */
void curfew__files_destroy(curfew__files *files);
/* Does it: as guest/abi.h says of the operation, or -errno. Fills the status of the request where one is asked for. */
int32_t curfew__files_call(curfew__files *files, curfew__guest_file *call);

#endif
