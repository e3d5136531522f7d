// SPDX-License-Identifier: Apache-2.0
//! Passes the exports or imports of a module or component to a callback one by one, because a guest chooses their
//! number.
use std::ffi::{c_char, c_void};

use wasmtime::component::types::{ComponentExtern, ComponentItem};
use wasmtime::ExternType;
use wasmtime_c_api::*;

use crate::handles::Handle;

type Callback = extern "C" fn(*mut c_void, *const c_char, usize, u8) -> bool;

/// The number in `wasm_externkind_enum`. Tags come last there.
fn kind_of_module_export(item: &ExternType) -> u8 {
    match item {
        ExternType::Func(_) => 0,
        ExternType::Global(_) => 1,
        ExternType::Table(_) => 2,
        ExternType::Memory(_) => 3,
        ExternType::Tag(_) => 4,
    }
}

/// The number in `wasmtime_component_item_kind_t`.
fn kind_of_component_export(item: &ComponentItem) -> u8 {
    match item {
        ComponentItem::Component(_) => 0,
        ComponentItem::ComponentInstance(_) => 1,
        ComponentItem::Module(_) => 2,
        ComponentItem::ComponentFunc(_) => 3,
        ComponentItem::Resource(_) => 4,
        ComponentItem::CoreFunc(_) => 5,
        ComponentItem::Type(_) => 6,
    }
}

/// # Safety
/// `module` is one that Wasmtime's C API made, and `callback` takes this context.
#[no_mangle]
pub unsafe extern "C" fn curfew__module_each_export(
    module: *const wasmtime_module_t,
    callback: Callback,
    context: *mut c_void,
) {
    let module = (*module).value();
    for export in module.exports() {
        let name = export.name();
        if !callback(context, name.as_ptr().cast(), name.len(), kind_of_module_export(&export.ty())) {
            return;
        }
    }
}

/// # Safety
/// `module` is one that Wasmtime's C API made, `name` has that length, `kind` and `type_` may be written.
#[no_mangle]
pub unsafe extern "C" fn curfew__module_find_export(
    module: *const wasmtime_module_t,
    name: *const u8,
    length: usize,
    kind: &mut u8,
    type_: &mut Option<Box<wasm_functype_t>>,
) -> bool {
    let module = (*module).value();
    let name = std::str::from_utf8(std::slice::from_raw_parts(name, length));
    let Some(found) = name.ok().and_then(|name| module.get_export(name)) else { return false };
    *kind = kind_of_module_export(&found);
    if let ExternType::Func(function) = found {
        // From here, this is the only way to create the C type.
        if let wasmtime_component_item_t::CoreFunc(made) = ComponentItem::CoreFunc(function).into() {
            *type_ = Some(made);
        }
    }
    true
}

/// # Safety
/// `type_` and `engine` are ones that Wasmtime's C API made, and `callback` takes this context.
#[no_mangle]
pub unsafe extern "C" fn curfew__component_each_export(
    type_: *const wasmtime_component_type_t,
    engine: *const wasm_engine_t,
    callback: Callback,
    context: *mut c_void,
) {
    let (component, engine) = ((*type_).value(), (*engine).value());
    for (name, export) in component.exports(engine) {
        if !callback(context, name.as_ptr().cast(), name.len(), kind_of_component_export(&export.ty)) {
            return;
        }
    }
}

type ItemCallback = extern "C" fn(*mut c_void, *const c_char, usize, &wasmtime_component_item_t) -> bool;

/// `curfew__items`
#[repr(C)]
pub struct Items {
    component: *const wasmtime_component_type_t,
    instance: *const wasmtime_component_instance_type_t,
    imports: bool,
}

fn tell<'a>(items: impl Iterator<Item = (&'a str, ComponentExtern<'a>)>, callback: ItemCallback, context: *mut c_void) {
    for (name, item) in items {
        let item = wasmtime_component_item_t::from(item.ty);
        if !callback(context, name.as_ptr().cast(), name.len(), &item) {
            return;
        }
    }
}

/// # Safety
/// What `items` points to and `engine` are ones that Wasmtime's C API made, and `callback` takes this context.
#[no_mangle]
pub unsafe extern "C" fn curfew__each_item(
    items: &Items,
    engine: *const wasm_engine_t,
    callback: ItemCallback,
    context: *mut c_void,
) {
    let engine = (*engine).value();
    if !items.instance.is_null() {
        tell((*items.instance).value().exports(engine), callback, context);
    } else if items.imports {
        tell((*items.component).value().imports(engine), callback, context);
    } else {
        tell((*items.component).value().exports(engine), callback, context);
    }
}
