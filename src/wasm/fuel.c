/* SPDX-License-Identifier: Apache-2.0 */
/* The fuel of an instance. */
#include "wasm/fuel.h"

int64_t *curfew__wasm_count(const curfew__wasm *wasm)
{
	return (int64_t *)(void *)wasm->count->base;
}

void curfew__wasm_limit_fuel(curfew__wasm *wasm, uint64_t limit)
{
	if (!wasm->count)
		return;
	wasm->counted_from = limit < INT64_MAX ? INT64_MAX - limit : 0;
	*curfew__wasm_count(wasm) = (int64_t)wasm->counted_from;
}

bool curfew__wasm_is_out_of_fuel(const curfew__wasm *wasm)
{
	return wasm->count && *curfew__wasm_count(wasm) < 0;
}

uint64_t curfew__wasm_fuel_used(const curfew__wasm *wasm)
{
	return wasm->count ? (uint64_t)*curfew__wasm_count(wasm) - wasm->counted_from : UINT64_MAX;
}

bool curfew__wasm_charge_fuel(curfew__wasm *wasm, uint64_t fuel)
{
	if (!wasm->count)
		return true;
	if (!curfew__wasm_is_out_of_fuel(wasm) && fuel <= (uint64_t)(INT64_MAX - *curfew__wasm_count(wasm)))
		*curfew__wasm_count(wasm) += (int64_t)fuel;
	else
		*curfew__wasm_count(wasm) = INT64_MIN; /* far beyond any limit */
	return !curfew__wasm_is_out_of_fuel(wasm);
}
