// SPDX-License-Identifier: Apache-2.0
//! Counts the work of a program: every block adds the cost of its instructions to one number.
//!
//! The number is at the beginning of a memory with pages of one byte, which is added to the module. Validation keeps guests
//! from having such a memory, the host recognises it by its type, and all modules of a run share it. The number counts up from the value
//! that the host stored there. Once it has wrapped around and is negative, the limit was exceeded.
//!
//! A block is charged as a whole, where it begins. A function and the body of a loop always are. Within them, each
//! piece between two branches that is reached conditionally is charged if it is not small. Small pieces are charged
//! with the block around them, up to `MERGED` of them. Only loops and functions that make calls check the number,
//! because everything that can take long passes one of these.
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, MemoryType};
use wasmparser::{Catch, Operator};

/// The memory of the number.
pub(crate) const MEMORY: MemoryType =
    MemoryType { minimum: 65536, maximum: Some(65536), memory64: true, shared: false, page_size_log2: Some(0) };

/// How much a block may be charged for pieces in it that are not always reached. A smaller value is closer to what was
/// executed, a larger one is cheaper.
const MERGED: u64 = 16;
/// A function with more charges than this keeps a copy of the number. Without a copy, large functions such as those of
/// interpreters would wait for memory. In small functions a copy would be one more value in every loop, to be reloaded
/// after each call.
pub(crate) const WITHOUT_COPY: usize = 8;
/// The cost of entering a function, so that an empty one costs something.
const FUNCTION: u64 = 1;
/// The cost of an instruction that causes work in the host.
const GROWTH: u64 = 500;
/// How many bytes, or elements of tables, of a bulk instruction cost one.
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

/// The function that one of our own guests imports to ask whether its limit was exceeded. Every call of it is replaced
/// by the answer. Such a guest ends by itself, and traps only if it exceeds its limit by `RESERVE`.
pub(crate) const IS_OUT_OF_FUEL: (&str, &str) = ("curfew", "is_out_of_fuel");
const RESERVE: i64 = 200_000;

/// A charge to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// Before the instruction at this offset.
    pub at: usize,
    pub cost: u64,
    /// Whether it checks the limit.
    pub checks: bool,
}

/// A charge, and the part of it that is for pieces that are not always reached.
struct Point {
    charge: Charge,
    merged: u64,
}

/// A piece of code between two branches.
#[derive(Clone, Copy)]
enum Piece {
    /// It has no charge of its own yet. `point` is a charge that is always passed before it.
    Within { point: usize, at: usize, cost: u64 },
    /// It begins with this charge.
    At(usize),
    /// It cannot be reached.
    Dead,
}

/// An open block, loop, or side of an `if`.
struct Open {
    /// The number of the piece around it.
    outer: usize,
    is_block: bool,
    /// Whether a branch leads to its end.
    is_target: bool,
    /// Whether exceptions lead there.
    catches: bool,
}

/// Plans the charges of a function while its instructions are read.
pub(crate) struct Planner {
    points: Vec<Point>,
    /// All pieces that have begun. The last one is being read.
    pieces: Vec<Piece>,
    open: Vec<Open>,
    /// The offsets after instructions that may have changed the number.
    reloads: Vec<usize>,
}

/// The charges of a function in the order of its code, and the offsets where the number must be reloaded.
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

    /// Returns the plan. The function's own charge checks the limit if the function makes calls.
    pub fn finish(mut self, calls: bool) -> Plan {
        self.close();
        self.points[0].charge.checks = calls;
        let charges = self.points.into_iter().map(|point| point.charge).filter(|charge| charge.cost > 0);
        Plan { charges: charges.collect(), reloads: self.reloads }
    }

    /// A call replaces the instruction that ends here.
    pub fn note_call(&mut self, end: usize) {
        self.reloads.push(end);
    }

    /// The call that was read last does not change the number, because the answer replaces it.
    pub fn forget_call(&mut self) {
        self.reloads.pop();
    }

    /// Adds to the cost of the instruction that was read last.
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

    /// The target of a branch. None: it leaves the function.
    fn target(&mut self, depth: u32) -> Option<&mut Open> {
        let index = self.open.len().checked_sub(1 + depth as usize)?;
        let open = &mut self.open[index];
        open.is_target = true;
        Some(open)
    }

    /// The end of a block. If no branch leads to it, the piece continues.
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

    /// Begins a piece that always has its own charge.
    fn begin_charged(&mut self, at: usize, checks: bool) {
        self.pieces.push(Piece::At(self.points.len()));
        self.points.push(Point { charge: Charge { at, cost: 0, checks }, merged: 0 });
    }

    /// Begins a piece that can be reached only through another one, which is closed.
    fn begin_after(&mut self, piece: usize, at: usize) {
        self.pieces.push(match self.pieces[piece] {
            Piece::Within { point, .. } | Piece::At(point) => Piece::Within { point, at, cost: 0 },
            Piece::Dead => Piece::Dead,
        });
    }

    /// Decides where the current piece is charged.
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

/// The label that an exception branches to.
fn label_of(catch: &Catch) -> u32 {
    match catch {
        Catch::One { label, .. } | Catch::OneRef { label, .. } | Catch::All { label } | Catch::AllRef { label } => {
            *label
        }
    }
}

/// Writes charges.
///
/// A function with many charges keeps a copy of the number, so that a charge need not wait for the store of the one
/// before. The stored number is always up to date. The copy is reloaded after everything that may have changed the
/// number.
#[derive(Clone, Copy)]
pub(crate) struct Writer {
    memory_index: u32,
}

/// Where a function keeps a copy of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    Nowhere,
    Local(u32),
}

impl Writer {
    pub fn new(memory_index: u32) -> Writer {
        Writer { memory_index }
    }

    /// Pushes the number from memory.
    fn load<'a, 'b>(&self, code: &'a mut InstructionSink<'b>) -> &'a mut InstructionSink<'b> {
        code.i64_const(0).i64_load(self.place())
    }

    fn place(&self) -> MemArg {
        MemArg { offset: 0, align: 3, memory_index: self.memory_index }
    }

    /// A charge as bytes. At the first one of a function there is no copy yet.
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

    /// Reloads the copy, as bytes.
    pub fn reload(&self, copy: Copy) -> Vec<u8> {
        bytes_of(|code| {
            if let Copy::Local(local) = copy {
                self.load(code).local_set(local);
            }
        })
    }

    /// Adds the value that `push` pushes. If `checks`, it traps when the limit is exceeded.
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
            // The compiler turns this into one conditional jump to the trap.
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
    // Without the number of locals, which is one byte: 0.
    function.into_raw_body()[1..].to_vec()
}
