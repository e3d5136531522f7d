/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sorts of programs, as an instance knows them: how a function is looked up, instantiated, called and read.
 * Each part works on the member of wasm->of that is its own.
 */
#ifndef CURFEW_WASM_PARTS_H
#define CURFEW_WASM_PARTS_H

#include "wasm/instance.h"

typedef struct curfew__part {
	/* Looks up what is to be called and converts wasm->params; false: wasm->failure says why not. */
	bool (*prepare)(curfew__wasm *wasm, const char *call);
	wasmtime_call_future_t *(*instantiate)(curfew__wasm *wasm);
	/* What has to be called before the function, or NULL: nothing. */
	wasmtime_call_future_t *(*initialize)(curfew__wasm *wasm);
	/* NULL: the instance lacks the function. */
	wasmtime_call_future_t *(*call)(curfew__wasm *wasm);
	/* After a call that returned. */
	curfew__wasm_end (*outcome)(curfew__wasm *wasm);
	void (*value)(curfew__wasm *wasm, curfew__buffer *buffer);
	/* Frees what it made; the store is still there. */
	void (*finish)(curfew__wasm *wasm);
} curfew__part;

extern const curfew__part curfew__part_module, curfew__part_component;

#endif
