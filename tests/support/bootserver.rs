//! The network boot server as an operator runs it: the real command, a small environment, files
//! in a directory that disappears with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::cli::{Outcome, run_in};
use super::network::wait_until;
use super::{dies_with_the_test, free_port};

/// A kickstart with a secret and one variable.
pub const KICKSTART: &str = "zerombr\nautopart\nrootpw --plaintext hunter2\nnetwork --hostname={{ hostname }}\n";

/// What a server needs, and where it runs.
#[derive(Debug)]
pub struct Site {
    dir: TempDir,
    port: u16,
}

/// A running server, killed when dropped.
#[derive(Debug)]
pub struct Server<'a> {
    child: Child,
    site: &'a Site,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, a line each.
    pub headers: String,
    /// The body.
    pub text: String,
}

impl Site {
    /// A site with these machines; `site.ks` is [`KICKSTART`].
    pub fn new(machines: &str) -> Self {
        let site = Site { dir: tempfile::tempdir().expect("making the site"), port: free_port() };
        site.write("site.ks", KICKSTART);
        site.write("machines.toml", machines);
        environment(&site.path("env"), b"a kernel", b"an initramfs");
        site
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes one of its files.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("writing into the site");
    }

    /// Reads one of its files.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs `bootc-ks netboot VERB … --state state` to its end.
    pub fn netboot(&self, args: &[&str]) -> Outcome {
        run_in(self.dir.path(), &[&["netboot"], args, &["--state", "state"]].concat())
    }

    /// `bootc-ks netboot serve` for it with this state, not started yet.
    pub fn serve(&self, state: &str) -> Command {
        let mut command = dies_with_the_test(Path::new(env!("CARGO_BIN_EXE_bootc-ks")));
        let listen = format!("127.0.0.1:{}", self.port);
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command.env("BOOTC_KS_LOG", "debug").args(["netboot", "serve", "--listen", &listen]);
        command.args(["--environment", "env", "--machines", "machines.toml", "--state", state]);
        command
    }

    /// Starts it and waits until it answers. What it says goes into `serve.log`.
    pub fn start(&self) -> Server<'_> {
        let log = File::options().append(true).create(true).open(self.path("serve.log")).expect("opening its log");
        let mut command = self.serve("state");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut server = Server { child: command.spawn().expect("starting the server"), site: self };
        wait_until(Duration::from_secs(30), "the server answers", || {
            let running = matches!(server.child.try_wait(), Ok(None));
            assert!(running, "the server has ended:\n{}", self.read("serve.log"));
            std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        server
    }
}

impl Server<'_> {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.site.port)
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(path, &[])
    }

    /// Asks with headers.
    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = agent().get(format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        finish(request.call())
    }

    /// Sends a body.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = agent().post(format!("{}{path}", self.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        finish(request.send(body))
    }

    /// Sends a report as the installer does that began with this token.
    pub fn report(&self, token: &str, what: &str, body: &str) -> Answer {
        let token = pxe::serve::token::for_reports(token);
        self.post(&format!("/v1/report/{token}/{what}"), &[], body)
    }

    /// A machine of the list.
    pub fn machine(&self, id: &str) -> Value {
        let list: Value = serde_json::from_str(&self.get("/v1/machines").text).expect("a list in JSON");
        let machines = list["machines"].as_array().expect("machines in the list");
        machines.iter().find(|machine| machine["id"] == id).unwrap_or_else(|| panic!("no {id} in {list}")).clone()
    }

    /// Asks what a machine boots, and finds the token in the script that installs it.
    pub fn token(&self, mac: &str) -> String {
        let script = self.get(&format!("/ipxe?mac={mac}")).text;
        let (_, rest) = script.split_once("/ks/").unwrap_or_else(|| panic!("nothing is installed by\n{script}"));
        rest.split(' ').next().unwrap_or_default().to_owned()
    }

    /// Cuts it off, as a power failure does.
    pub fn crash(mut self) {
        self.child.kill().expect("killing the server");
        self.child.wait().expect("waiting for the server");
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            let log = self.site.read("serve.log");
            let lines: Vec<&str> = log.lines().filter(|line| line.contains("serve")).collect();
            eprintln!("--- the server's log ---\n{}\n---", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
    ureq::Agent::new_with_config(config.timeout_global(Some(Duration::from_secs(60))).build())
}

fn finish(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = response.expect("an answer of the server");
    let headers: Vec<String> =
        response.headers().iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap_or(""))).collect();
    let text = response.body_mut().read_to_vec().expect("reading the answer");
    Answer {
        status: response.status().as_u16(),
        headers: headers.concat(),
        text: String::from_utf8_lossy(&text).into_owned(),
    }
}

/// Writes an installer environment.
pub fn environment(dir: &Path, kernel: &[u8], initrd: &[u8]) {
    fs::create_dir_all(dir.join("efi")).expect("making the environment");
    let mut files = json!({});
    for (name, content) in [("vmlinuz", kernel), ("initrd.img", initrd)] {
        fs::write(dir.join(name), content).expect("writing the environment");
        let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        files[name] = json!({"size": content.len(), "sha256": digest});
    }
    for name in ["shimx64.efi", "grubx64.efi"] {
        fs::write(dir.join("efi").join(name), name).expect("writing the environment");
    }
    let manifest = json!({
        "schema": 1, "arch": "x86_64", "kernel": "6.12.1", "image": "docker://registry.example/os",
        "digest": "sha256:00", "kargs": ["console=ttyS0", "quiet"], "files": files,
    });
    fs::write(dir.join("environment.json"), manifest.to_string()).expect("writing the environment");
}
