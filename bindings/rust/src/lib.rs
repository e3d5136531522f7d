// SPDX-License-Identifier: Apache-2.0
//! Run JavaScript and WebAssembly that you do not trust, under hard limits, and always get control back.
//!
//! ```
//! let report = curfew::run("6 * 7", &curfew::Options::default())?;
//! assert_eq!(report.value::<i32>()?, 42);
//!
//! let limits = curfew::Limits::new().timeout("100ms")?;
//! let report = curfew::run("for (;;);", &curfew::Options { limits, ..Default::default() })?;
//! assert_eq!((report.outcome.as_str(), report.tripped), ("deadline", vec!["deadline".to_string()]));
//! # Ok::<(), curfew::Error>(())
//! ```
//!
//! An [`Engine`] is heavy and shared. A [`Program`] is immutable and shared. Each run starts afresh and ends in a
//! [`Report`]. An [`Error`] says that a call of the library failed. What a program did is never an error, but a report.

#![deny(missing_docs)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod client;
mod host;
mod json;
mod limits;
mod options;
mod report;
mod run;
mod session;
#[doc(hidden)]
pub mod sys;

pub use host::{DeferredCall, HostFunction, Number};
pub use limits::{limit_names, Limits};
pub use options::{Dir, Event, Options};
pub use report::{outcomes, Frame, ProgramError, ProgramInfo, Report, Stop, Usage};
pub use run::{Run, RunUsage};
pub use session::{Session, SessionTotals};

use std::ffi::{c_char, c_int, CStr, CString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, OnceLock};

/// Why a call of the library failed.
#[derive(Debug)]
pub struct Error {
    /// The kind of failure.
    pub status: Status,
    /// One line that names the cause and the place.
    pub message: String,
    /// Set if a program does not load. It has the reason.
    pub report: Option<Box<Report>>,
}

macro_rules! statuses {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        /// The library's kinds of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Status { $(#[doc = $text] $name = $value,)* }

        impl Status {
            fn of(number: c_int) -> Status {
                match number { $($value => Status::$name,)* _ => Status::Internal }
            }
        }
    };
}
statuses! {
    Invalid = 1, "An argument is missing, malformed or out of range.";
    NoMemory = 2, "The host is out of memory or address space.";
    System = 3, "The system refused something that the engine needs.";
    BadImage = 4, "The image is damaged or belongs to another build.";
    BadProgram = 5, "The program does not load: the report says why.";
    Internal = 6, "Curfew itself failed.";
    NotFound = 7, "There is no such file or entry.";
    Busy = 8, "Another process keeps it locked.";
    Damaged = 9, "The file is damaged, or of another kind.";
    WrongKey = 10, "The key is not the one it was made with.";
    ReadOnly = 11, "It cannot be written.";
    Overloaded = 12, "The engine has reached its maximum number of runs: try again later.";
    InUse = 13, "A call of this session is in progress.";
    Unusable = 14, "The session's state was lost: reset it.";
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The result of the functions of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn invalid(message: impl Into<String>) -> Error {
        Error { status: Status::Invalid, message: message.into(), report: None }
    }
}

/// Text of the library's, which is never NULL here.
unsafe fn text(pointer: *const c_char) -> String {
    CStr::from_ptr(pointer).to_string_lossy().into_owned()
}

fn c_string(value: &str, what: &str) -> Result<CString> {
    CString::new(value).map_err(|_| Error::invalid(format!("{what} holds a NUL")))
}

/// Calls a function of the library that fails with a message.
fn check(call: impl FnOnce(*mut sys::curfew_failure) -> c_int) -> Result<()> {
    let mut failure = sys::curfew_failure { message: [0; 256] };
    let status = call(&mut failure);
    if status == sys::OK {
        return Ok(());
    }
    let message = unsafe { text(failure.message.as_ptr()) };
    let message = if message.is_empty() { unsafe { text(sys::curfew_status_text(status)) } } else { message };
    Err(Error { status: Status::of(status), message, report: None })
}

/// The version of the library.
pub fn version() -> String {
    unsafe { text(sys::curfew_version()) }
}

// ---- Engine

