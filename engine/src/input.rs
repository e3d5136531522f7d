// SPDX-License-Identifier: Apache-2.0
//! A guest's standard input. It is read from a file descriptor only when the guest reads and data is there. No thread
//! waits for a pipe, socket or terminal. The read itself runs on a thread that may block, since another process may
//! read the same pipe first. If the guest stops waiting, its read serves the next wait.
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;
use tokio::sync::Mutex;
use tokio::task::{spawn_blocking, JoinHandle};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::poll_noop;

const CHUNK: usize = 64 << 10;

enum Readiness {
    Unknown,
    Told(AsyncFd<Arc<File>>),
    Always, // a regular file
}

struct State {
    file: Arc<File>,
    readiness: Readiness,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
    buffer: Bytes,
    failed: Option<io::Error>,
    ended: bool,
}

/// One view of the input. All views of a guest share the data that was read.
#[derive(Clone)]
pub struct Input(Arc<Mutex<State>>);

fn readable_now(file: &File) -> bool {
    let mut one = libc::pollfd { fd: file.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    unsafe { libc::poll(&mut one, 1, 0) != 0 }
}

fn read_chunk(file: &File) -> io::Result<Vec<u8>> {
    let mut chunk = vec![0; CHUNK];
    let length = (&*file).read(&mut chunk)?;
    chunk.truncate(length);
    Ok(chunk)
}

impl State {
    /// Waits until a read would not block, as far as this can be known.
    async fn readable(&mut self) {
        if let Readiness::Unknown = self.readiness {
            // The file stays open, and is not shared, while it is registered.
            self.readiness = match unsafe { AsyncFd::register_with_interest(self.file.clone(), Interest::READABLE) } {
                Ok(told) => Readiness::Told(told),
                Err(_) => Readiness::Always,
            };
        }
        let Readiness::Told(told) = &self.readiness else { return };
        while let Ok(mut ready) = told.readable().await {
            if readable_now(&self.file) {
                return;
            }
            ready.clear_ready();
        }
    }

    fn take(&mut self, read: io::Result<Vec<u8>>) {
        match read {
            Ok(chunk) if chunk.is_empty() => self.ended = true,
            Ok(chunk) => self.buffer = chunk.into(),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => {
                self.failed = Some(error);
                self.ended = true;
            }
        }
    }

    /// Waits until there is data, or the end. It may be dropped at any point without losing data.
    async fn fill(&mut self) {
        while self.buffer.is_empty() && !self.ended {
            if self.reading.is_none() {
                self.readable().await;
            }
            let file = &self.file;
            let reading = self.reading.get_or_insert_with(|| {
                let file = file.clone();
                spawn_blocking(move || read_chunk(&file))
            });
            let read = reading.await;
            self.reading = None;
            self.take(read.unwrap_or_else(|_| Ok(Vec::new())));
        }
    }
}

impl Input {
    /// Reads from a duplicate of the descriptor.
    pub fn new(file: i32) -> io::Result<Input> {
        let file = unsafe { BorrowedFd::borrow_raw(file) }.try_clone_to_owned()?;
        Ok(Input(Arc::new(Mutex::new(State {
            file: Arc::new(file.into()),
            readiness: Readiness::Unknown,
            reading: None,
            buffer: Bytes::new(),
            failed: None,
            ended: false,
        }))))
    }
}

#[async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.0.lock().await.fill().await;
    }
}

#[async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let Ok(mut state) = self.0.try_lock() else { return Err(StreamError::trap("two reads at once")) };
        let _ = poll_noop(pin!(state.fill()));
        if !state.buffer.is_empty() {
            let size = size.min(state.buffer.len());
            return Ok(state.buffer.split_to(size));
        }
        match state.failed.take() {
            Some(error) => Err(StreamError::LastOperationFailed(error.into())),
            None if state.ended => Err(StreamError::Closed),
            None => Ok(Bytes::new()),
        }
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty()) // for preview 3, which is not linked
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}
