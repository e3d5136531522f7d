// SPDX-License-Identifier: Apache-2.0
//! Functions, files and lines from the DWARF sections of a module.
//!
//! The sections are a guest's, so they may say anything. All reading is one pass over what there is, without recursion,
//! and is paid out of a budget: when that is spent, nothing more is found.
use crate::names::demangle;
use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebuggingInformationEntry, Dwarf, EndianArcSlice,
    LineRow, LittleEndian, Reader as _, Section as _, Unit, UnitHeader, UnitOffset,
};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

type Reader = EndianArcSlice<LittleEndian>;
type Entry = DebuggingInformationEntry<Reader>;

/// Attributes and rows that are read at most, for all questions about a module: below a second.
const BUDGET: u64 = 10_000_000;
/// Attributes of an entry: compilers write some twenty.
const ATTRIBUTES: usize = 100;
/// Entries a name may be looked for in, each naming the next.
const NAME_HOPS: u32 = 8;

/// A place in source code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub function: Option<String>,
    pub file: Option<String>,
    pub line: u32,
    pub column: u32,
}

/// A function that contains an address, or a call that was inlined there.
struct Scope {
    depth: isize,
    name: Option<String>,
    call: Place,
}

/// The DWARF sections of a module.
pub(crate) struct Lines {
    dwarf: Dwarf<Reader>,
    /// Addresses of units, and which.
    units: Vec<(Range<u64>, usize)>,
    headers: Vec<UnitHeader<Reader>>,
    abbreviations: HashMap<usize, Arc<Abbreviations>>,
    budget: u64,
}

impl Lines {
    /// Reads what units there are. `section` gives the contents of a section, or nothing.
    pub fn new(section: impl Fn(&str) -> Vec<u8>) -> Lines {
        let load = |id: gimli::SectionId| Ok(Reader::new(Arc::from(section(id.name())), LittleEndian));
        let Ok(dwarf) = Dwarf::load(load).map_err(|never: std::convert::Infallible| never);
        let mut headers = Vec::new();
        let mut iterator = dwarf.units();
        while let Ok(Some(header)) = iterator.next() {
            headers.push(header);
        }
        let abbreviations = read_abbreviations(&dwarf, &headers);
        let mut lines = Lines { dwarf, units: Vec::new(), headers, abbreviations, budget: BUDGET };
        for index in 0..lines.headers.len() {
            // A unit that cannot be read is left out.
            let _ = lines.note_ranges(index);
        }
        lines
    }

    /// Pays for work; an error when nothing is left.
    fn spend(&mut self, work: usize) -> gimli::Result<()> {
        self.budget = self.budget.checked_sub(work as u64 + 1).ok_or(gimli::Error::Io)?;
        Ok(())
    }

    fn unit(&mut self, index: usize) -> gimli::Result<Unit<Reader>> {
        let header = self.headers[index].clone();
        let abbreviations = self.abbreviations.get(&header.debug_abbrev_offset().0).ok_or(gimli::Error::Io)?.clone();
        let first = header.entries_raw(&abbreviations, None)?.read_abbreviation()?;
        let attributes = first.map_or(0, |abbreviation| abbreviation.attributes().len());
        if attributes > ATTRIBUTES {
            return Err(gimli::Error::Io);
        }
        self.spend(attributes)?;
        Unit::new_with_abbreviations(&self.dwarf, header, abbreviations)
    }

    fn note_ranges(&mut self, index: usize) -> gimli::Result<()> {
        let unit = self.unit(index)?;
        let mut ranges = self.dwarf.unit_ranges(&unit)?;
        while let Some(range) = ranges.next()? {
            self.spend(1)?;
            self.units.push((range.begin..range.end, index));
        }
        Ok(())
    }

    /// What stands at an address, innermost first; empty if that is not known.
    pub fn find(&mut self, address: u64) -> Vec<Place> {
        let Some(index) = self.units.iter().find(|(range, _)| range.contains(&address)).map(|(_, index)| *index) else {
            return Vec::new();
        };
        let Ok(unit) = self.unit(index) else { return Vec::new() };
        let mut place = self.find_row(&unit, address).ok().flatten().unwrap_or_default();
        let scopes = self.find_scopes(&unit, address).unwrap_or_default();
        let mut places = Vec::new();
        for scope in scopes.into_iter().rev() {
            place.function = scope.name;
            places.push(std::mem::replace(&mut place, scope.call));
        }
        if places.is_empty() && place != Place::default() {
            places.push(place);
        }
        places
    }

    /// The row of the line table that covers an address.
    fn find_row(&mut self, unit: &Unit<Reader>, address: u64) -> gimli::Result<Option<Place>> {
        let Some(program) = unit.line_program.clone() else { return Ok(None) };
        let mut rows = program.rows();
        let mut last: Option<LineRow> = None;
        while let Some((_, row)) = rows.next_row()? {
            self.spend(1)?;
            if let Some(row_before) = last.take_if(|last| last.address() <= address && address < row.address()) {
                let column = match row_before.column() {
                    gimli::ColumnType::LeftEdge => 0,
                    gimli::ColumnType::Column(column) => number(column.get()),
                };
                let line = row_before.line().map_or(0, |line| number(line.get()));
                return Ok(Some(Place {
                    file: self.file(unit, row_before.file_index()),
                    line,
                    column,
                    function: None,
                }));
            }
            last = (!row.end_sequence()).then_some(*row);
        }
        Ok(None)
    }