/// Options of an engine. An option that is not set takes the library's default.
#[derive(Debug, Default, Clone)]
pub struct EngineOptions {
    /// How many runs compute at once. The default is one for each core.
    pub threads: Option<u32>,
    /// Directory for compiled code, made if missing; must belong to this user.
    pub cache_dir: Option<PathBuf>,
    /// Memory in bytes that is kept ready for reuse.
    pub resident_bytes: Option<u64>,
    /// The maximum number of runs in progress. One more is [`Status::Overloaded`].
    pub max_runs: Option<u32>,
}

/// Figures of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct EngineStats {
    pub runs_active: u64,
    pub regions_in_use: u64,
    pub regions_pooled: u64,
    pub runs_total: u64,
    pub resident_bytes: u64,
}

/// An engine. It is heavy. Clones of this handle share it, on any thread.
#[derive(Clone)]
pub struct Engine(Arc<EngineHandle>);

struct EngineHandle(*mut sys::curfew_engine);
// "an engine, a program and a cancel handle may be used from any thread at once" (curfew.h)
unsafe impl Send for EngineHandle {}
unsafe impl Sync for EngineHandle {}

impl Drop for EngineHandle {
    fn drop(&mut self) {
        unsafe { sys::curfew_engine_destroy(self.0) }
    }
}

impl Engine {
    /// Creates an engine.
    pub fn new(options: &EngineOptions) -> Result<Engine> {
        let cache_dir = match &options.cache_dir {
            Some(path) => {
                Some(c_string(path.to_str().ok_or_else(|| Error::invalid("cache_dir is not UTF-8"))?, "cache_dir")?)
            }
            None => None,
        };
        let given = sys::curfew_engine_options {
            size: std::mem::size_of::<sys::curfew_engine_options>() as u32,
            threads: options.threads.unwrap_or(0),
            cache_dir: cache_dir.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            resident_bytes: options.resident_bytes.unwrap_or(0),
            reserved: 0,
            pagemap_fd: 0,
            max_runs: options.max_runs.unwrap_or(0),
            flags: 0,
        };
        let mut engine = ptr::null_mut();
        check(|failure| unsafe { sys::curfew_engine_create(&given, &mut engine, failure) })?;
        Ok(Engine(Arc::new(EngineHandle(engine))))
    }

    /// A program of this source. Nothing is parsed before it is compiled or run.
    pub fn program(&self, source: Source) -> Result<Program> {
        let name = c_string(source.name.as_deref().unwrap_or(source.language.default_name()), "the name")?;
        let import_dir = match &source.import_dir {
            Some(path) => {
                Some(c_string(path.to_str().ok_or_else(|| Error::invalid("import_dir is not UTF-8"))?, "import_dir")?)
            }
            None => None,
        };
        let given = sys::curfew_source {
            size: std::mem::size_of::<sys::curfew_source>() as u32,
            language: source.language as c_int,
            name: name.as_ptr(),
            text: source.text.as_ptr().cast(),
            text_length: source.text.len(),
            import_dir: import_dir.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            flags: if source.once { sys::SOURCE_ONCE } else { 0 }
                | if source.name_is_path { sys::SOURCE_PATH } else { 0 }
                | if source.node { sys::SOURCE_NODE } else { 0 },
            reserved: 0,
            import_map: source.import_map.as_ref().map_or(ptr::null(), |text| text.as_ptr().cast()),
            import_map_length: source.import_map.as_ref().map_or(0, String::len),
            import_map_name: ptr::null(),
            sha256: ptr::null(),
        };
        self.finish(source.functions, |program, failure| unsafe {
            sys::curfew_program_create(self.0 .0, &given, program, failure)
        })
    }

    /// A program of the bytes that [`Program::save`] returned.
    pub fn load(&self, image: &[u8], functions: Vec<HostFunction>) -> Result<Program> {
        self.finish(functions, |program, failure| unsafe {
            sys::curfew_program_load(self.0 .0, image.as_ptr().cast(), image.len(), program, failure)
        })
    }

