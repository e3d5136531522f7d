// SPDX-License-Identifier: Apache-2.0
//! WASI for untrusted guests: what a run was given (arguments, directories, input), output that goes to C piece by
//! piece, clocks and random numbers that can be deterministic, and functions that ask the account before they act.
//!
//! Wasmtime's C API keeps its own structure in a store. It contains a resource table. A guest's WASI is the only entry
//! of that table, and has its own state and its own table, which the guest's calls use.
use std::ffi::{c_char, c_void, CStr};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime::{bail, format_err, AsContextMut, Caller, Extern, Result};
use wasmtime_c_api::*;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream, WasiCli, WasiCliCtxView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksCtxView};
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{self, WasiSnapshotPreview1};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random, sockets, LinkOptions};
use wasmtime_wasi::p2::{subscribe, DynPollable, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView};
use wasmtime_wasi::{async_trait, FsPerms, HostMonotonicClock, HostWallClock, I32Exit};
use wasmtime_wasi::{WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtxView;
use wasmtime_wasi_io::bindings::wasi::io;
use wiggle::GuestMemory;

use crate::account::Calls;
use crate::component_files::{Filesystem, FilesystemView};
use crate::files::{
    curfew__wasi_file, Errno, Files, Tree, BAD_DESCRIPTOR, NOT_SUPPORTED, PATH_BYTES, TYPE_DIRECTORY, TYPE_FILE,
    TYPE_LINK,
};
use crate::handles::Handle;
use crate::http::{self, curfew__wasi_http, Requests};
use crate::input::Input;

/// The maximum number of open resources, including files: a guest must not use up the descriptors of a process.
const RESOURCES: usize = 400;
const RANDOM_BYTES: u64 = 4 << 20;
const OUTPUT_BYTES: usize = 64 << 10;
/// The maximum that a function of preview 1 reads or writes at once, because the host copies it.
const PIECE_BYTES: u32 = 1 << 20;

// ---- Output ------------------------------------------------------------------------------------------------------

type Write = extern "C" fn(*mut c_void, u32, *const u8, usize) -> bool;

#[derive(Clone)]
struct Output {
    context: *mut c_void,
    write: Write,
    stream: u32,
}

// C guarantees that the thread that polls the store may call it.
unsafe impl Send for Output {}
unsafe impl Sync for Output {}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !bytes.is_empty() && !(self.write)(self.context, self.stream, bytes.as_ptr(), bytes.len()) {
            return Err(StreamError::Trap(format_err!("the host refused output")));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(OUTPUT_BYTES)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink()) // for preview 3, which is not linked
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

// ---- Clocks that advance only while the guest sleeps --------------------------------------------------------------

#[derive(Clone)]
struct Clock {
    slept_ns: Arc<AtomicU64>,
    wall_ns: u64, // at the start
}

impl Clock {
    /// The guest slept until its clock showed this time.
    fn advance(&self, to_ns: u64) {
        self.slept_ns.fetch_max(to_ns, Ordering::Relaxed);
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.slept_ns.load(Ordering::Relaxed)
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.wall_ns).saturating_add(Duration::from_nanos(HostMonotonicClock::now(self)))
    }
}

struct Sleep {
    clock: Clock,
    shown_ns: u64,          // on the guest's clock
    until: Option<Instant>, // none: later than any time
}

impl Sleep {
    fn new(clock: Clock, duration_ns: u64) -> Sleep {
        let until = Instant::now().checked_add(Duration::from_nanos(duration_ns));
        let shown_ns = HostMonotonicClock::now(&clock).saturating_add(duration_ns);
        Sleep { clock, shown_ns, until }
    }
}

#[async_trait]
impl Pollable for Sleep {
    async fn ready(&mut self) {
        match self.until {
            Some(until) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
        self.clock.advance(self.shown_ns);
    }
}

/// `wasi:clocks/monotonic-clock`, whose sleeps advance our own clock.
struct MonotonicClock;

impl HasData for MonotonicClock {
    type Data<'a> = MonotonicView<'a>;
}

struct MonotonicView<'a> {
    real: WasiClocksCtxView<'a>,
    clock: Option<Clock>,
}

