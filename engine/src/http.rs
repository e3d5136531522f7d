// SPDX-License-Identifier: Apache-2.0
//! `wasi:http` for components: requests to the outside. Each is an operation of the run, like a `fetch` of a JavaScript
//! program (guest/abi.h), so C makes it, to the same hosts and within the same limits. C is called only on the thread
//! that polls the store. The reactor's tasks write down what they want to send, and wake that thread.
use std::collections::HashMap;
use std::ffi::c_void;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use wasmtime::component::{Linker, Resource};
use wasmtime::Result;
use wasmtime_c_api::*;
use wasmtime_wasi_http::p2::bindings::http::types::Method;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::types::HostOutgoingRequest;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks};

use crate::futures::{curfew__waker, waker_of};
use crate::wasi;

/// Of the headers that a guest sets: names and values together.
const FIELD_BYTES: usize = 16 << 10;
/// Of a method, and of an authority ("example.com:8080").
const NAME_BYTES: usize = 1024;
const PATH_BYTES: usize = 16 << 10;
/// Of a piece of a request's body.
const PIECE_BYTES: usize = 16 << 10;

/// The messages of guest/abi.h. To C:
const TAKE: u32 = 1;
const BODY: u32 = 2;
const BODY_END: u32 = 3;
/// From C:
const HEAD: u32 = 1;
const CHUNK: u32 = 2;
const SENT: u32 = 3;
const END: u32 = 4;
const FAILED: u32 = 5;

// ---- The run's side ----------------------------------------------------------------------------------------------

#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct curfew__wasi_http {
    start: extern "C" fn(*mut c_void, *const u8, usize) -> u32,
    send: extern "C" fn(*mut c_void, u32, u32, *const u8, usize) -> bool,
    cancel: extern "C" fn(*mut c_void, u32),
    waker: extern "C" fn(*mut c_void) -> curfew__waker,
}

/// What a request has to tell C.
enum Wish {
    Send { id: u32, kind: u32, bytes: Bytes },
    Cancel { id: u32 },
}

type Wishes = Arc<Mutex<Vec<Wish>>>;

struct Event {
    kind: u32,
    bytes: Bytes,
}

/// The requests of one store.
pub struct Requests {
    settings: WasiHttpCtx,
    hooks: Hooks,
}

struct Hooks {
    context: *mut c_void,
    calls: curfew__wasi_http,
    wishes: Wishes,
    receivers: HashMap<u32, mpsc::UnboundedSender<Event>>,
}

// C guarantees that the thread that polls the store may call it.
unsafe impl Send for Hooks {}

impl Requests {
    pub fn new(context: *mut c_void, calls: curfew__wasi_http) -> Requests {
        let mut settings = WasiHttpCtx::new();
        settings.set_field_size_limit(FIELD_BYTES);
        let hooks = Hooks { context, calls, wishes: Wishes::default(), receivers: HashMap::new() };
        Requests { settings, hooks }
    }

    pub fn view<'a>(&'a mut self, table: &'a mut wasmtime::component::ResourceTable) -> WasiHttpCtxView<'a> {
        WasiHttpCtxView { hooks: &mut self.hooks, table, ctx: &mut self.settings }
    }

    /// Tells C what the requests want to send.
    fn serve(&mut self) {
        let wishes = std::mem::take(&mut *self.hooks.wishes.lock().unwrap_or_else(PoisonError::into_inner));
        for wish in wishes {
            match wish {
                Wish::Send { id, kind, bytes } => {
                    (self.hooks.calls.send)(self.hooks.context, id, kind, bytes.as_ptr(), bytes.len());
                }
                Wish::Cancel { id } => {
                    self.hooks.receivers.remove(&id);
                    (self.hooks.calls.cancel)(self.hooks.context, id);
                }
            }
        }
    }

    fn take(&mut self, id: u32, event: Event, is_last: bool) {
        if let Some(receiver) = self.hooks.receivers.get(&id) {
            let _ = receiver.send(event);
        }
        if is_last {
            self.hooks.receivers.remove(&id);
        }
    }

    /// The call of the guest's that began them is over, and its operations with it.
    fn forget(&mut self) {
        self.hooks.receivers.clear();
        self.hooks.wishes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Hooks {
    fn begin(&mut self, request: Request<WasiBody>) -> Result<Exchange, Error> {
        let (text, body) = write_request(request);
        let id = (self.calls.start)(self.context, text.as_ptr(), text.len());
        if id == 0 {
            return Err(Error::ConnectionLimitReached);
        }
        let (sender, events) = mpsc::unbounded_channel();
        self.receivers.insert(id, sender);
        let waker = waker_of((self.calls.waker)(self.context));
        Ok(Exchange { id, events, body, may_send: true, is_over: false, wishes: self.wishes.clone(), waker })
    }
}

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(Response<WasiBody>, Io), Error>;

impl WasiHttpHooks for Hooks {
    /// libcurl sets it.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        PIECE_BYTES
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _sent: Io,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let begun = self.begin(request);
        Box::new(async move { begun?.respond(options.unwrap_or_default()).await })
    }
}

// ---- The text of a request, and of the head of a response ----------------------------------------------------------

/// The request's lines, and its body if it has one.
fn write_request(request: Request<WasiBody>) -> (String, Option<WasiBody>) {
    let (head, body) = request.into_parts();
    let declared = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let body = (!body.is_end_stream() && declared != Some("0")).then_some(body);
    let length = if body.is_some() { declared.unwrap_or("?") } else { "-" };
    let mut text = format!("{}\n{}\n{length}\n", head.method, head.uri);
    if !head.headers.contains_key(ACCEPT_ENCODING) {
        text.push_str("accept-encoding:identity\n");
    }
    for (name, value) in head.headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH) {
        text.push_str(name.as_str());
        text.push(':');
        text.extend(value.as_bytes().iter().map(|&byte| char::from(byte)));
        text.push('\n');
    }
    (text, body)
}

