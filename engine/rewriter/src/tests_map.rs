// SPDX-License-Identifier: Apache-2.0
//! Offsets in rewritten code lead back to the original's functions, files and lines. Malformed DWARF does no harm.
use crate::{rewrite, Chunk, Options, Places};
use gimli::write::{Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Sections};
use gimli::{Encoding, Format, LineEncoding, LittleEndian};
use wasm_encoder::{CustomSection, Encode};
use wasmparser::{Operator, Parser, Payload};

const OPTIONS: Options =
    Options { meter: false, asks: false, landing: true, chunk: Chunk { bytes: 64, elements: 8 }, can_be_ended: false };
const METERED: Options = Options { meter: true, ..OPTIONS };

/// Every instruction of every function: its offset, the index of its function among those with a body, and its text.
fn instructions(wasm: &[u8]) -> Vec<(usize, usize, String)> {
    let mut all = Vec::new();
    let mut function = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.unwrap() {
            for item in body.get_operators_reader().unwrap().into_iter_with_offsets() {
                let (operator, offset): (Operator, usize) = item.unwrap();
                all.push((offset, function, format!("{operator:?}")));
            }
            function += 1;
        }
    }
    all
}

/// A location that owns its texts.
#[derive(Debug, Default, PartialEq)]
struct Found {
    hidden: bool,
    offset: usize,
    function: Option<String>,
    file: Option<String>,
    line: u32,
    column: u32,
}

fn places(wasm: &[u8]) -> Vec<u8> {
    rewrite(wasm, OPTIONS).unwrap().places
}

fn find(table: &[u8], offset: usize) -> Vec<Found> {
    let text = |text: Option<&[u8]>| text.map(|text| String::from_utf8(text.to_vec()).unwrap());
    let found = Places::new(table).expect("a table").find(offset);
    let own = found.into_iter().map(|at| Found {
        hidden: at.hidden,
        offset: at.offset,
        function: text(at.function).or_else(|| at.index.map(|index| format!("func[{index}]"))),
        file: text(at.file),
        line: at.line,
        column: at.column,
    });
    own.collect()
}

fn at(wasm: &[u8], offset: usize) -> Vec<Found> {
    find(&places(wasm), offset)
}

#[test]
fn every_instruction_leads_back() {
    let module = r#"(module (memory 1)
        (func $first (param i32) (loop (br_if 0 (local.get 0))) (memory.fill (local.get 0) (local.get 0) (local.get 0)))
        (func $_ZN3geo5PointC1Ev (call $first (i32.const 7)) (loop (drop (i32.const 9)) (br 0))))"#;
    let component = format!("(component (core module (func $x)) (component (core {}))", &module[1..]);
    for (text, options) in [(module, OPTIONS), (&component, OPTIONS), (module, METERED), (&component, METERED)] {
        let wasm = wat::parse_str(text).unwrap();
        let original = instructions(&wasm);
        let rewritten = rewrite(&wasm, options).unwrap();
        let table = rewritten.places.clone();
        let mut hidden = 0;
        for (offset, _, operator) in instructions(&rewritten.bytes) {
            let location = find(&table, offset).remove(0);
            hidden += u32::from(location.hidden);
            if location.hidden {
                continue;
            }
            let (_, function, was) = original.iter().find(|(at, ..)| *at == location.offset).expect("an instruction");
            let added =
                ["I64Const", "I64Add", "I64LtS", "If ", "Unreachable", "End", "Local", "I64Load", "I64Store", "Drop"];
            let is_added = added.iter().any(|added| operator.contains(added));
            assert!(operator == *was || was.contains("MemoryFill") || is_added, "{operator} is not {was}");
            let names = ["x", "first", "geo::Point::Point()"];
            let shift = usize::from(!text.starts_with("(component"));
            assert_eq!(location.function.as_deref(), names.get(function + shift).copied());
        }
        assert!(hidden > 20, "the function for memory.fill is hidden");
    }
}

#[test]
fn what_is_no_code_has_no_name() {
    let wasm = wat::parse_str("(module (func $f))").unwrap();
    assert_eq!(at(&wasm, 0), [Found::default()]);
    assert!(at(&wasm, 1 << 40)[0].function.is_none());
}

#[test]
fn functions_without_a_name_are_told_by_their_export_or_number() {
    let wasm = wat::parse_str(
        r#"(module (import "a" "b" (func)) (func (export "x") nop) (func nop) (func $f (export "y") nop))"#,
    );
    let wasm = wasm.unwrap();
    let code = instructions(&rewrite(&wasm, OPTIONS).unwrap().bytes);
    let names: Vec<_> = code
        .iter()
        .filter(|(.., operator)| operator == "Nop")
        .map(|(offset, ..)| at(&wasm, *offset).remove(0).function.unwrap())
        .collect();
    assert_eq!(names, ["x", "func[2]", "f"]);
}

