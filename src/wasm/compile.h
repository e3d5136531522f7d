/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a compiler does with one file: it converts text to binary, describes the interface, validates, rewrites and
 * compiles. Nothing here can be stopped. So it runs in a process that is killed, or (compiler.h) on a separate thread,
 * bounded by estimates.
 */
#ifndef CURFEW_WASM_COMPILE_H
#define CURFEW_WASM_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew.h"

/* A request to a compiler. Processes exchange this struct as it is, because both are of one build. */
typedef struct curfew__compile_request {
	bool is_text;
	bool metered;
	bool describe;     /* only describe the interface, and compile nothing */
	bool can_be_ended; /* the process can be killed, so no estimate has to bound the work */
	bool parallel;     /* use all cores */
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
 * members of a JSON object, without braces (docs/INSPECT.md). Then, unless only the description was requested, calls
 * on_interface, and writes the compiled code to `code`.
 */
bool curfew__compile(const curfew__compile_request *request, const uint8_t *bytes, size_t length, int interface,
                     int code, void (*on_interface)(void *context), void *context, curfew__compile_failure *failure);

#endif
