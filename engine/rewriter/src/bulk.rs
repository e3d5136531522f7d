// SPDX-License-Identifier: Apache-2.0
//! Bulk instructions in chunks.
//!
//! Each different instruction of a module gets a function with the same signature. It checks all bounds first, as the
//! specification demands, then works through the range in a loop. Indices have 32 or 64 bits. `table.grow` fills what it
//! adds, so it is a bulk instruction too. It must not grow a table in part. So it first checks what the table's type
//! allows; and if the memory limit is exceeded on the way, the run ends.
use crate::meter;
use crate::meter::Copy;
use crate::scan::Module;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};
use wasmparser::Operator;

/// An instruction whose constant length is at most this is left unchanged: the compiler inlines short copies.
pub(crate) const LEFT_ALONE: u32 = 4096;

/// The largest piece that is executed at once. It takes tens of microseconds, even if all of it is touched for the
/// first time.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    /// Bytes of memory.
    pub bytes: u32,
    /// Elements of tables.
    pub elements: u32,
}

impl Default for Chunk {
    fn default() -> Chunk {
        Chunk { bytes: 64 << 10, elements: 4 << 10 }
    }
}

/// A bulk instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bulk {
    MemoryFill { memory: u32 },
    MemoryCopy { to: u32, from: u32 },
    MemoryInit { memory: u32, segment: u32 },
    TableFill { table: u32 },
    TableCopy { to: u32, from: u32 },
    TableInit { table: u32, segment: u32 },
    TableGrow { table: u32 },
}

impl Bulk {
    /// The bulk instruction for an operator, if it is one.
    pub fn of(operator: &Operator) -> Option<Bulk> {
        match *operator {
            Operator::MemoryFill { mem } => Some(Bulk::MemoryFill { memory: mem }),
            Operator::MemoryCopy { dst_mem, src_mem } => Some(Bulk::MemoryCopy { to: dst_mem, from: src_mem }),
            Operator::MemoryInit { data_index, mem } => Some(Bulk::MemoryInit { memory: mem, segment: data_index }),
            Operator::TableFill { table } => Some(Bulk::TableFill { table }),
            Operator::TableCopy { dst_table, src_table } => Some(Bulk::TableCopy { to: dst_table, from: src_table }),
            Operator::TableInit { elem_index, table } => Some(Bulk::TableInit { table, segment: elem_index }),
            Operator::TableGrow { table } => Some(Bulk::TableGrow { table }),
            _ => None,
        }
    }

    /// The types of its operands: the destination, unless it grows; the source or the value; the length.
    pub fn parameters(self, module: &Module) -> Vec<ValType> {
        // Every type of a validated table can be written.
        let element = |table: u32| {
            RoundtripReencoder
                .ref_type(module.tables[table as usize].element_type)
                .map_or(ValType::FUNCREF, ValType::Ref)
        };
        let memory = |memory: u32| index_type(module.memories[memory as usize].memory64);
        let table = |table: u32| index_type(module.tables[table as usize].table64);
        match self {
            Bulk::MemoryFill { memory: to } => vec![memory(to), ValType::I32, memory(to)],
            Bulk::MemoryCopy { to, from } => vec![memory(to), memory(from), smaller(memory(to), memory(from))],
            Bulk::MemoryInit { memory: to, .. } => vec![memory(to), ValType::I32, ValType::I32],
            Bulk::TableFill { table: to } => vec![table(to), element(to), table(to)],
            Bulk::TableCopy { to, from } => vec![table(to), table(from), smaller(table(to), table(from))],
            Bulk::TableInit { table: to, .. } => vec![table(to), ValType::I32, ValType::I32],
            Bulk::TableGrow { table: grown } => vec![element(grown), table(grown)],
        }
    }

    pub fn results(self, module: &Module) -> Vec<ValType> {
        match self {
            Bulk::TableGrow { table } => vec![index_type(module.tables[table as usize].table64)],
            _ => vec![],
        }
    }

    fn is_fill(self) -> bool {
        matches!(self, Bulk::MemoryFill { .. } | Bulk::TableFill { .. })
    }

    /// The memory that it writes to, if any.
    fn written(self) -> Option<u32> {
        match self {
            Bulk::MemoryFill { memory } | Bulk::MemoryInit { memory, .. } => Some(memory),
            Bulk::MemoryCopy { to, .. } => Some(to),
            _ => None,
        }
    }

