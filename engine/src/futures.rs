// SPDX-License-Identifier: Apache-2.0
//! Wasmtime's futures, driven from C: the holder polls a future on a thread of its choice, and a callback wakes it. A
//! reactor, which is a Tokio runtime that its handle owns, handles the events that futures wait for (timers, files).
//! Every poll and every drop happens inside it, so that wasmtime-wasi never starts a runtime of its own.
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};

use tokio::runtime::{Builder, Runtime};
use wasmtime::component::{Instance, InstancePre};
use wasmtime_c_api::*;

use crate::handles::{CallFuture, Handle};

const BLOCKING_THREADS: usize = 64;

// ---- The reactor -------------------------------------------------------------------------------------------------

#[allow(non_camel_case_types)]
#[derive(Default)]
pub struct curfew__reactor {
    runtime: Mutex<Option<Runtime>>,
}

/// Our threads must not handle signals of the host program.
fn block_signals() {
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
}

fn start() -> Option<Runtime> {
    // Tokio panics if no thread can be started, which would end the process. So try to start one first.
    std::thread::Builder::new().spawn(|| ()).ok()?.join().ok()?;
    Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("curfew-reactor")
        .on_thread_start(block_signals)
        .enable_time()
        .enable_io()
        .build()
        .ok()
}

impl curfew__reactor {
    fn handle(&self) -> Option<tokio::runtime::Handle> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if runtime.is_none() {
            *runtime = start();
        }
        runtime.as_ref().map(|runtime| runtime.handle().clone())
    }
}

#[no_mangle]
pub extern "C" fn curfew__reactor_create() -> Box<curfew__reactor> {
    Box::default()
}

#[no_mangle]
pub extern "C" fn curfew__reactor_destroy(reactor: Option<Box<curfew__reactor>>) {
    let runtime = reactor.and_then(|reactor| reactor.runtime.into_inner().unwrap_or_else(PoisonError::into_inner));
    if let Some(runtime) = runtime {
        runtime.shutdown_background();
    }
}

// ---- Wakers ------------------------------------------------------------------------------------------------------

#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct curfew__waker {
    context: *mut c_void,
    wake: extern "C" fn(*mut c_void),
    drop: extern "C" fn(*mut c_void),
}

struct CallBack(curfew__waker);

// C guarantees that both functions may be called from any thread.
unsafe impl Send for CallBack {}
unsafe impl Sync for CallBack {}

impl Wake for CallBack {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        (self.0.wake)(self.0.context);
    }
}

impl Drop for CallBack {
    fn drop(&mut self) {
        (self.0.drop)(self.0.context);
    }
}

/// A waker that owns the reference that C's has.
pub fn waker_of(waker: curfew__waker) -> Waker {
    Waker::from(Arc::new(CallBack(waker)))
}

// ---- Futures -----------------------------------------------------------------------------------------------------

#[allow(non_camel_case_types)]
pub struct curfew__future {
    call: Option<CallFuture>, // none: the call has ended
    reactor: tokio::runtime::Handle,
    waker: Waker,
}

impl Drop for curfew__future {
    fn drop(&mut self) {
        let _inside = self.reactor.enter();
        self.call = None;
    }
}

/// # Safety
/// `call` was made by Wasmtime's C API or by us, is nobody else's any more, and what it borrows outlives it.
#[no_mangle]
pub unsafe extern "C" fn curfew__future_create(
    call: *mut wasmtime_call_future_t<'static>,
    reactor: &curfew__reactor,
    waker: &curfew__waker,
) -> Option<Box<curfew__future>> {
    let waker = waker_of(*waker);
    let call = Handle::unwrap(call);
    let reactor = reactor.handle()?;
    Some(Box::new(curfew__future { call: Some(call), reactor, waker }))
}

#[no_mangle]
pub extern "C" fn curfew__future_poll(future: &mut curfew__future) -> bool {
    let _inside = future.reactor.enter();
    let Some(call) = &mut future.call else { return true };
    if call.as_mut().poll(&mut Context::from_waker(&future.waker)).is_pending() {
        return false;
    }
    future.call = None;
    true
}

#[no_mangle]
pub extern "C" fn curfew__future_destroy(_future: Option<Box<curfew__future>>) {}

// ---- Prepared components -----------------------------------------------------------------------------------------

#[allow(non_camel_case_types)]
pub struct curfew__component_pre(InstancePre<WasmtimeStoreData>);

/// # Safety
/// All pointers are valid; `linker` and `component` are of one engine.
#[no_mangle]
pub unsafe extern "C" fn curfew__component_pre_create(
    linker: *const wasmtime_component_linker_t,
    component: *const wasmtime_component_t,
    error: &mut *mut wasmtime_error_t,
) -> Option<Box<curfew__component_pre>> {
    match (*linker).value().instantiate_pre((*component).value()) {
        Ok(pre) => Some(Box::new(curfew__component_pre(pre))),
        Err(refused) => {
            *error = Box::into_raw(Box::new(refused.into()));
            None
        }
    }
}

#[no_mangle]
pub extern "C" fn curfew__component_pre_destroy(_pre: Option<Box<curfew__component_pre>>) {}

/// # Safety
/// What is passed outlives the future, and is used by nobody else meanwhile.
#[no_mangle]
pub unsafe extern "C" fn curfew__component_pre_instantiate(
    pre: &'static curfew__component_pre,
    context: WasmtimeStoreContextMut<'static>,
    instance: &'static mut Instance,
    error: &'static mut *mut wasmtime_error_t,
) -> *mut wasmtime_call_future_t<'static> {
    let call: CallFuture = Box::pin(async move {
        match pre.0.instantiate_async(context).await {
            Ok(made) => *instance = made,
            Err(refused) => *error = Box::into_raw(Box::new(refused.into())),
        }
    });
    Handle::wrap(call)
}
