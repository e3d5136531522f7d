// SPDX-License-Identifier: Apache-2.0
//! Reads functions, files and lines from the DWARF sections of a module, and resolves them once into plain lists.
//!
//! The sections belong to a guest, so they may contain anything. They are read in one pass, without recursion, and
//! every byte that is read is charged to a budget. When the budget is spent, the reader keeps what it has found so far.
//! The results have limits of their own, and a text is truncated before it is copied.
use crate::names::{demangle, NAME_BYTES};
use crate::texts::{Text, Texts, NONE};
use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugAddrBase, DebugLineOffset, DebugLocListsBase,
    DebugRngListsBase, DebugStrOffsetsBase, DebuggingInformationEntry, Dwarf, EndianSlice, EntriesRaw, FileEntry,
    LineProgramHeader, LittleEndian, Reader as _, Section as _, Unit, UnitHeader, UnitOffset,
};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

type Reader<'a> = EndianSlice<'a, LittleEndian>;
type Entry<'a> = DebuggingInformationEntry<Reader<'a>>;

/// The maximum number of bytes that are read, of all modules of a file. It takes about a second.
const BUDGET: usize = 100_000_000;
/// The cost of a unit besides its bytes.
const UNIT_COST: usize = 500;
/// The maximum number of results of a module: 40 and 28 MB.
const MAX_ROWS: usize = 2_000_000;
const MAX_SCOPES: usize = 1_000_000;
/// The maximum depth of inlined calls that is reported.
const MAX_NESTED: usize = 64;
/// The maximum number of attributes of an entry. Compilers write some twenty.
const ATTRIBUTES: usize = 100;
/// The maximum size of the file names of a line program. The largest known units have 100 KiB.
const LINE_HEADER_BYTES: usize = 1 << 20;
/// The maximum number of entries to follow in search of a name, each referring to the next.
const NAME_HOPS: u32 = 8;

/// How much may still be read.
pub(crate) struct Budget(usize);

impl Budget {
    pub fn new() -> Budget {
        Budget(BUDGET)
    }

    /// Charges for work. It returns an error if the budget is spent.
    pub fn spend(&mut self, work: usize) -> gimli::Result<()> {
        let left = self.0.checked_sub(work.max(1));
        self.0 = left.unwrap_or(0);
        left.map(|_| ()).ok_or(gimli::Error::Io)
    }

    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// A range of code with its place in a source file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub start: u32,
    pub end: u32,
    pub file: Text,
    pub line: u32,
    pub column: u32,
}

/// A function, or a call that was inlined into `parent`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub start: u32,
    pub end: u32,
    /// The index of the scope that contains it. A function has its own index.
    pub parent: u32,
    pub name: Text,
    /// The place of an inlined call: file, line, column.
    pub call: (Text, u32, u32),
    depth: u32,
    is_function: bool,
}

impl Scope {
    /// The same scope at a higher address, and after `behind` other scopes.
    pub fn moved(self, by: u32, behind: u32) -> Scope {
        Scope { start: self.start + by, end: self.end + by, parent: self.parent + behind, ..self }
    }
}

/// The places of a module's code, by addresses in the code section. Both lists are sorted. Rows do not overlap, and a
/// scope lies within its parent.
#[derive(Default)]
pub(crate) struct Lines {
    pub rows: Vec<Row>,
    pub scopes: Vec<Scope>,
    /// Whether entries were left out.
    pub is_cut: bool,
}

/// Reads the sections of a module whose code section has this size. `section` returns the content of one, or nothing.
pub(crate) fn read<'a>(
    section: impl Fn(&str) -> &'a [u8],
    code_bytes: u32,
    texts: &mut Texts,
    budget: &mut Budget,
) -> Lines {
    let load = |id: gimli::SectionId| Ok(Reader::new(section(id.name()), LittleEndian));
    let Ok(dwarf) = Dwarf::load(load).map_err(|never: std::convert::Infallible| never);
    let mut units = dwarf.units();
    let mut builder = Builder {
        dwarf: &dwarf,
        code_bytes,
        texts,
        budget,
        lines: Lines::default(),
        abbreviations: None,
        program: None,
        programs: HashSet::new(),
        files: HashMap::new(),
        names: HashMap::new(),
    };
    while let Ok(Some(header)) = units.next() {
        if builder.budget.spend(UNIT_COST).is_err() {
            break;
        }
        // A unit that is malformed is left out.
        let _ = builder.read_unit(header);
    }
    builder.finish()
}

