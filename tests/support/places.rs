//! Places where a kickstart may lie, beside a web server: an FTP and an NFS server in a network of
//! the test's, each a real one with a directory of its own.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::network::{HOST, Network, wait_until};
use super::{free_port, need};

/// A server, stopped when dropped.
#[derive(Debug)]
pub struct Place {
    /// Where it listens on [`HOST`].
    pub port: u16,
    child: Child,
    dir: TempDir,
}

impl Place {
    /// Debian's pyftpdlib, for every client to read.
    pub fn ftp(network: &Network, name: &str, text: &str) -> Self {
        let (dir, port) = (shared(name, text), free_port());
        // Debian's own Python, which has Debian's modules.
        let mut server = network.command(Path::new("/usr/bin/python3"));
        server.args(["-m", "pyftpdlib", "--interface", HOST, "--port", &port.to_string(), "--directory"]);
        server.arg(dir.path().join("shared"));
        Self::start(network, server, dir, port, "python3-pyftpdlib")
    }

    /// nfs-ganesha, which exports the directory as /ks.
    pub fn nfs(network: &Network, name: &str, text: &str) -> Self {
        let (dir, port) = (shared(name, text), free_port());
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("recovery")).expect("making the server's directory");
        let configuration = format!(
            "NFS_CORE_PARAM {{ Protocols = 4; NFS_Port = {port}; Bind_addr = {HOST}; Enable_RQUOTA = false; \
             Enable_NLM = false; }}\nNFSV4 {{ Graceless = true; RecoveryBackend = fs_ng; RecoveryRoot = {}; }}\n\
             EXPORT {{ Export_Id = 1; Path = {}; Pseudo = /ks; Access_Type = RO; Squash = No_Root_Squash; \
             Protocols = 4; Transports = TCP; SecType = sys; FSAL {{ Name = VFS; }} }}\n",
            path("recovery").display(),
            path("shared").display()
        );
        fs::write(path("ganesha.conf"), configuration).expect("writing the server's configuration");
        let mut server = network.command(&need("ganesha.nfsd", "nfs-ganesha"));
        server.arg("-F").arg("-f").arg(path("ganesha.conf")).arg("-L").arg(path("ganesha.log"));
        server.arg("-p").arg(path("ganesha.pid"));
        Self::start(network, server, dir, port, "nfs-ganesha nfs-ganesha-vfs")
    }

    fn start(network: &Network, mut server: Command, dir: TempDir, port: u16, package: &str) -> Self {
        let log: PathBuf = dir.path().join("server.log");
        let out = File::create(&log).expect("creating a log");
        server.stdin(Stdio::null()).stdout(out.try_clone().expect("sharing a log")).stderr(out);
        let child = server.spawn().unwrap_or_else(|error| panic!("starting {server:?}: {error}"));
        let mut place = Place { port, child, dir };
        wait_until(Duration::from_secs(30), "the server listens", || {
            let ended = place.child.try_wait().expect("looking after the server");
            let said = fs::read_to_string(&log).unwrap_or_default();
            assert!(ended.is_none(), "it ended ({package} is needed; run tools/setup):\n{said}");
            network.within(|| TcpStream::connect((HOST, port)).is_ok())
        });
        place
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            for name in ["server.log", "ganesha.log"] {
                eprintln!("--- {name} ---\n{}", fs::read_to_string(self.dir.path().join(name)).unwrap_or_default());
            }
        }
    }
}

/// A directory with one file in `shared`.
fn shared(name: &str, text: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("making the server's directory");
    fs::create_dir(dir.path().join("shared")).expect("making the server's directory");
    fs::write(dir.path().join("shared").join(name), text).expect("writing into it");
    dir
}
