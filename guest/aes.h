/* SPDX-License-Identifier: Apache-2.0 */
/* AES for large data: counter mode with eight blocks at a time, and the hash of GCM. */
#ifndef CURFEW_GUEST_AES_H
#define CURFEW_GUEST_AES_H

#include <stddef.h>
#include <stdint.h>

#include "mbedtls/aes.h"

#define CURFEW_AES_BLOCK 16
#define CURFEW_AES_MAX_ROUNDS 14

typedef struct curfew_aes_keys {
	_Alignas(
		16) uint8_t bits[CURFEW_AES_MAX_ROUNDS + 1][8][CURFEW_AES_BLOCK]; /* of each round: bit i of all its bytes */
	int rounds;
} curfew_aes_keys;

typedef struct curfew_ghash {
	_Alignas(16) uint8_t products[32][16][CURFEW_AES_BLOCK]; /* of each half byte of a block with the hash's key */
	_Alignas(16) uint8_t state[CURFEW_AES_BLOCK];
} curfew_ghash;

/* `aes` must be set for encryption. */
void curfew_aes_prepare(curfew_aes_keys *keys, const mbedtls_aes_context *aes);

/* Encrypts or decrypts. `counter` is that of the first block, and becomes that of the block after the last one. */
void curfew_aes_ctr(const curfew_aes_keys *keys, uint8_t counter[CURFEW_AES_BLOCK], const uint8_t *in, uint8_t *out,
                    size_t length);

void curfew_ghash_start(curfew_ghash *hash, const uint8_t key[CURFEW_AES_BLOCK]);

/* The last block is padded with zeros. */
void curfew_ghash_add(curfew_ghash *hash, const uint8_t *bytes, size_t length);

#endif
