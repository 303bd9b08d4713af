//! What is installed and packaged: files below a prefix, the Debian package, the RPM. All of the
//! programs that this very test run was built with; nothing is compiled for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::{need, run, source_root};

/// Where the programs are: target/debug.
pub fn build() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bootc-ks")).parent().expect("a program is in a directory")
}

/// `program` of this repository, which finds the programs in the same target directory.
pub fn script(program: &str) -> Command {
    let mut command = Command::new(source_root().join(program));
    command.current_dir(source_root());
    command.env("CARGO_TARGET_DIR", build().parent().expect("target/debug is in target"));
    command
}

/// What `make install` puts below a prefix of the test's own.
pub fn installed() -> TempDir {
    let prefix = tempfile::tempdir().expect("making a directory");
    let mut make = Command::new(need("make", "make"));
    make.arg("--silent").arg("install").current_dir(source_root()).env_remove("MAKEFLAGS").env_remove("MFLAGS");
    make.arg(format!("BUILD={}", build().display())).arg(format!("PREFIX={}", prefix.path().display()));
    run(make.arg("DESTDIR="));
    prefix
}

/// The Debian package of the programs under test.
pub fn deb() -> &'static Path {
    static DEB: OnceLock<PathBuf> = OnceLock::new();
    DEB.get_or_init(|| {
        need("dpkg-shlibdeps", "dpkg-dev");
        let output = build().join("packages/bootc-ks.deb");
        fs::create_dir_all(output.with_file_name("")).expect("making the packages' directory");
        run(script("packaging/deb").arg(build()).arg(&output).arg("--fast"));
        output
    })
}

/// A field of the package, such as `Depends`, without versions and alternatives.
pub fn field(deb: &Path, name: &str) -> Vec<String> {
    let text = run(Command::new(need("dpkg-deb", "dpkg")).arg("--field").arg(deb).arg(name));
    let names = text.split(',').filter_map(|entry| entry.split_whitespace().next());
    names.map(str::to_owned).collect()
}

/// A root directory of Debian as it is first installed; the test's own, removed with it.
#[derive(Debug)]
pub struct Root {
    dir: TempDir,
}

impl Root {
    /// A copy of the cached one.
    pub fn fresh() -> Self {
        need("mmdebstrap", "mmdebstrap");
        let cached = run(&mut script("tests/package-root/build"));
        // On the same file system, where a copy may share its blocks.
        let dir = tempfile::tempdir_in(build()).expect("making a directory");
        run(Command::new("cp").args(["-a", "--reflink=auto"]).arg(cached.trim_end()).arg(dir.path().join("root")));
        Self { dir }
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("root").join(name)
    }

    /// Runs `program` inside, with this machine's devices, `media` at /media, and no network. What
    /// is mounted for that is mounted in a namespace of its own, and vanishes with the program.
    pub fn run(&self, media: &Path, program: &[&str]) -> String {
        // The installation makes a mount namespace, which wants the root to be a mount point.
        let script = "mount --make-rprivate /\nmount --bind \"$1\" \"$1\"\n\
            mount --rbind /dev \"$1/dev\"\nmount --rbind /sys \"$1/sys\"\nmount -t proc proc \"$1/proc\"\n\
            mount -t tmpfs tmpfs \"$1/run\"\nmount -t tmpfs tmpfs \"$1/tmp\"\n\
            mount --bind \"$2\" \"$1/media\"\n\
            root=$1; shift 2\nexec chroot \"$root\" \"$@\"";
        let mut command = Command::new(need("unshare", "util-linux"));
        command.args(["--mount", "--net", "--fork", "--kill-child", "sh", "-ec", script, "sh"]);
        command.arg(self.path("")).arg(media).args(program);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root");
        run(command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C.UTF-8"))
    }
}

/// Every file below `dir`, by its path there, sorted.
pub fn files(dir: &Path) -> Vec<String> {
    let listing = run(Command::new("find").arg(dir).args(["-type", "f", "-printf", "%P\\n"]));
    let mut list: Vec<String> = listing.lines().map(str::to_owned).collect();
    list.sort();
    list
}