impl monotonic_clock::Host for MonotonicView<'_> {
    fn now(&mut self) -> Result<u64> {
        monotonic_clock::Host::now(&mut self.real)
    }

    fn resolution(&mut self) -> Result<u64> {
        monotonic_clock::Host::resolution(&mut self.real)
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        let now = self.now()?;
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, duration: u64) -> Result<Resource<DynPollable>> {
        let Some(clock) = self.clock.clone() else {
            return monotonic_clock::Host::subscribe_duration(&mut self.real, duration);
        };
        let sleep = self.real.table.push(Sleep::new(clock, duration))?;
        subscribe(self.real.table, sleep)
    }
}

// ---- What the run was given --------------------------------------------------------------------------------------

#[allow(non_camel_case_types)]
#[repr(C)]
pub struct curfew__wasi_directory {
    host: *const c_char,
    guest: *const c_char,
    writable: bool,
}

#[allow(non_camel_case_types)]
#[repr(C)]
pub struct curfew__wasi_options {
    arguments: *const *const c_char,
    argument_count: usize,
    environment: *const *const c_char,
    environment_count: usize,
    directories: *const curfew__wasi_directory,
    directory_count: usize,
    files: *const curfew__wasi_file,
    file_count: usize,
    stdin_file: i32,
    deterministic: bool,
    fixed_wall_ns: u64,
    seed: u64,
    context: *mut c_void,
    write: Write,
    http: curfew__wasi_http,
}

type Refused = String;

unsafe fn list<'a, T>(first: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(first, count)
    }
}

unsafe fn text<'a>(from: *const c_char, what: &str) -> Result<&'a str, Refused> {
    CStr::from_ptr(from).to_str().map_err(|_| format!("{what} is not UTF-8"))
}

unsafe fn give_names(builder: &mut WasiCtxBuilder, options: &curfew__wasi_options) -> Result<(), Refused> {
    for argument in list(options.arguments, options.argument_count) {
        builder.arg(text(*argument, "an argument")?);
    }
    for variable in list(options.environment, options.environment_count) {
        let (name, value) = text(*variable, "a variable")?.split_once('=').ok_or("a variable without a value")?;
        builder.env(name, value);
    }
    Ok(())
}

unsafe fn give_directories(builder: &mut WasiCtxBuilder, options: &curfew__wasi_options) -> Result<(), Refused> {
    for directory in list(options.directories, options.directory_count) {
        let host = text(directory.host, "a directory")?;
        let permissions = if directory.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        builder
            .preopened_dir(Path::new(host), text(directory.guest, "a directory")?, permissions)
            .map_err(|error| format!("{host}: {error:#}"))?;
    }
    Ok(())
}

fn give_streams(builder: &mut WasiCtxBuilder, options: &curfew__wasi_options) -> Result<(), Refused> {
    if options.stdin_file >= 0 {
        let input = Input::new(options.stdin_file).map_err(|error| format!("standard input: {error}"))?;
        builder.stdin(input);
    }
    let output = |stream| Output { context: options.context, write: options.write, stream };
    builder.stdout(output(1)).stderr(output(2));
    Ok(())
}

fn give_determinism(builder: &mut WasiCtxBuilder, options: &curfew__wasi_options) -> Option<Clock> {
    use rand::{rngs::StdRng, SeedableRng};
    if !options.deterministic {
        return None;
    }
    let clock = Clock { slept_ns: Arc::default(), wall_ns: options.fixed_wall_ns };
    builder
        .monotonic_clock(clock.clone())
        .wall_clock(clock.clone())
        .secure_random(StdRng::seed_from_u64(options.seed))
        .insecure_random(StdRng::seed_from_u64(options.seed.wrapping_add(1)))
        .insecure_random_seed(u128::from(options.seed));
    Some(clock)
}