#[test]
fn long_names_are_cut() {
    for name in ["f".repeat(2_000), format!("_Z1f{}i", "PFvN1A1BE".repeat(200)), format!("_Z1fI{}E", "S_".repeat(500))]
    {
        let wasm = wat::parse_str(format!("(module (func ${name} nop))")).unwrap();
        let offset = instructions(&rewrite(&wasm, OPTIONS).unwrap().bytes)[0].0;
        let found = at(&wasm, offset).remove(0).function.expect("a name");
        assert!(!found.is_empty() && found.len() <= 1024, "{found}");
    }
}

/// A module with one function, and DWARF for it, which includes an inlined call.
fn with_dwarf() -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let wasm = wat::parse_str("(module (func (nop) (nop) (nop)))").unwrap();
    let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 4 };
    let text = |text: &str| LineString::String(text.into());
    let mut program = LineProgram::new(encoding, LineEncoding::default(), text("/home"), None, text("main.c"), None);
    let directory = program.default_directory();
    let file = program.add_file(text("main.c"), directory, None);
    program.begin_sequence(Some(Address::Constant(2)));
    for (offset, line) in [(0, 10), (1, 20), (2, 11)] {
        program.row().address_offset = offset;
        program.row().file = file;
        program.row().line = line;
        program.row().column = 5;
        program.generate_row();
    }
    program.end_sequence(5);
    let mut dwarf = DwarfUnit::new(encoding);
    dwarf.unit.line_program = program;
    let low = |offset| AttributeValue::Address(Address::Constant(offset));
    let root = dwarf.unit.root();
    dwarf.unit.get_mut(root).set(gimli::DW_AT_low_pc, low(2));
    dwarf.unit.get_mut(root).set(gimli::DW_AT_high_pc, AttributeValue::Udata(5));
    let function = dwarf.unit.add(root, gimli::DW_TAG_subprogram);
    let inlined = dwarf.unit.add(function, gimli::DW_TAG_inlined_subroutine);
    for (entry, name, start, length) in [(function, "outer", 2, 5), (inlined, "_Z5innerv", 3, 1)] {
        let entry = dwarf.unit.get_mut(entry);
        entry.set(gimli::DW_AT_low_pc, low(start));
        entry.set(gimli::DW_AT_high_pc, AttributeValue::Udata(length));
        entry.set(gimli::DW_AT_name, AttributeValue::String(name.into()));
    }
    dwarf.unit.get_mut(inlined).set(gimli::DW_AT_call_file, AttributeValue::FileIndex(Some(file)));
    dwarf.unit.get_mut(inlined).set(gimli::DW_AT_call_line, AttributeValue::Udata(12));
    let mut sections = Sections::new(EndianVec::new(LittleEndian));
    dwarf.write(&mut sections).unwrap();
    let mut written = Vec::new();
    sections
        .for_each(|id, data| -> Result<(), ()> {
            written.push((id.name().to_string(), data.slice().to_vec()));
            Ok(())
        })
        .unwrap();
    (wasm, written)
}

fn with_sections(wasm: &[u8], sections: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut whole = wasm.to_vec();
    for (name, data) in sections {
        let section = CustomSection { name: name.into(), data: data.into() };
        whole.push(0);
        section.encode(&mut whole);
    }
    whole
}

#[test]
fn lines_are_found() {
    let (wasm, sections) = with_dwarf();
    let wasm = with_sections(&wasm, &sections);
    let places = |index: usize| {
        let found = at(&wasm, instructions(&rewrite(&wasm, OPTIONS).unwrap().bytes)[index].0);
        let place = |at: Found| {
            format!("{} {}:{}:{}", at.function.unwrap_or_default(), at.file.unwrap_or_default(), at.line, at.column)
        };
        found.into_iter().map(place).collect::<Vec<_>>()
    };
    // The function's first instruction is at address 3 of the code, after the count, the size of the body and the count
    // of locals.
    assert_eq!(places(0), ["inner() main.c:20:5", "outer main.c:12:0"]);
    assert_eq!(places(1), ["outer main.c:11:5"]);
}

#[test]
fn malformed_dwarf_does_no_harm() {
    let (wasm, sections) = with_dwarf();
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 33) as usize % below
    };
    for _ in 0..5_000 {
        let mut broken = sections.clone();
        for _ in 0..=next(4) {
            let section = next(broken.len());
            let data = &mut broken[section].1;
            match data.len() {
                0 => data.push(next(256) as u8),
                length => data[next(length)] = next(256) as u8,
            }
        }
        let whole = with_sections(&wasm, &broken);
        let table = places(&whole);
        for offset in 20..40 {
            assert!(!find(&table, offset).is_empty());
        }
    }
}

