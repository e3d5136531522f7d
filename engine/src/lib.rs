// SPDX-License-Identifier: Apache-2.0
//! Wasmtime's C API as one static library, at the version the lock file pins, and what it lacks.
use handles::Handle;
pub use wasmtime_c_api::*;

mod account;
mod compile;
mod exports;
mod functions;
mod futures;
mod handles;
mod hash;
mod input;
mod interrupt;
mod memory;
mod places;
mod rewrite;
mod wasi;

/// Takes no backtrace when something traps (0), or one of at most so many frames: ours of JavaScript are read in the
/// guest, and walking a deep stack takes milliseconds. Without a backtrace nobody asks which instruction of the guest's one of
/// the machine's came from, and compiled code carries no map of them.
///
/// # Safety
/// `config` is one that `wasm_config_new` returned, and is used by nobody else meanwhile.
#[no_mangle]
pub unsafe extern "C" fn curfew__config_backtrace(config: *mut wasm_config_t, frames: u32) {
    let config = (*config).value_mut();
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(frames as usize)).generate_address_map(frames > 0);
}

/// Whether an error is a trap, and which: found by its type, so that no text of the guest's can pass for one.
///
/// # Safety
/// `error` is one that Wasmtime's C API made, and `code` may be written.
#[no_mangle]
pub unsafe extern "C" fn curfew__error_trap_code(error: *const wasmtime_error_t, code: *mut u8) -> bool {
    let error = (*error).value();
    let trap = error.downcast_ref::<wasmtime::Trap>().copied();
    let thrown = error.is::<wasmtime::ThrownException>().then_some(wasmtime::Trap::UncaughtException);
    match trap.or(thrown) {
        Some(trap) => {
            *code = trap as u8;
            true
        }
        None => false,
    }
}