/// The WASI of one store.
struct Guest {
    wasi: WasiP1Ctx,
    nothing: Option<WasiP1Ctx>, // the empty state that a refused call works on
    calls: Arc<Calls>,
    clock: Option<Clock>,    // only if the run is deterministic
    tree: Option<Arc<Tree>>, // the files given as data; then there are no directories
    files: Option<Files>,    // how preview 1 sees them
    requests: Requests,
}

/// The index of the guest's WASI in the store's table: the first.
const GUEST: u32 = 0;

impl Guest {
    unsafe fn new(options: &curfew__wasi_options, calls: Arc<Calls>) -> Result<Guest, Refused> {
        let given = list(options.files, options.file_count);
        let tree = if given.is_empty() { None } else { Some(Arc::new(Tree::take(given)?)) };
        let mut builder = WasiCtxBuilder::new();
        builder
            .allow_blocking_current_thread(false)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(RANDOM_BYTES);
        give_names(&mut builder, options)?;
        give_directories(&mut builder, options)?;
        give_streams(&mut builder, options)?;
        let clock = give_determinism(&mut builder, options);
        let mut wasi = builder.build_p1();
        wasi.ctx().table.set_max_capacity(RESOURCES);
        let files = tree.clone().map(Files::new);
        let requests = Requests::new(options.context, options.http);
        Ok(Guest { wasi, nothing: None, calls, clock, tree, files, requests })
    }

    /// The state for a function of WASI that reaches only what the run was given (arguments, environment, input,
    /// output, directories, clocks).
    fn called(&mut self) -> &mut WasiP1Ctx {
        self.begin(false)
    }

    /// The state for a function that reaches more. The call is charged.
    fn called_out(&mut self) -> &mut WasiP1Ctx {
        self.begin(true)
    }

    fn begin(&mut self, counts: bool) -> &mut WasiP1Ctx {
        self.begin_request(counts).0
    }

    fn begin_request(&mut self, counts: bool) -> (&mut WasiP1Ctx, &mut Requests) {
        let wasi = if self.calls.begin(counts) {
            &mut self.wasi
        } else {
            self.nothing.get_or_insert_with(|| WasiCtxBuilder::new().build_p1())
        };
        (wasi, &mut self.requests)
    }
}

/// Gives a store its WASI.
pub unsafe fn give(
    store: &mut WasmtimeStore,
    options: &curfew__wasi_options,
    calls: Arc<Calls>,
) -> Result<(), Refused> {
    let guest = Guest::new(options, calls)?;
    if wasmtime_context_set_wasi(store.as_context_mut(), wasi_config_new()).is_some() {
        return Err("no WASI".into());
    }
    match store.data_mut().ctx().table.push(guest) {
        Ok(entry) if entry.rep() == GUEST => Ok(()),
        _ => Err("no WASI".into()),
    }
}

/// Panics, and so ends the process, if WASI was linked but the store has none. A guest cannot cause that.
fn guest(data: &mut WasmtimeStoreData) -> &mut Guest {
    data.ctx().table.get_mut(&Resource::new_borrow(GUEST)).expect("a store with WASI")
}

pub fn requests(data: &mut WasmtimeStoreData) -> &mut Requests {
    &mut guest(data).requests
}

// ---- Preview 1 ---------------------------------------------------------------------------------------------------

const PREVIEW1: &str = "wasi_snapshot_preview1";

const SUBSCRIPTION_BYTES: usize = 48;
const EVENT_BYTES: usize = 32;
const EVENT_KIND: usize = 10;

fn field<const N: usize>(memory: &[u8], at: usize) -> Option<[u8; N]> {
    memory.get(at..)?.first_chunk().copied()
}

