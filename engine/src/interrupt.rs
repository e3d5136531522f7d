// SPDX-License-Identifier: Apache-2.0
//! What a directed signal needs to know about Wasmtime: where the functions of guests are in compiled code, an
//! instruction that traps, and where a store records the state of its guest at an exit. `src/engine/interrupt.c` uses
//! it.
//!
//! This is the only part that relies on more of Wasmtime than it guarantees: the sections and symbols of its images,
//! and the layout of `VMStoreContext`. All of it is read through `wasmtime-environ`, at the pinned version, and
//! anything unexpected is refused.
use std::sync::OnceLock;

use object::{Object, ObjectSection, ObjectSymbol};
use wasmtime::component::Component;
use wasmtime::{AsContextMut, Func, Instance, Module};
use wasmtime_c_api::*;
use wasmtime_environ::obj::{ELF_WASMTIME_ADDRMAP, ELF_WASMTIME_TRAPS};
use wasmtime_environ::PtrSize;

use crate::handles::{beginning, Handle};

/// The size of a pointer on this machine, as `wasmtime-environ` requires it.
const POINTER: u8 = 8;
/// The instruction `ud2`.
const TRAPPING: [u8; 2] = [0x0f, 0x0b];

// ---- Code --------------------------------------------------------------------------------------------------------

/// `curfew__code_range`
#[repr(C)]
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct CodeRange {
    first: usize,
    end: usize,
    text: usize,
    text_end: usize,
    landing: usize,
}

/// A function of a guest, according to the symbols of an image.
struct Function {
    module: usize,
    start: usize,
    end: usize,
}

/// A compiled image in memory.
struct Image<'a> {
    file: object::File<'a>,
    /// The address of its code.
    text: usize,
    code: &'a [u8],
}

impl<'a> Image<'a> {
    /// # Safety
    /// The range is an image that stays at its address as long as this is used.
    unsafe fn new(range: std::ops::Range<*const u8>) -> Option<Image<'a>> {
        let bytes = std::slice::from_raw_parts(range.start, range.end as usize - range.start as usize);
        let file = object::File::parse(bytes).ok()?;
        let (offset, size) = file.section_by_name(".text")?.file_range()?;
        let code = bytes.get(offset as usize..)?.get(..size as usize)?;
        Some(Image { file, text: code.as_ptr() as usize, code })
    }

    fn section(&self, name: &str) -> Option<&'a [u8]> {
        self.file.section_by_name(name)?.data().ok()
    }

    /// The functions of guests, including adapters between components, and everything else, by their position in the
    /// code.
    fn symbols(&self) -> (Vec<Function>, Vec<std::ops::Range<usize>>) {
        let (mut functions, mut others) = (Vec::new(), Vec::new());
        for symbol in self.file.symbols().filter(|symbol| symbol.size() > 0) {
            let start = symbol.address() as usize;
            let end = start + symbol.size() as usize;
            match symbol.name().ok().and_then(module_of) {
                Some(module) => functions.push(Function { module, start, end }),
                None => others.push(start..end),
            }
        }
        (functions, others)
    }

    /// The code of the guests' functions. None: the layout of the code is unexpected.
    fn range(&self) -> Option<CodeRange> {
        let (functions, others) = self.symbols();
        let text_end = self.text + self.code.len();
        let base = CodeRange { text: self.text, text_end, ..CodeRange::default() };
        let Some(first) = functions.iter().map(|function| function.start).min() else { return Some(base) };
        let end = functions.iter().map(|function| function.end).max()?;
        if end > self.code.len() || others.iter().any(|other| other.start < end && other.end > first) {
            return None;
        }
        let landing = self.landing(first..end).map_or(0, |landing| self.text + landing);
        Some(CodeRange { first: self.text + first, end: self.text + end, landing, ..base })
    }

    /// An instruction in guests' code that traps.
    fn landing(&self, within: std::ops::Range<usize>) -> Option<usize> {
        let mut traps = wasmtime_environ::iterate_traps(self.section(ELF_WASMTIME_TRAPS)?)?;
        let traps_here = |at: usize| within.contains(&at) && self.code.get(at..at + 2) == Some(&TRAPPING[..]);
        traps.find(|(at, _)| traps_here(*at as usize)).map(|(at, _)| at as usize)
    }

    /// The module and the offset of the code at an address in a guest's function, or of the nearest code before it. What a
    /// function does before its first instruction has the place of that one.
    fn place(&self, address: usize) -> Option<(usize, u32)> {
        let at = address.checked_sub(self.text)?;
        let function = self.symbols().0.into_iter().find(|function| (function.start..function.end).contains(&at))?;
        let places = wasmtime_environ::iterate_address_map(self.section(ELF_WASMTIME_ADDRMAP)?)?;
        let mut own = places
            .map(|(start, place)| (start as usize, place))
            .skip_while(|(start, _)| *start < function.start)
            .take_while(|(start, _)| *start < function.end)
            .filter_map(|(start, place)| Some((start, place.file_offset()?)));
        let (_, first) = own.next()?;
        let nearest = own.take_while(|(start, _)| *start <= at).last().map_or(first, |(_, offset)| offset);
        Some((function.module, nearest))
    }
}

