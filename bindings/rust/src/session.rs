// SPDX-License-Identifier: Apache-2.0

use crate::{c_string, check, report, sys, Error, Limits, Options, Program, Report, Result};
use serde_json::Value;
use std::ffi::c_int;
use std::ptr;
use std::time::Duration;

/// One program's state, kept between calls. It executes one call at a time: a concurrent one is `Status::InUse`.
pub struct Session {
    pointer: *mut sys::curfew_session,
    _program: Program,
}

// The library refuses a concurrent call. Any thread may cancel and read figures (curfew.h).
unsafe impl Send for Session {}
unsafe impl Sync for Session {}

/// What all calls of a session have used.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct SessionTotals {
    pub calls: u64,
    pub wall: Duration,
    pub cpu: Duration,
    /// `None`: not metered.
    pub fuel: Option<u64>,
    pub loops: u64,
    pub output_bytes: u64,
    pub host_calls: u64,
    /// The state's memory now. 0: there is none yet.
    pub memory_bytes: u64,
}

impl Program {
    /// Creates a session. The options must not have `call`, `params` and `on_event`. Their limits are totals over all
    /// its calls.
    pub fn session(&self, options: &Options) -> Result<Session> {
        if options.call.is_some() || !options.params.is_empty() || options.on_event.is_some() {
            return Err(Error::invalid("a session has no call, params or listener: its calls do"));
        }
        let filled = options.fill()?;
        let mut pointer = ptr::null_mut();
        check(|failure| unsafe { sys::curfew_session_create(self.pointer(), &filled.options, &mut pointer, failure) })?;
        Ok(Session { pointer, _program: self.clone() })
    }
}

impl Session {
    fn call_with(
        &self,
        call: impl FnOnce(*mut *mut sys::curfew_report, *mut sys::curfew_failure) -> c_int,
    ) -> Result<Report> {
        let mut pointer = ptr::null_mut();
        check(|failure| call(&mut pointer, failure))?;
        unsafe { report::take(pointer, true) }
    }

    /// Calls a function that the program exports, and waits.
    pub fn call(&self, function: &str, params: &[Value], limits: &Limits) -> Result<Report> {
        let (function, params) =
            (c_string(function, "the function")?, c_string(&Value::from(params).to_string(), "params")?);
        self.call_with(|out, failure| unsafe {
            sys::curfew_session_call(self.pointer, function.as_ptr(), params.as_ptr(), &limits.0, out, failure)
        })
    }

    /// Evaluates text as the session's next cell, and waits. It works only for JavaScript.
    pub fn eval(&self, text: &str, limits: &Limits) -> Result<Report> {
        self.call_with(|out, failure| unsafe {
            sys::curfew_session_eval(
                self.pointer,
                ptr::null(),
                text.as_ptr().cast(),
                text.len(),
                &limits.0,
                out,
                failure,
            )
        })
    }

    /// Cancels the call in progress, from any thread; a second time skips the grace. Returns whether there was a call.
    pub fn cancel(&self) -> bool {
        unsafe { sys::curfew_session_cancel(self.pointer) }
    }

    /// Drops the state: the next call begins with the program's image.
    pub fn reset(&self) -> Result<()> {
        check(|failure| unsafe { sys::curfew_session_reset(self.pointer, failure) })
    }

    /// Whether the next call would find a state.
    pub fn is_usable(&self) -> bool {
        unsafe { sys::curfew_session_is_usable(self.pointer) }
    }

    /// What all its calls have used.
    pub fn totals(&self) -> SessionTotals {
        let mut totals = sys::curfew_session_totals {
            size: std::mem::size_of::<sys::curfew_session_totals>() as u32,
            ..Default::default()
        };
        unsafe { sys::curfew_session_get_totals(self.pointer, &mut totals) };
        SessionTotals {
            calls: totals.calls,
            wall: Duration::from_nanos(totals.wall_ns),
            cpu: Duration::from_nanos(totals.cpu_ns),
            fuel: (totals.fuel != sys::UNLIMITED).then_some(totals.fuel),
            loops: totals.loops,
            output_bytes: totals.output_bytes,
            host_calls: totals.host_calls,
            memory_bytes: totals.memory_bytes,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        unsafe { sys::curfew_session_destroy(self.pointer) }
    }
}
