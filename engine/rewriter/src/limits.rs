// SPDX-License-Identifier: Apache-2.0
//! What a file may be: the features that guests have, and figures that keep its compilation short.
use crate::Refusal;
use wasmparser::WasmFeatures;

/// What the engine has for guests: Wasmtime's defaults less threads, 64-bit and more than one memory, and collected
/// objects. Rewritten modules need threads (atomic loads), 64-bit memories and several memories besides.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::COMPONENT_MODEL)
    .difference(WasmFeatures::THREADS)
    .difference(WasmFeatures::MEMORY64)
    .difference(WasmFeatures::MULTI_MEMORY)
    .difference(WasmFeatures::GC);

pub(crate) const FILE_BYTES: u64 = 64 << 20;
pub(crate) const FUNCTIONS: u64 = 100_000;
pub(crate) const FUNCTION_BYTES: u64 = 1 << 20;
pub(crate) const FUNCTION_LOCALS: u64 = 10_000;
pub(crate) const FUNCTION_BLOCKS: u64 = 20_000;
pub(crate) const FUNCTION_LOOPS: u64 = 2_000;
pub(crate) const FUNCTION_BRANCHES: u64 = 100_000;
pub(crate) const NESTING: u64 = 1_000;
pub(crate) const TYPES: u64 = 100_000;
pub(crate) const SEGMENTS: u64 = 100_000;
pub(crate) const BULK_INSTRUCTIONS: u64 = 1_000;
pub(crate) const COMPONENT_DEPTH: u64 = 100;
pub(crate) const COMPONENTS: u64 = 1_000;
pub(crate) const COMPONENT_INSTANCES: u64 = 1_000;
pub(crate) const COMPONENT_DEFINITIONS: u64 = 1_000_000;

/// Refuses a figure above its limit.
pub(crate) fn check(what: &str, figure: u64, limit: u64) -> Result<(), Refusal> {
    if figure > limit {
        return Err(Refusal::above(format_args!("{what}"), figure, limit));
    }
    Ok(())
}
