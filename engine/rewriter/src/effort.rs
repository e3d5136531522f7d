// SPDX-License-Identifier: Apache-2.0
//! Estimates how long a function will take to compile, from its shape, before it is compiled.
//!
//! For ordinary code the time is proportional to the size. Measurements of hostile functions showed what makes it
//! quadratic, so that a few kilobytes take minutes: many jumps, many values that live across many jumps, many values
//! that go around loops, a high operand stack, deep nesting, and many handlers per call. The factors are what Wasmtime
//! 48 took on a machine of 2026 with fuel counted, the slowest flavour. They need to be right only within a factor of a
//! few, since the limits leave that much above real programs.
use wasmparser::Operator;

/// For a function, for a byte of it, and for a call, around which the fuel is stored.
const FUNCTION_NS: u64 = 60_000;
const BYTE_NS: u64 = 200;
const CALL_NS: u64 = 6_000;
/// A charge of the meter is compiled as fast as this many bytes of other code.
const CHARGE_BYTES: u64 = 20;
/// For the square of jumps: 20,000 conditional ones took 1.7 s.
const JUMPS_NS: f64 = 4.0;
/// For the square of values times the jumps they live across: 1,000 values across 4,000 jumps took 4.5 s.
const LIVE_NS: f64 = 0.000_27;
/// For the square of values times the loops they go around: 1,000 values around 100 loops took 2.9 s.
const AROUND_NS: f64 = 0.3;
/// For the square of the operand stack's height: 20,000 took 4.6 s.
const HEIGHT_NS: f64 = 12.0;
/// For the square of nested loops: 900 took 0.4 s. Other blocks nest at no cost.
const NESTED_LOOPS_NS: f64 = 500.0;
/// For the square of calls times the handlers that each has: 100 calls in 500 took 1.4 s.
const HANDLERS_NS: f64 = 0.6;

/// The maximum time that the compiler's optimiser takes for an instruction, measured with functions of 1 MiB that are
/// one chain of it. Real programs need far less, because their chains are short.
const OPTIMISE_SUM_NS: u64 = 48_000;
const OPTIMISE_LOAD_NS: u64 = 9_000;
const OPTIMISE_PRODUCT_NS: u64 = 5_500;
const OPTIMISE_NS: u64 = 1_200;
const OPTIMISE_BITS_NS: u64 = 3_500;

/// How many jumps an indirect call or a table access is compiled to.
const JUMPS_OF_INDIRECT: u64 = 2;

/// The first and last mention of a local, counted in jumps.
#[derive(Clone, Copy)]
struct Mentioned {
    first: u64,
    last: u64,
}

/// An open block.
struct Open {
    is_loop: bool,
    handlers: u64,
    /// The value of `sets` before the block.
    sets: u64,
}

/// The shape of a function, computed while its instructions are read.
pub(crate) struct Effort {
    bytes: u64,
    jumps: u64,
    sets: u64,
    around: u64,
    height: u64,
    /// The values of the operand stack times the jumps that they live across.
    live_on_stack: u64,
    nesting: u64,
    nested_loops: u64,
    calls: u64,
    handlers: u64,
    calls_handled: u64,
    locals: Vec<Option<Mentioned>>,
    open: Vec<Open>,
    loops_open: u64,
    /// Where the outermost open loop begins, and the locals that are mentioned in it. They live throughout the loop.
    loop_start: u64,
    in_loop: Vec<u32>,
    optimise_ns: u64,
}

impl Effort {
    /// A function of this size, with so many locals including its parameters.
    pub fn new(bytes: usize, locals: u32) -> Effort {
        Effort {
            bytes: bytes as u64,
            jumps: 0,
            sets: 0,
            around: 0,
            height: 0,
            live_on_stack: 0,
            nesting: 0,
            nested_loops: 0,
            calls: 0,
            handlers: 0,
            calls_handled: 0,
            locals: vec![None; locals as usize],
            open: Vec::new(),
            loops_open: 0,
            loop_start: 0,
            in_loop: Vec::new(),
            optimise_ns: 0,
        }
    }

    /// Reads an instruction. `height`: of the operand stack after it; `block_values`: how many values a block takes and
    /// gives.
    pub fn read(&mut self, operator: &Operator, height: u32, block_values: u32) {
        self.height = self.height.max(height.into());
        let before = self.jumps;
        self.count(operator, block_values);
        self.optimise_ns += optimise_ns(operator);
        self.live_on_stack += (self.jumps - before) * u64::from(height);
    }

