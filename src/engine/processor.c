/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/processor.h"

#include <wasmtime.h>

void curfew__config_processor(wasm_config_t *config)
{
	static const char *const unused[] = {"has_avx512bitalg", "has_avx512dq",   "has_avx512vl",
	                                     "has_avx512vbmi",   "has_avx512vnni", "has_avx512f"};

	for (size_t i = 0; i < sizeof unused / sizeof *unused; i++)
		wasmtime_config_cranelift_flag_set(config, unused[i], "false");
}
