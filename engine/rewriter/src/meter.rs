// SPDX-License-Identifier: Apache-2.0
//! What a program does, counted: every block adds what its instructions cost to one number.
//!
//! The number stands at the beginning of a memory that is appended to the module, a 64-bit memory:
//! validation keeps guests from having one, the host knows it by its type, and gives all modules of a run the same. It
//! counts up from what the host wrote there, and below zero means that the limit was passed.
//!
//! A block is charged as a whole, where it begins: a function and a loop's body always, and of what stands in them, each
//! piece between two branches that is reached on a condition and is not small. Small pieces are charged with the block
//! that they stand in, up to `MERGED` of them. Only loops and functions that call look whether the number is below
//! zero: everything that can take long passes one of them.
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemoryType};
use wasmparser::{Catch, Operator};

/// Where it is counted.
pub(crate) const MEMORY: MemoryType =
    MemoryType { minimum: 1, maximum: Some(1), memory64: true, shared: false, page_size_log2: None };

/// What a block may be charged for pieces in it that are not always reached. The smaller, the closer to what was
/// executed; the larger, the cheaper to count.
const MERGED: u64 = 16;
/// A function with more charges than these has a copy of the number. Large ones, as of interpreters, wait for memory
/// without it; in small ones it is one value more in every loop, and to be read again after calls.
pub(crate) const WITHOUT_COPY: usize = 8;
/// What entering a function costs besides its instructions, so that an empty one costs something.
const FUNCTION: u64 = 1;
/// What an instruction costs that makes the host do something.
const GROWTH: u64 = 500;
/// Bytes, and elements of tables, of bulk instructions that cost one.
pub(crate) const BYTES_SHIFT: u32 = 4;
pub(crate) const ELEMENTS_SHIFT: u32 = 1;

/// What an instruction costs.
fn cost_of(operator: &Operator) -> u64 {
    use Operator::*;
    match operator {
        Nop | Block { .. } | Loop { .. } | TryTable { .. } | Else | End | Drop | Return | Unreachable => 0,
        MemoryGrow { .. } | TableGrow { .. } => GROWTH,
        _ => 1,
    }
}

/// A function that a guest of ours imports to ask whether its limit was passed; the answer is put in the place of every
/// call of it. Such a guest ends by itself, and traps only `RESERVE` beyond its limit.
pub(crate) const IS_OUT_OF_FUEL: (&str, &str) = ("curfew", "is_out_of_fuel");
const RESERVE: i64 = 200_000;

/// A charge to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// Before what stands at this offset.
    pub at: usize,
    pub cost: u64,
    /// Whether the limit is looked at.
    pub checks: bool,
}

/// A charge and how much of it is for pieces that are not always reached.
struct Point {
    charge: Charge,
    merged: u64,
}

/// A piece of code between two branches.
#[derive(Clone, Copy)]
enum Piece {
    /// It is read, or was: this charge is always passed before it, and it has not got one of its own yet.
    Within { point: usize, at: usize, cost: u64 },
    /// It begins with this charge.
    At(usize),
    /// It cannot be reached.
    Dead,
}

/// A block, loop, or one of the two sides of an `if` that is open.
struct Open {
    /// The piece that it stands in, by its number.
    outer: usize,
    is_block: bool,
    /// Whether something branches to its end.
    is_target: bool,
    /// Whether exceptions do.
    catches: bool,
}

/// Plans the charges of a function as its instructions are read.
pub(crate) struct Planner {
    points: Vec<Point>,
    /// All that were begun; the last one is being read.
    pieces: Vec<Piece>,
    open: Vec<Open>,
    /// Behind what may have added to the number besides.
    reloads: Vec<usize>,
}

/// The charges of a function in the order of its code, and where their number is to be read again.
pub(crate) struct Plan {
    pub charges: Vec<Charge>,
    pub reloads: Vec<usize>,
}

impl Planner {
    /// A function whose instructions begin at this offset.
    pub fn new(start: usize) -> Planner {
        let mut planner = Planner { points: Vec::new(), pieces: Vec::new(), open: Vec::new(), reloads: Vec::new() };
        planner.begin_charged(start, false);
        planner.charge(FUNCTION);
        planner
    }

