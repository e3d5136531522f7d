/* SPDX-License-Identifier: Apache-2.0 */
/* Reads programs, and writes files completely or not at all. */
#ifndef CURFEW_CLI_FILES_H
#define CURFEW_CLI_FILES_H

#include "curfew.h"
#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A program as read from its file. */
typedef struct cli_source {
	char *text;
	size_t length;
	char *name;       /* for stacks and reports: the file's name without its directory */
	char *path;       /* path of the file, if PROGRAM is a directory; NULL: PROGRAM itself */
	char *import_dir; /* the file's directory, symbolic links resolved; NULL: standard input */
	char *import_map; /* its text, and its path below import_dir (NULL: elsewhere); NULL: none */
	char *import_map_name;
	bool is_image;
	bool is_path;    /* name is its path below import_dir */
	bool has_node;   /* it gets Node's globals */
	bool is_unnamed; /* neither --lang nor the ending gives the language */
	curfew_language language;
} cli_source;

/*
 * Reads PROGRAM ("-": standard input). lang is --lang; NULL: the first bytes and the file's ending decide. If it cannot
 * be a program, says why in one line of message.
 */
bool cli_source_read(const char *program, const char *lang, cli_source *source, curfew_failure *failure);
/*
 * Lets imports read the directory of --import-dir, which must contain the program, in place of its own, and sets the
 * import map of
 * --import-map. If that is impossible, says why in one line.
 */
bool cli_source_set_imports(cli_source *source, const char *program, const cli_arguments *arguments,
                            curfew_failure *failure);
/* The same for the code of --eval: imports are read from the current directory. */
bool cli_source_eval(const char *code, const char *lang, cli_source *source, curfew_failure *failure);
void cli_source_finish(cli_source *source);
/* Binary or text; all others are JavaScript, or TypeScript. */
bool cli_language_is_wasm(curfew_language language);

/* The part of a path after its last slash. */
const char *cli_base_name(const char *path);

/* Reads the text of a file ("-": standard input) of at most this many bytes, and adds a NUL; free it with free. NULL:
 * why. */
char *cli_file_read(const char *path, size_t most, char *why, size_t why_size);
/* Reads the bytes of a file ("-": standard input), at most this many; free them with free. NULL: why. */
char *cli_file_read_bytes(const char *path, size_t most, size_t *length, char *why, size_t why_size);
/* Writes bytes as JSON: text as a string, anything else as {"base64": "..."}. */
void cli_write_json_bytes(FILE *out, const char *bytes, size_t length);
/*
 * The files of --file, each "[NAME=]PATH", as JSON for curfew_run_options.files; free it with free. NULL with an empty
 * message: there are none; otherwise the message says why.
 */
char *cli_files_to_json(const char *const *items, size_t count, size_t *length, curfew_failure *failure);
/* Whether the file can be written later; if not, why, as an errno. Changes nothing. */
int cli_file_check(const char *path);
/* Replaces the file in one step, or writes to it if it is not a regular file (a pipe, /dev/stdout). 0 or an errno. */
int cli_file_write(const char *path, const void *bytes, size_t length);

/* Directory for compiled code: $XDG_CACHE_HOME/curfew or ~/.cache/curfew; NULL if there is none. Free with free. */
char *cli_cache_dir(void);

#endif