/// The time that our clock shows when a subscription to a clock is over. None: it is a subscription to something else.
fn subscribed_until(memory: &[u8], at: usize, clock: &Clock) -> Option<u64> {
    if memory.get(at + 8)? != &0 {
        return None;
    }
    let realtime = u32::from_le_bytes(field(memory, at + 16)?) == 0;
    let timeout = u64::from_le_bytes(field(memory, at + 24)?);
    let absolute = u16::from_le_bytes(field(memory, at + 40)?) & 1 != 0;
    Some(match (absolute, realtime) {
        (false, _) => HostMonotonicClock::now(clock).saturating_add(timeout),
        (true, false) => timeout,
        (true, true) => timeout.saturating_sub(clock.wall_ns),
    })
}

fn earliest(memory: &[u8], subscriptions: u32, count: u32, clock: &Clock) -> Option<u64> {
    (0..count as usize)
        .map_while(|i| {
            let at = subscriptions as usize + i * SUBSCRIPTION_BYTES;
            (at + SUBSCRIPTION_BYTES <= memory.len()).then_some(at)
        })
        .filter_map(|at| subscribed_until(memory, at, clock))
        .min()
}

fn any_clock_event(memory: &[u8], events: u32, count: u32) -> bool {
    (0..count as usize).any(|i| memory.get(events as usize + i * EVENT_BYTES + EVENT_KIND) == Some(&0))
}

/// `poll_oneoff`, which also advances our own clock to the end of the shortest sleep that was awaited.
async fn poll_oneoff(
    mut caller: Caller<'_, WasmtimeStoreData>,
    (subscriptions, events, count, written): (i32, i32, i32, i32),
) -> Result<i32> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { bail!("missing required memory export") };
    let fuel = caller.as_context_mut().hostcall_fuel();
    let (bytes, data) = memory.data_and_store_mut(&mut caller);
    let guest = guest(data);
    let clock = guest.clock.clone();
    let until = clock.as_ref().and_then(|clock| earliest(bytes, subscriptions as u32, count as u32, clock));
    let wasi = guest.called();
    wasi.set_hostcall_fuel(fuel);
    let mut memory = GuestMemory::Unshared(bytes);
    let errno = wasi_snapshot_preview1::poll_oneoff(wasi, &mut memory, subscriptions, events, count, written).await?;
    if let (Some(clock), Some(until), GuestMemory::Unshared(bytes), 0) = (clock, until, memory, errno) {
        let happened = field(bytes, written as u32 as usize).map_or(0, u32::from_le_bytes);
        if any_clock_event(bytes, events as u32, happened) {
            clock.advance(until);
        }
    }
    Ok(errno)
}

/// `random_get`, which also charges the call.
fn random_get(mut caller: Caller<'_, WasmtimeStoreData>, buffer: i32, length: i32) -> Result<i32> {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { bail!("missing required memory export") };
    let fuel = caller.as_context_mut().hostcall_fuel();
    let (bytes, data) = memory.data_and_store_mut(&mut caller);
    let wasi = guest(data).called_out();
    wasi.set_hostcall_fuel(fuel);
    wasi_snapshot_preview1::random_get(wasi, &mut GuestMemory::Unshared(bytes), buffer, length)
}

/// What a function of preview 1 does on files that were given as data; None: its descriptor is none of theirs.
fn in_files(data: &mut Data, fd: i32, action: impl FnOnce(&mut Files) -> Result<(), Errno>) -> Option<i32> {
    let guest = guest(data);
    let files = guest.files.as_mut().filter(|_| Files::has(fd))?;
    // What the account refuses ends the guest when the call returns.
    if !guest.calls.begin(false) {
        return Some(0);
    }
    Some(action(files).map_or_else(|errno| errno.0, |()| 0))
}

/// A buffer's length in the guest's memory: where it is, and what it was before it was shortened.
type Shortened = Option<(usize, [u8; 4])>;

