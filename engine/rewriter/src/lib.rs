// SPDX-License-Identifier: Apache-2.0
//! Turns untrusted WebAssembly into WebAssembly that can be stopped and metered, before it is compiled.
//!
//! A file is validated, the time of its compilation is bounded (`limits`), and it is rewritten with the same meaning:
//! - a bulk instruction becomes a call of a function that executes it in chunks (`bulk`), because a single instruction
//!   is one call into the compiler's runtime, which nothing can interrupt;
//! - if its instances begin with much data, functions write that in chunks (`begin`), for the same reason;
//! - every block is charged for its instructions (`meter`), if asked for;
//! - if asked for, a module gets a function that traps, where an interrupted function continues.
//!
//! Everything that is added comes at the end of its index space. So no index changes, and everything else is copied
//! byte by byte. `scan` reads and plans, `emit` writes, and `splice` records where every byte came from.
#![forbid(unsafe_code)]

mod begin;
mod bulk;
mod composition;
mod data;
mod effort;
mod emit;
mod limits;
mod lines;
mod meter;
mod names;
mod places;
mod refusal;
mod scan;
mod shell;
mod splice;
mod texts;

pub use bulk::Chunk;
pub use limits::FEATURES;
pub use places::{Location, Places};
pub use refusal::Refusal;
pub use scan::Kind;
pub use shell::{shell, Shell};

/// How to rewrite.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether its instructions are metered.
    pub meter: bool,
    /// Whether modules get a function that only traps.
    pub landing: bool,
    /// Whether it is one of our own guests, which asks whether it is out of fuel: see `meter`. Without a meter it never
    /// is.
    pub asks: bool,
    /// The largest piece of a bulk operation that is executed at once. Tests make it small.
    pub chunk: Chunk,
    /// It is compiled in a process that can be ended at any time, so no estimate has to bound the compilation.
    pub can_be_ended: bool,
}

/// A file that was rewritten.
#[derive(Debug)]
pub struct Rewritten {
    /// The new file.
    pub bytes: Vec<u8>,
    /// The kind of the file.
    pub kind: Kind,
    /// Whether it imports something of WASI.
    pub imports_wasi: bool,
    /// Whether the time of the compiler's optimiser is bounded too. If not, and nothing can end it, the optimiser must
    /// be off.
    pub can_be_optimised: bool,
    /// The table that leads from the new file back to the old one: see `Places`.
    pub places: Vec<u8>,
}

/// Validates a module or a component and rewrites every module in it.
pub fn rewrite(wasm: &[u8], options: Options) -> Result<Rewritten, Refusal> {
    let scan = scan::scan(wasm, options)?;
    let (bytes, runs) = emit::emit(wasm, &scan, options).into_parts();
    Ok(Rewritten {
        bytes,
        kind: scan.root.kind,
        imports_wasi: scan.imports_wasi,
        can_be_optimised: scan.can_be_optimised,
        places: places::write(wasm, &scan.root, &runs),
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_map;
#[cfg(test)]
mod tests_meter;
