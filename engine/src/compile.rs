// SPDX-License-Identifier: Apache-2.0
//! Compiles without executing, and loads code from files: `src/engine/extra.h`, section "Compiling".
use crate::handles::Handle;
use crate::places::Bytes;
use crate::rewrite::slice;
use std::fs::File;
use std::os::fd::FromRawFd;
use wasmtime::Module;
use wasmtime_c_api::{wasm_config_t, wasm_engine_t, wasmtime_error_t, wasmtime_module_t};

fn error_of<T>(result: wasmtime::Result<T>, take: impl FnOnce(T)) -> Option<Box<wasmtime_error_t>> {
    match result {
        Ok(made) => {
            take(made);
            None
        }
        Err(error) => Some(Box::new(error.into())),
    }
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__config_parallel(config: *mut wasm_config_t, parallel: bool) {
    (*config).value_mut().parallel_compilation(parallel);
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__precompile(
    engine: *const wasm_engine_t,
    wasm: *const u8,
    length: usize,
    is_component: bool,
    out: *mut Bytes,
) -> Option<Box<wasmtime_error_t>> {
    let (engine, wasm) = ((*engine).value(), slice(wasm, length));
    let made = if is_component { engine.precompile_component(wasm) } else { engine.precompile_module(wasm) };
    error_of(made, |bytes| out.write(Bytes::new(bytes)))
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__module_open(
    engine: *const wasm_engine_t,
    file: i32,
    module: *mut *mut wasmtime_module_t,
) -> Option<Box<wasmtime_error_t>> {
    let made = Module::deserialize_open_file((*engine).value(), File::from_raw_fd(file));
    error_of(made, |made| module.write(Handle::wrap(made)))
}
