// SPDX-License-Identifier: Apache-2.0
//! Bulk instructions in chunks.
//!
//! Each different instruction of a module gets a function with the same signature. It checks all bounds first, as the
//! specification demands, then works through the range in a loop. Guests have only 32-bit indices. `table.grow` fills
//! what it adds, so it is a bulk instruction too. It must not grow a table in part. So it first checks what the table's
//! type allows; and if the memory limit is exceeded on the way, the run ends.
use crate::meter;
use crate::meter::Copy;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};
use wasmparser::{Operator, TableType};

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
    pub fn parameters(self, tables: &[TableType]) -> Vec<ValType> {
        // Every type of a validated table can be written.
        let element = |table: u32| {
            RoundtripReencoder.ref_type(tables[table as usize].element_type).map_or(ValType::FUNCREF, ValType::Ref)
        };
        match self {
            Bulk::TableFill { table } => vec![ValType::I32, element(table), ValType::I32],
            Bulk::TableGrow { table } => vec![element(table), ValType::I32],
            _ => vec![ValType::I32; 3],
        }
    }

    pub fn results(self) -> &'static [ValType] {
        match self {
            Bulk::TableGrow { .. } => &[ValType::I32],
            _ => &[],
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

/// Writes a function that executes a bulk instruction in chunks.
struct Helper<'a> {
    bulk: Bulk,
    chunk: i32,
    meter: Option<meter::Writer>,
    code: InstructionSink<'a>,
}

/// The body of the function that executes a bulk instruction in chunks, in a module with these tables.
pub(crate) fn body(bulk: Bulk, chunk: Chunk, tables: &[TableType], meter: Option<meter::Writer>) -> Vec<u8> {
    let locals = if let Bulk::TableGrow { .. } = bulk { vec![(1, ValType::I32)] } else { vec![] };
    let mut function = Function::new(locals);
    let size = if bulk.written().is_some() { chunk.bytes } else { chunk.elements };
    let mut helper = Helper { bulk, chunk: size as i32, meter, code: function.instructions() };
    if let Bulk::TableGrow { table } = bulk {
        helper.emit_growth(table, tables[table as usize].maximum);
        helper.code.end();
        return function.into_raw_body();
    }
    helper.emit_if_at_most_one_chunk();
    helper.emit_bounds_checks();
    if bulk.may_overlap() {
        helper.code.local_get(TO).local_get(FROM).i32_gt_u().if_(BlockType::Empty);
        helper.emit_downwards();
        helper.code.end();
    }
    helper.emit_upwards();
    helper.code.end();
    function.into_raw_body()
}

impl Helper<'_> {
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

    /// Executes the remaining length at once.
    fn emit_rest(&mut self) {
        self.emit_charge(|code| {
            code.local_get(LENGTH).i64_extend_i32_u();
        });
        self.code.local_get(TO).local_get(FROM).local_get(LENGTH);
        self.bulk.emit(&mut self.code);
    }

    fn emit_if_at_most_one_chunk(&mut self) {
        self.code.local_get(LENGTH).i32_const(self.chunk).i32_le_u().if_(BlockType::Empty);
        self.emit_rest();
        self.code.return_().end();
    }

    /// Pushes an address plus the remaining length, minus `less`.
    fn emit_end(&mut self, address: u32, less: i32) {
        self.code.local_get(address).local_get(LENGTH).i32_add();
        if less != 0 {
            self.code.i32_const(less).i32_sub();
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
        let less = i32::from(memory.is_some());
        self.emit_end(address, less);
        self.code.local_get(address).i32_lt_u().if_(BlockType::Empty);
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
            if operand == address {
                self.emit_end(operand, 0);
            } else if operand == FROM && self.bulk.is_fill() {
                self.code.local_get(FROM);
            } else {
                self.code.i32_const(0);
            }
        }
        self.code.i32_const(0);
        self.bulk.emit(&mut self.code);
    }

    fn emit_loop(&mut self) {
        self.code.loop_(BlockType::Empty);
        let chunk = self.chunk;
        self.emit_charge(|code| {
            code.i64_const(chunk.into());
        });
    }

    /// Subtracts one chunk from the remaining length.
    fn emit_less_left(&mut self) {
        self.code.local_get(LENGTH).i32_const(self.chunk).i32_sub().local_set(LENGTH);
    }

    /// Continues the loop while more than one chunk is left, then executes the rest.
    fn emit_until_rest(&mut self) {
        self.code.local_get(LENGTH).i32_const(self.chunk).i32_gt_u().br_if(0).end();
        self.emit_rest();
    }

    /// Copies from the end, so that no byte is overwritten before it was read.
    fn emit_downwards(&mut self) {
        self.emit_loop();
        self.emit_less_left();
        self.emit_end(TO, 0);
        self.emit_end(FROM, 0);
        self.code.i32_const(self.chunk);
        self.bulk.emit(&mut self.code);
        self.emit_until_rest();
        self.code.return_();
    }

    fn emit_upwards(&mut self) {
        self.emit_loop();
        self.code.local_get(TO).local_get(FROM).i32_const(self.chunk);
        self.bulk.emit(&mut self.code);
        self.emit_advance(TO);
        if !self.bulk.is_fill() {
            self.emit_advance(FROM);
        }
        self.emit_less_left();
        self.emit_until_rest();
    }

    /// Grows a table by all that is left. Pushes the size before, or -1.
    fn emit_rest_of_growth(&mut self, table: u32) {
        self.emit_charge(|code| {
            code.local_get(MORE).i64_extend_i32_u();
        });
        self.code.local_get(VALUE).local_get(MORE).table_grow(table);
    }

    /// After a piece of a growth: returns -1 if it failed.
    fn emit_end_if_failed(&mut self) {
        self.code.i32_const(-1).i32_eq().if_(BlockType::Empty).i32_const(-1).return_().end();
    }

    fn emit_growth(&mut self, table: u32, maximum: Option<u64>) {
        let most = maximum.map_or(u32::MAX, |maximum| u32::try_from(maximum).unwrap_or(u32::MAX));
        self.code.local_get(MORE).i32_const(self.chunk).i32_le_u().if_(BlockType::Empty);
        self.emit_rest_of_growth(table);
        self.code.return_().end();
        self.code.table_size(table).local_set(BEFORE);
        self.code.i32_const(most as i32).local_get(BEFORE).i32_sub().local_get(MORE).i32_lt_u();
        self.code.if_(BlockType::Empty).i32_const(-1).return_().end();
        self.emit_loop();
        self.code.local_get(VALUE).i32_const(self.chunk).table_grow(table);
        self.emit_end_if_failed();
        self.code.local_get(MORE).i32_const(self.chunk).i32_sub().local_tee(MORE);
        self.code.i32_const(self.chunk).i32_gt_u().br_if(0).end();
        self.emit_rest_of_growth(table);
        self.emit_end_if_failed();
        self.code.local_get(BEFORE);
    }

    fn emit_advance(&mut self, address: u32) {
        self.code.local_get(address).i32_const(self.chunk).i32_add().local_set(address);
    }
}