/// Shortens the first buffer of a list that is not empty, to a piece. wasmtime-wasi uses only that buffer.
fn shorten(memory: &mut GuestMemory<'_>, list: i32, count: i32) -> Shortened {
    let GuestMemory::Unshared(memory) = memory else { return None };
    for index in 0..count as u32 as usize {
        let at = list as u32 as usize + 8 * index + 4;
        let bytes: [u8; 4] = field(memory, at)?;
        match u32::from_le_bytes(bytes) {
            0 => continue,
            length if length <= PIECE_BYTES => return None,
            _ => {
                memory[at..at + 4].copy_from_slice(&PIECE_BYTES.to_le_bytes());
                return Some((at, bytes));
            }
        }
    }
    None
}

/// Puts the length back, unless what was read is there now.
fn restore(memory: &mut GuestMemory<'_>, shortened: Shortened) {
    if let (GuestMemory::Unshared(memory), Some((at, bytes))) = (memory, shortened) {
        if field(memory, at) == Some(PIECE_BYTES.to_le_bytes()) {
            memory[at..at + 4].copy_from_slice(&bytes);
        }
    }
}

/// The room for a `filestat` before a path, and the place of the file's type in it.
const STATUS_BYTES: usize = 64;
const STATUS_TYPE: usize = 16;

/// Whether opening or reading what a path leads to could wait: it is a FIFO, a socket or a device. Nothing could end that
/// wait, so it would keep a thread for ever.
async fn may_wait(
    wasi: &mut WasiP1Ctx,
    memory: &GuestMemory<'_>,
    fd: i32,
    follow: i32,
    (at, length): (i32, i32),
) -> Result<bool> {
    let GuestMemory::Unshared(memory) = memory else { return Ok(false) };
    let (at, length) = (at as u32 as usize, length as u32 as usize);
    let path = memory.get(at..).and_then(|rest| rest.get(..length)).filter(|path| path.len() <= PATH_BYTES);
    let Some(path) = path else { return Ok(false) }; // path_open refuses it
    let mut scratch = vec![0; STATUS_BYTES];
    scratch.extend_from_slice(path);
    let (to, length) = (STATUS_BYTES as i32, path.len() as i32);
    let mut own = GuestMemory::Unshared(&mut scratch);
    let errno = wasi_snapshot_preview1::path_filestat_get(wasi, &mut own, fd, follow, to, length, 0).await?;
    Ok(errno == 0 && ![TYPE_DIRECTORY, TYPE_FILE, TYPE_LINK].contains(&scratch[STATUS_TYPE]))
}

