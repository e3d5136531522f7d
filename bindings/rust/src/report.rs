// SPDX-License-Identifier: Apache-2.0

use crate::{json, sys, text, Error, Result, Status};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::{c_char, CStr};
use std::fmt;
use std::ptr;
use std::sync::Arc;

/// The result of one run. docs/report.schema.json describes every key.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// A ULID.
    pub id: String,
    /// "ok", "threw", "deadline"...: the host latched it, so a program cannot forge it.
    pub outcome: String,
    /// Every limit that was exceeded when the run stopped, the first one first.
    pub tripped: Vec<String>,
    /// How the run was stopped. `None`: it was not.
    pub stop: Option<Stop>,
    /// The value returned, null if there is none; see [`Report::value`]. Parts that are nested deeper than 100 may be
    /// null here: [`Report::json`] has all of it.
    #[serde(rename = "value")]
    pub json_value: serde_json::Value,
    /// The last value passed to `curfew.checkpoint`, or null.
    pub partial: serde_json::Value,
    /// The exception, the reason why it does not load, or the place where it was stopped.
    pub error: Option<ProgramError>,
    limits: ReportLimits,
    /// What the run has used.
    pub used: Usage,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Whether stdout or stderr were truncated at the output limit.
    pub output_truncated: bool,
    /// The program.
    pub program: ProgramInfo,
    /// The exit code of `curfew run`. In a report from a server it is derived from the outcome.
    #[serde(skip)]
    pub exit_code: i32,
    #[serde(skip)]
    whole: Whole,
}

/// The source of a report's JSON, which is made at its first use.
#[derive(Clone, Default)]
enum Whole {
    #[default]
    Nothing,
    Text(String),
    Library(Arc<Owned>),
}

impl fmt::Debug for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// The limits of a report. Those of the library's report are read when they are asked for.
#[derive(Clone, Deserialize)]
#[serde(from = "BTreeMap<String, Option<f64>>")]
enum ReportLimits {
    Map(BTreeMap<String, Option<f64>>),
    Library(Arc<Owned>),
}

impl From<BTreeMap<String, Option<f64>>> for ReportLimits {
    fn from(map: BTreeMap<String, Option<f64>>) -> ReportLimits {
        ReportLimits::Map(map)
    }
}

impl ReportLimits {
    fn read(&self) -> BTreeMap<String, Option<f64>> {
        match self {
            ReportLimits::Map(map) => map.clone(),
            ReportLimits::Library(report) => unsafe { read_limits(&(*report.0).limits) },
        }
    }
}

impl fmt::Debug for ReportLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

/// A report of the library's, which nothing changes.
struct Owned(*mut sys::curfew_report);

unsafe impl Send for Owned {}
unsafe impl Sync for Owned {}

impl Drop for Owned {
    fn drop(&mut self) {
        unsafe { sys::curfew_report_destroy(self.0) }
    }
}

/// How a run was stopped.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Stop {
    /// The outcome that stopped it.
    pub cause: String,
    /// "cooperative", "soft", "hard" or "process".
    pub mode: String,
    /// Microseconds since its time was up.
    pub latency_us: f64,
}

/// One frame of a stack.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Frame {
    /// "<anonymous>" if there is no name.
    pub function: String,
    /// `None` for a native frame.
    pub file: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// From 1.
    pub column: Option<u32>,
    /// A function built into the engine.
    pub native: bool,
    /// WebAssembly: offset of the instruction in the file.
    pub wasm_offset: Option<u64>,
}

/// The exception of a program, the reason why it does not load, or the place where it was stopped.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ProgramError {
    /// The error's class. For a stop it is the outcome.
    pub name: Option<String>,
    /// The message.
    pub message: Option<String>,
    /// Innermost frame first.
    pub stack: Vec<Frame>,
}

/// The program of a report.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ProgramInfo {
    /// Its name.
    pub name: Option<String>,
    /// "js", "module" or "component".
    pub kind: Option<String>,
    /// The hash of its bytes, in hexadecimal.
    pub sha256: Option<String>,
}

