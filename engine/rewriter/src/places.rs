// SPDX-License-Identifier: Apache-2.0
//! Leads from offsets in a rewritten file back to what its author wrote. It is a table of plain lists, made once when
//! the file is compiled, so that nothing of the file has to be read when its program is stopped.
//!
//! The table consists of 32-bit words in the machine's byte order: a head, runs of rewritten bytes, functions, rows of
//! the line table, inlined calls, and texts. Each list is sorted by its first word. A lookup takes a few steps and
//! never fails: whatever is missing is unknown.
use crate::lines::{self, Budget, Row, Scope};
use crate::names::{demangle, exported_names, function_names};
use crate::scan::Binary;
use crate::splice::Origin;
use crate::texts::{Text, Texts, NONE};
use std::ops::Range;
use wasm_encoder::SectionId;

/// "CFP1"
const MAGIC: u32 = 0x3150_4643;
const HEAD_WORDS: usize = 8;
/// The number of words of an item of each list.
const RUN: usize = 2;
const FUNCTION: usize = 4;
const ROW: usize = 5;
const SCOPE: usize = 7;
/// A flag of an origin: the bytes were added because of what is at that offset, and not copied from there.
const ADDED: u32 = 1 << 31;
/// The origin of bytes that correspond to nothing in the file.
const HIDDEN: u32 = u32::MAX;

/// A place in the file that was rewritten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location<'a> {
    /// The code was added by the rewriter: a function that executes a bulk instruction.
    pub hidden: bool,
    /// The offset in the file as its author wrote it.
    pub offset: usize,
    /// The index of the function in its module, if the offset is in a function.
    pub index: Option<u32>,
    /// The function's name in the source, or else the name that it is exported by.
    pub function: Option<&'a [u8]>,
    /// The source file.
    pub file: Option<&'a [u8]>,
    /// Counts from 1. 0: unknown.
    pub line: u32,
    /// Counts from 1. 0: unknown.
    pub column: u32,
}

/// Makes the table of a file that was read, and rewritten as these runs.
pub(crate) fn write(wasm: &[u8], root: &Binary, runs: &[(usize, Origin)]) -> Vec<u8> {
    let mut writer = Writer {
        texts: Texts::new(),
        budget: Budget::new(),
        functions: Vec::new(),
        rows: Vec::new(),
        scopes: Vec::new(),
        modules: 0,
        is_cut: false,
    };
    for module in root.modules() {
        writer.add_module(wasm, module);
    }
    writer.finish(runs)
}

struct Writer {
    texts: Texts,
    budget: Budget,
    functions: Vec<[u32; FUNCTION]>,
    rows: Vec<Row>,
    scopes: Vec<Scope>,
    modules: u32,
    is_cut: bool,
}

impl Writer {
    fn add_module(&mut self, wasm: &[u8], module: &Binary) {
        self.modules += 1;
        let content = |id: SectionId| {
            module.sections.iter().find(|section| section.id == id as u8).map(|section| section.content.clone())
        };
        let Some(code) = content(SectionId::Code) else { return };
        let exports = content(SectionId::Export).map_or(&[][..], |exports| &wasm[exports]);
        let custom = |name: &str| {
            let found = module.sections.iter().flat_map(|section| &section.custom).find(|custom| custom.name == name);
            found.map_or(&[][..], |custom| &wasm[custom.data.clone()])
        };
        let bodies: Vec<_> = module.module.bodies.iter().map(|body| body.range.clone()).collect();
        self.add_functions(module.module.imported(), &bodies, custom("name"), exports);
        let lines = lines::read(custom, code.len() as u32, &mut self.texts, &mut self.budget);
        self.is_cut |= lines.is_cut;
        self.add_lines(lines, code.start as u32);
    }

    fn add_functions(&mut self, imported: u32, bodies: &[Range<usize>], names: &[u8], exports: &[u8]) {
        let indices = imported..imported + bodies.len() as u32;
        // Each is read in one pass, which costs less than validating it did.
        let names = function_names(names, indices.clone());
        let exported = exported_names(exports, indices.clone());
        for (index, body) in indices.zip(bodies) {
            let name = names.get(&index).or_else(|| exported.get(&index));
            let text = name.map_or(NONE, |name| self.add_name(name));
            self.functions.push([body.start as u32, body.end as u32, index, text]);
        }
    }