    /// A file of a unit, by its folder and name.
    fn file(&self, unit: &Unit<Reader>, index: u64) -> Option<String> {
        let header = unit.line_program.as_ref()?.header();
        let file = header.file(index)?;
        let text = |value| Some(self.dwarf.attr_string(unit, value).ok()?.to_string_lossy().ok()?.into_owned());
        let name = text(file.path_name())?;
        let folder = match file.directory_index() {
            0 if header.version() < 5 => None,
            _ => file.directory(header).and_then(text),
        };
        match folder {
            Some(folder) if !name.starts_with('/') && !folder.is_empty() => Some(format!("{folder}/{name}")),
            _ => Some(name),
        }
    }

    /// The function that an address is in, then the calls inlined there, outermost first.
    fn find_scopes(&mut self, unit: &Unit<Reader>, address: u64) -> gimli::Result<Vec<Scope>> {
        let mut scopes: Vec<Scope> = Vec::new();
        let mut entries = unit.entries_raw(None)?;
        let mut entry = Entry::null();
        while !entries.is_empty() {
            let depth = entries.next_depth();
            if scopes.first().is_some_and(|function| depth <= function.depth) {
                break;
            }
            let is_entry = self.read_entry(unit, &mut entries, &mut entry)?;
            let is_wanted = match entry.tag() {
                gimli::DW_TAG_subprogram => scopes.is_empty(),
                gimli::DW_TAG_inlined_subroutine => !scopes.is_empty(),
                _ => false,
            };
            if is_entry && is_wanted && self.covers(unit, &entry, address)? {
                scopes.push(Scope { depth, name: self.name(unit, &entry), call: self.call(unit, &entry) });
            }
        }
        Ok(scopes)
    }

    /// Reads an entry; false: only the end of a list of entries.
    fn read_entry(
        &mut self,
        unit: &Unit<Reader>,
        entries: &mut gimli::EntriesRaw<Reader>,
        entry: &mut Entry,
    ) -> gimli::Result<bool> {
        let abbreviation =
            unit.header.entries_raw(&unit.abbreviations, Some(entries.next_offset()))?.read_abbreviation()?;
        let attributes = abbreviation.map_or(0, |abbreviation| abbreviation.attributes().len());
        if attributes > ATTRIBUTES {
            return Err(gimli::Error::Io);
        }
        self.spend(attributes)?;
        entries.read_entry(entry)
    }

    fn covers(&mut self, unit: &Unit<Reader>, entry: &Entry, address: u64) -> gimli::Result<bool> {
        let mut ranges = self.dwarf.die_ranges(unit, entry)?;
        while let Some(range) = ranges.next()? {
            self.spend(1)?;
            if (range.begin..range.end).contains(&address) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where an inlined call was called.
    fn call(&self, unit: &Unit<Reader>, entry: &Entry) -> Place {
        let value = |name| entry.attr_value(name).and_then(|value: AttributeValue<Reader>| value.udata_value());
        let file = match entry.attr_value(gimli::DW_AT_call_file) {
            Some(AttributeValue::FileIndex(index)) => self.file(unit, index),
            _ => None,
        };
        Place {
            function: None,
            file,
            line: number(value(gimli::DW_AT_call_line).unwrap_or(0)),
            column: number(value(gimli::DW_AT_call_column).unwrap_or(0)),
        }
    }

    /// The name of an entry, or of the one that it is an instance of.
    fn name(&mut self, unit: &Unit<Reader>, entry: &Entry) -> Option<String> {
        let mut entry = entry.clone();
        for _ in 0..NAME_HOPS {
            for attribute in [gimli::DW_AT_linkage_name, gimli::DW_AT_MIPS_linkage_name, gimli::DW_AT_name] {
                if let Some(value) = entry.attr_value(attribute) {
                    let name = self.dwarf.attr_string(unit, value).ok()?;
                    return Some(demangle(&name.to_string_lossy().ok()?));
                }
            }
            let origin = entry
                .attr_value(gimli::DW_AT_abstract_origin)
                .or_else(|| entry.attr_value(gimli::DW_AT_specification))?;
            entry = self.entry_at(unit, origin)?;
        }
        None
    }

    /// The entry that an attribute refers to, if it is of the same unit.
    fn entry_at(&mut self, unit: &Unit<Reader>, reference: AttributeValue<Reader>) -> Option<Entry> {
        let offset: UnitOffset = match reference {
            AttributeValue::UnitRef(offset) => offset,
            AttributeValue::DebugInfoRef(offset) => offset.to_unit_offset(&unit.header)?,
            _ => return None,
        };
        let mut entries = unit.entries_raw(Some(offset)).ok()?;
        let mut entry = Entry::null();
        self.read_entry(unit, &mut entries, &mut entry).ok()?.then_some(entry)
    }
}

fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// Every table of abbreviations, by its offset. Each ends where the next begins, so that reading all is one pass.
fn read_abbreviations(dwarf: &Dwarf<Reader>, headers: &[UnitHeader<Reader>]) -> HashMap<usize, Arc<Abbreviations>> {
    let all = dwarf.debug_abbrev.reader();
    let mut offsets: Vec<usize> = headers.iter().map(|header| header.debug_abbrev_offset().0).collect();
    offsets.push(all.len());
    offsets.sort_unstable();
    offsets.dedup();
    let mut tables = HashMap::new();
    for pair in offsets.windows(2).filter(|pair| pair[1] <= all.len()) {
        let table = DebugAbbrev::from(all.range(pair[0]..pair[1]));
        if let Ok(abbreviations) = table.abbreviations(DebugAbbrevOffset(0)) {
            tables.insert(pair[0], Arc::new(abbreviations));
        }
    }
    tables
}