fn read_header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    let bytes: Vec<u8> = value.chars().map(|character| character as u8).collect();
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&bytes).ok()?))
}

fn read_head(bytes: &[u8]) -> Option<Response<()>> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let status = lines.next()?.split(' ').next()?.parse::<u16>().ok()?;
    let mut response = Response::builder().status(status).body(()).ok()?;
    let headers = response.headers_mut();
    for (name, value) in lines.filter_map(read_header) {
        headers.try_append(name, value).ok()?;
    }
    // Such a body is inflated already.
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| ["gzip", "x-gzip", "deflate"].iter().any(|one| coding == one))
    {
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
    }
    Some(response)
}

/// The error for a reason of C's (host/fetch.h, host/transfer.c).
fn error_of(reason: &[u8]) -> Error {
    let text = String::from_utf8_lossy(reason).into_owned();
    let starts = |with: &str| text.starts_with(with);
    match () {
        _ if starts("the run is not allowed") => Error::HttpRequestDenied,
        _ if starts("its address cannot be found") => Error::DnsError { rcode: Some(text), info_code: None },
        _ if starts("its address") => Error::DestinationIpProhibited,
        _ if starts("cannot connect to it: Connection refused") => Error::ConnectionRefused,
        _ if starts("the server closed the connection") => Error::ConnectionTerminated,
        _ if starts("the answer is not HTTP") => Error::HttpProtocolError,
        _ => Error::InternalError(Some(text)),
    }
}

// ---- One request, as a task of the reactor -------------------------------------------------------------------------

/// A request in progress. C has at most one piece of its body, and one chunk of the response on its way.
struct Exchange {
    id: u32,
    events: mpsc::UnboundedReceiver<Event>,
    body: Option<WasiBody>, // what is not sent yet
    may_send: bool,
    is_over: bool,
    wishes: Wishes,
    waker: Waker,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.is_over {
            self.wish(Wish::Cancel { id: self.id });
        }
    }
}

async fn within<T>(
    limit: Option<Duration>,
    late: Error,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or(Err(late)),
        None => work.await,
    }
}

impl Exchange {
    fn wish(&self, wish: Wish) {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).push(wish);
        self.waker.wake_by_ref();
    }

    fn send(&self, kind: u32, bytes: Bytes) {
        self.wish(Wish::Send { id: self.id, kind, bytes });
    }

    /// Sends the next part of the body.
    fn send_frame(&mut self, frame: Option<Result<Frame<Bytes>, Error>>) -> Result<(), Error> {
        match frame.transpose()?.map(Frame::into_data) {
            Some(Ok(bytes)) if bytes.is_empty() => {}
            Some(Ok(bytes)) => {
                self.may_send = false;
                self.send(BODY, bytes);
            }
            // Trailers are not sent.
            Some(Err(_)) | None => {
                self.body = None;
                self.send(BODY_END, Bytes::new());
            }
        }
        Ok(())
    }

    /// The next event of the response. The body is sent meanwhile. It may be dropped at any point.
    async fn next(&mut self) -> Result<Event, Error> {
        loop {
            let event = match &mut self.body {
                Some(body) if self.may_send => tokio::select! {
                    event = self.events.recv() => event,
                    frame = body.frame() => {
                        self.send_frame(frame)?;
                        continue;
                    }
                },
                _ => self.events.recv().await,
            };
            match event {
                Some(Event { kind: SENT, .. }) => self.may_send = true,
                Some(event) => {
                    self.is_over = matches!(event.kind, END | FAILED);
                    return Ok(event);
                }
                None => {
                    self.is_over = true;
                    return Err(Error::ConnectionTerminated);
                }
            }
        }
    }

    async fn head(&mut self) -> Result<Response<()>, Error> {
        match self.next().await? {
            Event { kind: HEAD, bytes } => read_head(&bytes).ok_or(Error::HttpProtocolError),
            Event { kind: FAILED, bytes } => Err(error_of(&bytes)),
            _ => Err(Error::HttpProtocolError),
        }
    }

    async fn respond(mut self, options: RequestOptions) -> Answer {
        let limit = options.first_byte_timeout.map(|first| first + options.connect_timeout.unwrap_or_default());
        let head = within(limit, Error::ConnectionReadTimeout, self.head()).await?;
        let (sender, chunks) = mpsc::channel(1);
        let io: Io = Box::new(async move {
            if let Err(error) = self.receive(&sender, options.between_bytes_timeout).await {
                let _ = sender.send(Err(error)).await;
            }
            Ok(())
        });
        Ok((head.map(|()| Chunks(chunks).boxed_unsync()), io))
    }

    /// Receives the response's body, one chunk ahead of the guest, until it ends or the guest drops it.
    async fn receive(&mut self, to: &mpsc::Sender<Result<Bytes, Error>>, limit: Option<Duration>) -> Result<(), Error> {
        loop {
            let (room, early) = tokio::select! {
                room = to.reserve() => (room, None),
                event = self.next() => (to.reserve().await, Some(event)),
            };
            let Ok(room) = room else { return Ok(()) };
            if early.is_none() {
                self.send(TAKE, Bytes::new());
            }
            let event = match early {
                Some(event) => event,
                None => within(limit, Error::ConnectionReadTimeout, self.next()).await,
            };
            match event? {
                Event { kind: CHUNK, bytes } => room.send(Ok(bytes)),
                Event { kind: FAILED, bytes } => return Err(error_of(&bytes)),
                _ => return Ok(()),
            }
        }
    }
}

