/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES in bit slices (Kaesper and Schwabe, "Faster and Timing-Attack Resistant AES-GCM"). Of eight blocks, the first
 * vector has bit 0 of every byte, the next one bit 1, and so on. No table is indexed by data or keys, and a round of
 * eight blocks takes some 180 instructions. Mbed TLS looks each byte up, and has a third of this speed here. The hash
 * of GCM adds 32 products, one for each half byte of a block, from tables that are made for its key.
 */
#include <string.h>
#include <wasm_simd128.h>

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include "aes.h"

#define LANES 8
#define LANES_BYTES (LANES * CURFEW_AES_BLOCK)

typedef v128_t word;

/* ---- AES -------------------------------------------------------------------------------------------------- */

/* Swaps the bits of b under the mask with those of a that are `by` positions higher. */
static inline void exchange(word *a, word *b, int by, uint8_t mask)
{
	word difference = ((word)wasm_u64x2_shr(*a, (uint32_t)by) ^ *b) & wasm_u8x16_splat(mask);

	*b ^= difference;
	*a ^= wasm_i64x2_shl(difference, (uint32_t)by);
}

/* Converts blocks to slices, and slices to blocks. */
static inline void transpose(word q[LANES])
{
	for (int i = 0; i < LANES; i += 2)
		exchange(&q[i], &q[i + 1], 1, 0x55);
	for (int i = 0; i < LANES; i += 4) {
		exchange(&q[i], &q[i + 2], 2, 0x33);
		exchange(&q[i + 1], &q[i + 3], 2, 0x33);
	}
	for (int i = 0; i < LANES / 2; i++)
		exchange(&q[i], &q[i + 4], 4, 0x0f);
}

/*
 * The S-box by Boyar and Peralta ("A new combinational logic minimization technique with applications to cryptology"),
 * with their names. The constant 0x63 is missing: it is in the keys. x[0] and s[0] are the highest bits.
 */
static inline void sub_bytes(word q[LANES])
{
	word x0 = q[7], x1 = q[6], x2 = q[5], x3 = q[4], x4 = q[3], x5 = q[2], x6 = q[1], x7 = q[0];
	word y14 = x3 ^ x5, y13 = x0 ^ x6, y9 = x0 ^ x3, y8 = x0 ^ x5, t0 = x1 ^ x2, y1 = t0 ^ x7, y4 = y1 ^ x3,
		 y12 = y13 ^ y14, y2 = y1 ^ x0, y5 = y1 ^ x6, y3 = y5 ^ y8, t1 = x4 ^ y12, y15 = t1 ^ x5, y20 = t1 ^ x1,
		 y6 = y15 ^ x7, y10 = y15 ^ t0, y11 = y20 ^ y9, y7 = x7 ^ y11, y17 = y10 ^ y11, y19 = y10 ^ y8, y16 = t0 ^ y11,
		 y21 = y13 ^ y16, y18 = x0 ^ y16;

	word t2 = y12 & y15, t3 = y3 & y6, t4 = t3 ^ t2, t5 = y4 & x7, t6 = t5 ^ t2, t7 = y13 & y16, t8 = y5 & y1,
		 t9 = t8 ^ t7, t10 = y2 & y7, t11 = t10 ^ t7, t12 = y9 & y11, t13 = y14 & y17, t14 = t13 ^ t12, t15 = y8 & y10,
		 t16 = t15 ^ t12, t17 = t4 ^ t14, t18 = t6 ^ t16, t19 = t9 ^ t14, t20 = t11 ^ t16, t21 = t17 ^ y20,
		 t22 = t18 ^ y19, t23 = t19 ^ y21, t24 = t20 ^ y18;

	word t25 = t21 ^ t22, t26 = t21 & t23, t27 = t24 ^ t26, t28 = t25 & t27, t29 = t28 ^ t22, t30 = t23 ^ t24,
		 t31 = t22 ^ t26, t32 = t31 & t30, t33 = t32 ^ t24, t34 = t23 ^ t33, t35 = t27 ^ t33, t36 = t24 & t35,
		 t37 = t36 ^ t34, t38 = t27 ^ t36, t39 = t29 & t38, t40 = t25 ^ t39;

	word t41 = t40 ^ t37, t42 = t29 ^ t33, t43 = t29 ^ t40, t44 = t33 ^ t37, t45 = t42 ^ t41, z0 = t44 & y15,
		 z1 = t37 & y6, z2 = t33 & x7, z3 = t43 & y16, z4 = t40 & y1, z5 = t29 & y7, z6 = t42 & y11, z7 = t45 & y17,
		 z8 = t41 & y10, z9 = t44 & y12, z10 = t37 & y3, z11 = t33 & y4, z12 = t43 & y13, z13 = t40 & y5,
		 z14 = t29 & y2, z15 = t42 & y9, z16 = t45 & y14, z17 = t41 & y8;

	word t46 = z15 ^ z16, t47 = z10 ^ z11, t48 = z5 ^ z13, t49 = z9 ^ z10, t50 = z2 ^ z12, t51 = z2 ^ z5, t52 = z7 ^ z8,
		 t53 = z0 ^ z3, t54 = z6 ^ z7, t55 = z16 ^ z17, t56 = z12 ^ t48, t57 = t50 ^ t53, t58 = z4 ^ t46,
		 t59 = z3 ^ t54, t60 = t46 ^ t57, t61 = z14 ^ t57, t62 = t52 ^ t58, t63 = t49 ^ t58, t64 = z4 ^ t59,
		 t65 = t61 ^ t62, t66 = z1 ^ t63, t67 = t64 ^ t65, s3 = t53 ^ t66;

	q[7] = t59 ^ t63;
	q[1] = t56 ^ t62;
	q[0] = t48 ^ t60;
	q[4] = s3;
	q[3] = t51 ^ t66;
	q[2] = t47 ^ t65;
	q[6] = t64 ^ s3;
	q[5] = t55 ^ t67;
}

