// SPDX-License-Identifier: Apache-2.0

use crate::{c_string, check, json, sys, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::{c_void, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::Builder;

/// A number that a function with a type takes or returns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// `i` in a type.
    I32(i32),
    /// `I` in a type.
    I64(i64),
    /// `f` in a type.
    F32(f32),
    /// `F` in a type.
    F64(f64),
}

type Json = dyn Fn(&[Value]) -> std::result::Result<Value, String> + Send + Sync;
type Numbers = dyn Fn(&[Number]) -> std::result::Result<Vec<Number>, String> + Send + Sync;
type Deferred = dyn Fn(DeferredCall) + Send + Sync;

enum Kind {
    Json(Box<Json>),
    Numbers(Box<Numbers>),
    Deferred(Box<Deferred>),
}

/// A Rust function that a program may call as `host.NAME`, or import.
///
/// It is called on the thread that executes the program, which has 256 KiB of stack left, while the program waits. A
/// stop of the run takes effect when it returns. Use [`HostFunction::deferred`] for a function that may block. An `Err`
/// is an exception that the program may catch, and so is a panic.
pub struct HostFunction {
    name: String,
    module: Option<String>,
    type_: Option<String>,
    fuel: u64,
    kind: Kind,
}

impl HostFunction {
    fn new(name: &str, kind: Kind) -> HostFunction {
        HostFunction { name: name.into(), module: None, type_: None, fuel: 0, kind }
    }

    /// A function that takes and returns JSON.
    pub fn json(
        name: &str,
        call: impl Fn(&[Value]) -> std::result::Result<Value, String> + Send + Sync + 'static,
    ) -> HostFunction {
        HostFunction::new(name, Kind::Json(Box::new(call)))
    }

    /// A function with a type: "ii->i" and the like, of i (i32), I (i64), f (f32), F (f64).
    pub fn typed(
        name: &str,
        type_: &str,
        call: impl Fn(&[Number]) -> std::result::Result<Vec<Number>, String> + Send + Sync + 'static,
    ) -> HostFunction {
        HostFunction { type_: Some(type_.into()), ..HostFunction::new(name, Kind::Numbers(Box::new(call))) }
    }

    /// A function that begins a call, which may be answered later, from any thread or task. JavaScript gets a promise,
    /// and WebAssembly waits without holding a thread.
    pub fn deferred(name: &str, call: impl Fn(DeferredCall) + Send + Sync + 'static) -> HostFunction {
        HostFunction::new(name, Kind::Deferred(Box::new(call)))
    }

    /// The module that WebAssembly imports it from, or a component's interface. The default is "host".
    pub fn module(mut self, module: &str) -> HostFunction {
        self.module = Some(module.into());
        self
    }

    /// The cost of a call if fuel is limited.
    pub fn fuel(mut self, fuel: u64) -> HostFunction {
        self.fuel = fuel;
        self
    }
}

struct Row {
    name: CString,
    module: Option<CString>,
    type_: Option<CString>,
    function: HostFunction,
}

impl Row {
    fn new(function: HostFunction) -> Result<Row> {
        let module = function.module.as_deref().map(|text| c_string(text, "a module")).transpose()?;
        let type_ = function.type_.as_deref().map(|text| c_string(text, "a type")).transpose()?;
        Ok(Row { name: c_string(&function.name, "the name of a host function")?, module, type_, function })
    }

    /// The library owns the result until it calls on_released.
    fn describe(self: &Box<Row>) -> sys::curfew_host_function {
        let deferred = matches!(self.function.kind, Kind::Deferred(_));
        sys::curfew_host_function {
            size: std::mem::size_of::<sys::curfew_host_function>() as u32,
            flags: if deferred { sys::HOST_ASYNC } else { 0 },
            name: self.name.as_ptr(),
            module: self.module.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            type_: self.type_.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            fuel: self.function.fuel,
            call: Some(on_call),
            stopped: if deferred { Some(on_stopped) } else { None },
            context: (&**self as *const Row).cast_mut().cast(),
            queue: ptr::null_mut(),
            released: Some(on_released),
        }
    }
}

/// Gives a program its functions. The library notifies when they will not be called again.
pub(crate) fn set_functions(program: *mut sys::curfew_program, functions: Vec<HostFunction>) -> Result<()> {
    if functions.is_empty() {
        return Ok(());
    }
    let rows = functions.into_iter().map(|function| Row::new(function).map(Box::new)).collect::<Result<Vec<_>>>()?;
    let described: Vec<_> = rows.iter().map(Row::describe).collect();
    check(|failure| unsafe {
        sys::curfew_program_set_functions(program, described.as_ptr(), described.len(), failure)
    })?;
    // The library owns them now.
    rows.into_iter().for_each(std::mem::forget);
    Ok(())
}

/// Drops functions on a thread of its own. A closure may own an engine, which must not be dropped inside a call of the
/// library.
static DROPS: OnceLock<Mutex<Sender<Box<Row>>>> = OnceLock::new();

fn drop_elsewhere(row: Box<Row>) {
    let drops = DROPS.get_or_init(|| {
        let (sender, rows) = channel::<Box<Row>>();
        // If no thread can be started, the functions are not dropped.
        let _ = Builder::new().name("curfew-drop".into()).spawn(move || {
            for row in rows {
                let _ = catch_unwind(AssertUnwindSafe(|| drop(row)));
            }
        });
        Mutex::new(sender)
    });
    if let Ok(sender) = drops.lock() {
        if let Err(refused) = sender.send(row) {
            std::mem::forget(refused.0);
        }
    }
}

unsafe extern "C" fn on_released(context: *mut c_void) {
    drop_elsewhere(Box::from_raw(context.cast()));
}

// ---- Calls

unsafe fn throw(call: *mut sys::curfew_host_call, message: &str) {
    let text = CString::new(message.replace('\0', "?")).expect("no NUL is left");
    sys::curfew_host_call_throw(call, text.as_ptr());
}

unsafe fn arguments(call: *const sys::curfew_host_call) -> std::result::Result<Vec<Value>, String> {
    let mut length = 0;
    let text = sys::curfew_host_call_get_params(call, &mut length);
    json::read_whole(std::slice::from_raw_parts(text.cast::<u8>(), length))
}

unsafe fn answer(call: *mut sys::curfew_host_call, value: &Value) {
    let text = value.to_string();
    sys::curfew_host_call_return(call, text.as_ptr().cast(), text.len());
}

unsafe fn read_numbers(call: *const sys::curfew_host_call, letters: &str) -> Vec<Number> {
    let values = sys::curfew_host_call_get_values(call);
    letters
        .bytes()
        .enumerate()
        .map(|(i, letter)| (letter, &*values.add(i)))
        .map(|(letter, value)| match letter {
            b'i' => Number::I32(value.i32_),
            b'I' => Number::I64(value.i64_),
            b'f' => Number::F32(value.f32_),
            _ => Number::F64(value.f64_),
        })
        .collect()
}

/// The results in the form that the type requires, or an error message.
fn write_numbers(results: &[Number], letters: &str) -> std::result::Result<Vec<sys::curfew_value>, String> {
    let fits = |(number, letter): (&Number, u8)| {
        matches!(
            (number, letter),
            (Number::I32(_), b'i') | (Number::I64(_), b'I') | (Number::F32(_), b'f') | (Number::F64(_), b'F')
        )
    };
    if results.len() != letters.len() || !results.iter().zip(letters.bytes()).all(fits) {
        return Err(format!("its answer {results:?} is not what its type says: {letters:?}"));
    }
    let value = |number: &Number| {
        let mut value = sys::curfew_value { i64_: 0 };
        match *number {
            Number::I32(n) => value.i32_ = n,
            Number::I64(n) => value.i64_ = n,
            Number::F32(n) => value.f32_ = n,
            Number::F64(n) => value.f64_ = n,
        }
        value
    };
    Ok(results.iter().map(value).collect())
}

unsafe fn carry_out(function: &HostFunction, call: *mut sys::curfew_host_call) -> std::result::Result<(), String> {
    match &function.kind {
        Kind::Json(run) => answer(call, &run(&arguments(call)?)?),
        Kind::Numbers(run) => {
            let (parameters, results) =
                function.type_.as_deref().and_then(|text| text.split_once("->")).unwrap_or_default();
            let mut values = write_numbers(&run(&read_numbers(call, parameters))?, results)?;
            values.push(sys::curfew_value { i64_: 0 });
            sys::curfew_host_call_return_values(call, values.as_ptr());
        }
        Kind::Deferred(run) => run(DeferredCall::new(call, arguments(call)?)),
    }
    Ok(())
}

unsafe extern "C" fn on_call(context: *mut c_void, call: *mut sys::curfew_host_call) {
    let row = &*context.cast::<Row>();
    // A deferred call that panics answers when its argument is dropped.
    match catch_unwind(AssertUnwindSafe(|| carry_out(&row.function, call))) {
        Ok(Ok(())) => {}
        Ok(Err(message)) => throw(call, &message),
        Err(_) if matches!(row.function.kind, Kind::Deferred(_)) => {}
        Err(_) => throw(call, "the host function panicked"),
    }
}

type OnStopped = Box<dyn FnOnce() + Send>;

struct Pending {
    call: AtomicPtr<sys::curfew_host_call>,
    on_stopped: Mutex<Option<OnStopped>>,
}

impl Pending {
    /// Takes the right to answer. Only the first caller gets it.
    fn take(&self) -> Option<*mut sys::curfew_host_call> {
        let call = self.call.swap(ptr::null_mut(), Ordering::AcqRel);
        (!call.is_null()).then_some(call)
    }
}

/// The deferred calls without an answer, by the number that each has as its data. A stop may arrive while a call is
/// answered.
static PENDING: Mutex<BTreeMap<usize, Arc<Pending>>> = Mutex::new(BTreeMap::new());
static NEXT_NUMBER: AtomicUsize = AtomicUsize::new(1);

fn forget(number: usize) -> Option<Arc<Pending>> {
    PENDING.lock().map(|mut pending| pending.remove(&number)).unwrap_or(None)
}

unsafe extern "C" fn on_stopped(_context: *mut c_void, call: *mut sys::curfew_host_call) {
    let Some(pending) = forget(sys::curfew_host_call_get_data(call) as usize) else { return };
    let told = pending.on_stopped.lock().map(|mut told| told.take()).unwrap_or(None);
    if let Some(told) = told {
        let _ = catch_unwind(AssertUnwindSafe(told));
    }
    if let Some(call) = pending.take() {
        throw(call, "the run was stopped");
    }
}

/// A call of a deferred host function. Answer it once, from any thread. If it is dropped without an answer, the call
/// fails.
pub struct DeferredCall {
    number: usize,
    pending: Arc<Pending>,
    arguments: Vec<Value>,
}

impl DeferredCall {
    unsafe fn new(call: *mut sys::curfew_host_call, arguments: Vec<Value>) -> DeferredCall {
        let pending = Arc::new(Pending { call: AtomicPtr::new(call), on_stopped: Mutex::new(None) });
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut all) = PENDING.lock() {
            all.insert(number, pending.clone());
        }
        sys::curfew_host_call_set_data(call, number as *mut c_void);
        DeferredCall { number, pending, arguments }
    }

    /// The arguments of the call.
    pub fn arguments(&self) -> &[Value] {
        &self.arguments
    }

    /// Whether the run is to stop. Then the answer has no effect.
    pub fn is_stopped(&self) -> bool {
        self.pending.call.load(Ordering::Acquire).is_null()
    }

    /// Sets a function that is called when the run is stopped before the answer. It should end the work.
    pub fn on_stopped(&self, told: impl FnOnce() + Send + 'static) {
        if let Ok(mut slot) = self.pending.on_stopped.lock() {
            *slot = Some(Box::new(told));
        }
    }

    /// Answers with a value. It has no effect if the run was stopped first.
    pub fn answer(self, value: Value) {
        self.finish(Ok(value));
    }

    /// Answers with an error, which the program may catch.
    pub fn fail(self, message: &str) {
        self.finish(Err(message));
    }

    fn finish(&self, outcome: std::result::Result<Value, &str>) {
        forget(self.number);
        let Some(call) = self.pending.take() else { return };
        unsafe {
            match outcome {
                Ok(value) => answer(call, &value),
                Err(message) => throw(call, message),
            }
        }
    }
}

impl Drop for DeferredCall {
    fn drop(&mut self) {
        self.finish(Err("the host function did not answer"));
    }
}
