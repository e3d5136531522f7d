/* SPDX-License-Identifier: Apache-2.0 */
/* For the program that makes the embedded data: there is none yet. */
#include "js/assets.h"
#include "js/embedded.h"

const uint8_t curfew__embedded_wasm[1], curfew__embedded_wasm_end[1];
const uint8_t curfew__embedded_plain[1], curfew__embedded_plain_end[1];
const uint8_t curfew__embedded_metered[1], curfew__embedded_metered_end[1];
const uint8_t curfew__embedded_image_start[sizeof(curfew__embedded_image)];
_Alignas(8) const uint8_t curfew__embedded_assets[sizeof(curfew__asset_head)];
