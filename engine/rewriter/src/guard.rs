// SPDX-License-Identifier: Apache-2.0
//! The look at a flag, which ends the run once the flag is set.
//!
//! The flag is byte 0 of a memory that is appended to a module. It is the one 64-bit memory there, which validation
//! keeps guests from having: the host knows it by its type, and nothing in the module can name it. The load is atomic, or
//! else the compiler would remove one that an equal load dominates. It traps by `unreachable`, before which the
//! compiler stores the fuel counter, so fuel is exact after a stop.
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemoryType};

/// The memory of the flag.
pub(crate) const MEMORY: MemoryType =
    MemoryType { minimum: 1, maximum: Some(1), memory64: true, shared: false, page_size_log2: None };

/// Writes the look at the flag in the memory of this index.
pub(crate) fn emit(code: &mut InstructionSink, memory_index: u32) {
    code.i64_const(0)
        .i32_atomic_load8_u(MemArg { offset: 0, align: 0, memory_index })
        .if_(BlockType::Empty)
        .unreachable()
        .end();
}

/// The look at the flag as bytes.
pub(crate) fn bytes(memory_index: u32) -> Vec<u8> {
    let mut function = Function::new([]);
    emit(&mut function.instructions(), memory_index);
    function.into_raw_body()[1..].to_vec() // without the count of locals, which is one byte: 0
}
