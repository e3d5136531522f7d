/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON parameters to the values of a component's function, and its result back. Every value is checked against the
 * function's type before the call: Wasmtime closes the instance, or ends the process, over one that does not fit.
 *
 * bool             true, false
 * s8 to u64        a number in its range; of 64 bits also a decimal string, and the result is one beyond +-2^53
 * f32, f64         a number, "NaN", "Infinity" or "-Infinity"
 * char, string     a string; a char is one character
 * list, tuple      an array
 * record           an object with every field and no other; fields of results come as declared
 * variant          {"case": value}, or "case" where it has no value
 * enum             the name, a string
 * flags            an array of names
 * option<T>        null or the value; if T is an option itself: null or {"some": value}
 * result           {"ok": value} or {"err": value}, null for no value; of a function's own result the value alone
 * own, borrow      cannot be given; as a result {"resource": n}, numbered from 1 as they come, dropped afterwards
 *
 * A function whose type has a map, a fixed-length list, a future, a stream or an error-context cannot be called.
 */
#ifndef CURFEW_WASM_COMPONENT_VALUES_H
#define CURFEW_WASM_COMPONENT_VALUES_H

#include "common/bytes.h"
#include "common/json_reader.h"
#include "curfew.h"

#include <stdbool.h>
#include <stddef.h>
#include <wasm.h>
#include <wasmtime.h>
#include <wasmtime/component.h>

/* The type of a function that can be called. Immutable: any thread may use it. */
typedef struct curfew__signature curfew__signature;

/*
 * Reads a function's type; name is the function's, for messages. NULL: the function cannot be called with JSON, and
 * failure says why.
 */
curfew__signature *curfew__signature_create(const char *name, const wasmtime_component_func_type_t *type,
                                            curfew_failure *failure);
/* The same for a function that a component imports: JSON must be able to represent its parameters and its result. */
curfew__signature *curfew__signature_create_imported(const char *name, const wasmtime_component_func_type_t *type,
                                                     curfew_failure *failure);
/* "(s32, string) -> bool". */
void curfew__signature_text(const curfew__signature *signature, curfew__buffer *buffer);
void curfew__signature_destroy(curfew__signature *signature);

/*
 * The values of one call, for wasmtime_component_func_call or its asynchronous form, to be used once. Only the store
 * limits the result (curfew__store_hostcall_fuel; each value and each byte of a string costs some). Give it no more
 * than the host may spend, because a list<u8> takes 70 bytes of the host's memory for each byte of the guest's.
 */
typedef struct curfew__component_call {
	const curfew__signature *signature; /* borrowed */
	wasmtime_component_val_t *params;
	size_t param_count;
	wasmtime_component_val_t *results; /* slots that the call writes to */
	size_t result_count;
} curfew__component_call;

/*
 * Makes the parameters from the next JSON array, and slots for the result. limit_bytes is the limit of the host's
 * memory for the parameters, charged before it is allocated: 32 for each value, and the bytes of strings and names.
 * False: failure says which parameter does not fit, where in it, and what was expected; nothing needs to be released.
 */
bool curfew__component_call_init(curfew__component_call *call, const curfew__signature *signature,
                                 curfew__json_reader *params, size_t limit_bytes, curfew_failure *failure);

/*
 * Call it after the call has succeeded: writes its result as one JSON text, null if there is none. False: the function
 * returned an error of a result type, and its payload was written.
 */
bool curfew__component_call_result(const curfew__component_call *call, curfew__buffer *buffer);

/*
 * Releases the values, whether or not the call was made or succeeded. Resources in the result are dropped, which may
 * run code of the guest, so do it while the run is watched. A store with asynchronous functions refuses that; they are
 * then released with the store, as they are if context is NULL.
 */
void curfew__component_call_finish(curfew__component_call *call, wasmtime_context_t *context);

#endif
