// SPDX-License-Identifier: Apache-2.0
//! The rewriter as C sees it: `src/engine/extra.h`, section "Rewriting".
use curfew_rewriter::{Kind, Options};
use std::ffi::c_char;

/// `CURFEW__REWRITE_METER`
const METER: u32 = 1;
/// `CURFEW__REWRITE_LANDING`
const LANDING: u32 = 2;
/// `CURFEW__REWRITE_ASKS`
const ASKS: u32 = 4;
/// What a message may take, its NUL included.
const MESSAGE_BYTES: usize = 256;

/// `curfew__rewritten`
#[repr(C)]
pub struct Rewritten {
    bytes: *mut u8,
    length: usize,
    kind: u32,
    fused: bool,
    imports_wasi: bool,
}

/// The options that flags stand for.
pub(crate) fn options(flags: u32) -> Options {
    Options {
        meter: flags & METER != 0,
        landing: flags & LANDING != 0,
        asks: flags & ASKS != 0,
        ..Options::default()
    }
}

/// The file that C points to.
///
/// # Safety
/// `wasm` points to `length` bytes that nobody changes, or `length` is 0.
pub(crate) unsafe fn file<'a>(wasm: *const u8, length: usize) -> &'a [u8] {
    if length == 0 {
        return &[];
    }
    std::slice::from_raw_parts(wasm, length)
}

/// Writes a message of one line, cut where a character begins.
///
/// # Safety
/// `message` has room for `MESSAGE_BYTES`.
unsafe fn say(message: *mut c_char, text: &str) {
    let end = text.floor_char_boundary(MESSAGE_BYTES - 1);
    std::ptr::copy_nonoverlapping(text.as_ptr(), message.cast(), end);
    *message.add(end) = 0;
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__rewrite(
    wasm: *const u8,
    length: usize,
    flags: u32,
    out: *mut Rewritten,
    message: *mut c_char,
) -> bool {
    let rewritten = match curfew_rewriter::rewrite(file(wasm, length), options(flags)) {
        Ok(rewritten) => rewritten,
        Err(refusal) => {
            say(message, &refusal.to_string());
            return false;
        }
    };
    let bytes = rewritten.bytes.into_boxed_slice();
    out.write(Rewritten {
        length: bytes.len(),
        bytes: Box::into_raw(bytes).cast(),
        kind: match rewritten.kind {
            Kind::Module => 0,
            Kind::Component => 1,
        },
        fused: rewritten.fused,
        imports_wasi: rewritten.imports_wasi,
    });
    true
}

/// # Safety
/// `rewritten` is what `curfew__rewrite` wrote, and is finished once.
#[no_mangle]
pub unsafe extern "C" fn curfew__rewritten_finish(rewritten: *mut Rewritten) {
    let rewritten = &mut *rewritten;
    let bytes = std::mem::replace(&mut rewritten.bytes, std::ptr::null_mut());
    if !bytes.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes, rewritten.length)));
    }
}
