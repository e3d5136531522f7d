// SPDX-License-Identifier: Apache-2.0
//! The hash that identifies a program: `src/engine/extra.h`, section "Hashing".
use crate::rewrite::slice;
use sha2::{Digest, Sha256};

/// # Safety
/// `bytes` points to `length` bytes, and `sum` may be written.
#[no_mangle]
pub unsafe extern "C" fn curfew__sha256(sum: &mut [u8; 32], bytes: *const u8, length: usize) {
    *sum = Sha256::digest(slice(bytes, length)).into();
}