/// The number of the module: 3 for "wasm[3]::function[7]::name".
fn module_of(symbol: &str) -> Option<usize> {
    let (module, rest) = symbol.strip_prefix("wasm[")?.split_once(']')?;
    rest.starts_with("::function[").then(|| module.parse().ok())?
}

/// # Safety
/// One of the two is given, and lives for as long as the image is used.
unsafe fn image<'a>(module: *const wasmtime_module_t, component: *const wasmtime_component_t) -> Option<Image<'a>> {
    let module = module.as_ref().map(Handle::value);
    let component = component.as_ref().map(Handle::value);
    Image::new(module.map(Module::image_range).or_else(|| component.map(Component::image_range))?)
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__code_range_find(
    module: *const wasmtime_module_t,
    component: *const wasmtime_component_t,
    range: &mut CodeRange,
) -> bool {
    match image(module, component).and_then(|image| image.range()) {
        Some(found) => {
            *range = found;
            true
        }
        None => false,
    }
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__code_place(
    module: *const wasmtime_module_t,
    component: *const wasmtime_component_t,
    address: usize,
    index: &mut usize,
    offset: &mut u64,
) -> bool {
    match image(module, component).and_then(|image| image.place(address)) {
        Some((module, place)) => {
            (*index, *offset) = (module, place.into());
            true
        }
        None => false,
    }
}

// ---- Stores ------------------------------------------------------------------------------------------------------

/// `curfew__exit`
#[repr(C)]
pub struct Exit {
    frame: usize,
    address: usize,
    stack_limit: usize,
    entry: usize,
}

/// The address of the store's `VMStoreContext`, to which every function of a module in it has a pointer.
unsafe fn context_of(function: Func, store: impl AsContextMut) -> Option<usize> {
    let raw = function.to_raw(store) as usize;
    let vmctx = *((raw + POINTER.vm_func_ref().vmctx() as usize) as *const usize);
    if *(vmctx as *const [u8; 4]) != *b"core" {
        return None;
    }
    Some(*((vmctx + POINTER.vmcontext_store_context() as usize) as *const usize))
}

/// (module (func (export "f")))
const SMALLEST: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x05\x01\x01f\0\0\x0a\x04\x01\x02\0\x0b";

/// The distance between the beginning of a store and its `VMStoreContext`. It is the same for all stores that the C API
/// makes.
static DISTANCE: OnceLock<Option<usize>> = OnceLock::new();

fn distance_in(mut store: WasmtimeStoreContextMut<'_>, function: Func) -> Option<usize> {
    let beginning = beginning(&store);
    unsafe { context_of(function, &mut store)?.checked_sub(beginning) }
}

/// The distance in a store that is made for this purpose.
fn distance() -> Option<usize> {
    let mut config = wasm_config_new();
    // The threads for parallel compilation would remain in the embedding program.
    unsafe { crate::compile::curfew__config_parallel(&mut *config, false) };
    let engine = wasm_engine_new_with_config(config);
    let mut store = wasmtime_store_new(&engine, std::ptr::null_mut(), None);
    let store = store.value_mut();
    let module = Module::new(store.engine(), SMALLEST).ok()?;
    let instance = Instance::new(&mut *store, &module, &[]).ok()?;
    let function = instance.get_func(&mut *store, "f")?;
    distance_in(store.as_context_mut(), function)
}

/// If the store has a function of a module already, `function` saves making one.
#[no_mangle]
pub extern "C" fn curfew__exit_find(
    mut context: WasmtimeStoreContextMut<'_>,
    function: Option<&Func>,
    exit: &mut Exit,
) -> bool {
    let from = |function: &Func| distance_in(context.as_context_mut(), *function);
    let Some(distance) = *DISTANCE.get_or_init(|| function.map_or_else(distance, from)) else { return false };
    let at = beginning(&context) + distance;
    let fields = POINTER.vm_store_context();
    *exit = Exit {
        frame: at + fields.last_wasm_exit_trampoline_fp() as usize,
        address: at + fields.last_wasm_exit_pc() as usize,
        stack_limit: at + fields.stack_limit() as usize,
        entry: at + fields.last_wasm_entry_fp() as usize,
    };
    true
}
