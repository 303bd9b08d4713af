//! A throw-away SSH key and the client's options for machines that live for a minute.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{need, output, run};

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

/// Runs `script` by the login shell of `user` on a loopback port.
pub fn ssh(port: u16, key: &SshKey, user: &str, script: &str) -> Output {
    let mut command = Command::new(need("ssh", "openssh-client"));
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
    output(command.arg(format!("{user}@127.0.0.1")).arg(script))
}
