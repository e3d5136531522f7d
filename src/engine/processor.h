/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of the processor that compiled code may use. */
#ifndef CURFEW_ENGINE_PROCESSOR_H
#define CURFEW_ENGINE_PROCESSOR_H

#include <wasm.h>

/*
 * All that this machine has, but for AVX-512, of which the compiler makes little use: the process that loads the code
 * may see fewer instructions than the one that compiled it (under valgrind, or on the next machine).
 */
void curfew__config_processor(wasm_config_t *config);

#endif
