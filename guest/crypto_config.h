/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of Mbed TLS that the guest has: the algorithms of Web Crypto, and the older hashes that programs ask for.
 */
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_CIPHER_MODE_CBC
#define MBEDTLS_CIPHER_MODE_CFB
#define MBEDTLS_CIPHER_MODE_CTR
#define MBEDTLS_CIPHER_MODE_OFB
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_SECP521R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_GENPRIME
#define MBEDTLS_HKDF_C
#define MBEDTLS_MD_C
#define MBEDTLS_MD5_C
#define MBEDTLS_OID_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_PKCS5_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_RIPEMD160_C
#define MBEDTLS_RSA_C
/* As in Node. */
#define MBEDTLS_RSA_GEN_KEY_MIN_BITS 512

#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA224_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA3_C
#define MBEDTLS_SHA512_C
/* WebAssembly allows unaligned reads and writes. */
#define MBEDTLS_EFFICIENT_UNALIGNED_ACCESS
/* Random numbers come from the host, once for each run. It needs no entropy collection. */
#define MBEDTLS_NO_PLATFORM_ENTROPY
/*
 * The guest's memory belongs to its program, so clearing it would hide nothing, and it would take a tenth of a hash's
 * time.
 */
#define MBEDTLS_PLATFORM_ZEROIZE_ALT
