// SPDX-License-Identifier: Apache-2.0
//! Joins neighbouring data segments. The engine compiles each segment to code, all in one function. A program in Go has
//! 40,000 of them, because its linker leaves out zeros, and they take longer to compile than the rest of it.
use crate::splice::Splice;
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{BinaryReader, ConstExpr, Data, DataKind, DataSectionReader, Operator};

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

fn emit_run(out: &mut Splice, run: Run) {
    out.number(0);
    out.copy(run.offset);
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

/// Writes the content of a data section. The module's memory must be its own, so that it contains zeros before.
pub(crate) fn emit(out: &mut Splice, content: &Range<usize>) {
    let reader = BinaryReader::new(&out.source()[content.clone()], content.start);
    let segments = DataSectionReader::new(reader).expect("it was validated");
    let count = segments.count();
    let mut plan = Plan { items: Vec::new(), written: BTreeMap::new(), overlaps: false };
    for segment in segments {
        plan.add(&segment.expect("it was validated"));
    }
    out.number(count);
    for item in plan.items {
        match item {
            Item::Whole(range) => out.copy(range),
            Item::Run(run) => emit_run(out, run),
        }
    }
}