struct Builder<'a, 'b> {
    dwarf: &'b Dwarf<Reader<'a>>,
    code_bytes: u32,
    texts: &'b mut Texts,
    budget: &'b mut Budget,
    lines: Lines,
    /// The abbreviations that the last unit used, and their offset.
    abbreviations: Option<(usize, Arc<Abbreviations>)>,
    /// The header of the line program that the last unit named, and its offset.
    program: Option<(usize, LineProgramHeader<Reader<'a>>)>,
    /// The line programs that were executed, by offset.
    programs: HashSet<usize>,
    /// The files of `program`.
    files: HashMap<u64, Text>,
    /// The names that other entries refer to, by offset.
    names: HashMap<usize, Text>,
}

impl<'a> Builder<'a, '_> {
    fn finish(self) -> Lines {
        let mut lines = self.lines;
        lines.is_cut |= self.budget.is_spent() || self.texts.is_full;
        lines.rows = without_overlaps(lines.rows);
        lines.scopes = nested(lines.scopes);
        lines
    }

    fn read_unit(&mut self, header: UnitHeader<Reader<'a>>) -> gimli::Result<()> {
        let abbreviations = self.read_abbreviations(header.debug_abbrev_offset())?;
        let mut unit = empty_unit(self.dwarf, header, abbreviations);
        let start = unit.header.header_size();
        let mut entry = Entry::null();
        let mut entries = unit.header.entries_raw(&unit.abbreviations, None)?;
        self.read_entry(&unit, &mut entries, &mut entry)?;
        set_bases(&mut unit, &entry);
        if let Some(value) = entry.attr_value(gimli::DW_AT_low_pc) {
            unit.low_pc = self.dwarf.attr_address(&unit, value)?.unwrap_or(0);
        }
        if let Some(AttributeValue::DebugLineRef(offset)) = entry.attr_value(gimli::DW_AT_stmt_list) {
            // Functions have names even without lines.
            let _ = self.read_program(&unit, offset);
        } else {
            self.program = None;
        }
        self.read_scopes(&unit, UnitOffset(start))
    }

    /// The abbreviations at an offset. Their size is determined, and charged, before they are read.
    fn read_abbreviations(&mut self, offset: DebugAbbrevOffset) -> gimli::Result<Arc<Abbreviations>> {
        if let Some((at, known)) = &self.abbreviations {
            if *at == offset.0 {
                return Ok(known.clone());
            }
        }
        let mut table = *self.dwarf.debug_abbrev.reader();
        table.skip(offset.0)?;
        let length = self.measure_abbreviations(table)?;
        table.truncate(length)?;
        let read = Arc::new(DebugAbbrev::from(table).abbreviations(DebugAbbrevOffset(0))?);
        self.abbreviations = Some((offset.0, read.clone()));
        Ok(read)
    }

    fn measure_abbreviations(&mut self, mut table: Reader<'a>) -> gimli::Result<usize> {
        let whole = table.len();
        while table.read_uleb128()? != 0 {
            let before = table.len();
            table.read_uleb128()?;
            table.skip(1)?;
            for attribute in 0.. {
                let (name, form) = (table.read_uleb128()?, table.read_uleb128()?);
                if form == u64::from(gimli::DW_FORM_implicit_const.0) {
                    table.read_sleb128()?;
                }
                if (name, form) == (0, 0) {
                    break;
                }
                if attribute == ATTRIBUTES {
                    return Err(gimli::Error::Io);
                }
            }
            // Each byte becomes several in memory.
            self.budget.spend(8 * (before - table.len()))?;
        }
        Ok(whole - table.len())
    }

    /// Reads an entry. False: it is only the end of a list of entries.
    fn read_entry(
        &mut self,
        unit: &Unit<Reader<'a>>,
        entries: &mut EntriesRaw<Reader<'a>>,
        entry: &mut Entry<'a>,
    ) -> gimli::Result<bool> {
        let before = entries.next_offset();
        let abbreviation = unit.header.entries_raw(&unit.abbreviations, Some(before))?.read_abbreviation()?;
        // Some attributes have no bytes, so they are charged by their number.
        self.budget.spend(abbreviation.map_or(0, |abbreviation| abbreviation.attributes().len()))?;
        let is_entry = entries.read_entry(entry)?;
        self.budget.spend(entries.next_offset().0 - before.0)?;
        Ok(is_entry)
    }

    // ---- Lines ----------------------------------------------------------------------------------------------