/// Puts a function in the place of wasmtime-wasi's, which it calls where the descriptor is not that of a file given as data.
macro_rules! shadow {
    ($linker:ident, $name:ident, ($fd:ident $(, $argument:ident: $kind:ty)*), |$files:ident, $memory:ident| $action:expr) => {
        $linker.func_wrap_async(
            PREVIEW1,
            stringify!($name),
            |mut caller: Caller<'_, Data>, ($fd, $($argument,)*): (i32, $($kind,)*)| {
                Box::new(async move {
                    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                        bail!("missing required memory export")
                    };
                    let fuel = caller.as_context_mut().hostcall_fuel();
                    let ($memory, data) = memory.data_and_store_mut(&mut caller);
                    if let Some(done) = in_files(data, $fd, |$files| $action) {
                        return Ok(done);
                    }
                    let wasi = guest(data).called();
                    wasi.set_hostcall_fuel(fuel);
                    let memory = &mut GuestMemory::Unshared($memory);
                    shadow!(@call $name, wasi, memory, $fd $(, $argument)*)
                })
            },
        )?;
    };
    (@call fd_prestat_get, $($argument:ident),*) => { wasi_snapshot_preview1::fd_prestat_get($($argument),*) };
    (@call fd_prestat_dir_name, $($argument:ident),*) => { wasi_snapshot_preview1::fd_prestat_dir_name($($argument),*) };
    (@call fd_tell, $($argument:ident),*) => { wasi_snapshot_preview1::fd_tell($($argument),*) };
    (@call fd_fdstat_set_flags, $($argument:ident),*) => { wasi_snapshot_preview1::fd_fdstat_set_flags($($argument),*) };
    (@call path_open, $wasi:ident, $memory:ident, $fd:ident, $follow:ident, $at:ident, $n:ident, $($argument:ident),*) => {
        match may_wait($wasi, $memory, $fd, $follow, ($at, $n)).await? {
            true => Ok(NOT_SUPPORTED.0),
            false => {
                wasi_snapshot_preview1::path_open($wasi, $memory, $fd, $follow, $at, $n, $($argument),*).await
            }
        }
    };
    (@call fd_read, $($argument:ident),*) => { shadow!(@piece fd_read, $($argument),*) };
    (@call fd_pread, $($argument:ident),*) => { shadow!(@piece fd_pread, $($argument),*) };
    (@call fd_write, $($argument:ident),*) => { shadow!(@piece fd_write, $($argument),*) };
    (@call fd_pwrite, $($argument:ident),*) => { shadow!(@piece fd_pwrite, $($argument),*) };
    (@piece $name:ident, $wasi:ident, $memory:ident, $fd:ident, $list:ident, $count:ident, $($argument:ident),*) => {{
        let shortened = shorten($memory, $list, $count);
        let done = wasi_snapshot_preview1::$name($wasi, $memory, $fd, $list, $count, $($argument),*).await;
        restore($memory, shortened);
        done
    }};
    (@call $name:ident, $($argument:ident),*) => { wasi_snapshot_preview1::$name($($argument),*).await };
}

type P1Linker = wasmtime::Linker<WasmtimeStoreData>;

fn link_descriptors(l: &mut P1Linker) -> Result<()> {
    shadow!(l, fd_prestat_get, (fd, to: i32), |files, memory| files.prestat_get(memory, fd, to));
    shadow!(l, fd_prestat_dir_name, (fd, to: i32, room: i32), |files, memory| files.prestat_dir_name(memory, fd, to, room));
    shadow!(l, fd_fdstat_get, (fd, to: i32), |files, memory| files.fdstat_get(memory, fd, to));
    shadow!(l, fd_fdstat_set_flags, (fd, flags: i32), |files, _memory| files.ignore(fd));
    shadow!(l, fd_filestat_get, (fd, to: i32), |files, memory| files.filestat_get(memory, fd, to));
    shadow!(l, fd_close, (fd), |files, _memory| files.close(fd));
    shadow!(l, fd_renumber, (fd, other: i32), |files, _memory| files.renumber(fd, other));
    shadow!(l, fd_advise, (fd, at: i64, length: i64, advice: i32), |files, _memory| files.ignore(fd));
    shadow!(l, fd_sync, (fd), |files, _memory| files.ignore(fd));
    shadow!(l, fd_datasync, (fd), |files, _memory| files.ignore(fd));
    shadow!(l, fd_read, (fd, at: i32, n: i32, to: i32), |files, memory| files.read(memory, fd, (at, n), to));
    shadow!(l, fd_pread, (fd, at: i32, n: i32, from: i64, to: i32), |files, memory| {
        files.pread(memory, fd, (at, n), from, to)
    });
    shadow!(l, fd_write, (fd, at: i32, n: i32, to: i32), |_files, _memory| Err(BAD_DESCRIPTOR));
    shadow!(l, fd_pwrite, (fd, at: i32, n: i32, from: i64, to: i32), |_files, _memory| Err(BAD_DESCRIPTOR));
    shadow!(l, fd_seek, (fd, by: i64, from: i32, to: i32), |files, memory| files.seek(memory, fd, by, from, to));
    shadow!(l, fd_tell, (fd, to: i32), |files, memory| files.seek(memory, fd, 0, 1, to));
    shadow!(l, fd_readdir, (fd, at: i32, n: i32, cookie: i64, to: i32), |files, memory| {
        files.readdir(memory, fd, (at, n), cookie, to)
    });
    Ok(())
}

