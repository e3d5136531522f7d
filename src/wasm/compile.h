/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a compiler does with one file: text made binary, its interface told, validated, rewritten, compiled. Nothing
 * here can be stopped: it runs in a process that is killed, or (compiler.h) bounded by estimates on a thread of its
 * own.
 */
#ifndef CURFEW_WASM_COMPILE_H
#define CURFEW_WASM_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew.h"

/* What is asked of a compiler. Between processes as it is: both are of one build. */
typedef struct curfew__compile_request {
	bool is_text;
	bool metered;
	bool describe;     /* nothing is compiled: only its interface is told */
	bool can_be_ended; /* so that no estimate has to bound it */
	bool parallel;     /* on all cores */
} curfew__compile_request;

/* Why a file is refused. */
typedef struct curfew__compile_failure {
	curfew_failure why;
	uint32_t line; /* in its text, from 1; 0: not known */
	uint32_t column;
	bool internal; /* not the file's fault */
} curfew__compile_failure;

/*
 * Writes to `interface` either the shell of the file, compiled (see curfew__compiled_write), or its description: the
 * members of a JSON object, without braces (docs/INSPECT.md). Then, unless only that was asked for, calls on_interface,
 * and writes to `code` what was compiled.
 */
bool curfew__compile(const curfew__compile_request *request, const uint8_t *bytes, size_t length, int interface,
                     int code, void (*on_interface)(void *context), void *context, curfew__compile_failure *failure);

#endif
