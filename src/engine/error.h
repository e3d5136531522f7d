/* SPDX-License-Identifier: Apache-2.0 */
/* What Wasmtime says of errors, in one line. */
#ifndef CURFEW_ENGINE_ERROR_H
#define CURFEW_ENGINE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <wasm.h>
#include <wasmtime.h>

#include "curfew.h"

/* Copies the first line of a message, cut to size bytes with its NUL. */
void curfew__first_line(char *to, size_t size, const wasm_byte_vec_t *message);
/* Takes the error (may be NULL), and puts its first line into failure; true if there was one. */
bool curfew__failed(wasmtime_error_t *error, curfew_failure *failure);

#endif
