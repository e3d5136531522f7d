// SPDX-License-Identifier: Apache-2.0
//! Bulk instructions in edge cases, original and rewritten side by side: overlap in both directions, length 0, bounds,
//! wrapping.
use crate::{engine, Tally, REWRITINGS};
use curfew_rewriter::rewrite;
use wasmtime::{Engine, Instance, Module, Store, Trap, Val};

/// Two pages, tables of 40, segments of 60 bytes and 20 functions. INDEX stands for `i64` where indices have that type, and
/// ADDRESS for what makes an index of an argument.
const MODULE: &str = r#"(module
    (memory (export "memory") INDEX 2 2)
    (memory $small (export "small") 2 2)
    (table $t (export "t") INDEX 40 40 funcref)
    (table $u (export "u") INDEX 40 40 funcref)
    (table $v 40 40 funcref)
    (data $d "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567")
    (elem $e func $f0 $f1 $f2 $f3 $f4 $f0 $f1 $f2 $f3 $f4 $f0 $f1 $f2 $f3 $f4 $f0 $f1 $f2 $f3 $f4)
    (type $get (func (result i32)))
    (type $bulk (func (param i64 i64 i64)))
    (func $f0 (result i32) (i32.const 1)) (func $f1 (result i32) (i32.const 2)) (func $f2 (result i32) (i32.const 3))
    (func $f3 (result i32) (i32.const 4)) (func $f4 (result i32) (i32.const 5))
    (func (export "memory.fill") (type $bulk) (memory.fill (ADDRESS (local.get 0)) (i32.wrap_i64 (local.get 1)) (ADDRESS (local.get 2))))
    (func (export "memory.copy") (type $bulk) (memory.copy (ADDRESS (local.get 0)) (ADDRESS (local.get 1)) (ADDRESS (local.get 2))))
    (func (export "memory.copy between") (type $bulk)
        (memory.copy 0 $small (ADDRESS (local.get 0)) (i32.wrap_i64 (local.get 1)) (i32.wrap_i64 (local.get 2))))
    (func (export "memory.init") (type $bulk)
        (memory.init $d (ADDRESS (local.get 0)) (i32.wrap_i64 (local.get 1)) (i32.wrap_i64 (local.get 2))))
    (func (export "data.drop") (type $bulk) (data.drop $d))
    (func (export "table.fill") (type $bulk) (table.fill $t (ADDRESS (local.get 0)) (ref.func $f4) (ADDRESS (local.get 2))))
    (func (export "table.copy") (type $bulk) (table.copy $t $t (ADDRESS (local.get 0)) (ADDRESS (local.get 1)) (ADDRESS (local.get 2))))
    (func (export "table.copy between") (type $bulk)
        (table.copy $u $t (ADDRESS (local.get 0)) (ADDRESS (local.get 1)) (ADDRESS (local.get 2))))
    (func (export "table.copy from small") (type $bulk)
        (table.copy $u $v (ADDRESS (local.get 0)) (i32.wrap_i64 (local.get 1)) (i32.wrap_i64 (local.get 2))))
    (func (export "table.init") (type $bulk)
        (table.init $t $e (ADDRESS (local.get 0)) (i32.wrap_i64 (local.get 1)) (i32.wrap_i64 (local.get 2))))
    (func (export "elem.drop") (type $bulk) (elem.drop $e))
    (func (export "reset") (local $i i64)
        (loop
            (table.set $t (ADDRESS (local.get $i)) (table.get $u (ADDRESS (i64.rem_u (local.get $i) (i64.const 5)))))
            (local.set $i (i64.add (local.get $i) (i64.const 1)))
            (br_if 0 (i64.lt_u (local.get $i) (i64.const 40)))))
    (func (export "t at") (param i64) (result i32) (call $at (table.get $t (ADDRESS (local.get 0)))))
    (func (export "u at") (param i64) (result i32) (call $at (table.get $u (ADDRESS (local.get 0)))))
    (func $at (param funcref) (result i32)
        (if (ref.is_null (local.get 0)) (then (return (i32.const 0))))
        (table.set $u (ADDRESS (i64.const 39)) (local.get 0))
        (call_indirect $u (type $get) (ADDRESS (i64.const 39))))
    (elem (table $u) (offset (ADDRESS (i64.const 0))) func $f0 $f1 $f2 $f3 $f4)
    (elem (table $v) (i32.const 1) func $f0 $f1 $f2 $f3 $f4))"#;

/// The module with indices of 32 bits, or of 64.
fn module(is_64: bool) -> Vec<u8> {
    let text =
        MODULE.replace("(offset (ADDRESS (i64.const 0)))", if is_64 { "(i64.const 0)" } else { "(i32.const 0)" });
    let text = if is_64 {
        // What has its type already is only put into a block.
        text.replace("INDEX", "i64").replace("(ADDRESS ", "(block (result i64) ")
    } else {
        text.replace("INDEX", "").replace("(ADDRESS ", "(i32.wrap_i64 ")
    };
    wast_binary(&text)
}

/// An instance whose state can be compared.
struct Subject {
    store: Store<()>,
    instance: Instance,
}

