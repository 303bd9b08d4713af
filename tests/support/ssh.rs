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
    let program = need("ssh", "openssh-client");
    let (mut command, host, port) = match way {
        Way::Port(port) => (Command::new(program), "127.0.0.1", *port),
        Way::Address { namespace, ip } => (inside(namespace, &program), ip.as_str(), 22),
    };
    command.arg("-i").arg(&key.private).args(["-p", &port.to_string()]);
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
    output(command.arg(format!("{user}@{host}")).arg(script))
}
