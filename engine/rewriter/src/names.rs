// SPDX-License-Identifier: Apache-2.0
//! Reads the names of functions in one pass, and restores them as they were in the source.
use std::collections::HashMap;
use std::fmt::{self, Write};
use wasmparser::{BinaryReader, ExportSectionReader, ExternalKind, Name, NameSectionReader};

/// The maximum size of a name: a few bytes of a mangled name can expand to megabytes.
pub(crate) const NAME_BYTES: usize = 1024;

/// Text of at most `NAME_BYTES`.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = NAME_BYTES - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// Restores a name that a Rust or C++ compiler mangled. Any other name stays unchanged. Long names are truncated.
pub(crate) fn demangle(name: &str) -> String {
    let name = &name[..name.floor_char_boundary(NAME_BYTES)];
    let mut out = Short(String::new());
    // Text beyond the limit is left out, so errors do not matter.
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        let _ = write!(out, "{rust:#}");
    } else if let Some(cpp) = name.starts_with("_Z").then(|| cpp_demangle::Symbol::new(name).ok()).flatten() {
        let _ = cpp.structured_demangle(&mut out, &cpp_demangle::DemangleOptions::new());
    }
    if out.0.is_empty() {
        let _ = out.write_str(name);
    }
    out.0
}

/// Names by function index, for functions whose index is in `wanted`. The first name of a function counts.
pub(crate) type Names<'a> = HashMap<u32, &'a str>;

/// The names in the content of a name section. If it is malformed, those before the fault are used.
pub(crate) fn function_names(section: &[u8], wanted: std::ops::Range<u32>) -> Names<'_> {
    let mut found = Names::new();
    let subsections = NameSectionReader::new(BinaryReader::new(section, 0));
    for subsection in subsections.into_iter().map_while(Result::ok) {
        if let Name::Function(names) = subsection {
            for naming in names.into_iter().map_while(Result::ok).filter(|naming| wanted.contains(&naming.index)) {
                found.entry(naming.index).or_insert(naming.name);
            }
            break;
        }
    }
    found
}

/// The names under which functions are exported, from the content of an export section.
pub(crate) fn exported_names(section: &[u8], wanted: std::ops::Range<u32>) -> Names<'_> {
    let mut found = Names::new();
    let Ok(exports) = ExportSectionReader::new(BinaryReader::new(section, 0)) else { return found };
    let functions = exports.into_iter().map_while(Result::ok).filter(|export| export.kind == ExternalKind::Func);
    for export in functions.filter(|export| wanted.contains(&export.index)) {
        found.entry(export.index).or_insert(export.name);
    }
    found
}
