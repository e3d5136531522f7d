/* SPDX-License-Identifier: Apache-2.0 */
/* Images of WebAssembly programs. */
#ifndef CURFEW_RUN_WASM_IMAGE_H
#define CURFEW_RUN_WASM_IMAGE_H

#include "run/run.h"

bool curfew__is_wasm_image(const void *bytes, size_t length);
curfew_status curfew__wasm_image_save(curfew_program *program, void **image, size_t *length, curfew_failure *failure);
curfew_status curfew__wasm_image_load(curfew_engine *engine, const void *image, size_t length, curfew_program **program,
                                      curfew_failure *failure);
/* Reads the program to compile from an image. source: what else is known of it. */
curfew_status curfew__wasm_image_read(const void *image, size_t length, const curfew__wasm_source *source,
                                      curfew__wasm_program **program, curfew_failure *failure);

#endif