    /// Makes a line program the current one, and executes it if no unit has named it before.
    fn read_program(&mut self, unit: &Unit<Reader<'a>>, offset: DebugLineOffset) -> gimli::Result<()> {
        if self.program.as_ref().is_some_and(|(at, _)| *at == offset.0) {
            return Ok(());
        }
        self.program = None;
        self.files.clear();
        let length = line_header_length(*self.dwarf.debug_line.reader(), offset)?;
        if length > LINE_HEADER_BYTES {
            self.lines.is_cut = true;
            return Err(gimli::Error::Io);
        }
        self.budget.spend(8 * length)?;
        let program = self.dwarf.debug_line.program(offset, unit.header.address_size(), None, None)?;
        self.program = Some((offset.0, program.header().clone()));
        if !self.programs.insert(offset.0) {
            return Ok(());
        }
        // An instruction has at least one byte, and makes at most one row.
        self.budget.spend(program.header().raw_program_buf().len())?;
        let mut rows = program.rows();
        let mut last: Option<Row> = None;
        let mut is_code = false;
        while let Some((_, row)) = rows.next_row()? {
            let address = address_in(row.address(), self.code_bytes);
            if let Some(mut open) = last.take() {
                open.end = address.unwrap_or(open.start);
                self.add_row(open)?;
            } else {
                // A function that the linker left out has no address, or the beginning of the section.
                is_code = address.is_some_and(|address| address > 0);
            }
            if !row.end_sequence() {
                let (file, column) = (row.file_index(), row.column());
                last = Some(Row {
                    start: address.unwrap_or(u32::MAX),
                    end: 0,
                    file: if is_code { self.file(file) } else { NONE },
                    line: if is_code { row.line().map_or(0, |line| number(line.get())) } else { 0 },
                    column: match column {
                        gimli::ColumnType::LeftEdge => 0,
                        gimli::ColumnType::Column(column) => number(column.get()),
                    },
                });
            }
        }
        Ok(())
    }

    fn add_row(&mut self, row: Row) -> gimli::Result<()> {
        if row.start >= row.end || (row.file == NONE && row.line == 0) {
            return Ok(());
        }
        let same = |last: &Row| {
            last.end == row.start && (last.file, last.line, last.column) == (row.file, row.line, row.column)
        };
        if let Some(last) = self.lines.rows.last_mut().filter(|last| same(last)) {
            last.end = row.end;
            return Ok(());
        }
        if self.lines.rows.len() == MAX_ROWS {
            self.lines.is_cut = true;
            return Err(gimli::Error::Io);
        }
        self.lines.rows.push(row);
        Ok(())
    }

    /// A file of the unit's line program, by its directory and name.
    fn file(&mut self, index: u64) -> Text {
        if let Some(&known) = self.files.get(&index) {
            return known;
        }
        let Some((_, header)) = &self.program else { return NONE };
        let Some(file) = header.file(index) else { return NONE };
        let path = self.path(header, file);
        let text = match self.budget.spend(path.len()) {
            Ok(()) => self.texts.add(&path),
            Err(_) => NONE,
        };
        self.files.insert(index, text);
        text
    }

    fn path(&self, header: &LineProgramHeader<Reader<'a>>, file: &FileEntry<Reader<'a>>) -> String {
        let text = |value| self.text(None, value).unwrap_or_default();
        let name = text(file.path_name());
        let directory = match file.directory_index() {
            0 if header.version() < 5 => String::new(),
            _ => file.directory(header).map_or_else(String::new, text),
        };
        if directory.is_empty() || name.starts_with('/') {
            return name;
        }
        let mut path = format!("{directory}/{name}");
        path.truncate(path.floor_char_boundary(NAME_BYTES));
        path
    }

    // ---- Functions and inlined calls --------------------------------------------------------------------------

    fn read_scopes(&mut self, unit: &Unit<Reader<'a>>, start: UnitOffset) -> gimli::Result<()> {
        let mut entries = unit.header.entries_raw(&unit.abbreviations, Some(start))?;
        let mut entry = Entry::null();
        while !entries.is_empty() {
            let depth = entries.next_depth();
            if !self.read_entry(unit, &mut entries, &mut entry)? {
                continue;
            }
            let is_function = entry.tag() == gimli::DW_TAG_subprogram;
            if is_function || entry.tag() == gimli::DW_TAG_inlined_subroutine {
                let scope = Scope {
                    start: 0,
                    end: 0,
                    parent: 0,
                    name: NONE,
                    call: (NONE, 0, 0),
                    depth: number(depth as u64),
                    is_function,
                };
                self.add_scopes(unit, &entry, scope)?;
            }
        }
        Ok(())
    }

