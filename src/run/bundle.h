/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle: all files of a program as a tar archive of plain files (and hard links, for a file that has several names).
 * Its file curfew-bundle.json names the entry point, its language and the import map, and says whether the program has
 * Node's globals. Without that file the entry point is package.json's main, or index.
 */
#ifndef CURFEW_RUN_BUNDLE_H
#define CURFEW_RUN_BUNDLE_H

#include "curfew.h"

#define CURFEW__BUNDLE_BYTES_MAX ((size_t)64 << 20)

typedef struct curfew__bundle_file {
	char *name;        /* owned */
	const char *place; /* the file's own name, or that of the file that it is a link to */
	const char *text;  /* points into the archive */
	size_t length;
} curfew__bundle_file;

/* A bundle is immutable. */
typedef struct curfew__bundle {
	char *bytes;                /* the archive */
	curfew__bundle_file *files; /* [count], sorted by name */
	size_t count;
	const curfew__bundle_file *entry;
	const curfew__bundle_file *import_map; /* or NULL */
	curfew_language language;
	bool has_node;
} curfew__bundle;

/* Copies an archive and finds its files. NULL, and why. */
curfew__bundle *curfew__bundle_create(const void *bytes, size_t length, curfew_failure *failure);
void curfew__bundle_destroy(curfew__bundle *bundle);
/* Like curfew__import_open. */
char *curfew__bundle_open(const curfew__bundle *bundle, const char *name, size_t length, int32_t *answer);

/* The files that a program reads while it is loaded, to make a bundle of. */
typedef struct curfew__bundle_record {
	curfew__bundle_file *files; /* [count]; text is owned unless the file is a link */
	size_t count, capacity;
	size_t bytes;
	bool failed;
} curfew__bundle_record;

/* Records the answer to an import: a path, a NUL, and a text. */
void curfew__bundle_note(curfew__bundle_record *record, const char *name, size_t name_length, const char *answer,
                         size_t length);
void curfew__bundle_record_finish(curfew__bundle_record *record);

/* The contents of curfew-bundle.json. */
typedef struct curfew__bundle_entry {
	const char *name, *text;
	size_t length;
	curfew_language language;
	bool has_node;
	const char *map_name, *map; /* NULL: no import map */
	size_t map_length;
} curfew__bundle_entry;

/* Makes the archive of all that; free it with free. The same files give the same bytes. */
curfew_status curfew__bundle_write(curfew__bundle_record *record, const curfew__bundle_entry *entry, void **bytes,
                                   size_t *length, curfew_failure *failure);

#endif