/// What a run has used. `None`: it was not counted. Times are in microseconds.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
#[allow(missing_docs)]
pub struct Usage {
    pub wall_us: Option<f64>,
    pub cpu_us: Option<f64>,
    pub fuel: Option<u64>,
    pub loops: Option<u64>,
    pub memory_peak_bytes: Option<u64>,
    pub stack_peak_bytes: Option<u64>,
    pub output_bytes: Option<u64>,
    pub host_calls: Option<u64>,
    pub timers_peak: Option<u64>,
    pub load_us: Option<f64>,
    pub compile_us: Option<f64>,
    pub start_us: Option<f64>,
    pub run_us: Option<f64>,
}

impl Report {
    /// A report that a server sent. The outcome decides its exit code.
    pub(crate) fn from_server(value: serde_json::Value) -> serde_json::Result<Report> {
        let mut report: Report = serde_json::from_value(value)?;
        report.exit_code =
            outcomes().into_iter().find(|(name, _)| *name == report.outcome).map_or(0, |(_, exit_code)| exit_code);
        Ok(report)
    }

    /// Whether the program finished.
    pub fn is_ok(&self) -> bool {
        self.outcome == "ok"
    }

    /// The whole report as one line of JSON. It is empty for a report that a server sent.
    pub fn json(&self) -> String {
        match &self.whole {
            Whole::Nothing => String::new(),
            Whole::Text(text) => text.clone(),
            Whole::Library(report) => unsafe { to_json(report.0) }.unwrap_or_default(),
        }
    }

    /// Every limit in the report's units. `None`: unlimited.
    pub fn limits(&self) -> BTreeMap<String, Option<f64>> {
        self.limits.read()
    }

    /// The value that the program returned. It is an error if the program did not finish, or returned a value of
    /// another type.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T> {
        if !self.is_ok() {
            let message = self.error.as_ref().and_then(|error| error.message.as_deref()).unwrap_or("it did not finish");
            return Err(Error {
                status: Status::BadProgram,
                message: format!("{}: {message}", self.outcome),
                report: Some(Box::new(self.clone())),
            });
        }
        serde_json::from_value(self.json_value.clone())
            .map_err(|error| Error::invalid(format!("the program's value: {error}")))
    }
}

unsafe fn to_json(report: *const sys::curfew_report) -> Result<String> {
    let (mut json, mut length) = (ptr::null_mut(), 0);
    let status = sys::curfew_report_to_json(report, &mut json, &mut length);
    if status != sys::OK {
        return Err(Error { status: Status::of(status), message: text(sys::curfew_status_text(status)), report: None });
    }
    let line = String::from_utf8_lossy(std::slice::from_raw_parts(json.cast::<u8>(), length)).into_owned();
    sys::curfew_free(json.cast());
    Ok(line)
}

/// Converts a report of the library's. If `owned`, the Report owns it from now on.
///
/// # Safety
/// `report` is a report that is not freed by anybody else meanwhile.
pub(crate) unsafe fn take(report: *mut sys::curfew_report, owned: bool) -> Result<Report> {
    let kept = owned.then(|| Arc::new(Owned(report)));
    let raw = &*report;
    let mut taken = if raw.has_error || raw.stop_mode != 0 {
        let line = to_json(report)?;
        let mut parsed: Report = json::read(line.as_bytes()).map_err(|error| Error {
            status: Status::Internal,
            message: format!("the report: {error}"),
            report: None,
        })?;
        parsed.whole = Whole::Text(line);
        parsed
    } else {
        let whole = match kept {
            Some(owner) => Whole::Library(owner),
            None => Whole::Text(to_json(report)?),
        };
        read(raw, whole)
    };
    let exited = CStr::from_ptr(sys::curfew_outcome_name(raw.outcome)) == c_exited();
    taken.exit_code = if exited { raw.exit_code } else { sys::curfew_outcome_exit_code(raw.outcome) };
    Ok(taken)
}

