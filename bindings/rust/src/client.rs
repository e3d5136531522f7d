// SPDX-License-Identifier: Apache-2.0
//! A client of `curfew serve` that needs only the standard library. For a server with TLS, use a proxy on this machine.

use crate::{Error, Report, Status};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use serde_json::{json, Map, Value};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A server at a URL. Each request has a connection of its own, so that it may be used from any thread.
#[derive(Debug, Clone)]
pub struct Client {
    host: String,
    prefix: String,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<String>,
    /// The maximum silence of the server.
    pub timeout: Duration,
    /// How often a request that is safe to repeat is sent again if that may help.
    pub retries: u32,
}

/// The reason why a request failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The server refused it.
    Problem(Problem),
    /// The server cannot be reached, or its answer is malformed.
    Io(std::io::Error),
    /// The request is invalid.
    Invalid(Error),
}

/// The fields of problem+json of a refusal.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The kind of problem, as text.
    pub title: String,
    /// The cause.
    pub detail: Option<String>,
    /// JSON pointer of the invalid field.
    pub pointer: Option<String>,
}

impl std::fmt::Display for ClientError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ClientError::Problem(problem) => match &problem.detail {
                Some(detail) => write!(f, "{}: {detail}", problem.title),
                None => f.write_str(&problem.title),
            },
            ClientError::Io(error) => error.fmt(f),
            ClientError::Invalid(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<std::io::Error> for ClientError {
    fn from(error: std::io::Error) -> ClientError {
        ClientError::Io(error)
    }
}

impl ClientError {
    /// Whether the same request may succeed later.
    fn is_passing(&self) -> bool {
        match self {
            ClientError::Problem(problem) => matches!(problem.status, 429 | 503),
            ClientError::Io(_) => true,
            ClientError::Invalid(_) => false,
        }
    }
}

fn invalid(message: impl Into<String>) -> ClientError {
    ClientError::Invalid(Error { status: Status::Invalid, message: message.into(), report: None })
}

fn broken(message: &str) -> ClientError {
    ClientError::Io(std::io::Error::new(std::io::ErrorKind::InvalidData, message))
}

/// What requests return.
pub type Answer<T> = std::result::Result<T, ClientError>;

/// A run for a server. Set either `source` or `program`.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// A program's text.
    pub source: Option<String>,
    /// "js", "mjs", "wat", or "wasm" for a source in base64.
    pub lang: Option<String>,
    /// The name of a stored program.
    pub program: Option<String>,
    /// Exported or global function to call.
    pub call: Option<String>,
    /// The call's arguments.
    pub params: Vec<Value>,
    /// By the names of the command line: ("timeout", "1s").
    pub limits: Vec<(String, String)>,
    /// Further fields of the API: user, delay, priority, retry, allow_fetch...
    pub more: Map<String, Value>,
    /// Makes a repetition safe: the server never runs the same key twice. With a key, the request is repeated if that
    /// may help.
    pub idempotency_key: Option<String>,
}

/// One event of a run's stream.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerEvent {
    /// To resume after it.
    pub id: Option<String>,
    /// "state", "progress", "checkpoint", "output" or "report".
    pub kind: String,
    /// The data of the event.
    pub data: Value,
}

struct Request<'a> {
    method: &'a str,
    path: String,
    body: Option<&'a [u8]>,
    headers: Vec<(&'a str, &'a str)>,
    safe: bool,
}

impl<'a> Request<'a> {
    fn new(method: &'a str, path: String) -> Request<'a> {
        Request { method, path, body: None, headers: vec![], safe: true }
    }
}

fn escape(part: &str) -> String {
    part.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte as char),
            _ => write!(text, "%{byte:02X}").expect("a string takes it"),
        }
        text
    })
}

/// The encoding of a response's body: in chunks, with a length, or until the end of the connection.
enum Body {
    Chunks { left: u64, ended: bool },
    Length(u64),
    ToTheEnd,
}

