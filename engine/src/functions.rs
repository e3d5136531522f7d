// SPDX-License-Identifier: Apache-2.0
//! C functions that components import. Wasmtime's C API has such functions as well, but there a call that waits cannot
//! fail.
use std::ffi::c_void;
use std::future::Future;

use wasmtime::component::Val;
use wasmtime::{Result, Trap};
use wasmtime_c_api::*;

use crate::handles::Handle;

type Callback = extern "C" fn(
    *mut c_void,
    WasmtimeStoreContextMut<'_>,
    *const wasmtime_component_val_t,
    usize,
    *mut wasmtime_component_val_t,
    usize,
    &mut Option<Box<wasmtime_error_t>>,
    &mut wasmtime_async_continuation_t,
);

/// Where C stores the result of a call, until its continuation has finished.
struct Answer {
    values: Vec<wasmtime_component_val_t>,
    error: Option<Box<wasmtime_error_t>>,
}

struct Function {
    callback: Callback,
    env: *mut c_void,
}

// C guarantees that the thread that polls the store may call it.
unsafe impl Send for Function {}
unsafe impl Sync for Function {}

extern "C" fn over(_env: *mut c_void) -> bool {
    true
}

impl Function {
    fn call<'a>(
        &self,
        store: WasmtimeStoreContextMut<'a>,
        params: &'a [Val],
        results: &'a mut [Val],
    ) -> Box<dyn Future<Output = Result<()>> + Send + 'a> {
        let values = results.iter().map(|_| wasmtime_component_val_t::default()).collect();
        let mut answer = Box::new(Answer { values, error: None });
        let mut rest = wasmtime_async_continuation_t { callback: over, env: std::ptr::null_mut(), finalizer: None };
        let params: Vec<_> = params.iter().map(wasmtime_component_val_t::from).collect();
        (self.callback)(
            self.env,
            store,
            params.as_ptr(),
            params.len(),
            answer.values.as_mut_ptr(),
            answer.values.len(),
            &mut answer.error,
            &mut rest,
        );
        drop(params);
        Box::new(async move {
            rest.await;
            if let Some(error) = answer.error {
                return Err((*error).into());
            }
            for (result, value) in results.iter_mut().zip(&answer.values) {
                *result = Val::from(value);
            }
            Ok(())
        })
    }
}

/// # Safety
/// `name` is so many bytes, and `env` outlives the linker and what was made with it.
#[no_mangle]
pub unsafe extern "C" fn curfew__component_linker_add_function(
    instance: *mut wasmtime_component_linker_instance_t<'static>,
    name: *const u8,
    length: usize,
    callback: Callback,
    env: *mut c_void,
) -> Option<Box<wasmtime_error_t>> {
    let instance = (*instance).value_mut();
    let name = String::from_utf8_lossy(std::slice::from_raw_parts(name, length));
    let function = Function { callback, env };
    let added = instance.func_new_async(&name, move |store, _, params, results| function.call(store, params, results));
    added.err().map(|refused| Box::new(refused.into()))
}

/// # Safety
/// `linker` is one of Wasmtime's C API.
#[no_mangle]
pub unsafe extern "C" fn curfew__component_linker_clone(
    linker: *const wasmtime_component_linker_t,
) -> *mut wasmtime_component_linker_t {
    Handle::wrap((*linker).value().clone())
}

#[no_mangle]
pub extern "C" fn curfew__error_out_of_fuel() -> Box<wasmtime_error_t> {
    Box::new(wasmtime::Error::from(Trap::OutOfFuel).into())
}
