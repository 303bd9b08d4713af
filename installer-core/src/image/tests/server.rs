//! As much of a registry as a test needs, over plain HTTP/1.1, one request per connection. What
//! it answers is up to a closure, so that it can be made to fail in any way.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::Made;

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Where a Range header begins.
    pub from: Option<usize>,
    pub authorization: Option<String>,
    /// How many requests for this path came before.
    pub before: usize,
}

/// What is answered.
pub enum Reply {
    /// Status, header lines, body.
    Full(u16, Vec<String>, Vec<u8>),
    /// A full answer of which only so many bytes of the body are sent.
    Cut(Box<Reply>, usize),
    /// Nothing, for so long.
    Silence(std::time::Duration),
    /// A body without end, a byte at a time.
    Drip(std::time::Duration),
    /// A body without end, as fast as it goes.
    Flood(u16),
}

pub fn status(code: u16, body: &str) -> Reply {
    Reply::Full(code, vec![], body.into())
}

pub struct Server {
    pub host: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, heard) = (Arc::new(answer), log.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, heard) = (answer.clone(), heard.clone());
                std::thread::spawn(move || converse(stream, &*answer, &heard));
            }
        });
        Server { host, log }
    }

    /// A registry that works.
    pub fn registry(made: Made) -> Server {
        Server::start(move |request| serve(&made, request))
    }

    /// The requests whose path contains `part`.
    pub fn asked(&self, part: &str) -> Vec<Request> {
        self.log.lock().unwrap().iter().filter(|request| request.path.contains(part)).cloned().collect()
    }
}

fn converse(mut stream: TcpStream, answer: &dyn Fn(&Request) -> Reply, log: &Mutex<Vec<Request>>) {
    let mut request = Request::default();
    for (number, line) in BufReader::new(&stream).lines().enumerate() {
        // What is no text is TLS; the path stays empty.
        let Ok(line) = line else { break };
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            _ if number == 0 => {
                let mut words = line.split(' ');
                request.method = words.next().unwrap_or("").to_owned();
                request.path = words.next().filter(|path| path.starts_with('/')).unwrap_or("").to_owned()
            }
            "range" => {
                request.from = value.strip_prefix("bytes=").and_then(|range| range.trim_end_matches('-').parse().ok())
            }
            "authorization" => request.authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    if request.path.is_empty() {
        // What plain servers say to TLS.
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nthis is http");
        return;
    }
    {
        let mut log = log.lock().unwrap();
        request.before = log.iter().filter(|earlier| earlier.path == request.path).count();
        log.push(request.clone());
    }
    send(&mut stream, answer(&request), request.method == "HEAD");
    // Closing with unread input resets the connection and eats the answer.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.set_read_timeout(Some(std::time::Duration::from_millis(200)));
    let _ = stream.read(&mut [0; 64]);
}

fn send(stream: &mut TcpStream, reply: Reply, head_alone: bool) {
    let (reply, limit) = match reply {
        Reply::Cut(reply, limit) => (*reply, limit),
        reply => (reply, usize::MAX),
    };
    match reply {
        Reply::Full(code, headers, body) => {
            let head = format!(
                "HTTP/1.1 {code} X\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n",
                body.len(),
                headers.iter().map(|h| format!("{h}\r\n")).collect::<String>()
            );
            let _ = stream.write_all(head.as_bytes());
            if !head_alone {
                let _ = stream.write_all(&body[..body.len().min(limit)]);
            }
        }
        Reply::Silence(time) => std::thread::sleep(time),
        Reply::Drip(pause) => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(pause);
            }
        }
        Reply::Flood(code) => {
            let _ = stream.write_all(format!("HTTP/1.1 {code} X\r\nConnection: close\r\n\r\n").as_bytes());
            while stream.write_all(&[b'{'; 1 << 16]).is_ok() {}
        }
        Reply::Cut(..) => {}
    }
}

/// The answers of a registry that works.
pub fn serve(made: &Made, request: &Request) -> Reply {
    let missing = |code: &str| status(404, &format!(r#"{{"errors":[{{"code":"{code}","message":"unknown"}}]}}"#));
    if request.path == "/v2/" {
        return status(200, "{}");
    }
    let Some((kind, name)) = request.path.strip_prefix("/v2/org/os/").and_then(|rest| rest.split_once('/')) else {
        return missing("NAME_UNKNOWN");
    };
    match kind {
        "manifests" if name == "latest" || name == made.digest().as_str() => {
            let headers = vec!["Content-Type: application/vnd.oci.image.manifest.v1+json".into()];
            Reply::Full(200, headers, made.manifest.clone())
        }
        "manifests" => missing("MANIFEST_UNKNOWN"),
        _ => match (made.blobs.get(name), request.from) {
            (None, _) => missing("BLOB_UNKNOWN"),
            (Some(blob), None) => Reply::Full(200, vec![], blob.clone()),
            (Some(blob), Some(from)) => {
                let range = format!("Content-Range: bytes {from}-{}/{}", blob.len() - 1, blob.len());
                Reply::Full(206, vec![range], blob[from..].to_vec())
            }
        },
    }
}
