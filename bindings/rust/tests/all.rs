// SPDX-License-Identifier: Apache-2.0
//! Tests the crate through its public API.

use curfew::{
    default_engine, Dir, Engine, EngineOptions, Error, Event, HostFunction, Language, Limits, Number, Options, Program,
    Source, Status,
};
use serde_json::{json, Value};
use std::sync::{mpsc, Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

const ADD: &str = r#"(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))"#;
const WAITS: &str = "new Promise((resolve) => setTimeout(resolve, 1e6))";

fn program(text: &str) -> Program {
    default_engine().unwrap().program(Source::js(text)).unwrap()
}

fn with(limits: Limits) -> Options {
    Options { limits, ..Default::default() }
}

fn forever() -> Options {
    with(Limits::new().timeout("10m").unwrap())
}

fn short() -> Options {
    with(Limits::new().timeout("100ms").unwrap())
}

fn status<T>(result: Result<T, Error>) -> Status {
    result.err().expect("it has to fail").status
}

#[test]
fn a_report_has_what_the_json_has() {
    let report = curfew::run(
        "console.log('hi'); console.error('oh'); curfew.checkpoint({done: 1}); null.x",
        &Options::default(),
    )
    .unwrap();
    assert_eq!((report.outcome.as_str(), report.is_ok(), report.exit_code), ("threw", false, 1));
    assert_eq!(
        (report.stdout.as_str(), report.stderr.as_str(), &report.partial),
        ("hi\n", "oh\n", &json!({"done": 1}))
    );
    let error = report.error.as_ref().unwrap();
    assert_eq!((error.name.as_deref(), error.stack[0].line), (Some("TypeError"), Some(1)));
    assert_eq!(serde_json::from_str::<Value>(&report.json()).unwrap()["schema"], "curfew.report/1");
    assert_eq!(status(report.value::<i32>()), Status::BadProgram);
    assert_eq!(status(curfew::run("'text'", &Options::default()).unwrap().value::<i32>()), Status::Invalid);
}

#[test]
fn a_deadline_stops_what_never_ends() {
    for limits in [Limits::new().timeout("100ms"), Limits::new().timeout(Duration::from_millis(100))] {
        let report = curfew::run("for (;;);", &with(limits.unwrap())).unwrap();
        assert_eq!(
            (report.outcome.as_str(), report.exit_code, report.limits()["timeout_us"]),
            ("deadline", 124, Some(100_000.0))
        );
        assert!(["soft", "hard"].contains(&report.stop.unwrap().mode.as_str()));
    }
}

#[test]
fn every_limit_of_the_library_has_a_setter() {
    let mut names = curfew::limit_names();
    names.sort();
    let mut setters = Limits::setters();
    setters.sort();
    assert_eq!(names, setters);
    for name in &names {
        let duration = ["timeout", "grace", "cpu"].contains(&name.as_str());
        let limits = Limits::new().set(name, if duration { "1m" } else { "4194304" }).unwrap();
        let report = curfew::run("1", &with(limits)).unwrap();
        let expected = if duration { 60e6 } else { 4194304.0 };
        assert!(
            report
                .limits()
                .iter()
                .any(|(key, value)| key.starts_with(&name.replace('-', "_")) && *value == Some(expected)),
            "{name}"
        );
    }
    let unlimited = Limits::new().host_calls(u64::MAX).unwrap().timeout(Duration::MAX).unwrap();
    let report = curfew::run("1", &with(unlimited)).unwrap();
    assert_eq!((report.limits()["host_calls"], report.limits()["timeout_us"]), (None, None));
    assert!(curfew::outcomes().contains(&("deadline".into(), 124)));
}

#[test]
fn what_is_wrong_is_an_error_that_names_it() {
    for (name, value) in
        [("timeout", "10"), ("timeout", "0"), ("memory", "1"), ("tiemout", "1s"), ("fuel", "-1"), ("a\0", "1")]
    {
        assert_eq!(status(Limits::new().set(name, value)), Status::Invalid, "{name} {value}");
    }
    let cases = [
        Options { call: Some("a\0b".into()), ..Default::default() },
        Options { allow_fetch: vec!["http://example.com".into()], ..Default::default() },
        Options { secret_for: vec!["example.com:X-Key={A}".into()], ..Default::default() },
        Options { secrets: vec![("not a name".into(), "x".into())], ..Default::default() },
        Options { dirs: vec![Dir { host: "a\0".into(), guest: "/".into(), write: false }], ..Default::default() },
    ];
    for options in &cases {
        assert_eq!(status(curfew::run("1", options)), Status::Invalid);
    }
    let engine = default_engine().unwrap();
    assert_eq!(
        status(engine.program(Source::js("1").function(HostFunction::json("not a name", |_| Ok(Value::Null))))),
        Status::Invalid
    );
    assert_eq!(
        status(engine.program(Source::js("1").function(HostFunction::typed("f", "x->", |_| Ok(vec![]))))),
        Status::Invalid
    );
    assert_eq!(status(engine.load(b"no image", vec![])), Status::BadImage);
    let failed = engine
        .program(Source::new(&b"\0asm\x01\0\0\0\xff"[..], Language::Wasm))
        .unwrap()
        .compile(&Limits::new())
        .err()
        .unwrap();
    assert_eq!((failed.status, failed.report.unwrap().outcome.as_str()), (Status::BadProgram, "bad_program"));
}

#[test]
fn webassembly_images_files() {
    let wat = default_engine().unwrap().program(Source::new(ADD, Language::Wat)).unwrap();
    wat.compile(&Limits::new()).unwrap();
    assert_eq!(wat.kind(), "module");
    assert_eq!(wat.inspect(&Limits::new()).unwrap()["exports"][0]["name"], "add");
    let engine = Engine::new(&EngineOptions { threads: Some(1), ..Default::default() }).unwrap();
    let loaded = engine.load(&wat.save().unwrap(), vec![]).unwrap();
    let options = Options { call: Some("add".into()), params: vec![json!(40), json!(2)], ..Default::default() };
    assert_eq!(loaded.run(&options).unwrap().value::<i32>().unwrap(), 42);

    let directory = std::env::temp_dir().join(format!("curfew-rust-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("lib.mjs"), "export const answer = 42;").unwrap();
    std::fs::write(directory.join("main.mjs"), "import { answer } from './lib.mjs'; export default () => answer;")
        .unwrap();
    let report = engine.run(Source::file(directory.join("main.mjs")).unwrap(), &Options::default()).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(report.value::<i32>().unwrap(), 42);
    assert!(Source::file(directory.join("gone.mjs")).is_err());
}

#[test]
fn secrets_are_given_and_taken_out() {
    let options = Options { secrets: vec![("TOKEN".into(), "hunter2-hunter2".into())], ..Default::default() };
    let report = curfew::run("console.log(secrets.get('TOKEN')); secrets.get('TOKEN').length", &options).unwrap();
    assert_eq!(report.value::<i32>().unwrap(), 15);
    assert!(!report.stdout.contains("hunter2"));
}

#[test]
fn standard_input_reaches_wasi() {
    let echo = r#"(module
      (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1000))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
        (i32.store (i32.const 4) (i32.load (i32.const 16)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;
    let path = std::env::temp_dir().join(format!("curfew-rust-stdin-{}", std::process::id()));
    std::fs::write(&path, "from Rust").unwrap();
    let stdin = Arc::new(std::fs::File::open(&path).unwrap().into());
    let options = Options {
        stdin: Some(stdin),
        args: vec!["a".into()],
        env: vec![("A".into(), "b".into())],
        dirs: vec![Dir { host: std::env::temp_dir(), guest: "/tmp".into(), write: false }],
        ..Default::default()
    };
    let report = default_engine().unwrap().run(Source::new(echo, Language::Wat), &options).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(report.stdout, "from Rust");
}

#[test]
fn files_environment_and_time_zone_reach_javascript() {
    let options = Options {
        timezone: Some("Asia/Kolkata".into()),
        files: vec![
            ("a.txt".into(), "\"x\"".into()),
            ("b/1".into(), vec![0xff]),
            ("b/2".into(), vec![0xff, 0]),
            ("b/3".into(), vec![0xff, 0, 0x80]),
        ],
        env: vec![("A".into(), "b".into())],
        ..Default::default()
    };
    let source = "const bytes = async (n) => [...await curfew.files['b/' + n].bytes()];
        export default [await curfew.files['a.txt'].text(), curfew.env.A, new Date(0).getHours(), await bytes(1), await bytes(2), await bytes(3)]";
    let report = default_engine().unwrap().run(Source::js(source), &options).unwrap();
    assert_eq!(report.value::<Value>().unwrap(), json!(["\"x\"", "b", 5, [255], [255, 0], [255, 0, 128]]));
}

#[test]
fn import_maps_languages_and_the_globals_of_node() {
    let directory = std::env::temp_dir().join(format!("curfew-rust-map-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("lib.mjs"), "export const answer = 42;").unwrap();
    let run = |map: &str| {
        let mut source = Source::js("import { answer } from '#lib'; export default answer;");
        source.import_dir = Some(directory.clone());
        source.import_map = Some(map.into());
        default_engine().unwrap().run(source, &Options::default())
    };
    let good = run(r##"{"imports": {"#lib": "./lib.mjs"}}"##);
    let bad = run(r#"{"imports": []}"#);
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!(good.unwrap().value::<i32>().unwrap(), 42);
    assert_eq!(bad.err().unwrap().status, Status::Invalid);

    let typed = Source::new("enum A { B = 6 } const x: number = A.B; x", Language::Ts);
    let report = default_engine().unwrap().run(typed, &Options::default()).unwrap();
    assert_eq!(report.value::<i32>().unwrap(), 6);
    let globals = Source { node: true, ..Source::js("typeof Buffer + typeof process") };
    let report = default_engine().unwrap().run(globals, &Options::default()).unwrap();
    assert_eq!(report.value::<String>().unwrap(), "functionobject");
}

#[test]
fn imports_of_a_file_are_relative_to_it() {
    let directory = std::env::temp_dir().join(format!("curfew-rust-below-{}", std::process::id()));
    std::fs::create_dir_all(directory.join("app")).unwrap();
    std::fs::write(directory.join("lib.mjs"), "export const answer = 42;").unwrap();
    let path = directory.join("app/main.mjs");
    std::fs::write(&path, "import { answer } from '../lib.mjs'; export default answer;").unwrap();
    let below = Source::file_below(directory.join("app/.."), &path);
    let outside = Source::file_below(directory.join("app"), directory.join("lib.mjs"));
    let engine = default_engine().unwrap();
    let good = engine.run(below.unwrap(), &Options::default());
    let alone = engine.run(Source::file(&path).unwrap(), &Options::default());
    std::fs::remove_dir_all(&directory).unwrap();
    let good = good.unwrap();
    assert_eq!(good.value::<i32>().unwrap(), 42);
    assert_eq!(good.program.name.as_deref(), Some("app/main.mjs"));
    assert_eq!(alone.unwrap().outcome, "bad_program");
    assert!(outside.err().unwrap().to_string().contains("it must hold"));
}

#[test]
fn a_run_is_cancelled_from_another_thread_and_when_it_is_dropped() {
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let run = Arc::new(engine.program(Source::js("for (;;);")).unwrap().start(&forever()).unwrap());
    let other = run.clone();
    std::thread::spawn(move || other.cancel()).join().unwrap();
    while !run.is_done() {
        run.usage();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(Arc::into_inner(run).unwrap().wait().unwrap().outcome, "cancelled");
    drop(engine.program(Source::js(WAITS)).unwrap().start(&forever()).unwrap());
    assert_eq!(engine.stats().runs_active, 0);
}

struct Unpark(std::thread::Thread);
impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A minimal executor.
fn block_on<F: std::future::Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        std::thread::park();
    }
}

#[test]
fn a_run_is_a_future() {
    block_on(async {
        let programs = [program("new Promise((r) => setTimeout(() => r(1), 20))"), program("2"), program("for (;;);")];
        let options = [forever(), forever(), short()];
        let runs: Vec<_> =
            programs.iter().zip(&options).map(|(program, options)| program.start(options).unwrap()).collect();
        let mut outcomes = Vec::new();
        for run in runs {
            outcomes.push(run.await.unwrap().outcome);
        }
        assert_eq!(outcomes, ["ok", "ok", "deadline"]);
    });
}

#[test]
fn events_as_they_come() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = seen.clone();
    let options =
        Options { on_event: Some(Arc::new(move |event| keep.lock().unwrap().push(event))), ..Default::default() };
    let program =
        program("console.log('one'); curfew.progress({at: 1}); curfew.checkpoint([2]); console.error('two');");
    let expected = [
        Event::Stdout(b"one\n".to_vec()),
        Event::Progress(json!({"at": 1})),
        Event::Checkpoint(json!([2])),
        Event::Stderr(b"two\n".to_vec()),
    ];
    program.run(&options).unwrap();
    program.start(&options).unwrap().wait().unwrap();
    assert_eq!(*seen.lock().unwrap(), [&expected[..], &expected[..]].concat());
    let panics = Options { on_event: Some(Arc::new(|_| panic!("in a listener"))), ..Default::default() };
    assert!(program.run(&panics).unwrap().is_ok());
}

#[test]
fn one_run_too_many_is_refused() {
    let engine = Engine::new(&EngineOptions { max_runs: Some(1), ..Default::default() }).unwrap();
    let program = engine.program(Source::js(WAITS)).unwrap();
    let run = program.start(&forever()).unwrap();
    assert_eq!(status(program.run(&Options::default())), Status::Overloaded);
    drop(run);
}

#[test]
fn host_functions() {
    let source = Source::js(
        "const caught = (f) => { try { return f() } catch (e) { return e.message } };
         export default async () => [host.keep(1, 'ü', [null]), caught(() => host.fail()), caught(() => host.panics()),
            await host.later(21), await host.never().catch((e) => e.message), await host.refuses().catch((e) => e.message)]",
    )
    .function(HostFunction::json("keep", |values| Ok(json!({ "got": values }))))
    .function(HostFunction::json("fail", |_| Err("no such row".into())))
    .function(HostFunction::json("panics", |_| panic!("at once")))
    .function(HostFunction::deferred("later", |call| {
        std::thread::spawn(move || {
            let twice = call.arguments()[0].as_i64().unwrap() * 2;
            call.answer(json!(twice));
        });
    }))
    .function(HostFunction::deferred("never", drop))
    .function(HostFunction::deferred("refuses", |call| call.fail("not today")));
    let report = default_engine().unwrap().run(source, &Options::default()).unwrap();
    assert_eq!(
        report.value::<Value>().unwrap(),
        json!([{"got": [1, "ü", [null]]}, "no such row", "the host function panicked", 42, "the host function did not answer", "not today"])
    );
}

#[test]
fn typed_host_functions() {
    let source = |call: fn(&[Number]) -> Result<Vec<Number>, String>| {
        Source::new(
            r#"(module (import "env" "mix" (func $mix (param i32 i64 f64) (result f64)))
               (func (export "f") (result f64) (call $mix (i32.const -1) (i64.const 9007199254740993) (f64.const 0.5))))"#,
            Language::Wat,
        )
        .function(HostFunction::typed("mix", "iIF->F", call).module("env"))
    };
    let options = Options { call: Some("f".into()), ..Default::default() };
    let good = |values: &[Number]| match values {
        [Number::I32(-1), Number::I64(9007199254740993), Number::F64(x)] => Ok(vec![Number::F64(x * 2.0)]),
        other => Err(format!("{other:?}")),
    };
    assert_eq!(default_engine().unwrap().run(source(good), &options).unwrap().value::<f64>().unwrap(), 1.0);
    let report = default_engine().unwrap().run(source(|_| Ok(vec![Number::I32(1)])), &options).unwrap();
    assert_eq!(report.outcome, "trapped");
}

#[test]
fn a_deferred_call_is_told_of_the_stop() {
    let (told, heard) = mpsc::channel();
    let held = Mutex::new(Vec::new());
    let source = Source::js("host.hang()").function(HostFunction::deferred("hang", move |call| {
        let told = told.clone();
        call.on_stopped(move || told.send(()).unwrap());
        held.lock().unwrap().push(call);
    }));
    assert_eq!(default_engine().unwrap().run(source, &short()).unwrap().outcome, "deadline");
    heard.recv_timeout(Duration::from_secs(300)).unwrap();
}

#[test]
fn many_threads_share_an_engine() {
    let program = program("export default (x) => x * x");
    std::thread::scope(|scope| {
        for x in 0..8 {
            let program = program.clone();
            scope.spawn(move || {
                for _ in 0..20 {
                    let options = Options { params: vec![json!(x)], ..Default::default() };
                    assert_eq!(program.run(&options).unwrap().value::<i32>().unwrap(), x * x);
                }
            });
        }
    });
}

#[test]
fn sessions() {
    let program = program("let n = 0; function inc(by) { n += by; return n; } function spin() { for (;;); }");
    let session = program.session(&with(Limits::new().loops("1G").unwrap())).unwrap();
    let inc = |by: i32| session.call("inc", &[json!(by)], &Limits::new()).unwrap().value::<i32>().unwrap();
    assert_eq!((inc(2), inc(3)), (2, 5));
    assert_eq!(session.eval("const twice = n * 2; twice", &Limits::new()).unwrap().value::<i32>().unwrap(), 10);
    assert_eq!((session.totals().calls, session.totals().fuel), (3, None));
    std::thread::scope(|scope| {
        let spinning = scope.spawn(|| session.call("spin", &[], &forever().limits).unwrap());
        while !spinning.is_finished() {
            session.cancel(); // no effect before the call has begun
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(spinning.join().unwrap().outcome, "cancelled");
    });
    session.reset().unwrap();
    assert_eq!(inc(1), 1);
    assert_eq!(status(program.session(&Options { call: Some("inc".into()), ..Default::default() })), Status::Invalid);

    let lost = default_engine()
        .unwrap()
        .program(Source::new(r#"(module (func (export "trap") unreachable))"#, Language::Wat))
        .unwrap();
    let lost = lost.session(&Options::default()).unwrap();
    assert_eq!(lost.call("trap", &[], &Limits::new()).unwrap().outcome, "trapped");
    assert!(!lost.is_usable());
    assert_eq!(status(lost.call("trap", &[], &Limits::new())), Status::Unusable);
}

#[test]
fn a_report_is_read_as_its_json_says() {
    let texts = [
        "6 * 7",
        "console.log('ü'); console.error('\\0'); curfew.checkpoint({ a: [1] }); ({ b: 'c' })",
        "undefined",
        "throw 1",
        "for (;;);",
    ];
    for text in texts {
        for limits in [
            Limits::new().timeout("200ms").unwrap(),
            Limits::new().timeout("200001us").unwrap().fuel(1_000_000_000).unwrap().loops(u64::MAX).unwrap(),
        ] {
            let report = curfew::run(text, &with(limits)).unwrap();
            let parsed: curfew::Report = serde_json::from_str(&report.json()).unwrap();
            let shown = |report: &curfew::Report| {
                format!(
                    "{:?}",
                    (
                        &report.id,
                        &report.outcome,
                        &report.tripped,
                        &report.stop,
                        &report.json_value,
                        &report.partial,
                        &report.error,
                        report.limits(),
                        &report.used,
                        (&report.stdout, &report.stderr, report.output_truncated, &report.program)
                    )
                )
            };
            assert_eq!(shown(&report), shown(&parsed), "{text}");
        }
    }
}

/// A program cannot spoil its report with a value that serde_json rejects.
#[test]
fn deep_values_and_halves_of_characters_spoil_no_report() {
    let deep = "const deep = n => { let a = 1; while (n-- > 0) a = [a]; return a; };";
    let half = program("'\\ud800x'").run(&Options::default()).unwrap();
    assert_eq!(half.value::<String>().unwrap(), "\u{fffd}x");
    let report = program(&format!("{deep} deep(1000)")).run(&Options::default()).unwrap();
    assert!(report.is_ok() && report.json_value.is_array() && report.json().contains(&"[".repeat(1000)));
    let text = format!("{deep} curfew.checkpoint([deep(1000), '\\udfff']); null.x");
    let report = program(&text).run(&Options::default()).unwrap();
    assert_eq!((report.outcome.as_str(), &report.partial[1]), ("threw", &json!("\u{fffd}")));

    let (sender, seen) = std::sync::mpsc::channel();
    let count = HostFunction::json("count", |values| Ok(json!(values.len())));
    let later = HostFunction::deferred("later", |call| {
        let count = call.arguments().len();
        call.answer(json!(count))
    });
    let text = format!(
        "{deep} curfew.progress(['\\ud800', deep(1000)]); const caught = e => e.message;
        export default [host.count('\\ud800'), await host.later('\\ud800'), await host.later(deep(1000)).catch(caught),
            (() => {{ try {{ host.count(1, deep(1000)) }} catch (e) {{ return caught(e) }} }})()]"
    );
    let source = Source::js(&text).function(count).function(later);
    let on_event: Option<Arc<dyn Fn(Event) + Send + Sync>> = Some(Arc::new(move |event| sender.send(event).unwrap()));
    let report = default_engine().unwrap().program(source).unwrap().run(&Options { on_event, ..Default::default() });
    let deep = "an argument is nested deeper than 100";
    assert_eq!(report.unwrap().json_value, json!([1, 1, deep, deep]));
    assert!(matches!(seen.recv().unwrap(), Event::Progress(value) if value[0] == json!("\u{fffd}")));
}

#[test]
fn functions_are_dropped_with_their_program() {
    let held = Arc::new(41);
    let gone = Arc::downgrade(&held);
    let engine = Engine::new(&EngineOptions::default()).unwrap();
    let add = HostFunction::json("add", move |_| Ok(json!(*held + 1)));
    let program = engine.program(Source::js("host.add()").function(add)).unwrap();
    assert_eq!(program.run(&Options::default()).unwrap().value::<i32>().unwrap(), 42);
    assert!(gone.upgrade().is_some());
    let refused = Arc::new(());
    let held = refused.clone();
    let bad = HostFunction::json("a b", move |_| Ok(json!(Arc::strong_count(&held))));
    assert_eq!(status(engine.program(Source::js("1").function(bad))), Status::Invalid);
    assert_eq!(Arc::strong_count(&refused), 1);
    drop(program);
    for _ in 0..1000 {
        if gone.upgrade().is_none() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("what the function holds is still there");
}

/// What a closure holds may be the engine itself: it is dropped outside of the library.
#[test]
fn a_function_may_hold_its_engine() {
    let engine = Arc::new(Engine::new(&EngineOptions::default()).unwrap());
    let gone = Arc::downgrade(&engine);
    let held = engine.clone();
    let again = HostFunction::json("again", move |_| Ok(json!(held.stats().runs_total > 0)));
    let program = engine.program(Source::js("host.again()").function(again)).unwrap();
    assert!(program.run(&Options::default()).unwrap().value::<bool>().unwrap());
    drop((program, engine));
    for _ in 0..1000 {
        if gone.upgrade().is_none() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the engine is still there");
}

#[test]
fn the_process_ends_with_runs_going_on() {
    if std::env::var_os("CURFEW_TEST_ENDS").is_some() {
        let tick = HostFunction::json("tick", |_| Ok(json!(null)));
        let endless = default_engine().unwrap().program(Source::js("for (;;) host.tick()").function(tick)).unwrap();
        let limits = Limits::new().timeout("10m").unwrap().host_calls("unlimited").unwrap();
        let _runs: Vec<_> = (0..4).map(|_| endless.start(&with(limits)).unwrap()).collect();
        let _waiting = program(WAITS).start(&forever()).unwrap();
        println!("end");
        std::process::exit(0);
    }
    let exe = std::env::current_exe().unwrap();
    let done = std::process::Command::new(exe)
        .args(["--exact", "the_process_ends_with_runs_going_on", "--nocapture"])
        .env("CURFEW_TEST_ENDS", "1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stdout).contains("end\n"));
}

fn is_send_and_sync<T: Send + Sync>() {}

#[test]
fn what_may_be_shared() {
    is_send_and_sync::<Engine>();
    is_send_and_sync::<Program>();
    is_send_and_sync::<curfew::Run>();
    is_send_and_sync::<curfew::Session>();
    is_send_and_sync::<curfew::Report>();
}

/// Sizes and places of sys.rs against those that the library's own test has frozen. Structs with a size may have grown.
#[test]
fn layouts_are_the_librarys() {
    use curfew::sys::*;
    use std::mem::offset_of;
    let frozen = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/abi/layout.txt")).unwrap();
    let place = |name: &str| -> usize {
        let line =
            frozen.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("no {name}"));
        line.split(' ').nth(1).unwrap().parse().unwrap()
    };
    macro_rules! compare {
        ($($name:ident: $($field:ident)*;)*) => {
            $($(assert_eq!(offset_of!($name, $field), place(concat!(stringify!($name), ".", stringify!($field))), "{}.{}", stringify!($name), stringify!($field));)*)*
        };
    }
    compare! {
        curfew_limits: size timeout_ns grace_ns cpu_ns fuel loops memory_bytes stack_bytes output_bytes host_calls timers;
        curfew_limit_info: name report_key meaning unit default_value minimum ceiling may_be_unlimited offset outcome;
        curfew_engine_options: size threads cache_dir resident_bytes pagemap_fd max_runs;
        curfew_engine_stats: size runs_active regions_in_use regions_pooled runs_total resident_bytes;
        curfew_source: size language name text text_length import_dir flags import_map import_map_length import_map_name sha256;
        curfew_host_function: size flags name module fuel call stopped context queue released;
        curfew_secret: name value value_length;
        curfew_dir: host guest flags;
        curfew_run_options: size flags limits call params params_length user cancel on_event on_event_context on_done on_done_context id
            args arg_count env env_count dirs dir_count stdin_fd secrets secret_count store allow_fetch allow_fetch_count host_context
            on_request on_request_context timezone stdin_bytes stdin_length files files_length owner secret_for secret_for_count;
        curfew_run_usage: size wall_ns cpu_ns memory_bytes output_bytes;
        curfew_session_totals: size calls wall_ns cpu_ns fuel loops output_bytes host_calls memory_bytes;
        curfew_report: size outcome id tripped_count tripped stop_mode stop_cause stop_latency_ns value partial has_error limits used
            stdout_text stdout_length stderr_text stderr_length output_truncated program_name program_kind program_sha256 exit_code;
        curfew_used: wall_ns cpu_ns fuel loops memory_peak_bytes stack_peak_bytes output_bytes host_calls timers_peak load_ns compile_ns
            start_ns run_ns;
    }
    assert_eq!(offset_of!(curfew_host_function, type_), place("curfew_host_function.type"));
}
