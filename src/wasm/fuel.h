/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuel: the number that the guest's code adds to (engine/rewriter, meter.rs). It counts up to INT64_MAX where the limit
 * is used up, and is below zero beyond. Code that is not metered has none.
 */
#ifndef CURFEW_WASM_FUEL_H
#define CURFEW_WASM_FUEL_H

#include "wasm/instance.h"

/* The number itself, of metered code. */
int64_t *curfew__wasm_count(const curfew__wasm *wasm);
void curfew__wasm_limit_fuel(curfew__wasm *wasm, uint64_t limit);
bool curfew__wasm_is_out_of_fuel(const curfew__wasm *wasm);
/* Used so far by this call; UINT64_MAX: not metered. Also after a trap or a stop, wherever that was. */
uint64_t curfew__wasm_fuel_used(const curfew__wasm *wasm);
/* Takes fuel for what the host does; false: that passes the limit. */
bool curfew__wasm_charge_fuel(curfew__wasm *wasm, uint64_t fuel);

#endif
