/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuel is the counter that the guest's code adds to (engine/rewriter, meter.rs). It reaches INT64_MAX when the limit is
 * used up, and is negative beyond. Code that is not metered has none.
 */
#ifndef CURFEW_WASM_FUEL_H
#define CURFEW_WASM_FUEL_H

#include "wasm/instance.h"

/* The counter itself, of metered code. */
int64_t *curfew__wasm_count(const curfew__wasm *wasm);
void curfew__wasm_limit_fuel(curfew__wasm *wasm, uint64_t limit);
bool curfew__wasm_is_out_of_fuel(const curfew__wasm *wasm);
/* Fuel that this call has used so far; UINT64_MAX: not metered. Also valid after a trap or a stop anywhere. */
uint64_t curfew__wasm_fuel_used(const curfew__wasm *wasm);
/* Charges fuel for work of the host. False: that exceeds the limit. */
bool curfew__wasm_charge_fuel(curfew__wasm *wasm, uint64_t fuel);

#endif
