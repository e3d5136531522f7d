// SPDX-License-Identifier: Apache-2.0
//! Wasmtime's C API as one static library, at the version that the lock file pins, and the functions that it lacks.
use handles::Handle;
pub use wasmtime_c_api::*;

mod account;
mod compile;
mod component_files;
mod exports;
mod files;
mod functions;
mod futures;
mod handles;
mod hash;
mod http;
mod input;
mod interrupt;
mod memory;
mod places;
mod rewrite;
mod wasi;

/// Sets how many frames the backtrace of a trap has at most; 0: none is taken. The guest itself reads JavaScript's
/// stack, and walking a deep stack takes milliseconds. Without a backtrace nothing needs the map from machine code to
/// WebAssembly offsets, so compiled code contains none.
///
/// # Safety
/// `config` is one that `wasm_config_new` returned, and is used by nobody else meanwhile.
#[no_mangle]
pub unsafe extern "C" fn curfew__config_backtrace(config: *mut wasm_config_t, frames: u32) {
    let config = (*config).value_mut();
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(frames as usize)).generate_address_map(frames > 0);
}

/// Whether an error is a trap, and which one. It is identified by its type, so that no text of the guest's can imitate
/// one.
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