    /// Reads an instruction that ends at this offset.
    pub fn read(&mut self, operator: &Operator, end: usize) {
        use Operator::{
            Block, Br, BrIf, BrOnNonNull, BrOnNull, BrTable, Call, CallIndirect, CallRef, Else, End, If, Loop, Return,
            ReturnCall, ReturnCallIndirect, ReturnCallRef, Throw, ThrowRef, TryTable, Unreachable,
        };
        self.charge(cost_of(operator));
        match operator {
            Block { .. } => self.open(true),
            TryTable { try_table } => {
                for catch in &try_table.catches {
                    if let Some(open) = self.target(label_of(catch)) {
                        open.catches = true;
                    }
                }
                self.open(true);
            }
            Loop { .. } => {
                self.close();
                self.open(false);
                self.begin_charged(end, true);
            }
            If { .. } => {
                self.close();
                self.open(false);
                self.begin_after(self.pieces.len() - 1, end);
            }
            Else => {
                self.close();
                let outer = self.open.last().map_or(0, |open| open.outer);
                self.begin_after(outer, end);
            }
            End => self.end(end),
            BrIf { relative_depth } | BrOnNull { relative_depth } | BrOnNonNull { relative_depth } => {
                self.target(*relative_depth);
                self.close();
                self.begin_after(self.pieces.len() - 1, end);
            }
            Br { relative_depth } => {
                self.target(*relative_depth);
                self.leave();
            }
            BrTable { targets } => {
                for target in targets.targets().flatten().chain([targets.default()]) {
                    self.target(target);
                }
                self.leave();
            }
            Return | Unreachable | Throw { .. } | ThrowRef => self.leave(),
            ReturnCall { .. } | ReturnCallIndirect { .. } | ReturnCallRef { .. } => self.leave(),
            Call { .. } | CallIndirect { .. } | CallRef { .. } => self.reloads.push(end),
            _ => {}
        }
    }

    /// What is to be written; the function's own charge looks at the limit if it calls.
    pub fn finish(mut self, calls: bool) -> Plan {
        self.close();
        self.points[0].charge.checks = calls;
        let charges = self.points.into_iter().map(|point| point.charge).filter(|charge| charge.cost > 0);
        Plan { charges: charges.collect(), reloads: self.reloads }
    }

    /// A call was put in the place of the instruction that ends here.
    pub fn note_call(&mut self, end: usize) {
        self.reloads.push(end);
    }

    /// The call that was read last adds to nothing: an answer takes its place.
    pub fn forget_call(&mut self) {
        self.reloads.pop();
    }

    /// What is added for the instruction that was read last.
    pub fn charge(&mut self, more: u64) {
        match self.pieces.last_mut() {
            Some(Piece::Within { cost, .. }) => *cost += more,
            Some(Piece::At(point)) => self.points[*point].charge.cost += more,
            _ => {}
        }
    }

    fn open(&mut self, is_block: bool) {
        self.open.push(Open { outer: self.pieces.len() - 1, is_block, is_target: false, catches: false });
    }

    /// What something branches to; None: out of the function.
    fn target(&mut self, depth: u32) -> Option<&mut Open> {
        let index = self.open.len().checked_sub(1 + depth as usize)?;
        let open = &mut self.open[index];
        open.is_target = true;
        Some(open)
    }

    /// The end of a block that nothing branches to is no end of a piece: what follows comes straight after.
    fn end(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        if !open.is_block || open.is_target {
            self.close();
            self.begin_after(open.outer, end);
        }
        if open.catches {
            self.reloads.push(end);
        }
    }

    fn leave(&mut self) {
        self.close();
        self.pieces.push(Piece::Dead);
    }

    /// Begins a piece that is always charged for itself.
    fn begin_charged(&mut self, at: usize, checks: bool) {
        self.pieces.push(Piece::At(self.points.len()));
        self.points.push(Point { charge: Charge { at, cost: 0, checks }, merged: 0 });
    }

