// SPDX-License-Identifier: Apache-2.0
//! The parts of curfew.h that this crate uses. A test compares sizes and offsets with the library's own.

#![allow(non_camel_case_types, missing_docs)]

use std::ffi::{c_char, c_int, c_void};

pub const OK: c_int = 0;
pub const UNLIMITED: u64 = u64::MAX;
pub const UNIT_DURATION: c_int = 0;
pub const SOURCE_ONCE: u32 = 1;
pub const SOURCE_PATH: u32 = 2;
pub const SOURCE_NODE: u32 = 4;
pub const RUN_DETERMINISTIC: u32 = 1;
pub const RUN_STDIN: u32 = 2;
pub const DIR_WRITE: u32 = 1;
pub const HOST_ASYNC: u32 = 1;

macro_rules! opaque {
    ($($name:ident),*) => { $(#[repr(C)] pub struct $name { _private: [u8; 0] })* };
}
opaque!(curfew_engine, curfew_program, curfew_run, curfew_session, curfew_host_call, curfew_cancel, curfew_secrets);

#[repr(C)]
pub struct curfew_failure {
    pub message: [c_char; 256],
}

#[repr(C)]
#[derive(Default, Clone, Copy)]
pub struct curfew_limits {
    pub size: u32,
    pub reserved: u32,
    pub timeout_ns: u64,
    pub grace_ns: u64,
    pub cpu_ns: u64,
    pub fuel: u64,
    pub loops: u64,
    pub memory_bytes: u64,
    pub stack_bytes: u64,
    pub output_bytes: u64,
    pub host_calls: u64,
    pub timers: u64,
}

#[repr(C)]
pub struct curfew_limit_info {
    pub name: *const c_char,
    pub report_key: *const c_char,
    pub meaning: *const c_char,
    pub unit: c_int,
    pub default_value: u64,
    pub minimum: u64,
    pub ceiling: u64,
    pub may_be_unlimited: bool,
    pub offset: usize,
    pub outcome: c_int,
}

/// The first fields of curfew_engine_options. `size` says how many there are.
#[repr(C)]
pub struct curfew_engine_options {
    pub size: u32,
    pub threads: u32,
    pub cache_dir: *const c_char,
    pub resident_bytes: u64,
    pub reserved: u32,
    pub pagemap_fd: i32,
    pub max_runs: u32,
    pub flags: u32,
}

#[repr(C)]
#[derive(Default)]
pub struct curfew_engine_stats {
    pub size: u32,
    pub reserved: u32,
    pub runs_active: u64,
    pub regions_in_use: u64,
    pub regions_pooled: u64,
    pub runs_total: u64,
    pub resident_bytes: u64,
}

#[repr(C)]
pub struct curfew_source {
    pub size: u32,
    pub language: c_int,
    pub name: *const c_char,
    pub text: *const c_char,
    pub text_length: usize,
    pub import_dir: *const c_char,
    pub flags: u32,
    pub reserved: u32,
    pub import_map: *const c_char,
    pub import_map_length: usize,
    pub import_map_name: *const c_char,
    pub sha256: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub union curfew_value {
    pub i32_: i32,
    pub i64_: i64,
    pub f32_: f32,
    pub f64_: f64,
}

pub type host_callback = unsafe extern "C" fn(*mut c_void, *mut curfew_host_call);

#[repr(C)]
pub struct curfew_host_function {
    pub size: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub module: *const c_char,
    pub type_: *const c_char,
    pub fuel: u64,
    pub call: Option<host_callback>,
    pub stopped: Option<host_callback>,
    pub context: *mut c_void,
    pub queue: *mut c_void,
    pub released: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct curfew_secret {
    pub name: *const c_char,
    pub value: *const c_char,
    pub value_length: usize,
}

#[repr(C)]
pub struct curfew_dir {
    pub host: *const c_char,
    pub guest: *const c_char,
    pub flags: u32,
    pub reserved: u32,
}

pub type event_callback = unsafe extern "C" fn(*mut c_void, c_int, *const c_char, usize);
pub type done_callback = unsafe extern "C" fn(*mut c_void, *mut curfew_run);

/// The first fields of curfew_run_options. `size` says how many there are.
#[repr(C)]
pub struct curfew_run_options {
    pub size: u32,
    pub flags: u32,
    pub limits: *const curfew_limits,
    pub call: *const c_char,
    pub params: *const c_char,
    pub params_length: usize,
    pub user: *const c_char,
    pub cancel: *mut curfew_cancel,
    pub on_event: Option<event_callback>,
    pub on_event_context: *mut c_void,
    pub on_done: Option<done_callback>,
    pub on_done_context: *mut c_void,
    pub id: *const c_char,
    pub args: *const *const c_char,
    pub arg_count: usize,
    pub env: *const *const c_char,
    pub env_count: usize,
    pub dirs: *const curfew_dir,
    pub dir_count: usize,
    pub stdin_fd: i32,
    pub reserved: u32,
    pub secrets: *const curfew_secret,
    pub secret_count: usize,
    pub store: *mut curfew_secrets,
    pub allow_fetch: *const *const c_char,
    pub allow_fetch_count: usize,
    pub host_context: *mut c_void,
    pub on_request: *mut c_void,
    pub on_request_context: *mut c_void,
    pub on_stop: *mut c_void,
    pub on_stop_context: *mut c_void,
    pub timezone: *const c_char,
    pub stdin_bytes: *const c_void,
    pub stdin_length: usize,
    pub files: *const c_char,
    pub files_length: usize,
    pub owner: u64,
    pub secret_for: *const *const c_char,
    pub secret_for_count: usize,
}

#[repr(C)]
#[derive(Default)]
pub struct curfew_run_usage {
    pub size: u32,
    pub reserved: u32,
    pub wall_ns: u64,
    pub cpu_ns: u64,
    pub memory_bytes: u64,
    pub output_bytes: u64,
}

#[repr(C)]
#[derive(Default)]
pub struct curfew_session_totals {
    pub size: u32,
    pub reserved: u32,
    pub calls: u64,
    pub wall_ns: u64,
    pub cpu_ns: u64,
    pub fuel: u64,
    pub loops: u64,
    pub output_bytes: u64,
    pub host_calls: u64,
    pub memory_bytes: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct curfew_used {
    pub wall_ns: u64,
    pub cpu_ns: u64,
    pub fuel: u64,
    pub loops: u64,
    pub memory_peak_bytes: u64,
    pub stack_peak_bytes: u64,
    pub output_bytes: u64,
    pub host_calls: u64,
    pub timers_peak: u64,
    pub load_ns: u64,
    pub compile_ns: u64,
    pub start_ns: u64,
    pub run_ns: u64,
}

pub const TRIPPED_MAX: usize = 17;

/// The first fields of curfew_report. Only the library creates reports. Their JSON has the rest.
#[repr(C)]
pub struct curfew_report {
    pub size: u32,
    pub outcome: c_int,
    pub id: [c_char; 27],
    pub tripped_count: u32,
    pub tripped: [c_int; TRIPPED_MAX],
    pub stop_mode: c_int,
    pub stop_cause: c_int,
    pub stop_latency_ns: u64,
    pub value: *const c_char,
    pub partial: *const c_char,
    pub has_error: bool,
    pub error_name: *const c_char,
    pub error_message: *const c_char,
    pub frames: *const c_void,
    pub frame_count: usize,
    pub source_line: *const c_char,
    pub limits: curfew_limits,
    pub used: curfew_used,
    pub stdout_text: *const c_char,
    pub stdout_length: usize,
    pub stderr_text: *const c_char,
    pub stderr_length: usize,
    pub output_truncated: bool,
    pub program_name: *const c_char,
    pub program_kind: *const c_char,
    pub program_sha256: [c_char; 65],
    pub exit_code: i32,
}

extern "C" {
    pub fn curfew_version() -> *const c_char;
    pub fn curfew_free(memory: *mut c_void);
    pub fn curfew_status_text(status: c_int) -> *const c_char;
    pub fn curfew_outcome_name(outcome: c_int) -> *const c_char;
    pub fn curfew_outcome_exit_code(outcome: c_int) -> c_int;
    pub fn curfew_limit_table(count: *mut usize) -> *const curfew_limit_info;
    pub fn curfew_limits_set(
        limits: *mut curfew_limits,
        name: *const c_char,
        text: *const c_char,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_engine_create(
        options: *const curfew_engine_options,
        engine: *mut *mut curfew_engine,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_engine_destroy(engine: *mut curfew_engine);
    pub fn curfew_engine_get_stats(engine: *mut curfew_engine, stats: *mut curfew_engine_stats);
    pub fn curfew_program_create(
        engine: *mut curfew_engine,
        source: *const curfew_source,
        program: *mut *mut curfew_program,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_program_load(
        engine: *mut curfew_engine,
        image: *const c_void,
        length: usize,
        program: *mut *mut curfew_program,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_program_destroy(program: *mut curfew_program);
    pub fn curfew_program_kind(program: *const curfew_program) -> *const c_char;
    pub fn curfew_program_compile(
        program: *mut curfew_program,
        limits: *const curfew_limits,
        report: *mut *mut curfew_report,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_program_inspect(
        program: *mut curfew_program,
        limits: *const curfew_limits,
        json: *mut *mut c_char,
        length: *mut usize,
        report: *mut *mut curfew_report,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_program_save(
        program: *mut curfew_program,
        image: *mut *mut c_void,
        length: *mut usize,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_program_set_functions(
        program: *mut curfew_program,
        functions: *const curfew_host_function,
        count: usize,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_program_run(
        program: *mut curfew_program,
        options: *const curfew_run_options,
        report: *mut *mut curfew_report,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_run_start(
        program: *mut curfew_program,
        options: *const curfew_run_options,
        run: *mut *mut curfew_run,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_run_wait(run: *mut curfew_run) -> *const curfew_report;
    pub fn curfew_run_cancel(run: *mut curfew_run);
    pub fn curfew_run_get_usage(run: *mut curfew_run, usage: *mut curfew_run_usage);
    pub fn curfew_run_destroy(run: *mut curfew_run);
    pub fn curfew_report_to_json(report: *const curfew_report, text: *mut *mut c_char, length: *mut usize) -> c_int;
    pub fn curfew_report_destroy(report: *mut curfew_report);
    pub fn curfew_host_call_get_params(call: *const curfew_host_call, length: *mut usize) -> *const c_char;
    pub fn curfew_host_call_get_values(call: *const curfew_host_call) -> *const curfew_value;
    pub fn curfew_host_call_is_stopped(call: *const curfew_host_call) -> bool;
    pub fn curfew_host_call_set_data(call: *mut curfew_host_call, data: *mut c_void);
    pub fn curfew_host_call_get_data(call: *const curfew_host_call) -> *mut c_void;
    pub fn curfew_host_call_return(call: *mut curfew_host_call, json: *const c_char, length: usize) -> c_int;
    pub fn curfew_host_call_return_values(call: *mut curfew_host_call, results: *const curfew_value) -> c_int;
    pub fn curfew_host_call_throw(call: *mut curfew_host_call, message: *const c_char) -> c_int;
    pub fn curfew_session_create(
        program: *mut curfew_program,
        options: *const curfew_run_options,
        session: *mut *mut curfew_session,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_session_call(
        session: *mut curfew_session,
        function: *const c_char,
        params: *const c_char,
        limits: *const curfew_limits,
        report: *mut *mut curfew_report,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_session_eval(
        session: *mut curfew_session,
        name: *const c_char,
        text: *const c_char,
        length: usize,
        limits: *const curfew_limits,
        report: *mut *mut curfew_report,
        failure: *mut curfew_failure,
    ) -> c_int;
    pub fn curfew_session_cancel(session: *mut curfew_session) -> bool;
    pub fn curfew_session_reset(session: *mut curfew_session, failure: *mut curfew_failure) -> c_int;
    pub fn curfew_session_is_usable(session: *const curfew_session) -> bool;
    pub fn curfew_session_get_totals(session: *mut curfew_session, totals: *mut curfew_session_totals);
    pub fn curfew_session_destroy(session: *mut curfew_session);
}