    /// Adds a scope for each of its address ranges.
    fn add_scopes(&mut self, unit: &Unit<Reader<'a>>, entry: &Entry<'a>, mut scope: Scope) -> gimli::Result<()> {
        let before = self.lines.scopes.len();
        if let Some(value) = entry.attr_value(gimli::DW_AT_ranges) {
            if let Some(offset) = self.dwarf.attr_ranges_offset(unit, value)? {
                let mut ranges = self.dwarf.ranges(unit, offset)?;
                while let Some(raw) = ranges.next_raw()? {
                    self.budget.spend(1)?;
                    if let Some(range) = ranges.convert_raw(raw)? {
                        self.add_scope(range.begin..range.end, scope)?;
                    }
                }
            }
        } else if let Some(range) = self.range(unit, entry)? {
            self.add_scope(range, scope)?;
        }
        if self.lines.scopes.len() == before {
            return Ok(());
        }
        scope.name = self.name(unit, entry);
        if !scope.is_function {
            scope.call = self.call(entry);
        }
        for added in &mut self.lines.scopes[before..] {
            (added.name, added.call) = (scope.name, scope.call);
        }
        Ok(())
    }

    fn add_scope(&mut self, range: Range<u64>, scope: Scope) -> gimli::Result<()> {
        let start = address_in(range.start, self.code_bytes).filter(|&start| start > 0);
        let end = range.end.min(self.code_bytes.into()) as u32;
        let Some(start) = start.filter(|&start| start < end) else { return Ok(()) };
        if self.lines.scopes.len() == MAX_SCOPES {
            self.lines.is_cut = true;
            return Err(gimli::Error::Io);
        }
        self.lines.scopes.push(Scope { start, end, ..scope });
        Ok(())
    }

    /// The range from the lowest address to the highest, if an entry has them.
    fn range(&self, unit: &Unit<Reader<'a>>, entry: &Entry<'a>) -> gimli::Result<Option<Range<u64>>> {
        let (Some(low), Some(high)) = (entry.attr_value(gimli::DW_AT_low_pc), entry.attr_value(gimli::DW_AT_high_pc))
        else {
            return Ok(None);
        };
        let Some(low) = self.dwarf.attr_address(unit, low)? else { return Ok(None) };
        let high = match high.udata_value() {
            Some(length) => low.checked_add(length),
            None => self.dwarf.attr_address(unit, high)?,
        };
        Ok(high.map(|high| low..high))
    }

    /// The place of an inlined call.
    fn call(&mut self, entry: &Entry<'a>) -> (Text, u32, u32) {
        let value = |name| entry.attr_value(name).and_then(|value: AttributeValue<Reader>| value.udata_value());
        let file = match entry.attr_value(gimli::DW_AT_call_file) {
            Some(AttributeValue::FileIndex(index)) => self.file(index),
            _ => NONE,
        };
        let line = number(value(gimli::DW_AT_call_line).unwrap_or(0));
        (file, line, number(value(gimli::DW_AT_call_column).unwrap_or(0)))
    }

    /// The name of an entry, or of the entry that it is an instance of.
    fn name(&mut self, unit: &Unit<Reader<'a>>, entry: &Entry<'a>) -> Text {
        if let Some(value) = name_value(entry) {
            return self.add_name(unit, value);
        }
        let Some(first) = origin(unit, entry) else { return NONE };
        let key = unit.header.debug_info_offset().map_or(0, |at| at.0) + first.0;
        if let Some(&known) = self.names.get(&key) {
            return known;
        }
        let name = self.name_at(unit, first).unwrap_or(NONE);
        self.names.insert(key, name);
        name
    }

    fn name_at(&mut self, unit: &Unit<Reader<'a>>, mut offset: UnitOffset) -> Option<Text> {
        let mut entry = Entry::null();
        for _ in 0..NAME_HOPS {
            let mut entries = unit.header.entries_raw(&unit.abbreviations, Some(offset)).ok()?;
            self.read_entry(unit, &mut entries, &mut entry).ok()?.then_some(())?;
            if let Some(value) = name_value(&entry) {
                return Some(self.add_name(unit, value));
            }
            offset = origin(unit, &entry)?;
        }
        None
    }

    fn add_name(&mut self, unit: &Unit<Reader<'a>>, value: AttributeValue<Reader<'a>>) -> Text {
        let Some(name) = self.text(Some(unit), value) else { return NONE };
        // Demangling a name costs more than reading it.
        match self.budget.spend(8 * name.len()) {
            Ok(()) => self.texts.add(&demangle(&name)),
            Err(_) => NONE,
        }
    }