    fn finish(
        &self,
        functions: Vec<HostFunction>,
        create: impl FnOnce(*mut *mut sys::curfew_program, *mut sys::curfew_failure) -> c_int,
    ) -> Result<Program> {
        let mut program = ptr::null_mut();
        check(|failure| create(&mut program, failure))?;
        let made = Program { handle: Arc::new(ProgramHandle(program)), engine: self.clone() };
        host::set_functions(program, functions)?;
        Ok(made)
    }

    /// Runs a source once.
    pub fn run(&self, source: Source, options: &Options) -> Result<Report> {
        self.program(Source { once: true, ..source })?.run(options)
    }

    /// Figures of the engine.
    pub fn stats(&self) -> EngineStats {
        let mut stats = sys::curfew_engine_stats {
            size: std::mem::size_of::<sys::curfew_engine_stats>() as u32,
            ..Default::default()
        };
        unsafe { sys::curfew_engine_get_stats(self.0 .0, &mut stats) };
        EngineStats {
            runs_active: stats.runs_active,
            regions_in_use: stats.regions_in_use,
            regions_pooled: stats.regions_pooled,
            runs_total: stats.runs_total,
            resident_bytes: stats.resident_bytes,
        }
    }
}

/// The engine of [`run`]. It is created at its first use.
pub fn default_engine() -> Result<&'static Engine> {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    if ENGINE.get().is_none() {
        let _ = ENGINE.set(Engine::new(&EngineOptions::default())?);
    }
    Ok(ENGINE.get().expect("it was set"))
}

/// Runs the text of a JavaScript program once, in the process's own engine.
pub fn run(text: &str, options: &Options) -> Result<Report> {
    default_engine()?.run(Source::js(text), options)
}

// ---- Program

/// The language of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// A script or module. As in Node, the syntax decides.
    Js = 0,
    /// A module, whatever the syntax.
    JsModule = 1,
    /// WebAssembly, binary. The header decides between a core module and a component.
    Wasm = 2,
    /// WebAssembly, text.
    Wat = 3,
    /// TypeScript, a script or module. Its types are removed.
    Ts = 4,
    /// TypeScript, a module, whatever the syntax.
    TsModule = 5,
    /// Several of these files, as a tar archive.
    Bundle = 6,
}

impl Language {
    fn default_name(self) -> &'static str {
        ["source.js", "source.mjs", "source.wasm", "source.wat", "source.ts", "source.mts", "source.tar"][self as usize]
    }
}

/// The source of a program.
pub struct Source {
    /// A JavaScript text, WebAssembly text, or the bytes of a module or component.
    pub text: Vec<u8>,
    /// Its language.
    pub language: Language,
    /// Shown in stacks and reports.
    pub name: Option<String>,
    /// Whether the name is its path below `import_dir`: relative imports are relative to it, not to `import_dir`.
    pub name_is_path: bool,
    /// The directory that imports may read, and nothing above it. `None`: there are no imports.
    pub import_dir: Option<PathBuf>,
    /// An import map, as JSON. Its addresses begin at the top of `import_dir`.
    pub import_map: Option<String>,
    /// Whether it has Node's globals from the beginning: `process`, `Buffer`, `global`, `setImmediate`.
    pub node: bool,
    /// Whether it will run only once, so that no image of its parsed form is kept.
    pub once: bool,
    /// The functions that it may call as `host.NAME`, or import.
    pub functions: Vec<HostFunction>,
}

impl Source {
    /// A source of this text.
    pub fn new(text: impl Into<Vec<u8>>, language: Language) -> Source {
        Source {
            text: text.into(),
            language,
            name: None,
            name_is_path: false,
            import_dir: None,
            import_map: None,
            node: false,
            once: false,
            functions: Vec::new(),
        }
    }

    /// A JavaScript program.
    pub fn js(text: &str) -> Source {
        Source::new(text, Language::Js)
    }

