//! A real registry on loopback: Debian's `docker-registry` with a storage
//! directory that disappears with it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::network::{HOST, Network};
use super::{dies_with_the_test, free_port, need, run};

/// A running registry; stopped when dropped.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    port: u16,
    dir: TempDir,
    login: Option<(String, String)>,
}

impl Registry {
    /// Starts one that asks for no password.
    pub fn start() -> Self {
        Self::start_inner(None)
    }

    /// Starts one that wants this user and password (HTTP basic) for everything.
    pub fn start_with_login(user: &str, password: &str) -> Self {
        Self::start_inner(Some((user.to_owned(), password.to_owned())))
    }

    fn start_inner(login: Option<(String, String)>) -> Self {
        let program = need("docker-registry", "docker-registry");
        let dir = tempfile::tempdir().expect("making the registry's directory");
        // The port may be taken between finding and using it: try again.
        for _ in 0..3 {
            let port = free_port();
            let config = dir.path().join("config.yml");
            std::fs::write(&config, configuration(dir.path(), &format!("127.0.0.1:{port}"), login.as_ref()))
                .expect("writing its configuration");
            let log = File::create(dir.path().join("log")).expect("creating its log");
            let mut child = dies_with_the_test(&program)
                .arg("serve")
                .arg(&config)
                .stdin(Stdio::null())
                .stdout(log.try_clone().expect("sharing its log"))
                .stderr(log)
                .spawn()
                .expect("starting docker-registry");
            if answers(port, &mut child) {
                return Self { child, port, dir, login };
            }
            child.kill().ok();
            child.wait().ok();
        }
        let log = std::fs::read_to_string(dir.path().join("log")).unwrap_or_default();
        panic!("docker-registry does not answer:\n{log}");
    }

    /// `127.0.0.1:PORT`, as it stands in an image reference.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Serves the same images in `network` as well; `10.77.0.1:5000` in an image reference there.
    pub fn serve_in(&self, network: &mut Network) -> String {
        let address = format!("{HOST}:5000");
        let config = self.dir.path().join("network.yml");
        let text = configuration(self.dir.path(), &address, None);
        std::fs::write(&config, text).expect("writing its configuration");
        let mut command = network.command(&need("docker-registry", "docker-registry"));
        network.start("registry", command.arg("serve").arg(config));
        network.wait_for_http(&format!("http://{address}/v2/"));
        address
    }

    /// Copies `tag` of an OCI layout to `name` (such as `demo/os:1`), keeping
    /// every digest, and returns the digest of the manifest or index.
    pub fn push(&self, layout: &Path, tag: &str, name: &str) -> String {
        let digest_file = self.dir.path().join("digest");
        let mut skopeo = Command::new(need("skopeo", "skopeo"));
        skopeo.args(["copy", "--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false", "--digestfile"]);
        skopeo.arg(&digest_file);
        if self.login.is_some() {
            skopeo.arg("--dest-authfile").arg(self.auth_file());
        }
        skopeo.arg(format!("oci:{}:{tag}", layout.display()));
        run(skopeo.arg(format!("docker://{}/{name}", self.address())));
        let digest = std::fs::read_to_string(digest_file).expect("reading the pushed digest");
        digest.trim_end().to_owned()
    }

    /// A containers-auth.json with the login this registry wants (without a
    /// login: an empty one).
    pub fn auth_file(&self) -> PathBuf {
        let path = self.dir.path().join("auth.json");
        let auths = match &self.login {
            None => serde_json::json!({}),
            Some((user, password)) => {
                serde_json::json!({ self.address(): { "auth": base64(format!("{user}:{password}").as_bytes()) } })
            }
        };
        std::fs::write(&path, serde_json::json!({ "auths": auths }).to_string()).expect("writing auth.json");
        path
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn configuration(dir: &Path, address: &str, login: Option<&(String, String)>) -> String {
    let storage = dir.join("storage");
    let mut text = format!(
        "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
         http:\n  addr: {address}\n",
        storage.display()
    );
    if let Some((user, password)) = login {
        let file = dir.join("htpasswd");
        let mut out = File::create(&file).expect("creating htpasswd");
        writeln!(out, "{user}:{}", bcrypt(password)).expect("writing htpasswd");
        text += &format!("auth:\n  htpasswd:\n    realm: test\n    path: {}\n", file.display());
    }
    text
}

/// The registry takes bcrypt alone; perl (essential in Debian) has the C
/// library's crypt at hand.
fn bcrypt(password: &str) -> String {
    let script = r#"print crypt($ARGV[0], '$2b$04$abcdefghijklmnopqrstuu')"#;
    let hash = run(Command::new(need("perl", "perl-base")).args(["-e", script, password]));
    assert!(hash.starts_with("$2b$"), "this C library's crypt knows no bcrypt");
    hash
}

fn answers(port: u16, child: &mut Child) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline && matches!(child.try_wait(), Ok(None)) {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut answer = String::new();
            let asked = stream.write_all(b"GET /v2/ HTTP/1.0\r\nHost: localhost\r\n\r\n");
            if asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains("registry/2.0") {
                return true;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Base64 with padding, for one line; not worth a dependency.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let sextet = (group >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() { ALPHABET[sextet as usize].into() } else { '=' });
        }
    }
    text
}
