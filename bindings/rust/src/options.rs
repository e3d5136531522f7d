// SPDX-License-Identifier: Apache-2.0

use crate::{c_string, sys, Error, Limits, Result};
use serde_json::{json, Value};
use std::ffi::{c_char, CString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;

/// Output or a message of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Output.
    Stdout(Vec<u8>),
    /// Output to standard error.
    Stderr(Vec<u8>),
    /// The value that the program passed to `curfew.progress`.
    Progress(Value),
    /// The value that the program passed to `curfew.checkpoint`.
    Checkpoint(Value),
}

impl Event {
    pub(crate) fn new(kind: i32, data: &[u8]) -> Event {
        let value = || crate::json::read(data).unwrap_or(Value::Null);
        match kind {
            0 => Event::Stdout(data.to_vec()),
            1 => Event::Stderr(data.to_vec()),
            2 => Event::Progress(value()),
            _ => Event::Checkpoint(value()),
        }
    }
}

/// A directory that a WASI program may open, with everything in it and nothing above it.
#[derive(Debug, Clone)]
pub struct Dir {
    /// Its path.
    pub host: PathBuf,
    /// The path under which the program sees it.
    pub guest: String,
    /// Files may be written, made and removed.
    pub write: bool,
}

/// Options of a run.
#[derive(Default, Clone)]
pub struct Options {
    /// The limits of the run.
    pub limits: Limits,
    /// Exported or global function to call.
    pub call: Option<String>,
    /// The call's arguments.
    pub params: Vec<Value>,
    /// Seen as `curfew.user`.
    pub user: Option<String>,
    /// Values of `secrets.get(NAME)`; removed from everything that the run prints or returns.
    pub secrets: Vec<(String, String)>,
    /// Hosts that `fetch` may reach: "HOST", "HOST:PORT", "*.DOMAIN".
    pub allow_fetch: Vec<String>,
    /// Headers with secrets that the host puts into requests: "HOST:HEADER=TEMPLATE", with {NAME} in TEMPLATE.
    pub secret_for: Vec<String>,
    /// WASI: the program's arguments, its name left out.
    pub args: Vec<String>,
    /// The environment: `curfew.env`, or a WASI program's.
    pub env: Vec<(String, String)>,
    /// WASI: directories that it may open.
    pub dirs: Vec<Dir>,
    /// Standard input: `curfew.stdin`, or WASI's.
    pub stdin: Option<Arc<OwnedFd>>,
    /// The time zone of `Date` and `Intl`: "Europe/Berlin".
    pub timezone: Option<String>,
    /// `curfew.files` of a JavaScript program.
    pub files: Vec<(String, Vec<u8>)>,
    /// Fixed clock, seeded random.
    pub deterministic: bool,
    /// Called with each event, by a thread of the engine while the program waits, so it must be short.
    pub on_event: Option<Arc<dyn Fn(Event) + Send + Sync>>,
}

/// A curfew_run_options, and the memory that it points to.
pub(crate) struct Filled {
    pub(crate) options: sys::curfew_run_options,
    _limits: Box<sys::curfew_limits>,
    _strings: Vec<CString>,
    _arrays: Vec<Vec<*const c_char>>,
    _secrets: Vec<sys::curfew_secret>,
    _dirs: Vec<sys::curfew_dir>,
    params: String,
    files: String,
}

impl Filled {
    fn keep(&mut self, value: &str, what: &str) -> Result<*const c_char> {
        let text = c_string(value, what)?;
        let pointer = text.as_ptr(); // in the heap, so it does not move
        self._strings.push(text);
        Ok(pointer)
    }

    fn list(&mut self, values: &[String], what: &str) -> Result<(*const *const c_char, usize)> {
        if values.is_empty() {
            return Ok((ptr::null(), 0));
        }
        let pointers = values.iter().map(|value| self.keep(value, what)).collect::<Result<Vec<_>>>()?;
        let list = (pointers.as_ptr(), pointers.len());
        self._arrays.push(pointers);
        Ok(list)
    }
}

