// SPDX-License-Identifier: Apache-2.0
//! The features that guests may use, and limits that keep the compilation of a file short.
use crate::Refusal;
use wasmparser::{TableType, WasmFeatures};

/// The engine's features for guests: version 3 of the specification without collected objects, and wide arithmetic. Of the
/// threads proposal, guests have the atomic instructions but no shared memories (`scan`). Metered modules also use a memory
/// with pages of one byte.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .difference(WasmFeatures::GC);

/// Large programs of C++, Rust or Go have 10 to 70 MiB.
pub(crate) const FILE_BYTES: u64 = 128 << 20;
/// A small function takes 30 to 110 us to compile; one that calls and is exported takes longest. A program of 20 MiB
/// has some 50,000.
pub(crate) const FUNCTIONS: u64 = 100_000;
/// A MiB of straight code takes 0.2 to 0.6 s. The main loops of large interpreters have 200 KiB.
pub(crate) const FUNCTION_BYTES: u64 = 1 << 20;
/// 10,000 take 30 ms alone, but their number is a factor of the estimate.
pub(crate) const FUNCTION_LOCALS: u64 = 10_000;
/// A million in tables of 1,000 take 60 ms. A table's size does not show how much code its targets need.
pub(crate) const FUNCTION_BRANCHES: u64 = 1_000_000;
/// 10,000 take 30 ms. Compilers nest as many blocks as a switch has cases.
pub(crate) const NESTING: u64 = 10_000;
/// The limit of the estimate of `effort`: 22,000 jumps, or 1,000 values across 2,700. Measured times are within a
/// factor of three of it.
pub(crate) const FUNCTION_MS: u64 = 2_000;
/// The same for all functions together. A program of 20 MiB with 50,000 functions and a million calls takes 13 s.
pub(crate) const FILE_MS: u64 = 20_000;
/// They cost only memory: a hundred bytes or more each.
pub(crate) const TYPES: u64 = 100_000;
/// The same as wasmparser's limit.
pub(crate) const SEGMENTS: u64 = 100_000;
/// 5 us each in segments of functions, so 1 s.
pub(crate) const ELEMENTS: u64 = 200_000;
/// Each adds a function of 200 bytes, so 0.2 s.
pub(crate) const BULK_INSTRUCTIONS: u64 = 1_000;
/// Reading is recursive.
pub(crate) const COMPONENT_DEPTH: u64 = 100;
pub(crate) const COMPONENTS: u64 = 1_000;
/// Instances of instances double with every level, and linking is recursive.
pub(crate) const COMPONENT_INSTANCES: u64 = 1_000;
/// The definitions that the instances consist of.
pub(crate) const COMPONENT_DEFINITIONS: u64 = 1_000_000;
/// What all instances of modules begin with. The engine fills them at once: 10 ns or more for each element of a table, and
/// up to 32 bytes of the host's memory for each definition.
pub(crate) const INSTANCE_ELEMENTS: u64 = 1_000_000;
pub(crate) const INSTANCE_DEFINITIONS: u64 = 1_000_000;
/// The engine copies a segment at once, up to 2 ms for each MiB.
pub(crate) const INSTANCE_DATA_BYTES: u64 = 1 << 20;

/// The engine counts the elements of a table in 32 bits.
const TABLE_ELEMENTS: u64 = u32::MAX as u64;

/// Refuses a table with 64-bit indices whose type has more elements than that.
pub(crate) fn check_table(table: &TableType) -> Result<(), Refusal> {
    let most = if table.table64 { table.maximum.unwrap_or(0).max(table.initial) } else { 0 };
    check("elements of a table", most, TABLE_ELEMENTS)
}

/// Refuses a figure that exceeds its limit.
pub(crate) fn check(what: &str, figure: u64, limit: u64) -> Result<(), Refusal> {
    if figure > limit {
        return Err(Refusal::above(format_args!("{what}"), figure, limit));
    }
    Ok(())
}
