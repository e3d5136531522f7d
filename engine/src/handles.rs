// SPDX-License-Identifier: Apache-2.0
//! The contents of the handles of Wasmtime's C API. Each handle is a structure around one Rust value, whose field is
//! private. Only this file accesses that value through the handle. If another version of Wasmtime changes that, this
//! file does not compile: a handle with a second field is larger than its value.
use std::future::Future;
use std::pin::Pin;

use wasmtime::component::types::{Component as ComponentType, ComponentInstance};
use wasmtime::component::{Component, Linker as ComponentLinker, LinkerInstance};
use wasmtime::{Config, Engine, Error, Linker, Module};
use wasmtime_c_api::*;

/// The content of `wasmtime_call_future_t`.
pub type CallFuture = Pin<Box<dyn Future<Output = ()>>>;

/// # Safety
/// The handle is the same bytes as the value.
pub unsafe trait Handle: Sized {
    type Value;

    fn value(&self) -> &Self::Value {
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    fn value_mut(&mut self) -> &mut Self::Value {
        unsafe { &mut *std::ptr::from_mut(self).cast() }
    }

    /// Makes a handle that C owns.
    fn wrap(value: Self::Value) -> *mut Self {
        Box::into_raw(Box::new(value)).cast()
    }

    /// # Safety
    /// C owned the handle, and gives it up.
    unsafe fn unwrap(handle: *mut Self) -> Self::Value {
        *Box::from_raw(handle.cast())
    }
}

macro_rules! handles {
    ($($handle:ty: $value:ty,)*) => {
        $(
            const _: () = assert!(size_of::<$handle>() == size_of::<$value>());
            const _: () = assert!(align_of::<$handle>() == align_of::<$value>());
            unsafe impl Handle for $handle {
                type Value = $value;
            }
        )*
    };
}

handles! {
    wasm_config_t: Config,
    wasm_engine_t: Engine,
    wasmtime_error_t: Error,
    wasmtime_module_t: Module,
    wasmtime_linker_t: Linker<WasmtimeStoreData>,
    wasmtime_store_t: WasmtimeStore,
    wasmtime_component_t: Component,
    wasmtime_component_type_t: ComponentType,
    wasmtime_component_instance_type_t: ComponentInstance,
    wasmtime_component_linker_t: ComponentLinker<WasmtimeStoreData>,
    wasmtime_component_linker_instance_t<'static>: LinkerInstance<'static, WasmtimeStoreData>,
    wasmtime_call_future_t<'static>: CallFuture,
}

// A context is a reference to its store.
const _: () = assert!(size_of::<WasmtimeStoreContextMut<'static>>() == size_of::<usize>());

/// The address of a context's store.
pub fn beginning(context: &WasmtimeStoreContextMut<'_>) -> usize {
    unsafe { std::mem::transmute_copy(context) }
}
