// SPDX-License-Identifier: Apache-2.0
//! The C interface to the table of places: `src/engine/extra.h`, section "Where code comes from".
use crate::rewrite;
use curfew_rewriter::Places;
use std::ffi::c_char;
use std::ptr::null;

/// `curfew__bytes`
#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    length: usize,
}

impl Bytes {
    pub(crate) fn new(bytes: Vec<u8>) -> Bytes {
        let bytes = bytes.into_boxed_slice();
        Bytes { length: bytes.len(), data: Box::into_raw(bytes).cast() }
    }
}

/// `curfew__location`
#[repr(C)]
pub struct Location {
    hidden: bool,
    offset: u64,
    index: u32,
    function: *const c_char,
    file: *const c_char,
    line: u32,
    column: u32,
}

/// No function has this index: a module has fewer.
const NO_INDEX: u32 = u32::MAX;

/// # Safety
/// `bytes` was made here, and is finished once.
#[no_mangle]
pub unsafe extern "C" fn curfew__bytes_finish(bytes: *mut Bytes) {
    let bytes = &mut *bytes;
    let data = std::mem::replace(&mut bytes.data, std::ptr::null_mut());
    if !data.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, bytes.length)));
    }
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__places_find(
    table: *const u8,
    length: usize,
    start: u64,
    offset: u64,
    locations: *mut Location,
    most: usize,
) -> usize {
    let Some(places) = Places::new(rewrite::slice(table, length)) else { return 0 };
    write(&places.find_in(start as usize, offset as usize), locations, most)
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__places_find_in(
    table: *const u8,
    length: usize,
    module: usize,
    offset: u64,
    locations: *mut Location,
    most: usize,
) -> usize {
    let Some(places) = Places::new(rewrite::slice(table, length)) else { return 0 };
    write(&places.find_in_module(module, offset as usize), locations, most)
}

/// Writes the first `most` of the locations, and returns how many those are.
///
/// # Safety
/// `locations` has a capacity of `most`, and each text is followed by a NUL.
unsafe fn write(found: &[curfew_rewriter::Location], locations: *mut Location, most: usize) -> usize {
    for (index, location) in found.iter().take(most).enumerate() {
        // Each text of the table is followed by a NUL.
        let text = |text: Option<&[u8]>| text.map_or(null(), |text| text.as_ptr().cast());
        locations.add(index).write(Location {
            hidden: location.hidden,
            offset: location.offset as u64,
            index: location.index.unwrap_or(NO_INDEX),
            function: text(location.function),
            file: text(location.file),
            line: location.line,
            column: location.column,
        });
    }
    found.len().min(most)
}

/// # Safety
/// As `extra.h` says.
#[no_mangle]
pub unsafe extern "C" fn curfew__places_is_cut(table: *const u8, length: usize) -> bool {
    Places::new(rewrite::slice(table, length)).is_some_and(|places| places.is_cut())
}
