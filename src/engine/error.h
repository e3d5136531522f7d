/* SPDX-License-Identifier: Apache-2.0 */
/* Wasmtime's error messages, as one line. */
#ifndef CURFEW_ENGINE_ERROR_H
#define CURFEW_ENGINE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <wasm.h>
#include <wasmtime.h>

#include "curfew.h"

/* Copies the first line of a message, cut to size bytes with its NUL. */
void curfew__first_line(char *to, size_t size, const wasm_byte_vec_t *message);
/* Takes ownership of the error (may be NULL), and copies its first line to failure. True if there was an error. */
bool curfew__failed(wasmtime_error_t *error, curfew_failure *failure);

#endif