fn c_exited() -> &'static CStr {
    CStr::from_bytes_with_nul(b"exited\0").expect("it ends with a NUL")
}

/// Reads a report without an error and without a stop, without parsing its JSON, which takes longer than a small run.
unsafe fn read(raw: &sys::curfew_report, whole: Whole) -> Report {
    let maybe = |pointer: *const c_char| (!pointer.is_null()).then(|| text(pointer));
    let value = |pointer: *const c_char| match pointer.is_null() {
        true => serde_json::Value::Null,
        false => json::read(CStr::from_ptr(pointer).to_bytes()).unwrap_or_default(),
    };
    let output = |pointer: *const c_char, length: usize| match pointer.is_null() {
        true => String::new(),
        false => String::from_utf8_lossy(std::slice::from_raw_parts(pointer.cast::<u8>(), length)).into_owned(),
    };
    let sha256 = text(raw.program_sha256.as_ptr());
    let limits = match &whole {
        Whole::Library(report) => ReportLimits::Library(report.clone()),
        _ => ReportLimits::Map(read_limits(&raw.limits)),
    };
    Report {
        id: text(raw.id.as_ptr()),
        outcome: text(sys::curfew_outcome_name(raw.outcome)),
        tripped: raw.tripped[..raw.tripped_count as usize]
            .iter()
            .map(|&outcome| text(sys::curfew_outcome_name(outcome)))
            .collect(),
        stop: None,
        json_value: value(raw.value),
        partial: value(raw.partial),
        error: None,
        limits,
        used: Usage::read(&raw.used),
        stdout: output(raw.stdout_text, raw.stdout_length),
        stderr: output(raw.stderr_text, raw.stderr_length),
        output_truncated: raw.output_truncated,
        program: ProgramInfo {
            name: maybe(raw.program_name),
            kind: maybe(raw.program_kind),
            sha256: (!sha256.is_empty()).then_some(sha256),
        },
        exit_code: 0,
        whole,
    }
}

unsafe fn read_limits(limits: &sys::curfew_limits) -> BTreeMap<String, Option<f64>> {
    let mut count = 0;
    let rows = sys::curfew_limit_table(&mut count);
    (0..count)
        .map(|i| &*rows.add(i))
        .map(|row| {
            let value = *(limits as *const sys::curfew_limits).cast::<u8>().add(row.offset).cast::<u64>();
            let number = if row.unit == sys::UNIT_DURATION { value as f64 / 1000.0 } else { value as f64 };
            (text(row.report_key), (value != sys::UNLIMITED).then_some(number))
        })
        .collect()
}

impl Usage {
    fn read(used: &sys::curfew_used) -> Usage {
        let time = |ns: u64| Some((ns / 1000) as f64);
        let count = |n: u64| (n != sys::UNLIMITED).then_some(n);
        Usage {
            wall_us: time(used.wall_ns),
            cpu_us: time(used.cpu_ns),
            fuel: count(used.fuel),
            loops: count(used.loops),
            memory_peak_bytes: count(used.memory_peak_bytes),
            stack_peak_bytes: count(used.stack_peak_bytes),
            output_bytes: count(used.output_bytes),
            host_calls: count(used.host_calls),
            timers_peak: count(used.timers_peak),
            load_us: time(used.load_ns),
            compile_us: time(used.compile_ns),
            start_us: time(used.start_ns),
            run_us: time(used.run_ns),
        }
    }
}

/// Names of all outcomes, with the exit code that `curfew run` gives each.
pub fn outcomes() -> Vec<(String, i32)> {
    (0..)
        .map_while(|outcome| unsafe {
            let name = sys::curfew_outcome_name(outcome);
            (!name.is_null()).then(|| (text(name), sys::curfew_outcome_exit_code(outcome)))
        })
        .collect()
}