impl Options {
    pub(crate) fn fill(&self) -> Result<Filled> {
        let limits = Box::new(self.limits.0);
        let mut options: sys::curfew_run_options = unsafe { std::mem::zeroed() };
        options.size = std::mem::size_of::<sys::curfew_run_options>() as u32;
        options.limits = &*limits;
        options.flags = if self.deterministic { sys::RUN_DETERMINISTIC } else { 0 };
        let params = if self.params.is_empty() {
            String::new()
        } else {
            serde_json::to_string(&self.params).map_err(|error| Error::invalid(format!("params: {error}")))?
        };
        let mut filled = Filled {
            options,
            _limits: limits,
            _strings: vec![],
            _arrays: vec![],
            _secrets: vec![],
            _dirs: vec![],
            params,
            files: self.files_text(),
        };
        self.fill_call(&mut filled)?;
        self.fill_lists(&mut filled)?;
        Ok(filled)
    }

    fn files_text(&self) -> String {
        if self.files.is_empty() {
            return String::new();
        }
        let files = self.files.iter().map(|(name, data)| {
            let content = std::str::from_utf8(data).map_or_else(|_| json!({ "base64": base64(data) }), Value::from);
            (name.clone(), content)
        });
        Value::Object(files.collect()).to_string()
    }

    fn fill_call(&self, filled: &mut Filled) -> Result<()> {
        if let Some(timezone) = &self.timezone {
            filled.options.timezone = filled.keep(timezone, "the time zone")?;
        }
        if !filled.files.is_empty() {
            filled.options.files = filled.files.as_ptr().cast();
            filled.options.files_length = filled.files.len();
        }
        if let Some(call) = &self.call {
            filled.options.call = filled.keep(call, "the call")?;
        }
        if let Some(user) = &self.user {
            filled.options.user = filled.keep(user, "the user")?;
        }
        if !filled.params.is_empty() {
            filled.options.params = filled.params.as_ptr().cast();
            filled.options.params_length = filled.params.len();
        }
        if let Some(stdin) = &self.stdin {
            filled.options.flags |= sys::RUN_STDIN;
            filled.options.stdin_fd = stdin.as_raw_fd();
        }
        Ok(())
    }

    fn fill_lists(&self, filled: &mut Filled) -> Result<()> {
        let env: Vec<String> = self.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (filled.options.allow_fetch, filled.options.allow_fetch_count) =
            filled.list(&self.allow_fetch, "a host of allow_fetch")?;
        (filled.options.secret_for, filled.options.secret_for_count) =
            filled.list(&self.secret_for, "an entry of secret_for")?;
        (filled.options.args, filled.options.arg_count) = filled.list(&self.args, "an argument")?;
        (filled.options.env, filled.options.env_count) = filled.list(&env, "the environment")?;
        for (name, value) in &self.secrets {
            let name = filled.keep(name, "the name of a secret")?;
            filled._secrets.push(sys::curfew_secret { name, value: value.as_ptr().cast(), value_length: value.len() });
        }
        for dir in &self.dirs {
            let host = dir.host.to_str().ok_or_else(|| Error::invalid("a directory is not UTF-8"))?;
            let (host, guest) = (filled.keep(host, "a directory")?, filled.keep(&dir.guest, "a directory")?);
            filled._dirs.push(sys::curfew_dir {
                host,
                guest,
                flags: if dir.write { sys::DIR_WRITE } else { 0 },
                reserved: 0,
            });
        }
        filled.options.secrets = if self.secrets.is_empty() { ptr::null() } else { filled._secrets.as_ptr() };
        filled.options.secret_count = filled._secrets.len();
        filled.options.dirs = if self.dirs.is_empty() { ptr::null() } else { filled._dirs.as_ptr() };
        filled.options.dir_count = filled._dirs.len();
        Ok(())
    }
}

fn base64(data: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(data.len().div_ceil(3) * 4);
    for part in data.chunks(3) {
        let bits = part.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= part.len() { letter as char } else { '=' });
        }
    }
    text
}
