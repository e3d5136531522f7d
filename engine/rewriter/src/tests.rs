// SPDX-License-Identifier: Apache-2.0
//! The output is valid, and invalid files are refused with the reason.
use crate::{rewrite, Kind, Options, Refusal, Rewritten, FEATURES};
use wasmparser::{Validator, WasmFeatures};

const ALL: Options = Options {
    meter: true,
    asks: false,
    landing: true,
    chunk: crate::Chunk { bytes: 64, elements: 8 },
    can_be_ended: false,
};

fn rewrite_text(text: &str) -> Result<Rewritten, Refusal> {
    rewrite(&wat::parse_str(text).expect("the test's text is right"), ALL)
}

/// Rewrites a file that must be accepted, and validates the result with the engine's features.
fn accept(text: &str) -> Rewritten {
    let rewritten = rewrite_text(text).expect("accepted");
    let engine = FEATURES | WasmFeatures::CUSTOM_PAGE_SIZES;
    Validator::new_with_features(engine).validate_all(&rewritten.bytes).expect("valid");
    rewritten
}

#[test]
fn every_bulk_instruction_stays_valid() {
    let rewritten = accept(
        r#"(module
            (type $unused (func (param externref)))
            (import "a" "f" (func $f))
            (import "a" "t" (table $imported 10 funcref))
            (memory 1 2)
            (memory $second 1 2)
            (table $t 10 externref)
            (table $u 10 funcref)
            (table $few 10 20 funcref)
            (data $d "abc")
            (elem $e func $f)
            (func (param i32 i32 i32)
                (memory.fill (local.get 0) (local.get 1) (local.get 2))
                (memory.copy (local.get 0) (local.get 1) (local.get 2))
                (memory.init $d (local.get 0) (local.get 1) (local.get 2))
                (memory.fill $second (local.get 0) (local.get 1) (local.get 2))
                (memory.copy $second 0 (local.get 0) (local.get 1) (local.get 2))
                (memory.copy $second $second (local.get 0) (local.get 1) (local.get 2))
                (memory.init $second $d (local.get 0) (local.get 1) (local.get 2))
                (table.fill $t (local.get 0) (ref.null extern) (local.get 2))
                (table.copy $u $imported (local.get 0) (local.get 1) (local.get 2))
                (table.copy $t $t (local.get 0) (local.get 1) (local.get 2))
                (table.init $imported $e (local.get 0) (local.get 1) (local.get 2))
                (drop (table.grow $t (ref.null extern) (local.get 2)))
                (drop (table.grow $imported (ref.func $f) (local.get 2)))
                (drop (table.grow $few (ref.null func) (local.get 2)))
                (loop (call $f) (br 0)))
            (func (export "g") (loop (br 0))))"#,
    );
    assert_eq!(rewritten.kind, Kind::Module);
    assert!(!rewritten.imports_wasi);
}

#[test]
fn sections_that_are_missing_are_added() {
    accept("(module (func (loop (br 0))))");
    accept("(module (import \"a\" \"m\" (memory 1)) (func (loop (br 0))))");
    accept("(module (global i32 (i32.const 0)) (func (loop (br 0))))");
    accept("(module (table 1 funcref) (tag) (func $f (call $f)))");
}

/// A component that exports a function, and one that calls its import. `given` decides what that import is.
fn composed(given: &str) -> String {
    format!(
        r#"(component
            (import "host" (func $host))
            (component $callee
                (core module $m (func (export "f") (loop (br 0))))
                (core instance $i (instantiate $m))
                (func (export "f") (canon lift (core func $i "f"))))
            (component $caller
                (import "f" (func $f))
                (core func $lowered (canon lower (func $f)))
                (core module $m (import "" "f" (func)) (func (export "g") (call 0)))
                (core instance $i (instantiate $m (with "" (instance (export "f" (func $lowered))))))
                (func (export "g") (canon lift (core func $i "g"))))
            (component $shim (import "f" (func $f)) (export "f" (func $f)))
            (instance $a (instantiate $callee))
            (instance $shimmed (instantiate $shim (with "f" (func $a "f"))))
            (instance $b (instantiate $caller (with "f" (func {given}))))
            (export "g" (func $b "g")))"#
    )
}

