//! The wire: JSON-RPC messages, each behind a `Content-Length`, and nothing else.
//!
//! Ready-made transports give up at the first message they cannot read, and log every text
//! that passes; an editor sends half-written files with passwords in them.

use std::io::{self, BufRead, Read, Write};

use gen_lsp_types::ErrorCodes;
use gen_lsp_types::json_rpc::RequestObject;
use serde::Serialize;
use serde::de::IgnoredAny;

/// A longer message is skipped.
const MAX_MESSAGE: u64 = 512 << 20;
/// A longer header line is none.
const MAX_HEADER: u64 = 8 << 10;

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    /// A request, a notification, or a response to a request of ours (without a method).
    Message(RequestObject),
    /// Something else.
    Malformed(ErrorCodes),
}

/// The next message; `None` at the end of the input.
pub fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = length(input)? else {
        return Ok(None);
    };
    if length > MAX_MESSAGE {
        io::copy(&mut input.take(length), &mut io::sink())?;
        return Ok(Some(Incoming::Malformed(ErrorCodes::InvalidRequest)));
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Ok(None);
    }
    Ok(Some(match serde_json::from_slice(&body) {
        Ok(message) => Incoming::Message(message),
        Err(_) if is_json(&body) => Incoming::Malformed(ErrorCodes::InvalidRequest),
        Err(_) => Incoming::Malformed(ErrorCodes::ParseError),
    }))
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// The length in the next header that has one; whatever stands before it is passed over.
fn length(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.take(MAX_HEADER).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        match (line.trim(), length) {
            ("", Some(_)) => return Ok(length),
            ("", None) => {}
            (header, _) => {
                if let Some((name, value)) = header.split_once(':')
                    && name.eq_ignore_ascii_case("Content-Length")
                {
                    length = value.trim().parse().ok();
                }
            }
        }
    }
}

/// Send a message.
pub fn write(output: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    write!(output, "Content-Length: {}\r\n\r\n", body.len())?;
    output.write_all(&body)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(input: &str) -> Vec<String> {
        let mut input = io::Cursor::new(input.as_bytes().to_vec());
        std::iter::from_fn(|| read(&mut input).unwrap())
            .map(|incoming| match incoming {
                Incoming::Message(message) => message.method().to_owned(),
                Incoming::Malformed(code) => format!("{code:?}"),
            })
            .collect()
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn messages_come_one_after_the_other() {
        let exit = framed(r#"{"jsonrpc":"2.0","method":"exit"}"#);
        let typed = exit.replace("\r\n\r\n", "\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n");
        assert_eq!(methods(&format!("{exit}{}", typed.to_lowercase())), ["exit", "exit"]);
        assert_eq!(methods(&exit[..exit.len() - 1]), [""; 0]);
    }

    #[test]
    fn what_is_no_message_is_passed_over() {
        let exit = framed(r#"{"jsonrpc":"2.0","method":"exit"}"#);
        for (body, name) in [
            ("{nonsense", "ParseError"),
            ("", "ParseError"),
            ("[1, 2]", "InvalidRequest"),
            (r#"{"method":"exit"}"#, "InvalidRequest"),
            (r#"{"jsonrpc":"2.0","method":7}"#, "InvalidRequest"),
            ("[[[[[", "ParseError"),
        ] {
            assert_eq!(methods(&format!("{}{exit}", framed(body))), [name, "exit"], "{body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(methods(&format!("{}{exit}", framed(&deep))), ["ParseError", "exit"]);
        assert_eq!(methods(&format!("Content-Length: many\r\n\r\nhello\r\n\r\n{exit}")), ["exit"]);
        assert_eq!(methods("Content-Length: 99999999999\r\n\r\nx"), ["InvalidRequest"]);
    }
}
