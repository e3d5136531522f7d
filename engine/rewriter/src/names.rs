// SPDX-License-Identifier: Apache-2.0
//! Names of functions as people wrote them.
use std::fmt::{self, Write};
use wasmparser::{BinaryReader, ExportSectionReader, ExternalKind, Name, NameSectionReader};

/// What a name may be at most: a few bytes of a mangled name can stand for megabytes.
const NAME_BYTES: usize = 1024;

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

/// The name a compiler mangled as it was in the source, of Rust or C++; any other name as it is. Cut if it is long.
pub(crate) fn demangle(name: &str) -> String {
    let mut out = Short(String::new());
    // What does not fit is left out, so errors are of no interest.
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

/// The name of a function in the contents of a name section, which may be malformed.
pub(crate) fn function_name(section: &[u8], function: u32) -> Option<&str> {
    let subsections = NameSectionReader::new(BinaryReader::new(section, 0));
    for subsection in subsections.into_iter().map_while(Result::ok) {
        if let Name::Function(names) = subsection {
            let mut names = names.into_iter().map_while(Result::ok);
            return names.find(|name| name.index == function).map(|name| name.name);
        }
    }
    None
}

/// The name under which a function is exported, in the contents of an export section: the first one.
pub(crate) fn exported_name(section: &[u8], function: u32) -> Option<&str> {
    let exports = ExportSectionReader::new(BinaryReader::new(section, 0)).ok()?;
    let mut exports = exports.into_iter().map_while(Result::ok);
    exports.find(|export| export.kind == ExternalKind::Func && export.index == function).map(|export| export.name)
}