struct Response {
    stream: BufReader<TcpStream>,
    status: u16,
    body: Body,
}

impl Response {
    fn read_head(stream: TcpStream) -> Answer<Response> {
        let mut response = Response { stream: BufReader::new(stream), status: 0, body: Body::ToTheEnd };
        response.status = response
            .read_line()?
            .split(' ')
            .nth(1)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| broken("no HTTP answer"))?;
        loop {
            let line = response.read_line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "transfer-encoding" => response.body = Body::Chunks { left: 0, ended: false },
                "content-length" => {
                    response.body = Body::Length(value.trim().parse().map_err(|_| broken("no length"))?)
                }
                _ => {}
            }
        }
        if response.status == 204 {
            response.body = Body::Length(0);
        }
        Ok(response)
    }

    fn read_line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        (&mut self.stream).take(1 << 16).read_line(&mut line)?;
        Ok(line.trim_end_matches(['\r', '\n']).to_string())
    }

    /// How many bytes of the body follow in one piece. 0: the body has ended.
    fn piece(&mut self) -> std::io::Result<u64> {
        if let Body::Chunks { left: 0, ended: false } = self.body {
            let mut line = self.read_line()?;
            if line.is_empty() {
                line = self.read_line()?; // the line break after the previous chunk
            }
            let size = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16);
            let size = size.map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "no chunk"))?;
            self.body = Body::Chunks { left: size, ended: size == 0 };
        }
        Ok(match self.body {
            Body::Chunks { left, .. } | Body::Length(left) => left,
            Body::ToTheEnd => u64::MAX,
        })
    }
}

impl Read for Response {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = self.piece()?.min(buffer.len() as u64) as usize;
        let count = if most == 0 { 0 } else { self.stream.read(&mut buffer[..most])? };
        match &mut self.body {
            Body::Chunks { left, .. } | Body::Length(left) => {
                if count == 0 && *left > 0 && most > 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                *left -= count as u64;
            }
            Body::ToTheEnd => {}
        }
        Ok(count)
    }
}

