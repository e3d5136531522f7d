// SPDX-License-Identifier: Apache-2.0
//! Does everything CURFEW_COUNT times, well and badly. tests/integration/bindings.py runs it under valgrind, and expects
//! that nothing is left CURFEW_COUNT times.

use curfew::{Engine, EngineOptions, HostFunction, Language, Limits, Number, Options, Source, Status};
use serde_json::json;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

const WAITS: &str = "new Promise((resolve) => setTimeout(resolve, 1e9))";

fn options() -> Options {
    let limits = Limits::new().timeout("5m").unwrap().set("grace", "10ms").unwrap();
    Options { limits, ..Default::default() }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

fn call_functions(engine: &Engine) {
    let source = Source::js(
        "const caught = (f) => { try { return f() } catch (e) { return e.message } };
         export default async () => [host.next(1), caught(() => host.fail()), caught(() => host.panics()), await host.later(4),
            await host.never().catch((e) => 'unanswered')]",
    )
    .function(HostFunction::json("next", |values| Ok(json!(values[0].as_i64().unwrap() + 1))))
    .function(HostFunction::json("fail", |_| Err("no such row".into())))
    .function(HostFunction::json("panics", |_| panic!("at once")))
    .function(HostFunction::deferred("later", |call| {
        thread::spawn(move || call.answer(json!(4)));
    }))
    .function(HostFunction::deferred("never", drop));
    let seen = engine.run(source, &options()).unwrap().json_value.to_string();
    assert_eq!(seen, r#"[2,"no such row","the host function panicked",4,"unanswered"]"#);
    let typed = Source::new(
        r#"(module (import "env" "twice" (func $twice (param i32) (result i32)))
           (func (export "f") (result i32) (call $twice (i32.const 21))))"#,
        Language::Wat,
    )
    .function(
        HostFunction::typed("twice", "i->i", |values| match values {
            [Number::I32(n)] => Ok(vec![Number::I32(n * 2)]),
            other => Err(format!("{other:?}")),
        })
        .module("env"),
    );
    let call = Options { call: Some("f".into()), ..options() };
    assert_eq!(engine.run(typed, &call).unwrap().value::<i32>().unwrap(), 42);
    assert!(engine.program(Source::js("1").function(HostFunction::json("not a name", |_| Ok(json!(1))))).is_err());
}

fn run_all(engine: &Engine) {
    let limits = Limits::new();
    let program = engine
        .program(Source::js("export default (x) => { console.log(x); curfew.progress(x); return { x } }"))
        .unwrap();
    let full = Options {
        params: vec![json!(1)],
        user: Some("me".into()),
        secrets: vec![("key".into(), "a secret value".into())],
        env: vec![("A".into(), "b".into())],
        files: vec![("a".into(), b"bytes".to_vec())],
        timezone: Some("Europe/Berlin".into()),
        ..options()
    };
    assert_eq!(program.run(&full).unwrap().json_value.to_string(), r#"{"x":1}"#);
    let listening = Options { on_event: Some(Arc::new(|_| panic!("in a listener"))), ..full.clone() };
    assert!(program.run(&listening).unwrap().is_ok());
    assert!(block_on(program.start(&full).unwrap()).unwrap().is_ok());
    assert!(program.run(&Options { timezone: Some("Nowhere".into()), ..options() }).is_err());
    assert_eq!(engine.run(Source::js("null.x"), &options()).unwrap().outcome, "threw");
    assert!(engine.program(Source::js("(")).unwrap().compile(&limits).is_err());
    assert_eq!(engine.load(b"no image", vec![]).err().unwrap().status, Status::BadImage);
    assert!(engine.load(&program.save().unwrap(), vec![]).unwrap().run(&full).unwrap().is_ok());
    assert_eq!(program.inspect(&limits).unwrap()["kind"], "js");
    call_functions(engine);

    let run = engine.program(Source::js("for (;;);")).unwrap().start(&options()).unwrap(); // its program is dropped
    run.cancel();
    assert_eq!(run.wait().unwrap().outcome, "cancelled");
    drop(engine.program(Source::js(WAITS)).unwrap().start(&options()).unwrap()); // while it runs

    let session = program.session(&options()).unwrap();
    assert!(session.call("default", &[json!(3)], &limits).unwrap().is_ok());
    session.reset().unwrap();
    assert_eq!(session.eval("null.x", &limits).unwrap().outcome, "threw");
}

#[test]
fn nothing_is_left() {
    for _ in 0..std::env::var("CURFEW_COUNT").map_or(1, |count| count.parse().unwrap()) {
        run_all(&Engine::new(&EngineOptions { threads: Some(1), ..Default::default() }).unwrap());
    }
}
