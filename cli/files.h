/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the program, and writing a file so that it is there completely or not at all. */
#ifndef CURFEW_CLI_FILES_H
#define CURFEW_CLI_FILES_H

#include "curfew.h"

#include <stdbool.h>
#include <stddef.h>

/* A program as read from its file. */
typedef struct cli_source {
	char *text;
	size_t length;
	char *name;       /* for stacks and reports: the file's name without its folder */
	char *import_dir; /* the file's folder, symbolic links resolved; NULL: standard input */
	bool is_image;
	bool is_path;    /* name is where it lies below import_dir */
	bool has_node;   /* it is to have Node's globals */
	bool is_unnamed; /* neither --lang nor the ending tell the language */
	curfew_language language;
} cli_source;

/*
 * Reads PROGRAM ("-": standard input). lang is --lang, or NULL: told by the first bytes and the file's ending. If it
 * cannot be a program, says why in one line of message.
 */
bool cli_source_read(const char *program, const char *lang, cli_source *source, curfew_failure *failure);
/*
 * Lets imports read this folder, in which the program has to lie, in place of its own. If it does not, says why in one
 * line.
 */
bool cli_source_set_import_dir(cli_source *source, const char *program, const char *dir, curfew_failure *failure);
/* The same of the code of --eval: imports are read from the current folder. */
bool cli_source_eval(const char *code, const char *lang, cli_source *source, curfew_failure *failure);
void cli_source_finish(cli_source *source);
/* Binary or text; all others are JavaScript, or TypeScript. */
bool cli_language_is_wasm(curfew_language language);

/* The part of a path after its last slash. */
const char *cli_base_name(const char *path);

/*
 * The text of a file ("-": standard input) of at most so many bytes, with a NUL behind it; free with free. NULL: why.
 */
char *cli_file_read(const char *path, size_t most, char *why, size_t why_size);
/* Whether the file can be written later; if not, why, as an errno. Changes nothing. */
int cli_file_check(const char *path);
/* Replaces the file in one step, or writes to what is no regular file (a pipe, /dev/stdout). 0 or an errno. */
int cli_file_write(const char *path, const void *bytes, size_t length);

/* Folder for compiled code: $XDG_CACHE_HOME/curfew or ~/.cache/curfew; NULL if there is none. Free with free. */
char *cli_cache_dir(void);

#endif
