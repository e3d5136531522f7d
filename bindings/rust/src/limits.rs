// SPDX-License-Identifier: Apache-2.0

use crate::{c_string, check, sys, text, Error, Result};
use std::time::Duration;

/// The limits of a run. A limit that is not set takes the library's default.
///
/// Each setter takes text in the form of the command line ("250ms", "64MiB", "10M", "unlimited"), a [`Duration`], or a
/// number.
#[derive(Clone, Copy)]
pub struct Limits(pub(crate) sys::curfew_limits);

impl Default for Limits {
    fn default() -> Self {
        Limits(sys::curfew_limits { size: std::mem::size_of::<sys::curfew_limits>() as u32, ..Default::default() })
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(FIELDS.iter().map(|(name, get)| (name, *get(&mut self.clone())))).finish()
    }
}

/// A value of a limit: text, a duration, or a number of bytes or a count.
pub trait LimitValue {
    /// The text that the library parses.
    fn limit_text(&self) -> String;
}

impl LimitValue for &str {
    fn limit_text(&self) -> String {
        self.to_string()
    }
}

impl LimitValue for u64 {
    fn limit_text(&self) -> String {
        if *self == u64::MAX {
            "unlimited".into()
        } else {
            self.to_string()
        }
    }
}

impl LimitValue for Duration {
    fn limit_text(&self) -> String {
        if *self == Duration::MAX {
            "unlimited".into()
        } else {
            format!("{}ns", self.as_nanos())
        }
    }
}

macro_rules! limits {
    ($($setter:ident, $field:ident, $name:literal, $text:literal;)*) => {
        impl Limits {
            $(#[doc = $text]
            pub fn $setter(self, value: impl LimitValue) -> Result<Limits> { self.set($name, &value.limit_text()) })*
        }

        const FIELDS: &[(&str, fn(&mut Limits) -> &mut u64)] = &[$(($name, |limits| &mut limits.0.$field)),*];
    };
}
limits! {
    timeout, timeout_ns, "timeout", "Wall-clock deadline for everything: load, compile, start, run, waiting, jobs.";
    grace, grace_ns, "grace", "After the deadline or a cancel, how long the program may continue to end by itself.";
    cpu, cpu_ns, "cpu", "CPU time of the run, waiting excluded.";
    fuel, fuel, "fuel", "Deterministic instruction budget.";
    loops, loops, "loops", "JavaScript loop iterations plus calls.";
    memory, memory_bytes, "memory", "Guest memory, all of it, in bytes.";
    stack, stack_bytes, "stack", "Guest stack, in bytes.";
    output, output_bytes, "output", "Captured stdout + stderr + value, in bytes.";
    host_calls, host_calls, "host-calls", "Calls out of the sandbox.";
    timers, timers, "timers", "Timers pending at once.";
}

impl Limits {
    /// All defaults.
    pub fn new() -> Limits {
        Limits::default()
    }

    /// Sets a limit by its name on the command line.
    pub fn set(mut self, name: &str, value: &str) -> Result<Limits> {
        if !FIELDS.iter().any(|(known, _)| *known == name) && !limit_names().iter().any(|known| known == name) {
            return Err(Error::invalid(format!("there is no limit {name}")));
        }
        let (name, value) = (c_string(name, "the limit's name")?, c_string(value, "the limit")?);
        check(|failure| unsafe { sys::curfew_limits_set(&mut self.0, name.as_ptr(), value.as_ptr(), failure) })?;
        Ok(self)
    }

    /// The names of the limits that have a setter. A test compares them with the library's.
    #[doc(hidden)]
    pub fn setters() -> Vec<&'static str> {
        FIELDS.iter().map(|(name, _)| *name).collect()
    }
}

/// The names of all limits of the library.
pub fn limit_names() -> Vec<String> {
    limit_table().into_iter().map(|(name, _)| name).collect()
}

pub(crate) fn limit_table() -> Vec<(String, String)> {
    let mut count = 0;
    unsafe {
        let rows = sys::curfew_limit_table(&mut count);
        (0..count).map(|i| &*rows.add(i)).map(|row| (text(row.name), text(row.report_key))).collect()
    }
}
