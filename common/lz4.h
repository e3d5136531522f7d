/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LZ4 blocks. They unpack about as fast as memory is copied, unlike zlib's. The build packs its own data with this, so
 * the format needs no library.
 */
#ifndef CURFEW_COMMON_LZ4_H
#define CURFEW_COMMON_LZ4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks a block that must expand to exactly `to_length` bytes. False: it does not, or it is damaged. Nothing is
 * written beyond `to_length`.
 */
bool curfew__lz4_unpack(const uint8_t *from, size_t length, uint8_t *to, size_t to_length);

/*
 * Packs bytes into a block; free it with free. NULL: out of memory. It is slow, because it tries many matches to make
 * the block small.
 */
uint8_t *curfew__lz4_pack(const uint8_t *from, size_t length, size_t *packed);

#endif