impl Subject {
    fn new(module: &Module) -> Subject {
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, module, &[]).expect("a module that imports nothing");
        Subject { store, instance }
    }

    fn call(&mut self, name: &str, arguments: &[u64]) -> Result<u32, Option<Trap>> {
        let function = self.instance.get_func(&mut self.store, name).expect("an export");
        let arguments: Vec<Val> = arguments.iter().map(|argument| Val::I64(*argument as i64)).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        match function.call(&mut self.store, &arguments, &mut results) {
            Ok(()) => Ok(results.first().map_or(0, |result| result.unwrap_i32() as u32)),
            Err(error) => Err(error.downcast::<Trap>().ok()),
        }
    }

    /// Restores memory and tables.
    fn reset(&mut self) {
        for name in ["memory", "small"] {
            let memory = self.instance.get_memory(&mut self.store, name).expect("an export");
            for (index, byte) in memory.data_mut(&mut self.store).iter_mut().enumerate() {
                *byte = (index ^ (index >> 8)) as u8;
            }
        }
        self.call("reset", &[]).expect("no trap");
    }

    /// The result of the call, and the content of memory or tables afterwards.
    fn observe(&mut self, name: &str, arguments: &[u64]) -> (Result<u32, Option<Trap>>, Vec<u8>) {
        self.reset();
        let end = self.call(name, arguments);
        if name.starts_with("memory") {
            let memory = self.instance.get_memory(&mut self.store, "memory").expect("an export");
            return (end, memory.data(&self.store).to_vec());
        }
        let entries = ["t at", "u at"].into_iter().flat_map(|table| (0..39).map(move |index| (table, index)));
        let state =
            entries.map(|(table, index)| self.call(table, &[index]).expect("an index in bounds") as u8).collect();
        (end, state)
    }
}

/// Addresses and lengths at which the behaviour changes: chunks are 24 bytes and 5 elements.
fn figures(limit: u64, chunk: u64, is_64: bool) -> Vec<u64> {
    let most = u64::from(u32::MAX);
    let mut figures = vec![0, 1, 2, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 1, most, most - chunk, 1 << 31];
    figures.extend([limit / 2, limit - chunk, limit - 2 * chunk - 1, limit - 1, limit, limit + 1]);
    if is_64 {
        figures.extend([most + 1, most + 1 + chunk, 1 << 63, u64::MAX - chunk, u64::MAX]);
    }
    figures.sort_unstable();
    figures.dedup();
    figures
}

/// Runs every instruction with every combination of values on the original and each rewriting.
pub fn check(tally: &mut Tally) {
    check_module(tally, false);
    check_module(tally, true);
}

fn check_module(tally: &mut Tally, is_64: bool) {
    let wasm = module(is_64);
    let compile = |engine: Engine, wasm: &[u8]| Module::new(&engine, wasm).expect("a module that compiles");
    let original = compile(engine(false), &wasm);
    let others: Vec<Module> = REWRITINGS
        .iter()
        .map(|options| compile(engine(true), &rewrite(&wasm, *options).expect("accepted").bytes))
        .collect();
    // What is called, and what is called before it.
    let tables = [
        ("table.fill", None),
        ("table.copy", None),
        ("table.copy between", None),
        ("table.copy from small", None),
        ("table.init", None),
        ("elem.drop", None),
        ("table.init", Some("elem.drop")),
    ];
    let memories = [
        ("memory.fill", None),
        ("memory.copy", None),
        ("memory.copy between", None),
        ("memory.init", None),
        ("data.drop", None),
        ("memory.init", Some("data.drop")),
    ];
    for (calls, to_limit, chunk) in [(&tables[..], 40, 5), (&memories[..], 131_072, 24)] {
        for &(name, before) in calls {
            let from_limit = match name {
                "memory.init" => 60,
                "table.init" => 20,
                _ => to_limit,
            };
            for to in figures(to_limit, chunk, is_64) {
                for from in
                    figures(from_limit, chunk, is_64).into_iter().chain([to.wrapping_add(3), to.wrapping_sub(3)])
                {
                    // Each has instances of its own, because the charges for lengths that are refused add up.
                    let mut original = Subject::new(&original);
                    let mut others: Vec<Subject> = others.iter().map(Subject::new).collect();
                    for subject in others.iter_mut().chain([&mut original]) {
                        if let Some(name) = before {
                            subject.call(name, &[0, 0, 0]).expect("no trap");
                        }
                    }
                    for length in figures(from_limit, chunk, is_64) {
                        compare(tally, &mut original, &mut others, name, [to, from, length]);
                    }
                }
            }
        }
    }
}

fn compare(tally: &mut Tally, original: &mut Subject, others: &mut [Subject], name: &str, arguments: [u64; 3]) {
    let expected = original.observe(name, &arguments);
    for (other, options) in others.iter_mut().zip(REWRITINGS) {
        let seen = other.observe(name, &arguments);
        tally.count(seen == expected, || {
            format!("{name} {arguments:?} ends with {:?}, not {:?} ({:?})", seen.0, expected.0, options)
        });
    }
}

fn wast_binary(text: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(text).expect("text");
    wast::parser::parse::<wast::Wat>(&buffer).expect("a module").encode().expect("a module")
}