    /// Begins a piece that is reached only by way of another one, which was closed.
    fn begin_after(&mut self, piece: usize, at: usize) {
        self.pieces.push(match self.pieces[piece] {
            Piece::Within { point, .. } | Piece::At(point) => Piece::Within { point, at, cost: 0 },
            Piece::Dead => Piece::Dead,
        });
    }

    /// Decides where the piece that was read is charged.
    fn close(&mut self) {
        let index = self.pieces.len() - 1;
        let Piece::Within { point, at, cost } = self.pieces[index] else { return };
        let merges = self.points[point].merged + cost <= MERGED;
        if merges {
            self.points[point].merged += cost;
            self.points[point].charge.cost += cost;
            self.pieces[index] = Piece::Within { point, at, cost: 0 };
        } else {
            self.pieces[index] = Piece::At(self.points.len());
            self.points.push(Point { charge: Charge { at, cost, checks: false }, merged: 0 });
        }
    }
}

/// Where an exception goes.
fn label_of(catch: &Catch) -> u32 {
    match catch {
        Catch::One { label, .. } | Catch::OneRef { label, .. } | Catch::All { label } | Catch::AllRef { label } => {
            *label
        }
    }
}

/// Writes charges.
///
/// A function with many has a copy of the number, so that one charge need not wait for the other's store; what is stored
/// is right at every instant. The copy is read again after whatever else may have added to the number.
#[derive(Clone, Copy)]
pub(crate) struct Writer {
    memory_index: u32,
}

/// Where a function has the number besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    Nowhere,
    Local(u32),
}

impl Writer {
    pub fn new(memory_index: u32) -> Writer {
        Writer { memory_index }
    }

    /// Pushes the number from where it stands.
    fn load<'a, 'b>(&self, code: &'a mut InstructionSink<'b>) -> &'a mut InstructionSink<'b> {
        code.i64_const(0).i64_load(self.place())
    }

    fn place(&self) -> MemArg {
        MemArg { offset: 0, align: 3, memory_index: self.memory_index }
    }

    /// A charge as bytes; the first of a function has no copy yet.
    pub fn charge(&self, charge: Charge, copy: Copy, is_first: bool) -> Vec<u8> {
        bytes_of(|code| {
            if let (Copy::Local(local), true) = (copy, is_first) {
                self.load(code).local_set(local);
            }
            self.emit(code, copy, charge.checks, |code| {
                code.i64_const(charge.cost as i64);
            });
        })
    }

    /// Reads the number again, as bytes.
    pub fn reload(&self, copy: Copy) -> Vec<u8> {
        bytes_of(|code| {
            if let Copy::Local(local) = copy {
                self.load(code).local_set(local);
            }
        })
    }

    /// Adds what `push` leaves on the stack, and traps if that passes the limit and is to be looked at.
    pub fn emit(&self, code: &mut InstructionSink, copy: Copy, checks: bool, push: impl FnOnce(&mut InstructionSink)) {
        code.i64_const(0);
        self.push(code, copy);
        push(code);
        code.i64_add();
        if let Copy::Local(local) = copy {
            code.local_tee(local);
        }
        code.i64_store(self.place());
        if checks {
            self.push(code, copy);
            // The compiler makes one conditional jump to the trap of this.
            code.i64_const(0).i64_lt_s().if_(BlockType::Empty).unreachable().end();
        }
    }

    /// Whether less than the reserve is left, as bytes.
    pub fn is_out_of_fuel(&self, copy: Copy) -> Vec<u8> {
        bytes_of(|code| {
            self.push(code, copy);
            code.i64_const(i64::MAX - RESERVE).i64_gt_s();
        })
    }

    fn push(&self, code: &mut InstructionSink, copy: Copy) {
        match copy {
            Copy::Nowhere => self.load(code),
            Copy::Local(local) => code.local_get(local),
        };
    }
}

fn bytes_of(write: impl FnOnce(&mut InstructionSink)) -> Vec<u8> {
    let mut function = Function::new([]);
    write(&mut function.instructions());
    // Without the count of locals, which is one byte: 0.
    function.into_raw_body()[1..].to_vec()
}