fn link_paths(l: &mut P1Linker) -> Result<()> {
    shadow!(l, path_open, (fd, follow: i32, at: i32, n: i32, flags: i32, rights: i64, below: i64, mode: i32, to: i32),
        |files, memory| files.path_open(memory, fd, (at, n), flags, rights, to));
    shadow!(l, path_filestat_get, (fd, follow: i32, at: i32, n: i32, to: i32), |files, memory| {
        files.path_filestat_get(memory, fd, (at, n), to)
    });
    shadow!(l, path_readlink, (fd, at: i32, n: i32, to: i32, room: i32, length: i32), |files, memory| {
        files.path_readlink(memory, fd, (at, n))
    });
    shadow!(l, path_create_directory, (fd, at: i32, n: i32), |files, _memory| files.refuse(fd));
    shadow!(l, path_remove_directory, (fd, at: i32, n: i32), |files, _memory| files.refuse(fd));
    shadow!(l, path_unlink_file, (fd, at: i32, n: i32), |files, _memory| files.refuse(fd));
    shadow!(l, path_rename, (fd, at: i32, n: i32, other: i32, to: i32, m: i32), |files, _memory| files.refuse(fd));
    shadow!(l, path_link, (fd, follow: i32, at: i32, n: i32, other: i32, to: i32, m: i32), |files, _memory| {
        files.refuse(fd)
    });
    shadow!(l, path_filestat_set_times, (fd, follow: i32, at: i32, n: i32, read: i64, written: i64, flags: i32),
        |files, _memory| files.refuse(fd));
    Ok(())
}

fn link_preview1(linker: &mut wasmtime::Linker<WasmtimeStoreData>) -> Result<()> {
    p1::add_to_linker_async(linker, |data| guest(data).called())?;
    linker.allow_shadowing(true);
    link_descriptors(linker)?;
    link_paths(linker)?;
    linker.func_wrap(PREVIEW1, "random_get", random_get)?;
    linker.func_wrap_async(PREVIEW1, "poll_oneoff", |caller, parameters| Box::new(poll_oneoff(caller, parameters)))?;
    // wasmtime-wasi's own function turns exit codes of 126 and above into errors.
    linker.func_wrap(PREVIEW1, "proc_exit", |code: i32| -> Result<()> { Err(I32Exit(code).into()) })?;
    linker.allow_shadowing(false);
    Ok(())
}

// ---- Preview 2 ---------------------------------------------------------------------------------------------------

type Data = WasmtimeStoreData;

struct Io;

impl HasData for Io {
    type Data<'a> = &'a mut ResourceTable;
}

fn view(data: &mut Data) -> WasiCtxView<'_> {
    guest(data).called().ctx()
}

fn outer_view(data: &mut Data) -> WasiCtxView<'_> {
    guest(data).called_out().ctx()
}

fn table(data: &mut Data) -> &mut ResourceTable {
    view(data).table
}

fn cli_view(data: &mut Data) -> WasiCliCtxView<'_> {
    let WasiCtxView { ctx, table } = view(data);
    WasiCliCtxView { ctx: ctx.cli(), table }
}

fn clocks_view(data: &mut Data) -> WasiClocksCtxView<'_> {
    let WasiCtxView { ctx, table } = view(data);
    WasiClocksCtxView { ctx: ctx.clocks(), table }
}

fn monotonic_view(data: &mut Data) -> MonotonicView<'_> {
    let clock = guest(data).clock.clone();
    MonotonicView { real: clocks_view(data), clock }
}

fn filesystem_view(data: &mut Data) -> FilesystemView<'_> {
    let tree = guest(data).tree.clone();
    let WasiCtxView { ctx, table } = view(data);
    match tree {
        Some(tree) => FilesystemView::Given { tree, table },
        None => FilesystemView::System(WasiFilesystemCtxView { ctx: ctx.filesystem(), table }),
    }
}