/// The body of a response.
struct Chunks(mpsc::Receiver<Result<Bytes, Error>>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|bytes| bytes.map(Frame::data)))
    }
}

// ---- Linking -----------------------------------------------------------------------------------------------------

type Data = WasmtimeStoreData;
type OutgoingRequest = Resource<HostOutgoingRequest>;

fn is_short(text: Option<&String>, most: usize) -> bool {
    text.is_none_or(|text| text.len() <= most)
}

fn set_method(mut view: WasiHttpCtxView<'_>, request: OutgoingRequest, method: Method) -> Result<Result<(), ()>> {
    let other = if let Method::Other(name) = &method { Some(name) } else { None };
    if !is_short(other, NAME_BYTES) {
        return Ok(Err(()));
    }
    types::HostOutgoingRequest::set_method(&mut view, request, method)
}

fn set_authority(
    mut view: WasiHttpCtxView<'_>,
    request: OutgoingRequest,
    name: Option<String>,
) -> Result<Result<(), ()>> {
    if !is_short(name.as_ref(), NAME_BYTES) {
        return Ok(Err(()));
    }
    types::HostOutgoingRequest::set_authority(&mut view, request, name)
}

fn set_path(mut view: WasiHttpCtxView<'_>, request: OutgoingRequest, path: Option<String>) -> Result<Result<(), ()>> {
    if !is_short(path.as_ref(), PATH_BYTES) {
        return Ok(Err(()));
    }
    types::HostOutgoingRequest::set_path_with_query(&mut view, request, path)
}

/// Wasmtime's own functions. Three of them keep texts of any length for the guest, and are replaced.
pub fn link(linker: &mut Linker<Data>) -> Result<()> {
    outgoing_handler::add_to_linker::<Data, WasiHttp>(linker, wasi::outer_http_view)?;
    types::add_to_linker::<Data, WasiHttp>(linker, &(&LinkOptions::default()).into(), wasi::http_view)?;
    linker.allow_shadowing(true);
    let mut own = linker.instance("wasi:http/types@0.2.12")?;
    own.func_wrap("[method]outgoing-request.set-method", |mut store, (request, method)| {
        Ok((set_method(wasi::http_view(store.data_mut()), request, method)?,))
    })?;
    own.func_wrap("[method]outgoing-request.set-authority", |mut store, (request, name)| {
        Ok((set_authority(wasi::http_view(store.data_mut()), request, name)?,))
    })?;
    own.func_wrap("[method]outgoing-request.set-path-with-query", |mut store, (request, path)| {
        Ok((set_path(wasi::http_view(store.data_mut()), request, path)?,))
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

// ---- For C -------------------------------------------------------------------------------------------------------

/// # Safety
/// `bytes` is so many bytes.
#[no_mangle]
pub unsafe extern "C" fn curfew__http_event(
    mut context: WasmtimeStoreContextMut<'_>,
    id: u32,
    kind: u32,
    is_last: bool,
    bytes: *const u8,
    length: usize,
) {
    let bytes = if length == 0 { &[] } else { std::slice::from_raw_parts(bytes, length) };
    let event = Event { kind, bytes: Bytes::copy_from_slice(bytes) };
    wasi::requests(context.data_mut()).take(id, event, is_last);
}

#[no_mangle]
pub extern "C" fn curfew__http_serve(mut context: WasmtimeStoreContextMut<'_>) {
    wasi::requests(context.data_mut()).serve();
}

#[no_mangle]
pub extern "C" fn curfew__http_forget(mut context: WasmtimeStoreContextMut<'_>) {
    wasi::requests(context.data_mut()).forget();
}