impl Client {
    /// A server: "http://127.0.0.1:7433".
    pub fn new(url: &str) -> Answer<Client> {
        let wrong = || invalid(format!("{url:?} is not the URL of a server: http://HOST:PORT"));
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
        let (host, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if host.is_empty() || host.contains('@') || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong());
        }
        let has_port = host.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) && host.contains(':');
        let host = if has_port { host.to_string() } else { format!("{host}:80") };
        Ok(Client {
            host,
            prefix: prefix.trim_end_matches('/').into(),
            token: None,
            timeout: Duration::from_secs(30),
            retries: 3,
        })
    }

    fn send(&self, request: &Request<'_>, timeout: Duration) -> Answer<Response> {
        let mut stream = TcpStream::connect(&self.host)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        let mut head = format!(
            "{} {}{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            request.method, self.prefix, request.path, self.host
        );
        let authorization = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let authorization = authorization.as_deref().map(|value| ("Authorization", value));
        for (name, value) in request.headers.iter().copied().chain(authorization) {
            if value.contains(['\r', '\n']) {
                return Err(invalid(format!("{name} holds a line break")));
            }
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = request.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        stream.write_all((head + "\r\n").as_bytes())?;
        stream.write_all(request.body.unwrap_or_default())?;
        let mut response = Response::read_head(stream)?;
        if response.status < 400 {
            return Ok(response);
        }
        let mut text = String::new();
        let _ = (&mut response).take(1 << 16).read_to_string(&mut text); // if it is not JSON, the title stays the status
        let mut problem: Problem = serde_json::from_str(&text).unwrap_or_default();
        problem.status = response.status;
        if problem.title.is_empty() {
            problem.title = format!("HTTP {}", response.status);
        }
        Err(ClientError::Problem(problem))
    }

    fn pause(attempt: u32) {
        std::thread::sleep(Duration::from_millis(100 << attempt.min(5)));
    }

    fn ask<T: DeserializeOwned>(&self, request: &Request<'_>) -> Answer<T> {
        for attempt in 0.. {
            let asked = self.send(request, self.timeout).and_then(|mut response| {
                let mut text = String::new();
                response.read_to_string(&mut text)?;
                crate::json::read(if text.is_empty() { b"null" } else { text.as_bytes() })
                    .map_err(|error| broken(&error.to_string()))
            });
            match asked {
                Err(error) if request.safe && attempt < self.retries && error.is_passing() => Client::pause(attempt),
                other => return other,
            }
        }
        unreachable!()
    }

    /// Submits a run and returns its id.
    pub fn submit(&self, submission: &Submission) -> Answer<String> {
        if submission.source.is_some() == submission.program.is_some() {
            return Err(invalid("give either a source or the name of a stored program"));
        }
        let mut fields = submission.more.clone();
        let texts = [
            ("source", &submission.source),
            ("program", &submission.program),
            ("lang", &submission.lang),
            ("call", &submission.call),
        ];
        for (name, value) in texts.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value))) {
            fields.insert(name.into(), json!(value));
        }
        if !submission.params.is_empty() {
            fields.insert("params".into(), json!(submission.params));
        }
        if !submission.limits.is_empty() {
            fields.insert(
                "limits".into(),
                submission
                    .limits
                    .iter()
                    .map(|(name, value)| (name.clone(), json!(value)))
                    .collect::<Map<_, _>>()
                    .into(),
            );
        }
        let body = Value::Object(fields).to_string();
        let mut request = Request {
            body: Some(body.as_bytes()),
            safe: submission.idempotency_key.is_some(),
            ..Request::new("POST", "/v1/runs".into())
        };
        request.headers.push(("Content-Type", "application/json"));
        if let Some(key) = &submission.idempotency_key {
            request.headers.push(("Idempotency-Key", key));
        }
        let run: Value = self.ask(&request)?;
        run["id"].as_str().map(Into::into).ok_or_else(|| broken("an answer without an id"))
    }

    /// Submits a run and waits for its report.
    pub fn run(&self, submission: &Submission) -> Answer<Report> {
        self.wait(&self.submit(submission)?)
    }

    /// A run: id, state, report (null until it has ended)...
    pub fn get(&self, id: &str) -> Answer<Value> {
        self.ask(&Request::new("GET", format!("/v1/runs/{}", escape(id))))
    }

    /// A page of runs, newest first, and the beginning of the next page. The filters are state, program, outcome,
    /// limit, after.
    pub fn runs(&self, filters: &[(&str, &str)]) -> Answer<(Vec<Value>, Option<String>)> {
        let query: Vec<_> = filters.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
        let page: Value = self.ask(&Request::new("GET", format!("/v1/runs?{}", query.join("&"))))?;
        Ok((page["runs"].as_array().cloned().unwrap_or_default(), page["next"].as_str().map(Into::into)))
    }

    /// Waits for the report of a run, also across a restart of the server.
    pub fn wait(&self, id: &str) -> Answer<Report> {
        let mut report = None;
        self.events(id, None, |event| {
            if event.kind == "report" {
                report = Some(event.data);
            }
            true
        })?;
        let report = match report {
            Some(report) => report,
            None => self.get(id)?["report"].take(),
        };
        report_of(report)
    }

    /// Cancels a run. Returns its report, even if it had ended before, or `None` while it is stopping.
    pub fn cancel(&self, id: &str) -> Answer<Option<Report>> {
        let answer: Value = self.ask(&Request::new("DELETE", format!("/v1/runs/{}", escape(id))))?;
        if answer["schema"].is_null() {
            return Ok(None);
        }
        report_of(answer).map(Some)
    }

    /// Calls `each` with a run's events, from the first one or from the one after an id, to its report, or until it
    /// returns false. A broken stream is resumed.
    pub fn events(
        &self,
        id: &str,
        last_event_id: Option<&str>,
        mut each: impl FnMut(ServerEvent) -> bool,
    ) -> Answer<()> {
        let mut last = last_event_id.map(String::from);
        let mut failures = 0;
        loop {
            let mut request = Request::new("GET", format!("/v1/runs/{}/events", escape(id)));
            request.headers.push(("Accept", "text/event-stream"));
            let from = last.clone();
            if let Some(from) = &from {
                request.headers.push(("Last-Event-ID", from));
            }
            let read = self.send(&request, self.timeout * 2).and_then(|response| {
                if response.status == 204 {
                    return Ok(true);
                }
                read_events(response, |event| {
                    failures = 0;
                    last = event.id.clone().or(last.take());
                    let is_report = event.kind == "report";
                    each(event) && !is_report
                })
            });
            match read {
                Ok(true) => return Ok(()),
                Err(error) if failures >= self.retries || !error.is_passing() => return Err(error),
                Ok(false) if failures >= self.retries => return Err(broken("the events end without a report")),
                _ => failures += 1,
            }
            Client::pause(failures);
        }
    }

    /// Stores a program. Storing the same bytes again changes nothing. The language is "js", "mjs", "wasm" or "wat".
    pub fn put_program(&self, name: &str, source: &[u8], language: &str) -> Answer<Value> {
        let kind = match language {
            "wasm" => "application/wasm",
            "js" | "mjs" => "text/javascript",
            _ => "text/plain",
        };
        let mut request = Request::new("PUT", format!("/v1/programs/{}?lang={}", escape(name), escape(language)));
        request.body = Some(source);
        request.headers.push(("Content-Type", kind));
        self.ask(&request)
    }

    /// All stored programs.
    pub fn programs(&self) -> Answer<Vec<Value>> {
        let mut answer: Value = self.ask(&Request::new("GET", "/v1/programs".into()))?;
        Ok(answer["programs"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// A stored program. It is a [`Problem`] with status 404 if there is none.
    pub fn get_program(&self, name: &str) -> Answer<Value> {
        self.ask(&Request::new("GET", format!("/v1/programs/{}", escape(name))))
    }

    /// Removes a stored program. Runs that were accepted continue.
    pub fn delete_program(&self, name: &str) -> Answer<()> {
        self.ask::<Value>(&Request::new("DELETE", format!("/v1/programs/{}", escape(name)))).map(drop)
    }

    /// The servers that share the database of this one. Needs the scope `admin`.
    pub fn nodes(&self) -> Answer<Vec<Value>> {
        let mut answer: Value = self.ask(&Request::new("GET", "/v1/nodes".into()))?;
        Ok(answer["nodes"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Figures of the server.
    pub fn stats(&self) -> Answer<Value> {
        self.ask(&Request::new("GET", "/v1/stats".into()))
    }
}

fn report_of(value: Value) -> Answer<Report> {
    Report::from_server(value).map_err(|error| broken(&error.to_string()))
}

/// Reads a stream in the format of <https://html.spec.whatwg.org/multipage/server-sent-events.html>. true: `each` ended
/// it.
fn read_events(response: Response, mut each: impl FnMut(ServerEvent) -> bool) -> Answer<bool> {
    let (mut id, mut kind, mut data) = (None, String::new(), Vec::<String>::new());
    for line in BufReader::new(response).lines() {
        let line = line?;
        if line.is_empty() {
            if !data.is_empty() {
                let value =
                    crate::json::read(data.join("\n").as_bytes()).map_err(|error| broken(&error.to_string()))?;
                if !each(ServerEvent { id: id.clone(), kind: std::mem::take(&mut kind), data: value }) {
                    return Ok(true);
                }
            }
            data.clear();
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => data.push(value.into()),
            "event" => kind = value.into(),
            "id" => id = Some(value.into()),
            _ => {}
        }
    }
    Ok(false)
}
