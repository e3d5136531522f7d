// SPDX-License-Identifier: Apache-2.0
//! The C interface to the rewriter: `src/engine/extra.h`, section "Rewriting".
use crate::places::Bytes;
use curfew_rewriter::{Kind, Options, Refusal};
use std::ffi::c_char;

/// `CURFEW__REWRITE_METER`
const METER: u32 = 1;
/// `CURFEW__REWRITE_LANDING`
const LANDING: u32 = 2;
/// `CURFEW__REWRITE_ASKS`
const ASKS: u32 = 4;
/// `CURFEW__REWRITE_CAN_BE_ENDED`
const CAN_BE_ENDED: u32 = 8;
/// The size of a message, including its NUL.
const MESSAGE_BYTES: usize = 256;

/// `curfew__rewritten`
#[repr(C)]
pub struct Rewritten {
    wasm: Bytes,
    places: Bytes,
    kind: u32,
    imports_wasi: bool,
    can_be_optimised: bool,
}

/// Converts flags to options.
fn options(flags: u32) -> Options {
    Options {
        meter: flags & METER != 0,
        landing: flags & LANDING != 0,
        asks: flags & ASKS != 0,
        can_be_ended: flags & CAN_BE_ENDED != 0,
        ..Options::default()
    }
}

/// The bytes that a C pointer refers to.
///
/// # Safety
/// `bytes` points to `length` bytes that nobody changes, or `length` is 0.
pub(crate) unsafe fn slice<'a>(bytes: *const u8, length: usize) -> &'a [u8] {
    if length == 0 {
        return &[];
    }
    std::slice::from_raw_parts(bytes, length)
}

/// Writes a message of one line. If it is too long, it is truncated between two characters.
///
/// # Safety
/// `message` has a capacity of `MESSAGE_BYTES`.
pub(crate) unsafe fn say(message: *mut c_char, text: &str) {
    let end = text.floor_char_boundary(MESSAGE_BYTES - 1);
    std::ptr::copy_nonoverlapping(text.as_ptr(), message.cast(), end);
    *message.add(end) = 0;
}

fn kind_number(kind: Kind) -> u32 {
    match kind {
        Kind::Module => 0,
        Kind::Component => 1,
    }
}

/// Passes the result to C, or the reason for the refusal.
unsafe fn hand_over(made: Result<Rewritten, Refusal>, out: *mut Rewritten, message: *mut c_char) -> bool {
    match made {
        Ok(made) => out.write(made),
        Err(refusal) => {
            say(message, &refusal.to_string());
            return false;
        }
    }
    true
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
    let made = curfew_rewriter::rewrite(slice(wasm, length), options(flags)).map(|made| Rewritten {
        wasm: Bytes::new(made.bytes),
        places: Bytes::new(made.places),
        kind: kind_number(made.kind),
        imports_wasi: made.imports_wasi,
        can_be_optimised: made.can_be_optimised,
    });
    hand_over(made, out, message)
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__shell(
    wasm: *const u8,
    length: usize,
    out: *mut Rewritten,
    message: *mut c_char,
) -> bool {
    let made = curfew_rewriter::shell(slice(wasm, length)).map(|made| Rewritten {
        wasm: Bytes::new(made.bytes),
        places: Bytes::new(Vec::new()),
        kind: kind_number(made.kind),
        imports_wasi: made.imports_wasi,
        can_be_optimised: true,
    });
    hand_over(made, out, message)
}
