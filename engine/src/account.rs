// SPDX-License-Identifier: Apache-2.0
//! What a store reports to C: growth of tables, through its limiter, and calls of WASI, through its call hook.
//!
//! The hook runs at every exit of the guest, also for memory.grow and the like, and cannot distinguish them. So it only
//! opens a call. When WASI asks for its state (wasi.rs), it is known that WASI was called, and C is asked.
use std::ffi::{c_char, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::{bail, CallHook, ResourceLimiter, Result, Trap};
use wasmtime_c_api::*;

use crate::handles::Handle;
use crate::wasi;

/// The maximum number of instances, of tables and of memories of one store.
const PARTS: usize = 500;

#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct curfew__account {
    context: *mut c_void,
    grow: extern "C" fn(*mut c_void, u64, u64) -> bool,
    call: extern "C" fn(*mut c_void, bool) -> u32, // curfew__call_verdict
    returned: extern "C" fn(*mut c_void) -> bool,
}

// C guarantees that the thread that polls the store may call it.
unsafe impl Send for curfew__account {}
unsafe impl Sync for curfew__account {}

// ---- Growth ------------------------------------------------------------------------------------------------------

impl ResourceLimiter for curfew__account {
    fn memory_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> Result<bool> {
        Ok(true) // the memory creator checks the limit, and refuses
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        // A growth that the table's own type refuses is not charged.
        let may_grow = maximum.is_none_or(|maximum| desired <= maximum)
            && (self.grow)(self.context, current as u64, desired as u64);
        if !may_grow && !(self.returned)(self.context) {
            bail!("the memory limit does not allow it");
        }
        Ok(may_grow)
    }

    /// After a refused growth a guest can continue with less, unless the run is over.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        if (self.returned)(self.context) {
            Ok(())
        } else {
            Err(error)
        }
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.memory_grow_failed(error)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

/// The limiter, owned by a store's closure, which lends it to the store.
struct Limiter(*mut curfew__account);

unsafe impl Send for Limiter {}
unsafe impl Sync for Limiter {}

impl Limiter {
    /// Only the store calls the closure, and it is borrowed while the store uses the result.
    fn get<'a>(&mut self) -> &'a mut dyn ResourceLimiter {
        unsafe { &mut *self.0 }
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        drop(unsafe { Box::from_raw(self.0) });
    }
}

// ---- Calls -------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, PartialEq)]
enum Now {
    Inside,  // the guest runs
    Outside, // something outside the guest runs
    Called,  // WASI runs, and C was asked
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Go,
    Refused,
    OutOfFuel,
}

impl Verdict {
    /// Converts C's answer, a `curfew__call_verdict`.
    fn of(number: u32) -> Verdict {
        match number {
            0 => Verdict::Go,
            2 => Verdict::OutOfFuel,
            _ => Verdict::Refused,
        }
    }
}

struct State {
    now: Now,
    nested: u32, // exits of the guest's allocator, which WASI calls in state Called
    verdict: Verdict,
}

pub struct Calls {
    account: curfew__account,
    state: Mutex<State>,
}

impl Calls {
    fn new(account: curfew__account) -> Calls {
        let state = State { now: Now::Inside, nested: 0, verdict: Verdict::Go };
        Calls { account, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// WASI was called, and asks whether it may act. `counts`: the call reaches more than the run was given, so it is
    /// charged.
    pub fn begin(&self, counts: bool) -> bool {
        let mut state = self.state();
        if state.now == Now::Outside {
            state.now = Now::Called;
            state.verdict = Verdict::of((self.account.call)(self.account.context, counts));
        }
        state.verdict == Verdict::Go
    }

    fn left_guest(&self) {
        let mut state = self.state();
        if state.now == Now::Called {
            state.nested += 1;
        } else {
            state.now = Now::Outside;
        }
    }

    /// Returns to the guest, unless the guest is to end.
    fn back(&self) -> Result<()> {
        let mut state = self.state();
        match state.verdict {
            Verdict::Go => {}
            Verdict::Refused => bail!("the host refused a call"),
            Verdict::OutOfFuel => return Err(Trap::OutOfFuel.into()),
        }
        if state.nested > 0 {
            state.nested -= 1;
        } else if std::mem::replace(&mut state.now, Now::Inside) == Now::Called
            && !(self.account.returned)(self.account.context)
        {
            bail!("the host ended a call");
        }
        Ok(())
    }

    fn hook(&self, event: CallHook) -> Result<()> {
        match event {
            CallHook::CallingHost => {
                self.left_guest();
                Ok(())
            }
            CallHook::ReturningFromHost => self.back(),
            CallHook::CallingWasm | CallHook::ReturningFromWasm => Ok(()),
        }
    }
}

// ---- Stores ------------------------------------------------------------------------------------------------------

/// Writes one line of at most 255 bytes, and a NUL.
unsafe fn say(message: *mut c_char, text: &str) {
    let mut length = text.len().min(255);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    std::ptr::copy_nonoverlapping(text.as_ptr().cast(), message, length);
    *message.add(length) = 0;
}

/// # Safety
/// `store` is one that `wasmtime_store_new` returned, and nothing runs in it. `message` has a capacity of 256 bytes. The
/// strings and lists of `wasi` are valid.
#[no_mangle]
pub unsafe extern "C" fn curfew__store_prepare(
    store: *mut wasmtime_store_t,
    account: &curfew__account,
    wasi: Option<&wasi::curfew__wasi_options>,
    message: *mut c_char,
) -> bool {
    let store = (*store).value_mut();
    let mut limiter = Limiter(Box::into_raw(Box::new(*account)));
    store.limiter(move |_| limiter.get());
    let Some(options) = wasi else { return true };

    let calls = Arc::new(Calls::new(*account));
    if let Err(refused) = wasi::give(store, options, calls.clone()) {
        say(message, &refused);
        return false;
    }
    store.call_hook(move |_, event| calls.hook(event));
    true
}

#[no_mangle]
pub extern "C" fn curfew__store_hostcall_fuel(mut context: WasmtimeStoreContextMut<'_>, bytes: usize) {
    context.set_hostcall_fuel(bytes);
}
