//! A throw-away SSH key and the client's options for machines that live for a minute.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::network::inside;
use super::{need, output, run};

/// How a machine is reached.
#[derive(Clone, Debug)]
pub enum Way {
    /// A loopback port that leads to its port 22.
    Port(u16),
    /// Its address in a namespace.
    Address {
        /// The namespace.
        namespace: String,
        /// The address.
        ip: String,
    },
}

/// A key pair in a directory of the test's own.
#[derive(Clone, Debug)]
pub struct SshKey {
    /// File with the private key.
    pub private: PathBuf,
    /// The line for `authorized_keys` or a kickstart's `sshkey`.
    pub public: String,
}

impl SshKey {
    /// Makes a new ed25519 pair, `dir/id` and `dir/id.pub`.
    pub fn generate(dir: &Path) -> Self {
        let private = dir.join("id");
        let keygen = need("ssh-keygen", "openssh-client");
        run(Command::new(keygen).args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(&private));
        let public = std::fs::read_to_string(dir.join("id.pub")).expect("reading the public key");
        Self { private, public: public.trim_end().to_owned() }
    }
}

/// Runs `script` by the login shell of `user`.
pub fn ssh(way: &Way, key: &SshKey, user: &str, script: &str) -> Output {
    output(client("ssh", way, key).arg(format!("{user}@{}", way.host())).arg(script))
}

impl Way {
    fn host(&self) -> &str {
        match self {
            Way::Port(_) => "127.0.0.1",
            Way::Address { ip, .. } => ip,
        }
    }
}

/// A user who is logged in: one connection, made at the first command, for all that are run.
/// To agree on keys takes an emulated machine longer than most commands do.
#[derive(Debug)]
pub struct Session {
    way: Way,
    key: SshKey,
    user: String,
    socket: PathBuf,
}

impl Session {
    /// Of `user`; its socket is made in `dir`.
    pub fn new(way: &Way, key: &SshKey, user: &str, dir: &Path) -> Self {
        Self { way: way.clone(), key: key.clone(), user: user.to_owned(), socket: dir.join("ssh") }
    }

    /// Runs `script` by the login shell.
    pub fn run(&self, script: &str) -> Output {
        output(self.client().args(["-o", "ControlMaster=auto", "-o", "ControlPersist=60"]).arg(self.host()).arg(script))
    }

    /// Copies files of this host into a directory of the machine.
    pub fn send(&self, files: &[&Path], directory: &str) {
        let mut command = client("scp", &self.way, &self.key);
        command.arg("-o").arg(format!("ControlPath={}", self.socket.display()));
        run(command.args(["-q", "-C"]).args(files).arg(format!("{}:{directory}", self.host())));
    }

    /// Ends the connection, whether the machine still answers or not.
    pub fn hang_up(&self) {
        if self.socket.exists() {
            output(self.client().args(["-O", "exit"]).arg(self.host()));
        }
    }

    fn client(&self) -> Command {
        let mut command = client("ssh", &self.way, &self.key);
        command.arg("-o").arg(format!("ControlPath={}", self.socket.display()));
        command
    }

    fn host(&self) -> String {
        format!("{}@{}", self.user, self.way.host())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.hang_up();
    }
}

/// A client (`ssh` or `scp`) with its options, without a host.
fn client(name: &str, way: &Way, key: &SshKey) -> Command {
    let program = need(name, "openssh-client");
    let (mut command, port) = match way {
        Way::Port(port) => (Command::new(program), *port),
        Way::Address { namespace, .. } => (inside(namespace, &program), 22),
    };
    command.arg("-i").arg(&key.private).args(["-o", &format!("Port={port}")]);
    for option in [
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "BatchMode=yes",
        "ConnectTimeout=10",
        // An emulated machine may be silent for long, but not for ever.
        "ServerAliveInterval=15",
        "ServerAliveCountMax=8",
        "LogLevel=ERROR",
    ] {
        command.args(["-o", option]);
    }
    command
}
