/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two kinds of programs, as an instance uses them: how a function is looked up, instantiated, called, and its
 * result read. Each kind works on its own member of wasm->of.
 */
#ifndef CURFEW_WASM_PARTS_H
#define CURFEW_WASM_PARTS_H

#include "wasm/instance.h"

typedef struct curfew__part {
	/* Looks up the function and converts wasm->params. False: wasm->failure says why not. */
	bool (*prepare)(curfew__wasm *wasm, const char *call);
	wasmtime_call_future_t *(*instantiate)(curfew__wasm *wasm);
	/* The function that has to be called before it. NULL: none. */
	wasmtime_call_future_t *(*initialize)(curfew__wasm *wasm);
	/* Begins the call. NULL: the instance lacks the function. */
	wasmtime_call_future_t *(*call)(curfew__wasm *wasm);
	/* Reads the result of a call that returned. */
	curfew__wasm_end (*outcome)(curfew__wasm *wasm);
	void (*value)(curfew__wasm *wasm, curfew__buffer *buffer);
	/* Frees what it made, before the store is deleted. */
	void (*finish)(curfew__wasm *wasm);
} curfew__part;

extern const curfew__part curfew__part_module, curfew__part_component;

#endif