    fn count(&mut self, operator: &Operator, block_values: u32) {
        use Operator::*;
        match operator {
            Loop { .. } => {
                if self.loops_open == 0 {
                    self.loop_start = self.jumps;
                }
                self.loops_open += 1;
                self.nested_loops = self.nested_loops.max(self.loops_open);
                self.around += u64::from(block_values);
                self.begin(true, 0);
            }
            Block { .. } | If { .. } => {
                self.around += u64::from(block_values) / 3;
                self.begin(false, 0);
            }
            TryTable { try_table } => {
                self.around += u64::from(block_values) / 3;
                self.begin(false, try_table.catches.len() as u64);
            }
            End => self.end(),
            Else | Br { .. } | BrIf { .. } | BrOnNull { .. } | BrOnNonNull { .. } => self.jumps += 1,
            BrTable { targets } => self.jumps += 1 + u64::from(targets.len()) / 8,
            Call { .. } => self.call(),
            CallIndirect { .. } | CallRef { .. } => {
                self.call();
                self.jumps += JUMPS_OF_INDIRECT;
            }
            ReturnCallIndirect { .. } | TableGet { .. } | TableSet { .. } => self.jumps += JUMPS_OF_INDIRECT,
            LocalGet { local_index } => self.mention(*local_index),
            LocalSet { local_index } | LocalTee { local_index } => {
                self.sets += 1;
                self.mention(*local_index);
            }
            _ => {}
        }
    }

    fn call(&mut self) {
        self.calls += 1;
        self.calls_handled += self.handlers;
    }

    fn begin(&mut self, is_loop: bool, handlers: u64) {
        self.jumps += 1;
        self.handlers += handlers;
        self.open.push(Open { is_loop, handlers, sets: self.sets });
        self.nesting = self.nesting.max(self.open.len() as u64);
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.handlers -= open.handlers;
        if open.is_loop {
            self.around += (self.sets - open.sets).min(self.locals.len() as u64);
            self.loops_open -= 1;
            if self.loops_open == 0 {
                self.end_outermost_loop();
            }
        }
    }

    fn end_outermost_loop(&mut self) {
        for local in std::mem::take(&mut self.in_loop) {
            if let Some(mentioned) = &mut self.locals[local as usize] {
                mentioned.first = mentioned.first.min(self.loop_start);
                mentioned.last = self.jumps;
            }
        }
    }

    fn mention(&mut self, local: u32) {
        let here = self.jumps;
        let Some(slot) = self.locals.get_mut(local as usize) else { return };
        // Within the loop, `jumps` is greater than at its start.
        if self.loops_open > 0 && slot.is_none_or(|mentioned| mentioned.last <= self.loop_start) {
            self.in_loop.push(local);
        }
        slot.get_or_insert(Mentioned { first: here, last: here }).last = here;
    }

    /// Adds a number of charges of the meter.
    pub fn add_charges(&mut self, count: usize) {
        self.bytes += count as u64 * CHARGE_BYTES;
    }

    /// How deep blocks are nested.
    pub fn nesting(&self) -> u64 {
        self.nesting
    }

    /// The maximum additional time for optimising, in nanoseconds.
    pub fn optimise_ns(&self) -> u64 {
        self.optimise_ns
    }

    /// The estimate, in nanoseconds.
    pub fn nanoseconds(&self) -> u64 {
        let live_in_locals: u64 = self.locals.iter().flatten().map(|local| local.last - local.first).sum();
        let live = live_in_locals + self.live_on_stack;
        let squares = [
            (self.jumps, JUMPS_NS),
            (live, LIVE_NS),
            (self.around, AROUND_NS),
            (self.height, HEIGHT_NS),
            (self.nested_loops, NESTED_LOOPS_NS),
            (self.calls_handled, HANDLERS_NS),
        ];
        let quadratic: f64 = squares.into_iter().map(|(figure, factor)| factor * (figure as f64).powi(2)).sum();
        FUNCTION_NS + BYTE_NS * self.bytes + CALL_NS * self.calls + quadratic as u64
    }
}

fn optimise_ns(operator: &Operator) -> u64 {
    use Operator::*;
    match operator {
        I32Add | I32Sub | I64Add | I64Sub => OPTIMISE_SUM_NS,
        I32Mul | I64Mul => OPTIMISE_PRODUCT_NS,
        I32And | I32Or | I64And | I64Or => OPTIMISE_BITS_NS,
        I32Load { .. }
        | I64Load { .. }
        | I32Load8U { .. }
        | I32Load8S { .. }
        | I32Load16U { .. }
        | I32Load16S { .. } => OPTIMISE_LOAD_NS,
        LocalGet { .. } | LocalSet { .. } | LocalTee { .. } | I32Const { .. } | I64Const { .. } | End | Drop => 0,
        _ => OPTIMISE_NS,
    }
}