fn sockets_view(data: &mut Data) -> WasiSocketsCtxView<'_> {
    let WasiCtxView { ctx, table } = outer_view(data);
    WasiSocketsCtxView { ctx: ctx.sockets(), table }
}

fn random_view(data: &mut Data) -> &mut wasmtime_wasi::random::WasiRandomCtx {
    outer_view(data).ctx.random()
}

fn view_of<'a>((wasi, requests): (&'a mut WasiP1Ctx, &'a mut Requests)) -> WasiHttpCtxView<'a> {
    requests.view(wasi.ctx().table)
}

pub fn http_view(data: &mut Data) -> WasiHttpCtxView<'_> {
    view_of(guest(data).begin_request(false))
}

pub fn outer_http_view(data: &mut Data) -> WasiHttpCtxView<'_> {
    view_of(guest(data).begin_request(true))
}

/// The same functions as `wasmtime_wasi::p2::add_to_linker_async`, with our own state.
fn link_preview2(l: &mut wasmtime::component::Linker<Data>) -> Result<()> {
    let options = LinkOptions::default();
    io::error::add_to_linker::<Data, Io>(l, table)?;
    io::poll::add_to_linker::<Data, Io>(l, table)?;
    io::streams::add_to_linker::<Data, Io>(l, table)?;
    clocks::wall_clock::add_to_linker::<Data, WasiClocks>(l, clocks_view)?;
    clocks::monotonic_clock::add_to_linker::<Data, MonotonicClock>(l, monotonic_view)?;
    random::random::add_to_linker::<Data, WasiRandom>(l, random_view)?;
    random::insecure::add_to_linker::<Data, WasiRandom>(l, random_view)?;
    random::insecure_seed::add_to_linker::<Data, WasiRandom>(l, random_view)?;
    cli::exit::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::environment::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::stdin::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::stdout::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::stderr::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::terminal_input::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::terminal_output::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::terminal_stdin::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::terminal_stdout::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    cli::terminal_stderr::add_to_linker::<Data, WasiCli>(l, cli_view)?;
    filesystem::preopens::add_to_linker::<Data, Filesystem>(l, filesystem_view)?;
    filesystem::types::add_to_linker::<Data, Filesystem>(l, filesystem_view)?;
    sockets::tcp::add_to_linker::<Data, WasiSockets>(l, sockets_view)?;
    sockets::tcp_create_socket::add_to_linker::<Data, WasiSockets>(l, sockets_view)?;
    sockets::udp::add_to_linker::<Data, WasiSockets>(l, sockets_view)?;
    sockets::udp_create_socket::add_to_linker::<Data, WasiSockets>(l, sockets_view)?;
    sockets::instance_network::add_to_linker::<Data, WasiSockets>(l, sockets_view)?;
    sockets::network::add_to_linker::<Data, WasiSockets>(l, &(&options).into(), sockets_view)?;
    sockets::ip_name_lookup::add_to_linker::<Data, WasiSockets>(l, sockets_view)?;
    http::link(l)
}

fn error(result: Result<()>) -> Option<Box<wasmtime_error_t>> {
    result.err().map(|error| Box::new(error.into()))
}

/// # Safety
/// `linker` is one that `wasmtime_linker_new` returned, and is used by nobody else meanwhile.
#[no_mangle]
pub unsafe extern "C" fn curfew__linker_add_wasi(linker: *mut wasmtime_linker_t) -> Option<Box<wasmtime_error_t>> {
    error(link_preview1((*linker).value_mut()))
}

/// # Safety
/// `linker` is one that `wasmtime_component_linker_new` returned, and is used by nobody else meanwhile.
#[no_mangle]
pub unsafe extern "C" fn curfew__component_linker_add_wasi(
    linker: *mut wasmtime_component_linker_t,
) -> Option<Box<wasmtime_error_t>> {
    error(link_preview2((*linker).value_mut()))
}
