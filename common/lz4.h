/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LZ4 blocks: they unpack about as fast as memory is copied, which zlib's do not. What they are for is made by the
 * build, so that nothing but this is needed.
 */
#ifndef CURFEW_COMMON_LZ4_H
#define CURFEW_COMMON_LZ4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks a block that makes exactly so many bytes. False: it does not, or is damaged. Nothing is written beyond
 * `to_length`.
 */
bool curfew__lz4_unpack(const uint8_t *from, size_t length, uint8_t *to, size_t to_length);

/* The block of some bytes; free with free. NULL: out of memory. Slow, and made small: it looks at many matches. */
uint8_t *curfew__lz4_pack(const uint8_t *from, size_t length, size_t *packed);

#endif
