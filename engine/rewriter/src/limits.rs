// SPDX-License-Identifier: Apache-2.0
//! What a file may be: the features that guests have, and figures that keep its compilation short.
use crate::Refusal;
use wasmparser::WasmFeatures;

/// What the engine has for guests: Wasmtime's defaults less threads, 64-bit memories, and collected objects. Metered
/// modules need 64-bit memories besides.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::COMPONENT_MODEL)
    .difference(WasmFeatures::THREADS)
    .difference(WasmFeatures::MEMORY64)
    .difference(WasmFeatures::GC);

/// Large programs of C++, Rust or Go have 10 to 30 MiB.
pub(crate) const FILE_BYTES: u64 = 64 << 20;
/// A small function takes 30 to 110 us, most if it calls and is exported. A program of 20 MiB has some 50,000.
pub(crate) const FUNCTIONS: u64 = 100_000;
/// A MiB of straight code takes 0.2 to 0.6 s. The main loops of large interpreters have 200 KiB.
pub(crate) const FUNCTION_BYTES: u64 = 1 << 20;
/// 10,000 take 30 ms by themselves, but they are a factor of what the estimate bounds.
pub(crate) const FUNCTION_LOCALS: u64 = 10_000;
/// A million in tables of 1,000 take 60 ms. They stand for code that the tables' sizes do not show.
pub(crate) const FUNCTION_BRANCHES: u64 = 1_000_000;
/// 10,000 take 30 ms. Compilers of switches nest as many blocks as there are cases.
pub(crate) const NESTING: u64 = 10_000;
/// What `effort` estimates: 22,000 jumps, or 1,000 values across 2,700. Measured times lie within three times of it.
pub(crate) const FUNCTION_MS: u64 = 2_000;
/// The same for all functions: a program of 20 MiB with 50,000 functions and a million calls comes to 13 s.
pub(crate) const FILE_MS: u64 = 20_000;
/// They cost memory only: a hundred bytes and more each.
pub(crate) const TYPES: u64 = 100_000;
/// As wasmparser has it.
pub(crate) const SEGMENTS: u64 = 100_000;
/// 5 us each in segments of functions: 1 s.
pub(crate) const ELEMENTS: u64 = 200_000;
/// Each is a function of 200 bytes: 0.2 s.
pub(crate) const BULK_INSTRUCTIONS: u64 = 1_000;
/// Reading recurses.
pub(crate) const COMPONENT_DEPTH: u64 = 100;
pub(crate) const COMPONENTS: u64 = 1_000;
/// Instances of instances double with every level; linking recurses.
pub(crate) const COMPONENT_INSTANCES: u64 = 1_000;
/// What the instances consist of.
pub(crate) const COMPONENT_DEFINITIONS: u64 = 1_000_000;

/// Refuses a figure above its limit.
pub(crate) fn check(what: &str, figure: u64, limit: u64) -> Result<(), Refusal> {
    if figure > limit {
        return Err(Refusal::above(format_args!("{what}"), figure, limit));
    }
    Ok(())
}
