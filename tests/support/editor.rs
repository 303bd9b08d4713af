//! An editor, as far as a language server can tell: starts the server, talks to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::cli::bootc_ks;

/// A server that does not answer for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server.
pub struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    inbox: Receiver<Value>,
    /// What came in while something else was waited for.
    waiting: Vec<Value>,
    next: i64,
}

impl Editor {
    /// Starts a server in `dir`; everything is logged.
    pub fn start(dir: &Path) -> Editor {
        let mut command = bootc_ks(dir);
        command.arg("lsp").env("BOOTC_KS_LOG", "trace");
        let mut server =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starting");
        let output = server.stdout.take().expect("its output");
        let (sender, inbox) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let input = server.stdin.take();
        Editor { server, input, inbox, waiting: Vec::new(), next: 1 }
    }

    /// Starts a server and shakes hands with it; its answer comes along.
    pub fn ready(dir: &Path, capabilities: Value, options: Value) -> (Editor, Value) {
        let mut editor = Editor::start(dir);
        let params = json!({"processId": null, "rootUri": null, "capabilities": capabilities,
            "initializationOptions": options});
        let answer = editor.ask("initialize", params);
        editor.tell("initialized", json!({}));
        (editor, answer)
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("an open input");
        input.write_all(bytes).and_then(|()| input.flush()).expect("writing to the server");
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    /// Sends a notification.
    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and returns the whole response.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.next;
        self.next += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.wait(|message| message["id"] == id)
    }

    /// Sends a request that has to succeed and returns the result.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let response = self.request(method, params);
        assert!(response.get("error").is_none(), "{method}: {response}");
        response["result"].clone()
    }

    /// The next message of that kind.
    #[track_caller]
    pub fn wait(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.waiting.iter().position(&wanted) {
            return self.waiting.remove(at);
        }
        loop {
            let message = self.inbox.recv_timeout(PATIENCE).expect("a message from the server");
            if wanted(&message) {
                return message;
            }
            self.waiting.push(message);
        }
    }

    /// Opens a document and returns what is wrong with it.
    #[track_caller]
    pub fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({"uri": uri, "languageId": "kickstart", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
        self.findings(uri, 1)
    }

    /// Changes a document.
    pub fn change(&mut self, uri: &str, version: i64, changes: Value) {
        let document = json!({"uri": uri, "version": version});
        self.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// What is wrong with a document in a version of it.
    #[track_caller]
    pub fn findings(&mut self, uri: &str, version: i64) -> Vec<Value> {
        let published = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && message["params"]["version"] == version
        });
        published["params"]["diagnostics"].as_array().expect("a list").clone()
    }

    /// Asks about a place of a document.
    #[track_caller]
    pub fn at(&mut self, method: &str, uri: &str, line: u32, character: u32) -> Value {
        let position = json!({"line": line, "character": character});
        self.ask(&format!("textDocument/{method}"), json!({"textDocument": {"uri": uri}, "position": position}))
    }

    /// Asks about a whole document.
    #[track_caller]
    pub fn about(&mut self, method: &str, uri: &str) -> Value {
        self.ask(&format!("textDocument/{method}"), json!({"textDocument": {"uri": uri}}))
    }

    /// Closes the input and waits for the end: the exit status, what is left of the messages,
    /// and the log.
    pub fn end(mut self) -> (ExitStatus, Vec<Value>, String) {
        drop(self.input.take());
        let mut log = String::new();
        self.server.stderr.take().expect("its log").read_to_string(&mut log).expect("reading the log");
        let status = self.server.wait().expect("waiting for the server");
        let mut rest = std::mem::take(&mut self.waiting);
        rest.extend(self.inbox.iter());
        (status, rest, log)
    }

    /// Ends as an editor does.
    pub fn quit(mut self) -> (ExitStatus, Vec<Value>, String) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        self.end()
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        // Of a test that failed halfway; else it is over already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// One message. Whatever else is on the server's output is a failure.
fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut header = String::new();
    output.read_line(&mut header).expect("a header");
    if header.is_empty() {
        return None;
    }
    let length = header.strip_prefix("Content-Length: ").unwrap_or_else(|| panic!("`{header}` on standard output"));
    let mut blank = String::new();
    output.read_line(&mut blank).expect("a blank line");
    assert_eq!(blank, "\r\n");
    let mut body = vec![0; length.trim_end().parse().expect("a number")];
    output.read_exact(&mut body).expect("a body");
    Some(serde_json::from_slice(&body).expect("JSON"))
}

/// A text after edits that do not touch each other, with columns in UTF-16 units.
#[track_caller]
pub fn edited(text: &str, edits: &Value) -> String {
    let edits = edits.as_array().unwrap_or_else(|| panic!("no edits: {edits}"));
    let mut places: Vec<(usize, usize, &str)> = edits
        .iter()
        .map(|edit| {
            let new = edit["newText"].as_str().expect("a new text");
            (byte(text, &edit["range"]["start"]), byte(text, &edit["range"]["end"]), new)
        })
        .collect();
    places.sort_unstable();
    let mut out = text.to_owned();
    for (start, end, new) in places.iter().rev() {
        out.replace_range(*start..*end, new);
    }
    out
}

/// The byte of a place, counted from scratch.
fn byte(text: &str, place: &Value) -> usize {
    let (mut line, mut column) = (0, 0);
    for (at, char) in text.char_indices() {
        if (place["line"] == line) && (place["character"] == column) {
            return at;
        }
        if char == '\n' {
            (line, column) = (line + 1, 0);
        } else {
            column += char.len_utf16();
        }
    }
    assert!(place["line"] == line && place["character"] == column, "{place} is not there");
    text.len()
}
