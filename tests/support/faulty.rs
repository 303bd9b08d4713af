//! A proxy in front of a registry that misbehaves where it is told to, and
//! remembers what it was asked. GET and HEAD only: it stands on the pulling side.
//!
//! One request per connection (`Connection: close`): simple, and a cut
//! connection then hurts exactly one request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What can go wrong with an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answer this status instead of asking the registry (429 and 503 come with
    /// `Retry-After: 1`, 401 with a challenge).
    Status(u16),
    /// Close the connection after so many bytes of the body.
    CutAfter(u64),
    /// Flip the bits of one byte of the body.
    Corrupt {
        /// Which one; past the end, none.
        offset: u64,
    },
}

/// One request, as it came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `HEAD`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// The `Range` header's value.
    pub range: Option<String>,
}

#[derive(Debug)]
struct Rule {
    pattern: String,
    fault: Fault,
    /// How many requests are spared first.
    spared: u32,
    left: Option<u32>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    requests: Vec<Request>,
}

/// The proxy; it lives as long as the test process and its threads are idle
/// without a request.
#[derive(Clone, Debug)]
pub struct FaultyProxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl FaultyProxy {
    /// Listens on a loopback port and forwards to `upstream` (`host:port`).
    pub fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binding the proxy's port");
        let port = listener.local_addr().expect("reading the proxy's port").port();
        let proxy = Self { port, state: Arc::default() };
        let (serving, upstream) = (proxy.clone(), upstream.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (proxy, upstream) = (serving.clone(), upstream.clone());
                // A client that goes away is part of the game.
                thread::spawn(move || proxy.serve(client, &upstream).ok());
            }
        });
        proxy
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Applies `fault` to every request whose path contains `pattern`, or to
    /// the first `times` of them. Of several rules the first that fits counts.
    pub fn inject(&self, pattern: &str, fault: Fault, times: Option<u32>) {
        self.inject_after(0, pattern, fault, times);
    }

    /// The same, when `spared` such requests were answered.
    pub fn inject_after(&self, spared: u32, pattern: &str, fault: Fault, times: Option<u32>) {
        self.lock().rules.push(Rule { pattern: pattern.to_owned(), fault, spared, left: times });
    }

    /// Behave from now on.
    pub fn heal(&self) {
        self.lock().rules.clear();
    }

    /// Everything that was asked for so far.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// How many requests had `pattern` in their path.
    pub fn count(&self, pattern: &str) -> usize {
        self.lock().requests.iter().filter(|request| request.path.contains(pattern)).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the request and says what is to go wrong with it.
    fn note(&self, request: Request) -> Option<Fault> {
        let mut state = self.lock();
        let rule = state.rules.iter_mut().find(|rule| request.path.contains(&rule.pattern) && rule.left != Some(0));
        let fault = rule.and_then(|rule| {
            if rule.spared > 0 {
                rule.spared -= 1;
                return None;
            }
            rule.left = rule.left.map(|left| left - 1);
            Some(rule.fault.clone())
        });
        state.requests.push(request);
        fault
    }

    fn serve(&self, mut client: TcpStream, upstream: &str) -> std::io::Result<()> {
        let mut head = read_head(&mut BufReader::new(client.try_clone()?))?;
        let Some(request) = parse(&head) else {
            return Ok(());
        };
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return client.write_all(&refusal(405));
        }
        let fault = self.note(request);
        if let Some(Fault::Status(status)) = fault {
            return client.write_all(&refusal(status));
        }

        head.retain(|line| !has_name(line, "connection"));
        let mut server = TcpStream::connect(upstream)?;
        server.write_all(format!("{}\r\nConnection: close\r\n\r\n", head.join("\r\n")).as_bytes())?;
        let mut answer = BufReader::new(server);
        let head = read_head(&mut answer)?;
        client.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes())?;
        send_body(&mut answer, &mut client, fault.as_ref())?;
        client.shutdown(Shutdown::Both)
    }
}

/// The lines up to the empty one.
fn read_head(stream: &mut impl BufRead) -> std::io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            return Ok(lines);
        }
        lines.push(line.trim_end().to_owned());
    }
}

fn parse(head: &[String]) -> Option<Request> {
    let mut first = head.first()?.split(' ');
    let header = |name: &str| head.iter().find(|line| has_name(line, name));
    Some(Request {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        range: header("range").and_then(|line| Some(line.split_once(':')?.1.trim().to_owned())),
    })
}

fn has_name(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
}

fn refusal(status: u16) -> Vec<u8> {
    let (code, extra) = match status {
        401 => ("UNAUTHORIZED", "WWW-Authenticate: Basic realm=\"test\"\r\n"),
        403 => ("DENIED", ""),
        404 => ("NAME_UNKNOWN", ""),
        429 => ("TOOMANYREQUESTS", "Retry-After: 1\r\n"),
        503 => ("UNAVAILABLE", "Retry-After: 1\r\n"),
        _ => ("UNKNOWN", ""),
    };
    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"injected by the test"}}]}}"#);
    let head = format!("HTTP/1.1 {status} Injected\r\nContent-Type: application/json\r\nConnection: close\r\n{extra}");
    format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn send_body(from: &mut impl Read, to: &mut impl Write, fault: Option<&Fault>) -> std::io::Result<()> {
    let (mut sent, mut buffer) = (0u64, [0; 16 * 1024]);
    loop {
        let room = match fault {
            Some(Fault::CutAfter(limit)) => usize::try_from(limit - sent).unwrap_or(usize::MAX).min(buffer.len()),
            _ => buffer.len(),
        };
        let n = from.read(&mut buffer[..room])?;
        if n == 0 {
            return Ok(());
        }
        if let Some(Fault::Corrupt { offset }) = fault
            && (sent..sent + n as u64).contains(offset)
        {
            buffer[(offset - sent) as usize] ^= 0xff;
        }
        to.write_all(&buffer[..n])?;
        sent += n as u64;
    }
}
