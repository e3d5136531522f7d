// SPDX-License-Identifier: Apache-2.0
//! Every instruction is charged once, where its block begins, and everything that can take long checks the limit.
use crate::scan::{scan, Change};
use crate::{rewrite, Options, FEATURES};
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

const METERED: Options = Options {
    meter: true,
    asks: false,
    landing: false,
    can_be_ended: false,
    chunk: crate::Chunk { bytes: 64, elements: 8 },
};

/// The instructions of all functions.
fn operators(wasm: &[u8]) -> Vec<String> {
    let engine = FEATURES | WasmFeatures::CUSTOM_PAGE_SIZES;
    Validator::new_with_features(engine).validate_all(wasm).expect("valid");
    let mut all = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.unwrap() {
            all.extend(
                body.get_operators_reader().unwrap().into_iter().map(|operator| format!("{:?}", operator.unwrap())),
            );
        }
    }
    all
}

/// The charges of the blocks of a module's last function, in order. "!" marks those that check the limit.
fn charges(text: &str) -> String {
    let wasm = wat::parse_str(text).expect("the test's text is right");
    let rewritten = rewrite(&wasm, METERED).expect("accepted");
    let engine = FEATURES | WasmFeatures::CUSTOM_PAGE_SIZES;
    Validator::new_with_features(engine).validate_all(&rewritten.bytes).expect("valid");
    let scan = scan(&wasm, METERED).expect("accepted");
    let body = scan.root.module.bodies.last().expect("a function");
    let charges = body.changes.iter().filter_map(|change| match change {
        Change::Charge(charge) => Some(format!("{}{}", charge.cost, if charge.checks { "!" } else { "" })),
        _ => None,
    });
    charges.collect::<Vec<_>>().join(" ")
}

/// `count` instructions that cost one each.
fn some(count: usize) -> String {
    "(local.set 0 (local.get 0))".repeat(count / 2)
}

fn function(body: &str) -> String {
    charges(&format!("(module (memory 1) (tag $t) (func $f) (func (param i32) {body}))"))
}

#[test]
fn instructions_cost_what_the_table_says() {
    assert_eq!(function(""), "1");
    assert_eq!(function("nop (block (nop)) (drop (i32.const 1)) return"), "2");
    assert_eq!(function(&some(100)), "101");
    assert_eq!(function("(drop (memory.grow (i32.const 0)))"), "502");
    assert_eq!(function("(memory.fill (i32.const 0) (i32.const 0) (i32.const 4096))"), "261");
    assert_eq!(function("(memory.fill (i32.const 0) (i32.const 0) (local.get 0))"), "5");
}

#[test]
fn functions_that_call_look_at_the_limit() {
    assert_eq!(function("(call $f)"), "2!");
    assert_eq!(function("(return_call $f)"), "2!");
    assert_eq!(function("(if (local.get 0) (then (call $f)))"), "4!");
}

#[test]
fn loops_are_charged_each_time_around() {
    assert_eq!(function("(loop (br 0))"), "1 1!");
    assert_eq!(function("(loop (br_if 0 (local.get 0)))"), "1 2!");
    assert_eq!(function("(loop (loop (br_if 0 (local.get 0))) (br_if 0 (local.get 0)))"), "1 2! 2!");
    // Code after a loop belongs to the block around the loop.
    assert_eq!(function("(loop (br_if 0 (local.get 0))) (drop (local.get 0))"), "2 2!");
}

#[test]
fn what_is_reached_on_a_condition_is_charged_apart_unless_it_is_small() {
    let sides = |count| format!("(if (local.get 0) (then {}) (else {}))", some(count), some(count));
    assert_eq!(function(&sides(8)), "19");
    assert_eq!(function(&sides(10)), "13 10");
    assert_eq!(function(&sides(40)), "3 40 40");
    let after = |count| format!("(block (br_if 0 (local.get 0)) {}) {}", some(count), some(count));
    assert_eq!(function(&after(40)), "3 40 40");
    assert_eq!(function(&after(6)), "15");
    // No branch leads to the end of this block, so the piece continues.
    assert_eq!(function(&format!("(block (br_if 1 (local.get 0)) {}) {}", some(40), some(40))), "3 80");
    let table =
        format!("(block (block (block (br_table 0 1 2 (local.get 0))) {} (br 1)) {}) {}", some(20), some(30), some(40));
    assert_eq!(function(&table), "3 21 30 40");
}

#[test]
fn what_cannot_be_reached_costs_nothing() {
    assert_eq!(function(&format!("unreachable {}", some(40))), "1");
    assert_eq!(function(&format!("(block (br 0) {}) {}", some(40), some(2))), "4");
    assert_eq!(function(&format!("(throw $t) {}", some(40))), "2");
}

#[test]
fn handlers_are_charged_where_they_are_reached() {
    let text = format!("(block $h (try_table (catch_all $h) (call $f) {})) {}", some(40), some(60));
    assert_eq!(function(&text), "42! 60");
}

#[test]
fn modules_without_code_stay_as_they_are() {
    let wasm = wat::parse_str("(module (memory 1) (data \"abc\"))").unwrap();
    assert_eq!(rewrite(&wasm, METERED).unwrap().bytes, wasm);
}

#[test]
fn the_number_is_out_of_reach() {
    // To access the added memory, or to have one of its kind, a program would have to pass validation with it.
    for text in [
        "(module (memory 1) (func (drop (i32.load 1 (i32.const 0)))))",
        "(module (memory i64 65536 65536 (pagesize 1)) (func (drop (i64.load (i64.const 0)))))",
        "(module (import \"a\" \"m\" (memory i64 65536 65536 (pagesize 1))) (func))",
        "(module (func (drop (i64.load (i64.const 0)))))",
        "(module (func) (export \"m\" (memory 0)))",
        "(component (core module (memory 1) (func (drop (i32.load 1 (i32.const 0))))))",
    ] {
        let wasm = wat::parse_str(text).expect("the test's text is right");
        assert!(rewrite(&wasm, METERED).is_err(), "{text}");
    }
}

#[test]
fn guests_of_ours_are_answered() {
    let text = r#"(module (import "curfew" "is_out_of_fuel" (func $out (result i32)))
        (func (export "f") (result i32) (loop (br_if 0 (i32.eqz (call $out)))) (call $out)))"#;
    let wasm = wat::parse_str(text).unwrap();
    let code = |options| operators(&rewrite(&wasm, options).expect("accepted").bytes);
    let calls = |operators: &[String]| operators.iter().filter(|operator| operator.starts_with("Call")).count();
    for (options, left) in
        [(METERED, 2), (Options { asks: true, ..METERED }, 0), (Options { asks: true, meter: false, ..METERED }, 0)]
    {
        assert_eq!(calls(&code(options)), left, "{options:?}");
    }
}
