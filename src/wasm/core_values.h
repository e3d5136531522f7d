/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON parameters to the values of a core module's function, and its results back.
 *
 * i32       a number from -2^31 to 2^32-1; the result is signed
 * i64       a number or a decimal string from -2^63 to 2^64-1; the result is signed, and a string beyond +-2^53
 * f32, f64  a number, "NaN", "Infinity" or "-Infinity"; -0.0 stays what it is
 * v128      a string of 0x and 32 hexadecimal digits: one number of 128 bits, so lane 0 is on the right
 * references null; a result that is another reference is null too
 */
#ifndef CURFEW_WASM_CORE_VALUES_H
#define CURFEW_WASM_CORE_VALUES_H

#include "common/bytes.h"
#include "common/json_reader.h"
#include "curfew.h"

#include <stdbool.h>
#include <wasm.h>
#include <wasmtime.h>

/*
 * Fills values [as many as the type has parameters] from the JSON array that comes next, by the function's type; name
 * is the function's, for messages. False: failure says which parameter does not fit, and what
 * was expected. The values need not be released.
 */
bool curfew__core_params(const char *name, const wasm_functype_t *type, curfew__json_reader *params,
                         wasmtime_val_t *values, curfew_failure *failure);

/*
 * Writes results as one JSON text: none is null, one is itself, several are an array. Releases what they refer to: they
 * are not to be used afterwards. What does not fit shows in the buffer's failed flag.
 */
void curfew__core_results(wasmtime_val_t *values, size_t count, curfew__buffer *buffer);

#endif
