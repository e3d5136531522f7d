// SPDX-License-Identifier: Apache-2.0
//! Joins neighbouring data segments. The engine compiles each segment to code, all in one function. A program in Go has
//! 40,000 of them, because its linker leaves out zeros, and they take longer to compile than the rest of it.
//!
//! The engine also copies each segment at once, which nothing can interrupt. So if the instances of a file begin with much
//! data, all active segments become passive, and functions write them in chunks (`begin`).
use crate::splice::Splice;
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{BinaryReader, ConstExpr, Data, DataKind, DataSectionReader, FromReader, Operator};

/// The maximum number of zeros between two segments that are written out.
const GAP: u64 = 64;

/// Segments that follow one another, in the file and in memory.
struct Run {
    /// From the address of its first byte to the address after its last.
    memory: Range<u64>,
    /// The position of the first segment in the file.
    offset: Range<usize>,
    /// The content of each segment, and the number of zeros before it.
    pieces: Vec<(u64, Range<usize>)>,
}

enum Item {
    /// A segment that stays unchanged.
    Whole(Range<usize>),
    Run(Run),
}

/// The plan for a section.
struct Plan {
    items: Vec<Item>,
    /// The addresses that the runs before the last item write: disjoint ranges, as start and end.
    written: BTreeMap<u64, u64>,
    /// Whether a segment overlaps an earlier one. Then the rest stays unchanged.
    overlaps: bool,
}

/// A constant address. None: it is computed at run time.
fn address(offset: &ConstExpr) -> Option<u64> {
    let mut operators = offset.get_operators_reader();
    let address = match operators.read().ok()? {
        Operator::I32Const { value } => u64::from(value as u32),
        Operator::I64Const { value } => value as u64,
        _ => return None,
    };
    matches!(operators.read().ok()?, Operator::End).then_some(address)
}

impl Plan {
    fn is_written(&self, memory: &Range<u64>) -> bool {
        self.written.range(..memory.end).next_back().is_some_and(|(_, &end)| end > memory.start)
    }

    /// Ends the run that was last added to.
    fn end_run(&mut self) {
        if let Some(Item::Run(run)) = self.items.last() {
            self.written.insert(run.memory.start, run.memory.end);
        }
    }

    /// Adds a segment to the run before it. False: it does not belong to one.
    fn extend(&mut self, start: u64, data: &Range<usize>) -> bool {
        let gap = match self.items.last() {
            Some(Item::Run(run)) if start >= run.memory.end && start - run.memory.end <= GAP => run.memory.end..start,
            _ => return false,
        };
        let end = start + data.len() as u64;
        if self.is_written(&(gap.start..end)) {
            return false;
        }
        if let Some(Item::Run(run)) = self.items.last_mut() {
            run.memory.end = end;
            run.pieces.push((start - gap.start, data.clone()));
        }
        true
    }

    fn add(&mut self, segment: &Data) {
        let data = segment.range.end - segment.data.len()..segment.range.end;
        let start = match &segment.kind {
            DataKind::Active { memory_index: 0, offset_expr } if !self.overlaps && !data.is_empty() => {
                address(offset_expr).map(|start| (start, offset_expr.get_binary_reader().range()))
            }
            _ => None,
        };
        let Some((start, offset)) = start.filter(|(start, _)| start.checked_add(data.len() as u64).is_some()) else {
            // The addresses that it writes are unknown.
            self.overlaps |= !matches!(segment.kind, DataKind::Passive) && !data.is_empty();
            self.end_run();
            return self.items.push(Item::Whole(segment.range.clone()));
        };
        if self.extend(start, &data) {
            return;
        }
        self.end_run();
        let memory = start..start + data.len() as u64;
        self.overlaps = self.is_written(&memory);
        self.items.push(if self.overlaps {
            Item::Whole(segment.range.clone())
        } else {
            Item::Run(Run { memory, offset, pieces: vec![(0, data)] })
        });
    }
}

/// An active segment that became passive, and has to be written when its instance begins.
pub(crate) struct Write {
    pub segment: u32,
    pub memory: u32,
    /// The instructions that compute its address, in the file.
    pub address: Range<usize>,
    pub length: u32,
}

/// The instructions of a constant expression, without its end.
fn instructions(expression: &ConstExpr) -> Range<usize> {
    let range = expression.get_binary_reader().range();
    range.start..range.end - 1
}

fn plan(source: &[u8], content: &Range<usize>, memory_is_own: bool) -> (u32, Vec<Item>) {
    let reader = BinaryReader::new(&source[content.clone()], content.start);
    let segments = DataSectionReader::new(reader).expect("it was validated");
    let count = segments.count();
    let mut plan = Plan { items: Vec::new(), written: BTreeMap::new(), overlaps: !memory_is_own };
    for segment in segments {
        plan.add(&segment.expect("it was validated"));
    }
    (count, plan.items)
}

fn segment_at<'a>(source: &'a [u8], range: &Range<usize>) -> Data<'a> {
    Data::from_reader(&mut BinaryReader::new(&source[range.clone()], range.start)).expect("it was validated")
}

/// What the active segments of a data section write, in their order.
pub(crate) fn writes(source: &[u8], content: &Range<usize>, memory_is_own: bool) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut segment = 0;
    for item in plan(source, content, memory_is_own).1 {
        match item {
            Item::Whole(range) => {
                let data = segment_at(source, &range);
                if let DataKind::Active { memory_index, offset_expr } = &data.kind {
                    let length = data.data.len() as u32; // the file's size bounds it
                    writes.push(Write { segment, memory: *memory_index, address: instructions(offset_expr), length });
                }
                segment += 1;
            }
            Item::Run(run) => {
                let address = run.offset.start..run.offset.end - 1;
                let length = (run.memory.end - run.memory.start) as u32;
                writes.push(Write { segment, memory: 0, address, length });
                segment += run.pieces.len() as u32;
            }
        }
    }
    writes
}

fn emit_run(out: &mut Splice, run: Run, as_passive: bool) {
    if as_passive {
        out.number(1);
    } else {
        out.number(0);
        out.copy(run.offset);
    }
    out.number((run.memory.end - run.memory.start) as u32); // the file's size bounds it
    let others = run.pieces.len() - 1;
    for (zeros, data) in run.pieces {
        out.hide(&vec![0; zeros as usize]);
        out.copy(data);
    }
    // The joined segments keep their indices as empty segments, just as an active segment is empty after it was
    // written.
    for _ in 0..others {
        out.hide(&[1, 0]);
    }
}

fn emit_whole(out: &mut Splice, range: Range<usize>, as_passive: bool) {
    let segment = segment_at(out.source(), &range);
    if !as_passive || matches!(segment.kind, DataKind::Passive) {
        return out.copy(range);
    }
    out.number(1);
    out.number(segment.data.len() as u32); // the file's size bounds it
    out.copy(range.end - segment.data.len()..range.end);
}

/// Writes the content of a data section. `memory_is_own`: the module has one memory, which contains zeros before.
/// `as_passive`: every segment becomes passive.
pub(crate) fn emit(out: &mut Splice, content: &Range<usize>, memory_is_own: bool, as_passive: bool) {
    let (count, items) = plan(out.source(), content, memory_is_own);
    out.number(count);
    for item in items {
        match item {
            Item::Whole(range) => emit_whole(out, range, as_passive),
            Item::Run(run) => emit_run(out, run, as_passive),
        }
    }
}
