//! `install --webhook` and `logging --host`: what a server gets of an installation, and what becomes of one
//! whose servers do not answer.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::cli::finish;
use crate::support::mini_image::MiniImage;
use crate::support::need;
use crate::support::site::{SECRET, Site, kickstart};

/// The key of the signatures.
pub const KEY: &str = "the key of the hook";
/// What is in the address and nowhere else.
const TOKEN: &str = "t0ken-in-the-path";

/// A receiver in another language, which checks signatures with a library of its own. The first two
/// deliveries meet trouble.
const RECEIVER: &str = r#"
import hashlib, hmac, http.server, json, sys
key, log, trouble = sys.argv[1].encode(), open(sys.argv[2], "a", buffering=1), [503, 503]
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        code = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
        signed = hmac.compare_digest(code, self.headers.get("X-Hub-Signature-256", ""))
        status = trouble.pop() if trouble else 204
        print(json.dumps({"signed": signed, "status": status, "path": self.path, "body": json.loads(body),
                          "delivery": self.headers["X-Bootc-Ks-Delivery"]}), file=log)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *words): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
print(server.server_port, flush=True)
server.serve_forever()
"#;

/// It, running.
pub struct Receiver {
    child: Child,
    dir: TempDir,
    port: u16,
}

impl Receiver {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(need("python3", "python3"));
        command.args(["-c", RECEIVER, KEY]).arg(dir.path().join("log")).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { child, dir, port: line.trim().parse().unwrap() }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{TOKEN}", self.port)
    }

    /// What came: each delivery once, as it was taken. All were signed, and what met trouble came again
    /// with the same number and the same content.
    pub fn deliveries(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
        assert!(!log.contains(SECRET), "a password was sent");
        let all: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(all.iter().all(|one| one["signed"] == true && one["path"] == format!("/{TOKEN}")), "{log}");
        assert!(all.len() > 2 && all[0]["status"] == 503 && all[2]["status"] == 204, "{log}");
        assert!(all[..3].iter().all(|one| one["body"] == all[0]["body"] && one["delivery"] == all[0]["delivery"]));
        let taken: Vec<Value> = all[2..].iter().map(|one| one["body"].clone()).collect();
        for (index, body) in taken.iter().enumerate() {
            assert_eq!((&body["schema"], &body["delivery"]), (&1.into(), &(index + 1).into()), "{body}");
            assert_eq!((&body["id"], &body["dropped"]), (&taken[0]["id"], &0.into()), "{body}");
        }
        taken
    }

    /// The events in them.
    pub fn events(&self) -> Vec<Value> {
        self.deliveries().iter().flat_map(|body| body["events"].as_array().unwrap().clone()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A log server.
pub fn log_server() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// What it got.
pub fn logged(server: &UdpSocket) -> Vec<String> {
    let mut buffer = [0; 8192];
    let mut lines = Vec::new();
    while let Ok(length) = server.recv(&mut buffer) {
        lines.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    lines
}

/// What both got of an installation that went well.
pub fn have_all_of_it(hook: &Receiver, log: &UdpSocket, file: &str) {
    let events = hook.events();
    let written: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // A bar is for people.
    // Layers are read side by side, and who listens hears of them in an order of its own.
    let sorted = |events: &[&Value]| {
        let mut lines: Vec<String> = events.iter().map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    let expected: Vec<&Value> =
        written.iter().filter(|event| event["type"] != "progress" && event["type"] != "layer-read").collect();
    assert_eq!(sorted(&events.iter().collect::<Vec<_>>()), sorted(&expected));
    assert_eq!(events.last().unwrap()["type"], "finished");
    let lines = logged(log);
    assert!(lines.iter().all(|line| line.starts_with('<') && line.contains("bootc-ks")), "{lines:#?}");
    let has = |start: &str, words: &str| {
        assert!(lines.iter().any(|line| line.starts_with(start) && line.contains(words)), "{words}: {lines:#?}");
    };
    has("<30>1 ", " step-started - [1/");
    has("<30>1 ", " output - | said inside");
    has("<28>1 ", "exit code 7");
    assert!(lines.last().unwrap().contains(" finished - installed in "), "{lines:#?}");
    assert!(!lines.join("").contains(SECRET));
}

/// The site of an installation of next to nothing.
fn small() -> Site {
    let site = Site::with(MiniImage::bootable());
    site.write("key", &format!("{KEY}\n"));
    site
}

const ONTO: [&str; 8] = ["install", "site.ks", "--image", "oci:oci:mini", "--disk-image", "disk.img", "--size", "700M"];

#[test]
fn a_refusal_is_told_with_the_tail_of_the_log() {
    let (site, hook, (log, port)) = (small(), Receiver::start(), log_server());
    site.write("site.ks", &kickstart(&format!("logging --host=127.0.0.1 --port={port}\n")));
    let digest = format!("sha256:{}", "0".repeat(64));
    let args = ["--plan-digest", &digest, "--log", "install.log", "--webhook", &hook.url()];
    let mut command = crate::support::cli::bootc_ks(site.dir.path());
    let outcome = finish(command.args(ONTO).args(args).env("BOOTC_KS_WEBHOOK_KEY", KEY)).keeps(&[TOKEN, KEY]);
    assert_eq!(outcome.code, 4, "{outcome}");
    let events = hook.events();
    let last = events.last().unwrap();
    assert_eq!((&last["type"], &last["disk_touched"]), (&"failed".into(), &false.into()), "{last}");
    let tail = last["log"].as_array().unwrap();
    assert!(tail.iter().any(|line| line.as_str().unwrap().contains("begins: ")), "{tail:#?}");
    let kept = std::fs::read_to_string(site.path("install.log")).unwrap();
    assert!(!kept.contains(TOKEN) && !kept.contains(KEY), "{kept}");
    let lines = logged(&log);
    let last = lines.last().unwrap();
    assert!(last.starts_with("<27>1 ") && last.contains("failed (the disk is untouched): "), "{lines:#?}");
}

#[test]
fn a_kickstart_that_is_wrong_has_an_end_as_well() {
    let (site, hook) = (small(), Receiver::start());
    site.write("site.ks", "part nonsense --nonsense\n");
    let args = ["install", "site.ks", "--log", "install.log", "--webhook-key-file", "key", "--webhook", &hook.url()];
    site.run(&args).exits(2);
    let events = hook.events();
    assert_eq!((events.len(), &events[0]["type"], &events[0]["kind"]), (1, &"failed".into(), &"input".into()));
}

#[test]
fn a_server_that_never_answers_holds_nothing_up() {
    let site = small();
    // Connections are made, and that is all.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{TOKEN}", silent.local_addr().unwrap());
    site.write("site.ks", &kickstart("logging --host=no.such.host.invalid\n"));
    let begun = Instant::now();
    let outcome = site.run(&[&ONTO[..], &["--log", "install.log", "--webhook", &url]].concat());
    let took = begun.elapsed();
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(took < Duration::from_secs(30), "it took {took:?}");
    outcome.says(&["did not take the last events within 10 s", "the log server no.such.host.invalid"]).keeps(&[TOKEN]);
}

#[test]
fn what_is_wrong_with_a_hook_is_said_before_anything() {
    let site = small();
    for (args, says) in [
        (["--webhook", "ftp://a/b", "--webhook-key-file", "key"], "no http(s) URL"),
        (["--webhook", "http://a/b", "--webhook-key-file", "nowhere"], "the webhook's key in nowhere"),
    ] {
        site.run(&[&ONTO[..], &["--log", "install.log"], &args].concat()).exits(2).one_error().says(&[says]);
    }
    for (line, says) in [("--host=a/b", "no name or address"), ("--host=a --port=0", "it is no port")] {
        site.write("site.ks", &kickstart(&format!("logging {line}\n")));
        let text = site.run(&["check", "site.ks"]);
        assert!(text.stdout.contains(says) || text.stderr.contains(says), "{text}");
    }
}