/*
 * The bytes of a block after ShiftRows; the same, each one row further down; the same, two rows further down in their
 * columns.
 */
static inline word shift_rows(word q)
{
	return wasm_i8x16_shuffle(q, q, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11);
}

static inline word shift_rows_and_turn(word q)
{
	return wasm_i8x16_shuffle(q, q, 5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8, 1, 6, 11, 12);
}

static inline word turn_twice(word q)
{
	return wasm_i8x16_shuffle(q, q, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

/* ShiftRows, MixColumns and AddRoundKey: with a' the next byte of the column, 2 (a + a') + a' + (a + a')''. */
static inline void mix(word q[LANES], const uint8_t key[LANES][CURFEW_AES_BLOCK])
{
	word sum[LANES], rest[LANES];

	for (int i = 0; i < LANES; i++) {
		word next = shift_rows_and_turn(q[i]);
		sum[i] = shift_rows(q[i]) ^ next;
		rest[i] = next ^ wasm_v128_load(key[i]) ^ turn_twice(sum[i]);
	}
	word high = sum[7]; /* twice 0x80 is 0x1b */
	q[0] = rest[0] ^ high;
	q[1] = rest[1] ^ sum[0] ^ high;
	q[2] = rest[2] ^ sum[1];
	q[3] = rest[3] ^ sum[2] ^ high;
	q[4] = rest[4] ^ sum[3] ^ high;
	q[5] = rest[5] ^ sum[4];
	q[6] = rest[6] ^ sum[5];
	q[7] = rest[7] ^ sum[6];
}

static void encrypt_blocks(const curfew_aes_keys *keys, word q[LANES])
{
	transpose(q);
	for (int i = 0; i < LANES; i++)
		q[i] ^= wasm_v128_load(keys->bits[0][i]);
	for (int round = 1; round < keys->rounds; round++) {
		sub_bytes(q);
		mix(q, keys->bits[round]);
	}
	sub_bytes(q);
	for (int i = 0; i < LANES; i++)
		q[i] = shift_rows(q[i]) ^ wasm_v128_load(keys->bits[keys->rounds][i]);
	transpose(q);
}

void curfew_aes_prepare(curfew_aes_keys *keys, const mbedtls_aes_context *aes)
{
	keys->rounds = aes->nr;
	for (int round = 0; round <= keys->rounds; round++) {
		word key = wasm_v128_load(aes->buf + aes->rk_offset + (size_t)round * 4);
		for (int i = 0; i < LANES; i++) {
			word bit = wasm_u8x16_splat((uint8_t)(1 << i));
			word all = wasm_i8x16_eq(key & bit, bit);
			wasm_v128_store(keys->bits[round][i], round > 0 && 0x63 >> i & 1 ? ~all : all);
		}
	}
}

static uint64_t read_number(const uint8_t *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof number);
	return __builtin_bswap64(number);
}

/* The next blocks of the counter, which is a number of 128 bits. */
static inline void count(uint8_t counter[CURFEW_AES_BLOCK], word q[LANES], size_t blocks)
{
	uint64_t high = read_number(counter), low = read_number(counter + 8);

	for (uint64_t i = 0; i < LANES; i++)
		q[i] = wasm_u64x2_make(__builtin_bswap64(high + (low + i < low)), __builtin_bswap64(low + i));
	high += low + blocks < low;
	wasm_v128_store(counter, wasm_u64x2_make(__builtin_bswap64(high), __builtin_bswap64(low + blocks)));
}

void curfew_aes_ctr(const curfew_aes_keys *keys, uint8_t counter[CURFEW_AES_BLOCK], const uint8_t *in, uint8_t *out,
                    size_t length)
{
	word q[LANES];

	for (; length >= LANES_BYTES; length -= LANES_BYTES, in += LANES_BYTES, out += LANES_BYTES) {
		count(counter, q, LANES);
		encrypt_blocks(keys, q);
		for (size_t i = 0; i < LANES; i++)
			wasm_v128_store(out + i * CURFEW_AES_BLOCK, q[i] ^ wasm_v128_load(in + i * CURFEW_AES_BLOCK));
	}
	if (length == 0)
		return;
	uint8_t stream[LANES_BYTES];
	count(counter, q, (length + CURFEW_AES_BLOCK - 1) / CURFEW_AES_BLOCK);
	encrypt_blocks(keys, q);
	memcpy(stream, q, sizeof stream);
	for (size_t i = 0; i < length; i++)
		out[i] = in[i] ^ stream[i];
}

/* ---- GCM's hash ------------------------------------------------------------------------------------------- */

/* Multiplies by x. The bits of a block count from the highest bit of its first byte. */
static void shift_block(uint64_t block[2])
{
	uint64_t reduced = block[1] & 1 ? (uint64_t)0xe1 << 56 : 0;

	block[1] = block[1] >> 1 | block[0] << 63;
	block[0] = block[0] >> 1 ^ reduced;
}

void curfew_ghash_start(curfew_ghash *hash, const uint8_t key[CURFEW_AES_BLOCK])
{
	uint64_t block[2] = {read_number(key), read_number(key + 8)};

	memset(hash->state, 0, sizeof hash->state);
	for (int half = 0; half < 32; half++) {
		uint8_t(*products)[CURFEW_AES_BLOCK] = hash->products[half];
		memset(products[0], 0, CURFEW_AES_BLOCK);
		for (int bit = 8; bit; bit >>= 1) {
			word product = wasm_u64x2_make(__builtin_bswap64(block[0]), __builtin_bswap64(block[1]));
			wasm_v128_store(products[bit], product);
			shift_block(block);
		}
		for (int bit = 2; bit < 16; bit <<= 1)
			for (int rest = 1; rest < bit; rest++)
				wasm_v128_store(products[bit + rest], wasm_v128_load(products[bit]) ^ wasm_v128_load(products[rest]));
	}
}

/* The products of half a block's bytes. */
static inline word eight_bytes(uint8_t (*products)[16][CURFEW_AES_BLOCK], uint64_t bytes)
{
	word sum = wasm_u64x2_const_splat(0);

	for (int i = 0; i < 8; i++)
		sum ^= wasm_v128_load(products[2 * i][bytes >> (8 * i + 4) & 15]) ^
		       wasm_v128_load(products[2 * i + 1][bytes >> 8 * i & 15]);
	return sum;
}

static word add_block(curfew_ghash *hash, word state, word block)
{
	state ^= block;
	return eight_bytes(hash->products, wasm_u64x2_extract_lane(state, 0)) ^
	       eight_bytes(hash->products + 16, wasm_u64x2_extract_lane(state, 1));
}

void curfew_ghash_add(curfew_ghash *hash, const uint8_t *bytes, size_t length)
{
	word state = wasm_v128_load(hash->state);

	for (; length >= CURFEW_AES_BLOCK; length -= CURFEW_AES_BLOCK, bytes += CURFEW_AES_BLOCK)
		state = add_block(hash, state, wasm_v128_load(bytes));
	if (length > 0) {
		uint8_t last[CURFEW_AES_BLOCK] = {0};
		memcpy(last, bytes, length);
		state = add_block(hash, state, wasm_v128_load(last));
	}
	wasm_v128_store(hash->state, state);
}
