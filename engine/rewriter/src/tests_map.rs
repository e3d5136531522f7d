// SPDX-License-Identifier: Apache-2.0
//! Offsets in rewritten code lead back to the original's functions, files and lines, and malformed DWARF does no harm.
use crate::{rewrite, Chunk, CodeMap, Guard, Location, Options};
use gimli::write::{Address, AttributeValue, DwarfUnit, EndianVec, LineProgram, LineString, Sections};
use gimli::{Encoding, Format, LineEncoding, LittleEndian};
use wasm_encoder::{CustomSection, Encode};
use wasmparser::{Operator, Parser, Payload};

const OPTIONS: Options = Options { guard: Some(Guard::Fault), chunk: Chunk { bytes: 64, elements: 8 } };

/// Every instruction of every function: offset, index of the function among those with a body, and what it is.
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

fn at(wasm: &[u8], offset: usize) -> Vec<Location> {
    CodeMap::new(wasm, OPTIONS).unwrap().find(offset)
}

#[test]
fn every_instruction_leads_back() {
    let module = r#"(module (memory 1)
        (func $first (param i32) (loop (br_if 0 (local.get 0))) (memory.fill (local.get 0) (local.get 0) (local.get 0)))
        (func $_ZN3geo5PointC1Ev (call $first (i32.const 7)) (loop (drop (i32.const 9)) (br 0))))"#;
    for text in [module.into(), format!("(component (core module (func $x)) (component (core {}))", &module[1..])] {
        let wasm = wat::parse_str(&text).unwrap();
        let original = instructions(&wasm);
        let rewritten = rewrite(&wasm, OPTIONS).unwrap();
        let mut map = CodeMap::new(&wasm, OPTIONS).unwrap();
        let mut hidden = 0;
        for (offset, _, operator) in instructions(&rewritten.bytes) {
            let location = map.find(offset).remove(0);
            hidden += u32::from(location.hidden);
            if location.hidden {
                continue;
            }
            let (_, function, was) = original.iter().find(|(at, ..)| *at == location.offset).expect("an instruction");
            let is_added = operator.contains("I64Const") || operator.contains("memory: 1") || operator == "Drop";
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
    assert_eq!(at(&wasm, 0), [Location::default()]);
    assert!(at(&wasm, 1 << 40)[0].function.is_none());
}

#[test]
fn functions_without_a_name_are_told_by_their_export_or_number() {
    let wasm = wat::parse_str(r#"(module (import "a" "b" (func)) (func (export "x") nop) (func nop) (func $f (export "y") nop))"#);
    let wasm = wasm.unwrap();
    let code = instructions(&rewrite(&wasm, OPTIONS).unwrap().bytes);
    let names: Vec<_> = code.iter().filter(|(.., operator)| operator == "Nop").map(|(offset, ..)| at(&wasm, *offset).remove(0).function.unwrap()).collect();
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

/// A module of one function, and DWARF that says where it is from: an inlined call in it, too.
fn with_dwarf() -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let wasm = wat::parse_str("(module (func (nop) (nop) (nop)))").unwrap();
    let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 4 };
    let text = |text: &str| LineString::String(text.into());
    let mut program = LineProgram::new(encoding, LineEncoding::default(), text("/home"), None, text("main.c"), None);
    let folder = program.default_directory();
    let file = program.add_file(text("main.c"), folder, None);
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
        let place = |at: Location| {
            format!("{} {}:{}:{}", at.function.unwrap_or_default(), at.file.unwrap_or_default(), at.line, at.column)
        };
        found.into_iter().map(place).collect::<Vec<_>>()
    };
    // The function's first instruction stands at address 3 of the code: one body's size and no locals before it.
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
        let mut map = CodeMap::new(&whole, OPTIONS).unwrap();
        for offset in 20..40 {
            assert!(!map.find(offset).is_empty());
        }
    }
}

#[test]
fn deep_and_endless_dwarf_does_no_harm() {
    // One unit of a million entries inside each other, each a byte: a function, then calls inlined in it.
    let abbreviations = [1, 0x11, 1, 0x11, 1, 0x12, 6, 0, 0, 2, 0x2e, 1, 0x11, 1, 0x12, 6, 0, 0, 3, 0x1d, 1, 0, 0, 0];
    let range = [0u8, 0, 0, 0, 0xff, 0, 0, 0];
    let mut unit = vec![4, 0, 0, 0, 0, 0, 4, 1];
    unit.extend(range);
    unit.push(2);
    unit.extend(range);
    unit.extend(vec![3; 1_000_000]);
    let mut info = (unit.len() as u32).to_le_bytes().to_vec();
    info.extend(unit);
    let sections = [(".debug_info".to_string(), info), (".debug_abbrev".to_string(), abbreviations.to_vec())];
    let wasm = with_sections(&with_dwarf().0, &sections);
    let mut map = CodeMap::new(&wasm, OPTIONS).unwrap();
    let start = std::time::Instant::now();
    for offset in 20..40 {
        map.find(offset);
    }
    assert!(start.elapsed().as_secs() < 30, "the budget ends it");
}
