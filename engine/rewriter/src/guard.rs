// SPDX-License-Identifier: Apache-2.0
//! Where a program can be stopped: at loops, and at the beginning of functions that call.
//!
//! A guard looks at a memory that is appended to the module. It is the one 64-bit memory there, which validation keeps
//! guests from having: the host knows it by its type, and nothing in the module can name it.
use std::collections::HashMap;
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemoryType};

/// What guards look at.
pub(crate) const MEMORY: MemoryType =
    MemoryType { minimum: 1, maximum: Some(1), memory64: true, shared: false, page_size_log2: None };

/// Different places to load from.
const PLACES: u32 = 65_536;

/// How a guard stops a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It loads a byte and drops it: the host makes the memory unreadable. The cheapest, nothing but a load.
    Fault,
    /// It traps by `unreachable` if byte 0 is not 0. Before that the compiler stores the fuel counter, so that fuel is
    /// exact after a stop. Where fuel is counted it costs next to nothing more.
    Flag,
}

/// Writes the guards of one function at a time.
pub(crate) struct Writer {
    guard: Guard,
    memory_index: u32,
    /// Guards written in this function.
    written: u32,
    /// Guards as bytes, by their place.
    known: HashMap<u32, Vec<u8>>,
}

impl Writer {
    pub fn new(guard: Guard, memory_index: u32) -> Writer {
        Writer { guard, memory_index, written: 0, known: HashMap::new() }
    }

    /// Begins a function.
    pub fn begin(&mut self) {
        self.written = 0;
    }

    /// Where the next guard loads from. The compiler removes a load if an equal one dominates it, unless it is atomic:
    /// so every faulting guard of a function has a place of its own, while there are some.
    fn next_place(&mut self) -> u32 {
        let place = match self.guard {
            Guard::Fault => self.written.min(PLACES),
            Guard::Flag => PLACES,
        };
        self.written += 1;
        place
    }

    /// Writes a guard.
    pub fn emit(&mut self, code: &mut InstructionSink) {
        let place = self.next_place();
        self.emit_at(code, place);
    }

    fn emit_at(&self, code: &mut InstructionSink, place: u32) {
        let at = |offset: u32| MemArg { offset: offset.into(), align: 0, memory_index: self.memory_index };
        code.i64_const(0);
        match place {
            PLACES => code.i32_atomic_load8_u(at(0)),
            place => code.i32_load8_u(at(place)),
        };
        match self.guard {
            Guard::Fault => code.drop(),
            Guard::Flag => code.if_(BlockType::Empty).unreachable().end(),
        };
    }

    /// A guard as bytes.
    pub fn bytes(&mut self) -> &[u8] {
        let place = self.next_place();
        if !self.known.contains_key(&place) {
            let mut function = Function::new([]);
            self.emit_at(&mut function.instructions(), place);
            // Without the count of locals, which is one byte: 0.
            self.known.insert(place, function.into_raw_body()[1..].to_vec());
        }
        &self.known[&place]
    }
}
