/* SPDX-License-Identifier: Apache-2.0 */
/* Files that the build put into the program: the console's and the description of the interface. */
#ifndef CURFEW_SERVER_EMBEDDED_H
#define CURFEW_SERVER_EMBEDDED_H

#include <stddef.h>

typedef struct embedded_file {
	const char *path; /* "/style.css" */
	const char *type;
	const char *etag;            /* a weak one, W/"...", as it stands for the file and for its gzip */
	const unsigned char *packed; /* as gzip */
	size_t packed_length, length;
} embedded_file;

/* The list ends with an entry without a path. server/embed makes it. */
extern const embedded_file embedded_files[];

#endif
