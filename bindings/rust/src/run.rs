// SPDX-License-Identifier: Apache-2.0

use crate::{check, options::Options, report, sys, Event, Program, Report, Result};
use std::ffi::{c_char, c_int, c_void};
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::ptr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

type Listener = Arc<dyn Fn(Event) + Send + Sync>;

unsafe extern "C" fn on_event(context: *mut c_void, kind: c_int, data: *const c_char, length: usize) {
    let listener = &*context.cast::<Listener>();
    let event = Event::new(kind, if length == 0 { &[] } else { std::slice::from_raw_parts(data.cast(), length) });
    // A panic of a listener must not unwind through the library's frames.
    let _ = catch_unwind(AssertUnwindSafe(|| listener(event)));
}

/// What the library's callback and the future share.
#[derive(Default)]
struct State {
    ended: bool,
    waker: Option<Waker>,
}

struct Shared {
    state: Mutex<State>,
    listener: Option<Listener>,
}

unsafe extern "C" fn on_done(context: *mut c_void, _run: *mut sys::curfew_run) {
    let shared = Arc::from_raw(context.cast::<Shared>());
    let waker = {
        let mut state = shared.state.lock().expect("no panic holds it");
        state.ended = true;
        state.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// A run that was started. It is a future of its report. Dropping it cancels the run and waits for its end.
#[must_use = "dropping a run cancels it"]
pub struct Run {
    pointer: *mut sys::curfew_run,
    shared: Arc<Shared>,
    _program: Program,
}

// curfew.h allows cancelling and reading figures on any thread. Waiting takes the run itself.
unsafe impl Send for Run {}
unsafe impl Sync for Run {}

/// What a run has used so far.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct RunUsage {
    pub wall: Duration,
    pub cpu: Duration,
    pub memory_bytes: u64,
    pub output_bytes: u64,
}

impl Program {
    /// Runs the program on this thread, and waits.
    pub fn run(&self, options: &Options) -> Result<Report> {
        let mut filled = options.fill()?;
        if let Some(listener) = &options.on_event {
            filled.options.on_event = Some(on_event);
            filled.options.on_event_context = (listener as *const Listener).cast_mut().cast();
        }
        let mut pointer = ptr::null_mut();
        check(|failure| unsafe { sys::curfew_program_run(self.pointer(), &filled.options, &mut pointer, failure) })?;
        unsafe { report::take(pointer, true) }
    }

    /// Starts the program on the engine's threads. A run that only waits holds none of them.
    pub fn start(&self, options: &Options) -> Result<Run> {
        let mut filled = options.fill()?;
        let shared = Arc::new(Shared { state: Mutex::default(), listener: options.on_event.clone() });
        if let Some(listener) = &shared.listener {
            filled.options.on_event = Some(on_event);
            filled.options.on_event_context = (listener as *const Listener).cast_mut().cast();
        }
        filled.options.on_done = Some(on_done);
        filled.options.on_done_context = Arc::into_raw(shared.clone()).cast_mut().cast();
        let mut pointer = ptr::null_mut();
        let started =
            check(|failure| unsafe { sys::curfew_run_start(self.pointer(), &filled.options, &mut pointer, failure) });
        if let Err(error) = started {
            drop(unsafe { Arc::from_raw(filled.options.on_done_context.cast::<Shared>()) });
            return Err(error);
        }
        Ok(Run { pointer, shared, _program: self.clone() })
    }
}

impl Run {
    /// Cancels the run, from any thread. A second call skips the grace.
    pub fn cancel(&self) {
        unsafe { sys::curfew_run_cancel(self.pointer) }
    }

    /// Whether the run has ended.
    pub fn is_done(&self) -> bool {
        self.shared.state.lock().expect("no panic holds it").ended
    }

    /// Waits for the end of the run.
    pub fn wait(self) -> Result<Report> {
        self.take()
    }

    fn take(&self) -> Result<Report> {
        unsafe { report::take(sys::curfew_run_wait(self.pointer).cast_mut(), false) }
    }

    /// What the run has used so far.
    pub fn usage(&self) -> RunUsage {
        let mut usage =
            sys::curfew_run_usage { size: std::mem::size_of::<sys::curfew_run_usage>() as u32, ..Default::default() };
        unsafe { sys::curfew_run_get_usage(self.pointer, &mut usage) };
        RunUsage {
            wall: Duration::from_nanos(usage.wall_ns),
            cpu: Duration::from_nanos(usage.cpu_ns),
            memory_bytes: usage.memory_bytes,
            output_bytes: usage.output_bytes,
        }
    }
}

impl Future for Run {
    type Output = Result<Report>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        {
            let mut state = self.shared.state.lock().expect("no panic holds it");
            if !state.ended {
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(self.take())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        unsafe { sys::curfew_run_destroy(self.pointer) }
    }
}
