// SPDX-License-Identifier: Apache-2.0
//! The map from rewritten code to its source as C sees it: `src/engine/extra.h`, section "Where code comes from".
use crate::rewrite;
use curfew_rewriter::CodeMap;
use std::ffi::{c_char, CString};
use std::ptr::null;

/// `curfew__location`
#[repr(C)]
pub struct Location {
    hidden: bool,
    offset: u64,
    function: *const c_char,
    file: *const c_char,
    line: u32,
    column: u32,
}

/// `curfew__code_map`
pub struct Handle {
    map: CodeMap,
    /// What the last call told of; freed by the next.
    texts: Vec<CString>,
}

impl Handle {
    /// A text that lives until the next call; null for none.
    fn keep(&mut self, text: Option<String>) -> *const c_char {
        let Some(text) = text else { return null() };
        // A NUL would end it in C.
        let text = CString::new(text.replace('\0', "")).unwrap_or_default();
        self.texts.push(text);
        self.texts.last().map_or(null(), |text| text.as_ptr())
    }

    fn locate(&mut self, location: curfew_rewriter::Location) -> Location {
        Location {
            hidden: location.hidden,
            offset: location.offset as u64,
            function: self.keep(location.function),
            file: self.keep(location.file),
            line: location.line,
            column: location.column,
        }
    }
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__code_map_create(wasm: *const u8, length: usize, flags: u32) -> *mut Handle {
    match CodeMap::new(rewrite::file(wasm, length), rewrite::options(flags)) {
        Ok(map) => Box::into_raw(Box::new(Handle { map, texts: Vec::new() })),
        Err(_) => std::ptr::null_mut(),
    }
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__code_map_destroy(map: *mut Handle) {
    if !map.is_null() {
        drop(Box::from_raw(map));
    }
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__code_map_find(
    map: *mut Handle,
    start: u64,
    offset: u64,
    locations: *mut Location,
    most: usize,
) -> usize {
    let handle = &mut *map;
    handle.texts.clear();
    let found = handle.map.find_in(start as usize, offset as usize);
    let count = found.len();
    for (index, location) in found.into_iter().take(most).enumerate() {
        let location = handle.locate(location);
        locations.add(index).write(location);
    }
    count
}
