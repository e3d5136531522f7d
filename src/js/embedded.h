/* SPDX-License-Identifier: Apache-2.0 */
/* What the build embeds in the library: the guest's code, compiled for the machine that built it, and its image. */
#ifndef CURFEW_JS_EMBEDDED_H
#define CURFEW_JS_EMBEDDED_H

#include "memory/region.h"

extern const uint8_t curfew__embedded_wasm[], curfew__embedded_wasm_end[]; /* as zlib packs it */
extern const uint8_t curfew__embedded_plain[], curfew__embedded_plain_end[];
/* Few programs need it: as LZ4 packs it, behind the bytes that it then has (8, as the machine has them). */
extern const uint8_t curfew__embedded_metered[], curfew__embedded_metered_end[];
extern const uint8_t curfew__embedded_image_start[];
extern const uint8_t curfew__embedded_assets[]; /* see assets.h */

/* Heads the image: page_count page numbers follow, and the pages at pages_offset. */
typedef struct curfew__embedded_image {
	uint64_t length;
	uint64_t page_count;
	uint64_t pages_offset;
	uint64_t wasm_length; /* of the code before it was packed */
	curfew__layout layout;
	uint8_t build_id[32];
} curfew__embedded_image;

/* For the build's own use: the imports, to instantiate the guest with. */
const struct curfew__import *curfew__guest_imports(size_t *count);

#endif