#[test]
fn a_table_that_is_cut_off_is_none() {
    let (wasm, sections) = with_dwarf();
    let table = places(&with_sections(&wasm, &sections));
    assert!(Places::new(&table).is_some_and(|places| !places.is_cut()));
    for length in 0..table.len() {
        assert!(Places::new(&table[..length]).is_none(), "{length}");
    }
    // Any damage is possible.
    for at in 32..table.len() - 1 {
        let mut damaged = table.clone();
        damaged[at] ^= 0xff;
        if let Some(places) = Places::new(&damaged) {
            (0..80).for_each(|offset| assert!(!places.find(offset).is_empty()));
        }
    }
}

// ---- Files that try to make reading slow or large
// ----------------------------------------------------------------------

/// A module whose one function traps, with these sections.
fn hostile(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let sections: Vec<_> = sections.iter().map(|(name, data)| (name.to_string(), data.clone())).collect();
    with_sections(&wat::parse_str("(module (func (nop) (unreachable)))").unwrap(), &sections)
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A unit of version 4 with these entries. `abbreviations`: the offset of its table of abbreviations.
fn unit(entries: &[u8], abbreviations: u32) -> Vec<u8> {
    let mut unit = (entries.len() as u32 + 7).to_le_bytes().to_vec();
    unit.extend([4, 0]);
    unit.extend(abbreviations.to_le_bytes());
    unit.push(4);
    unit.extend(entries);
    unit
}

/// A line program of version 4 with these files, none of which has a directory.
fn line_program(files: &[Vec<u8>], instructions: &[u8]) -> Vec<u8> {
    let mut header = vec![1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0];
    for file in files {
        header.extend(file);
        header.extend([0, 0, 0, 0]);
    }
    header.push(0);
    let mut program = (6 + header.len() as u32 + instructions.len() as u32).to_le_bytes().to_vec();
    program.extend([4, 0]);
    program.extend((header.len() as u32).to_le_bytes());
    program.extend(header);
    program.extend(instructions);
    program
}

/// 1: a unit with a line program; 2: a function; 3: a call that was inlined into it, with a file; 4: one with a list of
/// ranges; 5: one with a name in another section.
const ABBREVIATIONS: &[u8] = &[
    1, 0x11, 1, 0x10, 0x17, 0x11, 1, 0x12, 6, 0, 0, 2, 0x2e, 1, 0x11, 1, 0x12, 6, 0, 0, 3, 0x1d, 0, 0x11, 1, 0x12, 6,
    0x58, 0x0b, 0, 0, 4, 0x1d, 0, 0x55, 0x17, 0, 0, 5, 0x1d, 0, 0x11, 1, 0x12, 6, 3, 0x0e, 0, 0, 0,
];
/// The range of the whole function.
const WHOLE: [u8; 8] = [2, 0, 0, 0, 4, 0, 0, 0];

/// The entries of a unit whose function contains these.
fn in_function(inner: &[u8]) -> Vec<u8> {
    [&[1, 0, 0, 0, 0][..], &WHOLE, &[2], &WHOLE, inner, &[0, 0]].concat()
}

fn inlined(kind: u8, more: &[u8], count: usize) -> Vec<u8> {
    [&[kind][..], more].concat().repeat(count)
}

/// The processor time of this thread in nanoseconds (proc(5), schedstat). A busy machine lengthens it only a little.
fn cpu_ns() -> u64 {
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    figures.split(' ').next().unwrap().parse().unwrap()
}

/// Making the table takes a bounded time, its size is bounded, and a lookup is fast.
fn is_bounded(what: &str, wasm: &[u8]) -> Vec<Found> {
    let start = cpu_ns();
    let table = places(wasm);
    assert!(cpu_ns() - start < 60_000_000_000, "{what}: the budget ends it");
    assert!(table.len() < 128 << 20, "{what}: {} bytes", table.len());
    let trap = instructions(&rewrite(wasm, OPTIONS).unwrap().bytes)[1].0;
    let start = cpu_ns();
    let found = find(&table, trap);
    for _ in 0..64 {
        find(&table, trap);
    }
    assert!(cpu_ns() - start < 2_000_000_000, "{what}: looking it up reads a few words");
    assert!(found.len() <= 65, "{what}");
    found
}

fn debug(info: Vec<u8>, abbreviations: Vec<u8>, more: (&'static str, Vec<u8>)) -> Vec<u8> {
    hostile(&[(".debug_abbrev", abbreviations), (".debug_info", info), more])
}

#[test]
fn many_names_are_read_once() {
    let count = 8_000_000;
    let mut names = leb128(count);
    names.extend([9, 0].repeat(count));
    let section = [vec![1], leb128(names.len()), names].concat();
    is_bounded("names of another function", &hostile(&[("name", section)]));
    let exports: String = (0..50_000).map(|index| format!(r#"(export "{index}" (func 1))"#)).collect();
    let wasm = wat::parse_str(format!("(module (func (nop) (unreachable)) (func) {exports})")).unwrap();
    is_bounded("exports of another function", &wasm);
}

#[test]
fn long_file_names_are_cut_before_they_are_copied() {
    let long = vec![b'a'; 900_000];
    let call = [&WHOLE[..], &[1]].concat();
    let info = unit(&in_function(&inlined(3, &call, 100_000)), 0);
    let wasm = debug(info, ABBREVIATIONS.into(), (".debug_line", line_program(std::slice::from_ref(&long), &[])));
    let found = is_bounded("a long file name", &wasm);
    assert_eq!(found[1].file.as_ref().map(String::len), Some(1024));
    // A header longer than any compiler writes is ignored.
    let info = unit(&in_function(&inlined(3, &call, 100_000)), 0);
    let wasm = debug(info, ABBREVIATIONS.into(), (".debug_line", line_program(&[long.repeat(20)], &[])));
    is_bounded("a longer one", &wasm);
}

#[test]
fn headers_that_many_units_name_are_paid_for() {
    let files = vec![b"a".to_vec(); 200_000];
    let line = (".debug_line", [line_program(&files, &[]), line_program(&files, &[])].concat());
    let second = (line.1.len() as u32 / 2).to_le_bytes();
    let other = [&[1][..], &second, &WHOLE, &[0]].concat();
    let units = [unit(&in_function(&[]), 0), unit(&other, 0)].concat();
    is_bounded(
        "one header of many files",
        &debug(unit(&in_function(&[]), 0).repeat(100_000), ABBREVIATIONS.into(), line.clone()),
    );
    is_bounded("two headers in turns", &debug(units.repeat(50_000), ABBREVIATIONS.into(), line));
}

#[test]
fn line_instructions_without_rows_are_paid_for() {
    let program = line_program(&[b"a".to_vec()], &vec![6; 20_000_000]);
    is_bounded("no rows", &debug(unit(&in_function(&[]), 0), ABBREVIATIONS.into(), (".debug_line", program)));
    let rows = [&[0, 5, 2, 2, 0, 0, 0][..], &[1, 3, 1, 2, 0].repeat(4_000_000)].concat();
    let program = line_program(&[b"a".to_vec()], &rows);
    is_bounded("rows", &debug(unit(&in_function(&[]), 0), ABBREVIATIONS.into(), (".debug_line", program)));
}

#[test]
fn ranges_that_many_entries_share_are_paid_for() {
    for entry in [[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], WHOLE] {
        let info = unit(&in_function(&inlined(4, &[0; 4], 1_000_000)), 0);
        let ranges = [&entry.repeat(1_000_000)[..], &[0; 8]].concat();
        is_bounded("ranges", &debug(info, ABBREVIATIONS.into(), (".debug_ranges", ranges)));
    }
}

#[test]
fn names_elsewhere_are_paid_for() {
    let call = [&WHOLE[..], &[0; 4]].concat();
    let info = unit(&in_function(&inlined(5, &call, 1_000_000)), 0);
    is_bounded("one long name", &debug(info, ABBREVIATIONS.into(), (".debug_str", vec![b'a'; 10_000_000])));
}

#[test]
fn units_and_abbreviations_are_paid_for() {
    is_bounded("empty units", &debug(unit(&[], 0).repeat(2_000_000), ABBREVIATIONS.into(), (".debug_str", vec![])));
    let abbreviations: Vec<u8> =
        (6..400_000).flat_map(|code| [&leb128(code)[..], &[0x2e, 0, 3, 8, 0, 0]].concat()).collect();
    let tables = [&abbreviations[..], &[0], &abbreviations, &[0]].concat();
    let second = abbreviations.len() as u32 + 1;
    let units = [unit(&[0], 0), unit(&[0], second)].concat().repeat(50_000);
    is_bounded("two long tables in turns", &debug(units, tables, (".debug_str", vec![])));
}

#[test]
fn deep_and_endless_dwarf_does_no_harm() {
    // One unit with a million nested entries: a function, then calls inlined into each other.
    let mut abbreviations = ABBREVIATIONS.to_vec();
    let kind = abbreviations.windows(3).position(|item| item == [3, 0x1d, 0]).unwrap();
    abbreviations[kind + 2] = 1;
    let call = [&WHOLE[..], &[1]].concat();
    let info = unit(&in_function(&inlined(3, &call, 1_000_000)), 0);
    let line = (".debug_line", line_program(&[b"deep.c".to_vec()], &[]));
    let found = is_bounded("nested calls", &debug(info, abbreviations, line));
    assert_eq!(found.len(), 64);
}