#[test]
fn components_that_call_each_other_are_rewritten() {
    for given in ["$a \"f\"", "$shimmed \"f\"", "$host"] {
        assert_eq!(accept(&composed(given)).kind, Kind::Component);
    }
}

#[test]
fn instances_of_components_are_counted() {
    let mut text = String::from("(component (component $c0)");
    for level in 1..20 {
        let inner = level - 1;
        text += &format!(
            "(component $c{level} (alias outer 1 $c{inner} (component $c))
                (instance (instantiate $c)) (instance (instantiate $c)))"
        );
    }
    text += "(instance (instantiate $c19)))";
    let refusal = rewrite_text(&text).expect_err("half a million instances");
    assert_eq!(refusal.to_string(), "component instances: 1001, above the limit of 1000");
}

#[test]
fn imports_of_wasi_are_told() {
    assert!(accept(r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#).imports_wasi);
    assert!(accept(r#"(component (import "wasi:cli/environment@0.2.0" (instance)))"#).imports_wasi);
}

/// The message of a file that must be refused.
fn refused(text: &str) -> String {
    let message = rewrite_text(text).expect_err("refused").to_string();
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn features_that_are_off_are_named() {
    let offset = |message: &str| message.contains("(at offset 0x");
    for (text, name) in [
        ("(module (memory 1 2 shared))", "thread"),
        ("(module (import \"a\" \"m\" (memory 1 2 shared)))", "thread"),
        ("(module (type (struct)))", "gc"),
        ("(module (memory 1 (pagesize 1)))", "custom"),
        ("(component (core func (canon task.cancel)))", "async"),
    ] {
        let message = refused(text);
        assert!(offset(&message) && message.contains(name), "{text}: {message}");
    }
}

#[test]
fn malformed_names_are_left_alone() {
    accept("(module (func (loop (br 0))) (@custom \"name\" \"\\ff\\ff\\ff\"))");
    accept("(component (core module (func) (@custom \"name\" \"\\01\")) (@custom \"component-name\" \"\\ff\"))");
}

#[test]
fn debug_sections_are_dropped() {
    let rewritten = accept("(module (func) (@custom \".debug_info\" \"12345\") (@custom \"producers\" \"\"))");
    let text = String::from_utf8_lossy(&rewritten.bytes);
    assert!(!text.contains(".debug_info") && text.contains("producers"));
}

/// The segments of a module after it was rewritten: the address and the content of each.
fn segments(fields: &str) -> Vec<(Option<i32>, Vec<u8>)> {
    let rewritten = accept(&format!("(module {fields} (func))"));
    let mut found = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(&rewritten.bytes) {
        if let wasmparser::Payload::DataSection(section) = payload.expect("valid") {
            for segment in section {
                let segment = segment.expect("valid");
                let at = match segment.kind {
                    wasmparser::DataKind::Active { offset_expr, .. } => match offset_expr.get_operators_reader().read()
                    {
                        Ok(wasmparser::Operator::I32Const { value }) => Some(value),
                        _ => Some(-1),
                    },
                    wasmparser::DataKind::Passive => None,
                };
                found.push((at, segment.data.to_vec()));
            }
        }
    }
    found
}

#[test]
fn neighbouring_data_is_put_together() {
    let own = "(memory 1)";
    let (a, b, c) = (r#"(data (i32.const 8) "ab")"#, r#"(data (i32.const 12) "cd")"#, r#"(data (i32.const 14) "e")"#);
    let together = vec![(Some(8), b"ab\0\0cde".to_vec()), (None, Vec::new()), (None, Vec::new())];
    assert_eq!(segments(&[own, a, b, c].concat()), together);
    let apart = vec![(Some(8), b"ab".to_vec()), (Some(12), b"cd".to_vec())];
    // The memory of another module may not be empty.
    assert_eq!(segments(&[r#"(import "a" "m" (memory 1))"#, a, b].concat()), apart);
    // Zeros do not overwrite what an earlier segment wrote.
    let first = r#"(data (i32.const 10) "x")"#;
    assert_eq!(segments(&[own, first, a, b].concat())[1..], apart);
    let computed = r#"(import "a" "g" (global $g i32)) (memory 1) (data (global.get $g) "x")"#;
    assert_eq!(segments(&[computed, a, b].concat())[1..], apart);
    let backwards = vec![(Some(12), b"cd".to_vec()), (Some(8), b"ab".to_vec())];
    assert_eq!(segments(&[own, b, a].concat()), backwards);
    let far = r#"(data (i32.const 75) "y")"#;
    assert_eq!(segments(&[own, a, far].concat()), [(Some(8), b"ab".to_vec()), (Some(75), b"y".to_vec())]);
    let passive = r#"(data "p")"#;
    assert_eq!(segments(&[own, a, passive, b].concat()).len(), 3);
    // An empty segment may lie outside of the memory.
    assert_eq!(segments(&[own, a, r#"(data (i32.const -1) "")"#, b].concat())[1], (Some(-1), Vec::new()));
}

#[test]
fn what_needs_nothing_is_left_alone() {
    for text in [
        "(module (memory 1) (func (loop (br 0))) (@custom \".debug_info\" \"12345\"))",
        "(component (core module (func (loop (br 0)))))",
        "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 8))))",
    ] {
        let binary = wat::parse_str(text).expect("the test's text is right");
        assert_eq!(rewrite(&binary, Options::default()).expect("accepted").bytes, binary, "{text}");
    }
}

#[test]
fn what_takes_long_to_compile_is_refused() {
    let repeat = |text: &str, count: usize| text.repeat(count);
    let function = |locals: usize, body: String| format!("(module (func (local {}) {body}))", repeat("i32 ", locals));
    let nested = |count| repeat("(loop ", count) + &repeat("(br_if 0 (local.get 0)))", count);
    let set = |count| (0..count).map(|local| format!("(local.set {local} (i32.const 1))")).collect::<String>();
    let around = repeat("(loop ", 100) + &set(1_000) + &repeat("(br_if 0 (local.get 0)))", 100);
    for (text, message) in [
        (function(10_001, String::new()), "locals of function 0: 10001, above the limit of 10000"),
        (function(1, nested(3_000)), "estimated milliseconds for the compilation of function 0: 4"),
        (function(1, repeat("(block (br_if 0 (local.get 0)))", 30_000)), "estimated milliseconds"),
        (function(1_000, around), "estimated milliseconds"),
        (function(1, repeat("i32.const 1 ", 20_000) + &repeat("drop ", 20_000)), "estimated milliseconds"),
        (format!("(module {})", repeat("(func)", 100_001)), "functions: 100001, above the limit of 100000"),
        (format!("(module (func $f) (elem func {}))", repeat("$f ", 200_001)), "elements of all segments: 200001"),
    ] {
        let seen = refused(&text);
        assert!(seen.starts_with(message), "{seen}");
    }
}

#[test]
fn large_programs_are_accepted() {
    // A function of 200 KB with 4,000 jumps and 300 locals that live throughout, and 500 more functions of 4 KB.
    let piece = "(block (br_if 0 (i32.load (local.get 7))) (local.set 9 (i32.add (local.get 9) (i32.const 77))))";
    let locals = "i32 ".repeat(300);
    let large = format!("(func (local {locals}) (loop {} (br_if 0 (local.get 3))))", piece.repeat(4_000));
    let small = format!("(func (local {locals}) {})", piece.repeat(200)).repeat(500);
    accept(&format!("(module (memory 1) {large} {small})"));
}

#[test]
fn shells_have_the_interface_and_nothing_else() {
    let text = r#"(module
        (type $pair (func (param i32 i64) (result f32)))
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
        (import "m" "memory" (memory 1))
        (func $a (type $pair) (loop (br 0)) (unreachable))
        (func (export "b") (type $pair) (unreachable))
        (func (export "c") (param i32))
        (table (export "t") 3 funcref)
        (global (export "g") (mut i64) (i64.const 7))
        (global funcref (ref.func $a))
        (tag (export "e") (param i32))
        (export "a" (func $a)) (export "imported" (func 0))
        (start $s) (func $s)
        (elem (i32.const 0) $a) (data (i32.const 0) "much"))"#;
    let shell = crate::shell(&wat::parse_str(text).unwrap()).unwrap();
    assert!(shell.imports_wasi && shell.kind == Kind::Module);
    let types = wasmparser::Validator::new_with_features(crate::FEATURES).validate_all(&shell.bytes).unwrap();
    assert_eq!(types.as_ref().function_count(), 3, "one imported, and one for each type");
    let bodies = crate::rewrite(&shell.bytes, Options::default()).unwrap();
    assert!(bodies.bytes.len() < 300);

    let component = format!("(component (core module $m {}) (component $c) (import \"x\" (func $f)) (core func $l (canon lower (func $f))))", r#"(func (export "f"))"#);
    let shell = crate::shell(&wat::parse_str(component).unwrap()).unwrap();
    assert!(!shell.imports_wasi && shell.kind == Kind::Component);
    wasmparser::Validator::new_with_features(crate::FEATURES).validate_all(&shell.bytes).unwrap();
}

#[test]
fn shells_of_malformed_files_are_refused_or_made_without_harm() {
    let wasm = wat::parse_str(
        r#"(module (import "a" "b" (func)) (func (export "f")) (memory (export "m") 1) (table 1 funcref))"#,
    )
    .unwrap();
    for length in 0..wasm.len() {
        let _ = crate::shell(&wasm[..length]);
    }
    for at in 8..wasm.len() {
        for value in 0..=255 {
            let mut broken = wasm.clone();
            broken[at] = value;
            let _ = crate::shell(&broken);
        }
    }
}

/// How many active segments are left in a file whose text has much data where it says MUCH, and the pieces that its code
/// writes: the segment and the length of each.
fn begins_in_code(text: &str) -> (usize, Vec<(u32, u32)>) {
    let much = "x".repeat(700_000);
    let rewritten = accept(&text.replace("MUCH", &much));
    let (mut active, mut pieces) = (0, Vec::new());
    for payload in wasmparser::Parser::new(0).parse_all(&rewritten.bytes) {
        match payload.expect("valid") {
            wasmparser::Payload::DataSection(section) => {
                let segments = section.into_iter().map(|segment| segment.expect("valid"));
                active += segments.filter(|one| matches!(one.kind, wasmparser::DataKind::Active { .. })).count();
            }
            wasmparser::Payload::CodeSectionEntry(body) => {
                let operators: Vec<_> =
                    body.get_operators_reader().unwrap().into_iter().map(|operator| operator.unwrap()).collect();
                for pair in operators.windows(2) {
                    let (wasmparser::Operator::I32Const { value }, wasmparser::Operator::MemoryInit { data_index, .. }) =
                        (&pair[0], &pair[1])
                    else {
                        continue;
                    };
                    pieces.push((*data_index, *value as u32));
                }
            }
            _ => {}
        }
    }
    (active, pieces)
}

#[test]
fn much_data_is_written_by_code() {
    let sum = |pieces: &[(u32, u32)], segment| -> u32 {
        pieces.iter().filter(|(index, _)| *index == segment).map(|(_, length)| length).sum()
    };
    let two = r#"(data (i32.const 8) "MUCH") (data (i32.const 900000) "MUCH")"#;
    for fields in [
        "(memory 30)",
        "(memory 30) (func $s) (start $s)",
        "(memory 30) (func $s (param i32)) (table 1 funcref) (elem (i32.const 0) $s) (export \"s\" (func $s))",
        "(import \"a\" \"m\" (memory 30))",
        "(import \"a\" \"f\" (func $f)) (import \"a\" \"m\" (memory 30)) (start $f)",
        "(memory 30) (memory 1) (global i32 (i32.const 3)) (tag)",
        "(memory 30) (func (memory.fill (i32.const 0) (i32.const 0) (local.get 0)) (data.drop 1)) (func (param i32))",
    ] {
        let fields = fields.replace("(func (memory.fill", "(func (param i32) (memory.fill");
        let (active, pieces) = begins_in_code(&format!("(module {fields} {two})"));
        assert_eq!(active, 0, "{fields}");
        assert_eq!([sum(&pieces, 0), sum(&pieces, 1)], [700_000; 2], "{fields}");
        assert!(pieces.iter().all(|(_, length)| *length <= ALL.chunk.bytes), "{fields}");
    }
    let wide = r#"(module (memory i64 30) (data (i64.const 8) "MUCH") (data (i64.const 900000) "MUCH") (data "p"))"#;
    assert_eq!(begins_in_code(wide).1.len(), 2 * 700_000_usize.div_ceil(64));
    let computed = r#"(module (import "a" "g" (global $g i32)) (import "a" "m" (memory 30))
        (data (i32.add (global.get $g) (i32.const 3)) "MUCH") (data (global.get $g) "MUCH") (data (i32.const -1) ""))"#;
    let (active, pieces) = begins_in_code(computed);
    assert_eq!((active, pieces.len()), (0, 2 * 700_000_usize.div_ceil(64) + 1));
    // Little data stays.
    assert_eq!(begins_in_code(r#"(module (memory 30) (data (i32.const 8) "MUCH"))"#).0, 1);
}

#[test]
fn what_all_instances_begin_with_is_counted() {
    let (many, one) = ("(core instance (instantiate $m))".repeat(3), "(core instance (instantiate $m))");
    let module = r#"(core module $m (memory 12) (data (i32.const 0) "MUCH"))"#;
    assert_eq!(begins_in_code(&format!("(component {module} {one})")).0, 1);
    assert_eq!(begins_in_code(&format!("(component {module} {many})")).0, 0);
    let unused = format!("(component {module}) (component {module})");
    assert_eq!(begins_in_code(&format!("(component {module} {unused} {one})")).0, 3);
    // However a component reaches the module.
    for inner in [
        "(component $c (alias outer 1 $m (core module $n)) (core instance (instantiate $n)) (core instance (instantiate $n)))
            (instance (instantiate $c))",
        "(component $c (export \"n\" (core module $m))) (instance $i (instantiate $c)) (alias export $i \"n\" (core module $n))
            (core instance (instantiate $n)) (core instance (instantiate $n))",
        "(component $c (import \"n\" (core module $n)) (core instance (instantiate $n)) (core instance (instantiate $n)))
            (instance (instantiate $c (with \"n\" (core module $m))))",
    ] {
        let inner = inner.replace("(export \"n\" (core module $m))", &format!("{module} (export \"n\" (core module $m))"));
        assert_eq!(begins_in_code(&format!("(component {module} {inner})")).0, 0, "{inner}");
    }

    let instances = |fields: &str, count: usize| {
        format!("(component (core module $m {fields}) {})", "(core instance (instantiate $m))".repeat(count))
    };
    let globals = "(global (mut i64) (i64.const 1))".repeat(10_000);
    accept(&instances(&globals, 100));
    let message = refused(&instances(&globals, 101));
    assert_eq!(message, "definitions of all module instances: 1010000, above the limit of 1000000");
    let message = refused("(module (func $f) (table 1000001 funcref (ref.func $f)))");
    assert_eq!(message, "elements that all instances begin with: 1000001, above the limit of 1000000");
    accept("(module (func $f) (table 9000000 funcref))");
    let segment = format!("(func $f) (elem func {})", "$f ".repeat(20_000));
    accept(&instances(&segment, 50));
    assert!(refused(&instances(&segment, 51)).starts_with("elements that all instances begin with: 1020000"));
}