    /// A file. Its suffix decides the language, and its directory is that of imports.
    pub fn file(path: impl AsRef<Path>) -> std::io::Result<Source> {
        let path = path.as_ref();
        let language = match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("mjs") => Language::JsModule,
            Some("wasm") => Language::Wasm,
            Some("wat") => Language::Wat,
            Some("ts") => Language::Ts,
            Some("mts") => Language::TsModule,
            Some("tar") => Language::Bundle,
            _ => Language::Js,
        };
        let mut source = Source::new(std::fs::read(path)?, language);
        source.name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if language == Language::Bundle {
            return Ok(source); // the bundle contains its files
        }
        source.import_dir =
            path.parent().map(|parent| if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.into() });
        Ok(source)
    }

    /// A file that may import from all of `import_dir`, which must hold it. Relative imports are relative to the file.
    pub fn file_below(import_dir: impl AsRef<Path>, path: impl AsRef<Path>) -> std::io::Result<Source> {
        let (import_dir, path) = (import_dir.as_ref(), path.as_ref());
        let mut source = Source::file(path)?;
        let file = path.canonicalize()?;
        let below = file.strip_prefix(import_dir.canonicalize()?).map_err(|_| {
            let text = format!("import_dir {}: it must hold {}", import_dir.display(), path.display());
            std::io::Error::new(std::io::ErrorKind::InvalidInput, text)
        })?;
        source.name = Some(below.to_string_lossy().into_owned());
        source.name_is_path = true;
        source.import_dir = Some(import_dir.into());
        Ok(source)
    }

    /// Gives it a host function.
    pub fn function(mut self, function: HostFunction) -> Source {
        self.functions.push(function);
        self
    }
}

struct ProgramHandle(*mut sys::curfew_program);
unsafe impl Send for ProgramHandle {}
unsafe impl Sync for ProgramHandle {}

impl Drop for ProgramHandle {
    fn drop(&mut self) {
        unsafe { sys::curfew_program_destroy(self.0) }
    }
}

/// A program. It is immutable. Clones of this handle share it, on any thread. Each run of it starts afresh.
#[derive(Clone)]
pub struct Program {
    handle: Arc<ProgramHandle>,
    engine: Engine,
}

impl Program {
    fn pointer(&self) -> *mut sys::curfew_program {
        self.handle.0
    }

    /// The program's engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// "js", "module" or "component". For WebAssembly text it is known after the first run or compile.
    pub fn kind(&self) -> String {
        unsafe { text(sys::curfew_program_kind(self.pointer())) }
    }

    /// Parses and compiles now, under these limits. [`Status::BadProgram`]: the error has the report.
    pub fn compile(&self, limits: &Limits) -> Result<()> {
        self.load(|report, failure| unsafe { sys::curfew_program_compile(self.pointer(), &limits.0, report, failure) })
    }

    /// Describes the program, as JSON (docs/INSPECT.md). No code of it runs.
    pub fn inspect(&self, limits: &Limits) -> Result<serde_json::Value> {
        let (mut json, mut length) = (ptr::null_mut(), 0);
        self.load(|report, failure| unsafe {
            sys::curfew_program_inspect(self.pointer(), &limits.0, &mut json, &mut length, report, failure)
        })?;
        let parsed = serde_json::from_slice(unsafe { std::slice::from_raw_parts(json.cast::<u8>(), length) });
        unsafe { sys::curfew_free(json.cast()) };
        parsed.map_err(|error| Error { status: Status::Internal, message: error.to_string(), report: None })
    }

    fn load(&self, call: impl FnOnce(*mut *mut sys::curfew_report, *mut sys::curfew_failure) -> c_int) -> Result<()> {
        let mut report = ptr::null_mut();
        let result = check(|failure| call(&mut report, failure));
        let taken = if report.is_null() { None } else { Some(Box::new(unsafe { report::take(report, true) }?)) };
        result.map_err(|error| Error { report: taken, ..error })
    }

    /// The image of a compiled program, for [`Engine::load`].
    pub fn save(&self) -> Result<Vec<u8>> {
        let (mut image, mut length) = (ptr::null_mut(), 0);
        check(|failure| unsafe { sys::curfew_program_save(self.pointer(), &mut image, &mut length, failure) })?;
        let bytes = unsafe { std::slice::from_raw_parts(image.cast::<u8>(), length) }.to_vec();
        unsafe { sys::curfew_free(image) };
        Ok(bytes)
    }
}