    /// A text, truncated before it is copied.
    fn text(&self, unit: Option<&Unit<Reader<'a>>>, value: AttributeValue<Reader<'a>>) -> Option<String> {
        let at = |section: &Reader<'a>, offset: usize| section.slice().get(offset..);
        let bytes = match value {
            AttributeValue::String(text) => text.slice(),
            AttributeValue::DebugStrRef(offset) => at(self.dwarf.debug_str.reader(), offset.0)?,
            AttributeValue::DebugLineStrRef(offset) => at(self.dwarf.debug_line_str.reader(), offset.0)?,
            AttributeValue::DebugStrOffsetsIndex(index) => {
                at(self.dwarf.debug_str.reader(), self.dwarf.string_offset(unit?, index).ok()?.0)?
            }
            _ => return None,
        };
        let short = &bytes[..bytes.len().min(NAME_BYTES)];
        let end = short.iter().position(|&byte| byte == 0).unwrap_or(short.len());
        Some(String::from_utf8_lossy(&short[..end]).into_owned())
    }
}

/// A unit of which only the header was read. gimli must not follow its references, because that would not be charged.
fn empty_unit<'a>(
    dwarf: &Dwarf<Reader<'a>>,
    header: UnitHeader<Reader<'a>>,
    abbreviations: Arc<Abbreviations>,
) -> Unit<Reader<'a>> {
    let (encoding, kind) = (header.encoding(), dwarf.file_type);
    Unit {
        header,
        abbreviations,
        name: None,
        comp_dir: None,
        low_pc: 0,
        str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, kind),
        addr_base: DebugAddrBase(0),
        loclists_base: DebugLocListsBase::default_for_encoding_and_file(encoding, kind),
        rnglists_base: DebugRngListsBase::default_for_encoding_and_file(encoding, kind),
        line_program: None,
        dwo_id: None,
    }
}

/// Reads the offsets of the unit's parts in other sections from the unit's first entry.
fn set_bases(unit: &mut Unit<Reader>, entry: &Entry) {
    for attribute in entry.attrs() {
        match attribute.value() {
            AttributeValue::DebugStrOffsetsBase(base) => unit.str_offsets_base = base,
            AttributeValue::DebugAddrBase(base) => unit.addr_base = base,
            AttributeValue::DebugRngListsBase(base) => unit.rnglists_base = base,
            _ => {}
        }
    }
}

/// The length of the list of files before a line program.
fn line_header_length(mut section: Reader, offset: DebugLineOffset) -> gimli::Result<usize> {
    section.skip(offset.0)?;
    let (_, format) = section.read_initial_length()?;
    if section.read_u16()? >= 5 {
        section.skip(2)?;
    }
    section.read_length(format)
}

fn name_value<'a>(entry: &Entry<'a>) -> Option<AttributeValue<Reader<'a>>> {
    let names = [gimli::DW_AT_linkage_name, gimli::DW_AT_MIPS_linkage_name, gimli::DW_AT_name];
    names.into_iter().find_map(|name| entry.attr_value(name))
}

/// The entry that this one is an instance of, if both are in the same unit.
fn origin(unit: &Unit<Reader>, entry: &Entry) -> Option<UnitOffset> {
    let value =
        entry.attr_value(gimli::DW_AT_abstract_origin).or_else(|| entry.attr_value(gimli::DW_AT_specification))?;
    match value {
        AttributeValue::UnitRef(offset) => Some(offset),
        AttributeValue::DebugInfoRef(offset) => offset.to_unit_offset(&unit.header),
        _ => None,
    }
}

/// An address in the code section, or directly after it.
fn address_in(address: u64, code_bytes: u32) -> Option<u32> {
    u32::try_from(address).ok().filter(|&address| address <= code_bytes)
}

fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// The rows in order. Each begins where the one before it ends.
fn without_overlaps(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| row.start);
    let mut end = 0;
    rows.retain_mut(|row| {
        row.start = row.start.max(end);
        end = end.max(row.end);
        row.start < row.end
    });
    rows
}

/// The scopes in order, each within its parent. Inlined calls outside of functions are left out, and so are functions
/// inside others.
fn nested(mut scopes: Vec<Scope>) -> Vec<Scope> {
    scopes.sort_by_key(|scope| (scope.start, scope.depth));
    let mut kept: Vec<Scope> = Vec::with_capacity(scopes.len());
    let mut open: Vec<u32> = Vec::new();
    for mut scope in scopes {
        while open.last().is_some_and(|&top| kept[top as usize].end <= scope.start) {
            open.pop();
        }
        let itself = kept.len() as u32; // at most MAX_SCOPES
        if open.is_empty() != scope.is_function || open.len() == MAX_NESTED {
            continue;
        }
        scope.parent = open.last().copied().unwrap_or(itself);
        if let Some(&top) = open.last() {
            scope.end = scope.end.min(kept[top as usize].end);
        }
        open.push(itself);
        kept.push(scope);
    }
    kept
}
