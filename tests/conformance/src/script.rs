// SPDX-License-Identifier: Apache-2.0
//! Runs one test script directive by directive, so that a failing directive does not end it.
use curfew_rewriter::{rewrite, Options};
use std::collections::BTreeSet;
use std::path::Path;
use wasmtime::Engine;
use wasmtime_wast::{Async, SpectestConfig, WastContext};
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{parse, ParseBuffer};

fn lexer(text: &str) -> Lexer<'_> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    lexer
}

/// The directives of a script: the outermost parentheses, and the offset of each.
fn directives(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut depth = 0;
    for token in lexer(text).iter(0).map_while(Result::ok) {
        match token.kind {
            TokenKind::LParen => {
                if depth == 0 {
                    start = token.offset;
                }
                depth += 1;
            }
            TokenKind::RParen => {
                depth -= 1;
                if depth == 0 {
                    found.push((start, &text[start..token.offset + 1]));
                }
            }
            _ => {}
        }
    }
    found
}

/// What the rewriter says of shared memories, which guests do not have.
const NOT_SHARED: &str = "shared memories (threads) are not supported";

/// Compiles the modules of a directive, rewritten, into the directory where the runner looks for them. A refused module
/// is missing there. True: one was refused because it has a shared memory.
fn compile(name: &str, directive: &str, engine: &Engine, options: Options, directory: &Path) -> Option<bool> {
    let buffer = ParseBuffer::new_with_lexer(lexer(directive)).ok()?;
    let script = parse::<wast::Wast>(&buffer).ok()?;
    let script = json_from_wast::Opts::default().convert(name, directive, script).ok()?;
    let mut shares = false;
    for (file, wasm) in script.wasms {
        let path = directory.join(file).with_extension("cwasm");
        let _ = std::fs::remove_file(&path);
        match rewrite(&wasm, options) {
            Ok(rewritten) => {
                let compiled = engine.precompile_module(&rewritten.bytes).ok()?;
                std::fs::write(path, compiled).expect("a directory to write to");
            }
            Err(refusal) => shares |= refusal.to_string().contains(NOT_SHARED),
        }
    }
    Some(shares)
}

/// How a script ended.
#[derive(Default)]
pub struct Outcome {
    /// The offsets of the directives that pass.
    pub passed: BTreeSet<usize>,
    /// Those of the directives that were refused because of a shared memory.
    pub shared: BTreeSet<usize>,
    /// The number of all directives.
    pub all: usize,
}

/// Runs a script.
pub fn run(name: &str, text: &str, engine: &Engine, rewriting: Option<Options>) -> Outcome {
    let directory = std::env::temp_dir().join(format!("conformance-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory to write to");
    let mut context = WastContext::new(engine, Async::No, |_| {});
    context.generate_dwarf(false).ignore_error_messages(true);
    context
        .register_spectest(&SpectestConfig { use_shared_memory: false, suppress_prints: true })
        .expect("what tests import");
    if rewriting.is_some() {
        context.precompile_load(&directory);
    }
    let directives = directives(text);
    let mut outcome = Outcome { all: directives.len(), ..Outcome::default() };
    for &(start, directive) in &directives {
        if let Some(options) = rewriting {
            if compile(name, directive, engine, options, &directory) == Some(true) {
                outcome.shared.insert(start);
            }
        }
        if context.run_wast(name, directive.as_bytes()).is_ok() {
            outcome.passed.insert(start);
        }
    }
    std::fs::remove_dir_all(&directory).expect("the directory is still there");
    outcome
}
