// SPDX-License-Identifier: Apache-2.0
//! Makes WebAssembly that nobody trusts into WebAssembly that can be stopped and counted, before it is compiled.
//!
//! A file is validated, its compilation is bounded (`limits`), and it is written anew with the same meaning:
//! - a bulk instruction becomes a call of a function that does it in chunks (`bulk`), since one instruction is one call
//!   into the compiler's runtime, which nothing interrupts;
//! - every block is charged for its instructions (`meter`), if asked for;
//! - a module gets a function that traps, if asked for: where one that is interrupted goes on.
//!
//! Everything that is added stands at the end of its index space, so no index changes and whatever is not touched is
//! copied byte by byte. `scan` reads and plans, `emit` writes, and `splice` remembers where every byte came from.
#![forbid(unsafe_code)]

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
    /// Whether what it does is counted.
    pub meter: bool,
    /// Whether modules get a function that does nothing but trap.
    pub landing: bool,
    /// Whether it is a guest of ours, which asks whether it is out of fuel: see `meter`. Where nothing is counted it never is.
    pub asks: bool,
    /// The largest piece of a bulk operation that is done at once; tests make it small.
    pub chunk: Chunk,
    /// It is compiled where that can be ended at any time: no estimate has to bound it.
    pub can_be_ended: bool,
}

/// A file that was rewritten.
#[derive(Debug)]
pub struct Rewritten {
    /// The new file.
    pub bytes: Vec<u8>,
    /// What the file is.
    pub kind: Kind,
    /// Whether it imports something of WASI.
    pub imports_wasi: bool,
    /// Whether the compiler's optimiser is bounded, too. If not, and nothing can end it, it has to be left out.
    pub can_be_optimised: bool,
    /// What leads from the new file back to the old one: see `Places`.
    pub places: Vec<u8>,
}

/// Validates a module or a component and rewrites every module in it.
pub fn rewrite(wasm: &[u8], options: Options) -> Result<Rewritten, Refusal> {
    let scan = scan::scan(wasm, options)?;
    let (bytes, runs) = emit::emit(wasm, &scan.root, options).into_parts();
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