    /// The memory that it reads from, if any.
    fn read(self) -> Option<u32> {
        match self {
            Bulk::MemoryCopy { from, .. } => Some(from),
            _ => None,
        }
    }

    fn may_overlap(self) -> bool {
        match self {
            Bulk::MemoryCopy { to, from } | Bulk::TableCopy { to, from } => to == from,
            _ => false,
        }
    }

    /// What this length costs.
    pub fn cost(self, length: u32) -> u64 {
        u64::from(length >> self.cost_shift())
    }

    fn cost_shift(self) -> u32 {
        if self.written().is_some() {
            meter::BYTES_SHIFT
        } else {
            meter::ELEMENTS_SHIFT
        }
    }

    fn emit(self, code: &mut InstructionSink) {
        match self {
            Bulk::MemoryFill { memory } => code.memory_fill(memory),
            Bulk::MemoryCopy { to, from } => code.memory_copy(to, from),
            Bulk::MemoryInit { memory, segment } => code.memory_init(memory, segment),
            Bulk::TableFill { table } => code.table_fill(table),
            Bulk::TableCopy { to, from } => code.table_copy(to, from),
            Bulk::TableInit { table, segment } => code.table_init(table, segment),
            Bulk::TableGrow { table } => code.table_grow(table),
        };
    }
}

const TO: u32 = 0;
const FROM: u32 = 1;
const LENGTH: u32 = 2;

/// The operands of `table.grow`, and a local for the size before.
const VALUE: u32 = 0;
const MORE: u32 = 1;
const BEFORE: u32 = 2;

/// What is charged at most: a length of 64 bits must not turn the meter's number around.
const CHARGE_MOST: i64 = i64::MAX >> 4;

fn index_type(is_64: bool) -> ValType {
    if is_64 {
        ValType::I64
    } else {
        ValType::I32
    }
}

/// The type of a length that fits both.
fn smaller(one: ValType, other: ValType) -> ValType {
    if one == ValType::I64 {
        other
    } else {
        one
    }
}

/// Instructions for one of the two types of indices.
trait Numbers {
    fn constant(&mut self, kind: ValType, value: u32) -> &mut Self;
    fn add(&mut self, kind: ValType) -> &mut Self;
    fn sub(&mut self, kind: ValType) -> &mut Self;
    fn is_less(&mut self, kind: ValType) -> &mut Self;
    fn is_more(&mut self, kind: ValType) -> &mut Self;
    fn is_at_most(&mut self, kind: ValType) -> &mut Self;
}

impl Numbers for InstructionSink<'_> {
    fn constant(&mut self, kind: ValType, value: u32) -> &mut Self {
        match kind {
            ValType::I64 => self.i64_const(value.into()),
            _ => self.i32_const(value as i32),
        }
    }

    fn add(&mut self, kind: ValType) -> &mut Self {
        if kind == ValType::I64 {
            self.i64_add()
        } else {
            self.i32_add()
        }
    }

    fn sub(&mut self, kind: ValType) -> &mut Self {
        if kind == ValType::I64 {
            self.i64_sub()
        } else {
            self.i32_sub()
        }
    }

    fn is_less(&mut self, kind: ValType) -> &mut Self {
        if kind == ValType::I64 {
            self.i64_lt_u()
        } else {
            self.i32_lt_u()
        }
    }

    fn is_more(&mut self, kind: ValType) -> &mut Self {
        if kind == ValType::I64 {
            self.i64_gt_u()
        } else {
            self.i32_gt_u()
        }
    }

    fn is_at_most(&mut self, kind: ValType) -> &mut Self {
        if kind == ValType::I64 {
            self.i64_le_u()
        } else {
            self.i32_le_u()
        }
    }
}

/// Writes a function that executes a bulk instruction in chunks.
struct Helper<'a> {
    bulk: Bulk,
    /// Of its operands.
    types: Vec<ValType>,
    chunk: u32,
    meter: Option<meter::Writer>,
    code: InstructionSink<'a>,
}