    fn add_name(&mut self, name: &str) -> Text {
        match self.budget.spend(8 * name.len().min(crate::names::NAME_BYTES)) {
            Ok(()) => self.texts.add(&demangle(name)),
            Err(_) => NONE,
        }
    }

    /// Addresses in DWARF count from the beginning of the code section.
    fn add_lines(&mut self, lines: lines::Lines, code_start: u32) {
        let first = self.scopes.len() as u32;
        let rows = lines.rows.into_iter();
        self.rows.extend(rows.map(|row| Row { start: row.start + code_start, end: row.end + code_start, ..row }));
        self.scopes.extend(lines.scopes.into_iter().map(|scope| scope.moved(code_start, first)));
    }

    fn finish(self, runs: &[(usize, Origin)]) -> Vec<u8> {
        let is_cut = self.is_cut || self.texts.is_full || self.budget.is_spent();
        let texts = self.texts.into_bytes();
        let counts = [runs.len(), self.functions.len(), self.rows.len(), self.scopes.len(), texts.len()];
        let mut table = Vec::with_capacity(
            4 * (HEAD_WORDS + RUN * counts[0] + FUNCTION * counts[1] + ROW * counts[2] + SCOPE * counts[3]) + counts[4],
        );
        add_words(&mut table, [MAGIC, is_cut.into()]);
        add_words(&mut table, counts.map(|count| count as u32));
        add_words(&mut table, [self.modules]);
        runs.iter().for_each(|&(start, origin)| add_words(&mut table, [start as u32, origin_word(origin)]));
        self.functions.iter().for_each(|&function| add_words(&mut table, function));
        for row in &self.rows {
            add_words(&mut table, [row.start, row.end, row.file, row.line, row.column]);
        }
        for scope in &self.scopes {
            let (file, line, column) = scope.call;
            add_words(&mut table, [scope.start, scope.end, scope.parent, scope.name, file, line, column]);
        }
        table.extend(texts);
        table
    }
}

fn add_words<const COUNT: usize>(table: &mut Vec<u8>, words: [u32; COUNT]) {
    words.iter().for_each(|word| table.extend(word.to_ne_bytes()));
}

/// Files have less than 2 GiB.
fn origin_word(origin: Origin) -> u32 {
    match origin {
        Origin::Copied(from) => from as u32,
        Origin::Added(at) => at as u32 | ADDED,
        Origin::Hidden => HIDDEN,
    }
}

/// A list of the table, as bytes.
#[derive(Clone, Copy)]
struct List<'a, const WORDS: usize>(&'a [u8]);

impl<'a, const WORDS: usize> List<'a, WORDS> {
    /// Takes the list from the beginning of the bytes.
    fn take(bytes: &mut &'a [u8], count: u32) -> Option<Self> {
        let (list, rest) = bytes.split_at_checked((count as usize).checked_mul(4 * WORDS)?)?;
        *bytes = rest;
        Some(List(list))
    }

    fn get(&self, index: usize) -> Option<[u32; WORDS]> {
        let item = self.0.get(index.checked_mul(4 * WORDS)?..)?.get(..4 * WORDS)?;
        let word = |at: usize| u32::from_ne_bytes([item[at], item[at + 1], item[at + 2], item[at + 3]]);
        Some(std::array::from_fn(|index| word(4 * index)))
    }

    /// The last item that begins at or before this offset, and its index.
    fn last_at(&self, start: u32) -> Option<(usize, [u32; WORDS])> {
        let (mut low, mut high) = (0, self.0.len() / (4 * WORDS));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle)?[0] <= start {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let index = low.checked_sub(1)?;
        Some((index, self.get(index)?))
    }
}

/// A table, for reading.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    is_cut: bool,
    modules: u32,
    runs: List<'a, RUN>,
    functions: List<'a, FUNCTION>,
    rows: List<'a, ROW>,
    scopes: List<'a, SCOPE>,
    texts: &'a [u8],
}

