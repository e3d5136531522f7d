// SPDX-License-Identifier: Apache-2.0
//! Functions that write the data with which an instance begins. They are called by its start function, and can be
//! interrupted like every function of a guest. They are not metered: initializing memories costs no fuel.
use crate::data::Write;
use crate::scan::Module;
use wasm_encoder::{Function, Instruction, InstructionSink};

/// The maximum number of pieces that one function writes: its compilation stays short.
const PIECES: usize = 200;
const END: u8 = 0x0b;

/// A part of a function's body, and the offset of what it was added for.
pub(crate) struct Part {
    pub bytes: Vec<u8>,
    pub at: Option<usize>,
}

/// A piece of a segment.
struct Piece<'a> {
    write: &'a Write,
    start: u32,
    length: u32,
    is_last: bool,
}

fn pieces(write: &Write, chunk: u32) -> Vec<Piece<'_>> {
    let count = write.length.div_ceil(chunk).max(1); // an empty segment checks its address, too
    (0..count)
        .map(|index| {
            let start = index * chunk;
            Piece { write, start, length: (write.length - start).min(chunk), is_last: index + 1 == count }
        })
        .collect()
}

/// The address cannot wrap: before that, an earlier piece is out of bounds.
fn piece_part(source: &[u8], module: &Module, piece: &Piece) -> Part {
    let write = piece.write;
    let mut bytes = source[write.address.clone()].to_vec();
    let mut code = InstructionSink::new(&mut bytes);
    if piece.start > 0 && module.memories[write.memory as usize].memory64 {
        code.i64_const(piece.start.into()).i64_add();
    } else if piece.start > 0 {
        code.i32_const(piece.start as i32).i32_add();
    }
    code.i32_const(piece.start as i32).i32_const(piece.length as i32);
    code.memory_init(write.memory, write.segment);
    if piece.is_last {
        code.data_drop(write.segment);
    }
    Part { bytes, at: Some(write.address.start) }
}

/// The body of a function that writes some pieces. A stop there shows the offset of the segment, so `Places::find_in` must
/// recognise the function by its beginning.
fn writer(source: &[u8], module: &Module, pieces: &[Piece]) -> Vec<Part> {
    let first = pieces.first().map(|piece| piece.write.address.start);
    let mut parts = vec![Part { bytes: vec![0], at: first }]; // no locals
    parts.extend(pieces.iter().map(|piece| piece_part(source, module, piece)));
    parts.push(Part { bytes: vec![END], at: first });
    parts
}

/// The bodies of the functions that write the segments, and of one that calls them and then the module's own start
/// function. The first of them will have the index `first`.
pub(crate) fn bodies(source: &[u8], module: &Module, writes: &[Write], chunk: u32, first: u32) -> Vec<Vec<Part>> {
    let all: Vec<_> = writes.iter().flat_map(|write| pieces(write, chunk)).collect();
    let mut bodies: Vec<_> = all.chunks(PIECES).map(|pieces| writer(source, module, pieces)).collect();
    let mut start = Function::new([]);
    let writers = first..first + bodies.len() as u32;
    for called in writers.chain(module.start) {
        start.instruction(&Instruction::Call(called));
    }
    start.instructions().end();
    bodies.push(vec![Part { bytes: start.into_raw_body(), at: None }]);
    bodies
}
