// SPDX-License-Identifier: Apache-2.0

use crate::{sys, text, Error, Result, Status};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ptr;

/// What became of one run; docs/report.schema.json has every key.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// A ULID.
    pub id: String,
    /// "ok", "threw", "deadline"...: what the host latched; a program cannot forge it.
    pub outcome: String,
    /// Every limit that was exceeded when it stopped, first one first.
    pub tripped: Vec<String>,
    /// How it was stopped; `None` if it was not.
    pub stop: Option<Stop>,
    /// The value returned, null where there is none; see [`Report::value`].
    #[serde(rename = "value")]
    pub json_value: serde_json::Value,
    /// The last value passed to `curfew.checkpoint`, or null.
    pub partial: serde_json::Value,
    /// What was thrown, why it does not load, or where it was stopped.
    pub error: Option<ProgramError>,
    /// Every limit in the report's units; `None`: unlimited.
    pub limits: BTreeMap<String, Option<f64>>,
    /// What it has used.
    pub used: Usage,
    /// What it wrote.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// Whether stdout or stderr were cut at the output limit.
    pub output_truncated: bool,
    /// The program.
    pub program: ProgramInfo,
    /// The exit code that `curfew run` would end with.
    #[serde(skip)]
    pub exit_code: i32,
    /// The whole report as one line of JSON.
    #[serde(skip)]
    pub json: String,
}

/// How a run was stopped.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Stop {
    /// The outcome that stopped it.
    pub cause: String,
    /// "cooperative", "soft", "hard" or "process".
    pub mode: String,
    /// Microseconds after its time was up.
    pub latency_us: f64,
}

/// One frame of a stack.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Frame {
    /// "<anonymous>" where there is no name.
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

/// What a program threw, why it does not load, or where it was stopped.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct ProgramError {
    /// The error's class; of a stop its outcome.
    pub name: Option<String>,
    /// What it says.
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
    /// Of its bytes, in hexadecimal.
    pub sha256: Option<String>,
}

/// What a run has used; `None` where something was not counted. Times are in microseconds.
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
    /// Whether the program finished.
    pub fn is_ok(&self) -> bool {
        self.outcome == "ok"
    }

    /// The value that the program returned; an error where it did not finish, or returned something else.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T> {
        if !self.is_ok() {
            let message = self.error.as_ref().and_then(|error| error.message.as_deref()).unwrap_or("it did not finish");
            return Err(Error {
                status: Status::BadProgram,
                message: format!("{}: {message}", self.outcome),
                report: Some(Box::new(self.clone())),
            });
        }
        serde_json::from_value(self.json_value.clone()).map_err(|error| Error::invalid(format!("the program's value: {error}")))
    }
}

/// A Report of the library's; frees it if told to.
///
/// # Safety
/// `report` is a report that is not freed by anybody else meanwhile.
pub(crate) unsafe fn take(report: *mut sys::curfew_report, free: bool) -> Result<Report> {
    let (mut json, mut length) = (ptr::null_mut(), 0);
    let status = sys::curfew_report_to_json(report, &mut json, &mut length);
    let exit_code = sys::curfew_outcome_exit_code((*report).outcome);
    if free {
        sys::curfew_report_destroy(report);
    }
    if status != sys::OK {
        return Err(Error { status: Status::of(status), message: text(sys::curfew_status_text(status)), report: None });
    }
    let line = String::from_utf8_lossy(std::slice::from_raw_parts(json.cast::<u8>(), length)).into_owned();
    sys::curfew_free(json.cast());
    let mut parsed: Report = serde_json::from_str(&line).map_err(|error| Error {
        status: Status::Internal,
        message: format!("the report: {error}"),
        report: None,
    })?;
    parsed.exit_code = exit_code;
    parsed.json = line;
    Ok(parsed)
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