impl<'a> Places<'a> {
    /// None: the bytes are not a table, or are truncated.
    pub fn new(mut table: &'a [u8]) -> Option<Places<'a>> {
        let head = List::<HEAD_WORDS>::take(&mut table, 1)?.get(0)?;
        let [MAGIC, is_cut, runs, functions, rows, scopes, texts, modules] = head else { return None };
        let places = Places {
            is_cut: is_cut != 0,
            modules,
            runs: List::take(&mut table, runs)?,
            functions: List::take(&mut table, functions)?,
            rows: List::take(&mut table, rows)?,
            scopes: List::take(&mut table, scopes)?,
            texts: table,
        };
        (table.len() == texts as usize && table.last() == Some(&0)).then_some(places)
    }

    /// Whether names or lines were left out, because there were too many.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The places of an offset of the rewritten file. Inlined calls make several, innermost first.
    pub fn find(&self, offset: usize) -> Vec<Location<'a>> {
        let Some(offset) = self.original(offset) else {
            return vec![Location { hidden: true, ..Location::default() }];
        };
        let Some(function) = self.function(offset) else {
            return vec![Location { offset: offset as usize, ..Location::default() }];
        };
        let mut places = self.places(offset);
        if let Some(outermost) = places.last_mut() {
            outermost.index = Some(function[2]);
            outermost.function = self.text(function[3]).or(outermost.function);
        }
        places
    }

    /// The same, if a function of the file begins at `start`, or one that was added to write its data. Adapters between
    /// components have offsets that mean nothing here, so they are hidden.
    pub fn find_in(&self, start: usize, offset: usize) -> Vec<Location<'a>> {
        let function = self.original(offset).and_then(|offset| self.function(offset));
        let is_function = function.is_some_and(|function| self.original(start) == Some(function[0]));
        if is_function || (self.writes_data(start) && self.writes_data(offset)) {
            return self.find(offset);
        }
        vec![Location { hidden: true, ..Location::default() }]
    }

    /// The same, if `module` is a module of the file. Adapters between components are modules with higher numbers.
    pub fn find_in_module(&self, module: usize, offset: usize) -> Vec<Location<'a>> {
        if module < self.modules as usize {
            return self.find(offset);
        }
        vec![Location { hidden: true, ..Location::default() }]
    }

    /// The offset in the original file. An added call or charge has the offset of what it was added for.
    fn original(&self, offset: usize) -> Option<u32> {
        let offset = u32::try_from(offset).ok()?;
        let (_, [start, origin]) = self.runs.last_at(offset)?;
        match origin {
            HIDDEN => None,
            _ if origin & ADDED != 0 => Some(origin & !ADDED),
            _ => origin.checked_add(offset - start),
        }
    }

    /// Whether the code at this offset was added to write data (`begin`): what it was added for is in no function.
    fn writes_data(&self, offset: usize) -> bool {
        let run = u32::try_from(offset).ok().and_then(|offset| self.runs.last_at(offset));
        run.is_some_and(|(_, [_, origin])| {
            origin != HIDDEN && origin & ADDED != 0 && self.function(origin & !ADDED).is_none()
        })
    }

    fn function(&self, offset: u32) -> Option<[u32; FUNCTION]> {
        let (_, function) = self.functions.last_at(offset)?;
        (offset < function[1]).then_some(function)
    }

    fn text(&self, text: Text) -> Option<&'a [u8]> {
        let text = self.texts.get(text as usize..).filter(|_| text != NONE)?;
        text.split(|&byte| byte == 0).next()
    }

    /// The places of an offset according to the line table and the inlined calls. There is at least one.
    fn places(&self, offset: u32) -> Vec<Location<'a>> {
        let place = |file, line, column| Location {
            offset: offset as usize,
            file: self.text(file),
            line,
            column,
            ..Location::default()
        };
        let row = self.rows.last_at(offset).filter(|(_, row)| offset < row[1]);
        let mut next = row.map_or_else(|| place(NONE, 0, 0), |(_, row)| place(row[2], row[3], row[4]));
        let mut places = Vec::new();
        let mut scope = self.scopes.last_at(offset);
        while let Some((index, [_, end, parent, name, file, line, column])) = scope {
            let parent = parent as usize;
            if offset < end {
                next.function = self.text(name);
                places.push(std::mem::replace(&mut next, place(file, line, column)));
            }
            // A parent precedes its children.
            scope = (parent < index).then(|| self.scopes.get(parent).map(|item| (parent, item))).flatten();
        }
        if places.is_empty() {
            places.push(next);
        }
        places
    }
}