/// The body of the function that does a bulk instruction in chunks.
pub(crate) fn body(bulk: Bulk, chunk: Chunk, module: &Module, meter: Option<meter::Writer>) -> Vec<u8> {
    let types = bulk.parameters(module);
    let locals = if let Bulk::TableGrow { .. } = bulk { vec![(1, types[MORE as usize])] } else { vec![] };
    let mut function = Function::new(locals);
    let size = if bulk.written().is_some() { chunk.bytes } else { chunk.elements };
    let mut helper = Helper { bulk, types, chunk: size, meter, code: function.instructions() };
    if let Bulk::TableGrow { table } = bulk {
        helper.emit_growth(table, module.tables[table as usize].maximum);
        helper.code.end();
        return function.into_raw_body();
    }
    helper.emit_if_at_most_one_chunk();
    helper.emit_bounds_checks();
    if bulk.may_overlap() {
        let kind = helper.kind_of(TO);
        helper.code.local_get(TO).local_get(FROM).is_more(kind).if_(BlockType::Empty);
        helper.emit_downwards();
        helper.code.end();
    }
    helper.emit_upwards();
    helper.code.end();
    function.into_raw_body()
}

impl Helper<'_> {
    fn kind_of(&self, operand: u32) -> ValType {
        self.types[operand as usize]
    }

    /// Charges for a length. A length that does not fit the memory is charged before the instruction traps.
    fn emit_charge(&mut self, push_length: impl FnOnce(&mut InstructionSink)) {
        if let Some(meter) = self.meter {
            let shift = self.bulk.cost_shift();
            meter.emit(&mut self.code, Copy::Nowhere, true, |code| {
                push_length(code);
                code.i64_const(shift.into()).i64_shr_u();
            });
        }
    }

    /// Charges for as much as an operand says.
    fn emit_charge_for(&mut self, operand: u32) {
        let kind = self.kind_of(operand);
        self.emit_charge(|code| {
            code.local_get(operand);
            if kind == ValType::I64 {
                code.i64_const(CHARGE_MOST).local_get(operand).i64_const(CHARGE_MOST).i64_lt_u().select();
            } else {
                code.i64_extend_i32_u();
            }
        });
    }

    /// Executes the remaining length at once.
    fn emit_rest(&mut self) {
        self.emit_charge_for(LENGTH);
        self.code.local_get(TO).local_get(FROM).local_get(LENGTH);
        self.bulk.emit(&mut self.code);
    }

    fn emit_if_at_most_one_chunk(&mut self) {
        let kind = self.kind_of(LENGTH);
        self.code.local_get(LENGTH).constant(kind, self.chunk).is_at_most(kind).if_(BlockType::Empty);
        self.emit_rest();
        self.code.return_().end();
    }

    /// Pushes an address plus the remaining length, minus `less`.
    fn emit_end(&mut self, address: u32, less: u32) {
        let kind = self.kind_of(address);
        self.code.local_get(address).local_get(LENGTH);
        if kind != self.kind_of(LENGTH) {
            self.code.i64_extend_i32_u(); // a length never has more bits than an address
        }
        self.code.add(kind);
        if less != 0 {
            self.code.constant(kind, less).sub(kind);
        }
    }

    fn emit_bounds_checks(&mut self) {
        self.emit_bounds_check(TO, self.bulk.written());
        if !self.bulk.is_fill() {
            self.emit_bounds_check(FROM, self.bulk.read());
        }
    }

    /// Traps as the instruction would if the range that begins at this address is out of bounds. A memory may have 4
    /// GiB, so that the end of a range in it may wrap to 0. Therefore the last byte of the range is read instead. A
    /// table or segment cannot be as large.
    fn emit_bounds_check(&mut self, address: u32, memory: Option<u32>) {
        let less = u32::from(memory.is_some());
        self.emit_end(address, less);
        let kind = self.kind_of(address);
        self.code.local_get(address).is_less(kind).if_(BlockType::Empty);
        self.emit_rest(); // a sum that overflows is out of bounds, so this traps
        self.code.return_().end();
        if let Some(memory_index) = memory {
            self.emit_end(address, less);
            self.code.i32_load8_u(MemArg { offset: 0, align: 0, memory_index }).drop();
        } else {
            self.emit_nothing_at_end(address);
        }
    }

    /// An instruction of length 0 at the end of a range. It traps if the end is out of bounds.
    fn emit_nothing_at_end(&mut self, address: u32) {
        for operand in [TO, FROM] {
            let kind = self.kind_of(operand);
            if operand == address {
                self.emit_end(operand, 0);
            } else if operand == FROM && self.bulk.is_fill() {
                self.code.local_get(FROM);
            } else {
                self.code.constant(kind, 0);
            }
        }
        let kind = self.kind_of(LENGTH);
        self.code.constant(kind, 0);
        self.bulk.emit(&mut self.code);
    }

    fn emit_loop(&mut self) {
        self.code.loop_(BlockType::Empty);
        let chunk = self.chunk;
        self.emit_charge(|code| {
            code.i64_const(chunk.into());
        });
    }

    /// Takes one chunk off what is left by an operand, and leaves that on the stack.
    fn emit_less_left(&mut self, operand: u32) {
        let kind = self.kind_of(operand);
        self.code.local_get(operand).constant(kind, self.chunk).sub(kind).local_tee(operand);
    }

    /// Goes on with the loop while what is on the stack is more than one chunk.
    fn emit_until_rest(&mut self, operand: u32) {
        let kind = self.kind_of(operand);
        self.code.constant(kind, self.chunk).is_more(kind).br_if(0).end();
    }

    /// Copies from the end, so that no byte is overwritten before it was read.
    fn emit_downwards(&mut self) {
        self.emit_loop();
        self.emit_less_left(LENGTH);
        self.code.drop();
        self.emit_end(TO, 0);
        self.emit_end(FROM, 0);
        let kind = self.kind_of(LENGTH);
        self.code.constant(kind, self.chunk);
        self.bulk.emit(&mut self.code);
        self.code.local_get(LENGTH);
        self.emit_until_rest(LENGTH);
        self.emit_rest();
        self.code.return_();
    }

    fn emit_upwards(&mut self) {
        let kind = self.kind_of(LENGTH);
        self.emit_loop();
        self.code.local_get(TO).local_get(FROM).constant(kind, self.chunk);
        self.bulk.emit(&mut self.code);
        self.emit_advance(TO);
        if !self.bulk.is_fill() {
            self.emit_advance(FROM);
        }
        self.emit_less_left(LENGTH);
        self.emit_until_rest(LENGTH);
        self.emit_rest();
    }

    /// Grows a table by all that is left. Pushes the size before, or -1.
    fn emit_rest_of_growth(&mut self, table: u32) {
        self.emit_charge_for(MORE);
        self.code.local_get(VALUE).local_get(MORE).table_grow(table);
    }

    /// Pushes what `table.grow` answers where it fails.
    fn emit_failure(&mut self) {
        match self.kind_of(MORE) {
            ValType::I64 => self.code.i64_const(-1),
            _ => self.code.i32_const(-1),
        };
    }

    /// After a piece of a growth: returns -1 if it failed.
    fn emit_end_if_failed(&mut self) {
        self.emit_failure();
        match self.kind_of(MORE) {
            ValType::I64 => self.code.i64_eq(),
            _ => self.code.i32_eq(),
        };
        self.code.if_(BlockType::Empty);
        self.emit_failure();
        self.code.return_().end();
    }

    fn emit_growth(&mut self, table: u32, maximum: Option<u64>) {
        let kind = self.kind_of(MORE);
        let most = maximum.map_or(u32::MAX, |maximum| u32::try_from(maximum).unwrap_or(u32::MAX));
        self.code.local_get(MORE).constant(kind, self.chunk).is_at_most(kind).if_(BlockType::Empty);
        self.emit_rest_of_growth(table);
        self.code.return_().end();
        self.code.table_size(table).local_set(BEFORE);
        self.code.constant(kind, most).local_get(BEFORE).sub(kind).local_get(MORE).is_less(kind);
        self.code.if_(BlockType::Empty);
        self.emit_failure();
        self.code.return_().end();
        self.emit_loop();
        self.code.local_get(VALUE).constant(kind, self.chunk).table_grow(table);
        self.emit_end_if_failed();
        self.emit_less_left(MORE);
        self.emit_until_rest(MORE);
        self.emit_rest_of_growth(table);
        self.emit_end_if_failed();
        self.code.local_get(BEFORE);
    }

    fn emit_advance(&mut self, address: u32) {
        let kind = self.kind_of(address);
        self.code.local_get(address).constant(kind, self.chunk).add(kind).local_set(address);
    }
}
