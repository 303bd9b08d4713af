//! What the end-to-end tests stand on: a real registry, a proxy that misbehaves
//! on request, tiny images, disks in files, machines in user-mode Linux and in QEMU.
//!
//! Everything here fails loudly: a missing program is a failed test that names
//! the Debian package, never a skipped one.

// The tail of a machine's serial console belongs next to the failed assertion.
#![allow(clippy::print_stderr)]

pub mod bootserver;
pub mod cli;
pub mod disk;
pub mod editor;
pub mod environment;
pub mod example;
pub mod faulty;
pub mod half;
pub mod installed;
pub mod iso;
pub mod layout;
pub mod mini_image;
pub mod mini_layer;
pub mod mini_system;
pub mod network;
pub mod odd_image;
pub mod packages;
pub mod payload;
pub mod peer;
pub mod places;
pub mod python;
pub mod qemu;
pub mod registry;
pub mod schema;
pub mod site;
pub mod ssh;
pub mod uml;
pub mod update;
pub mod vm;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The top of the source tree.
pub fn source_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// `bootc-ks-ostree`, which `cargo test --workspace` builds beside the command.
pub fn ostree_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_bootc-ks")).with_file_name("bootc-ks-ostree");
    assert!(program.is_file(), "{} is missing: run `cargo test --workspace`", program.display());
    program
}

/// The libraries that a program or a library names as needed, its own and not theirs.
pub fn needed_libraries(file: &Path) -> Vec<String> {
    let dynamic = run(Command::new(need("readelf", "binutils")).arg("--dynamic").arg("--wide").arg(file));
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    let names: Vec<String> =
        needed.filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']').to_owned())).collect();
    assert!(!names.is_empty(), "readelf names no library of {}", file.display());
    names
}

/// Fails the test, naming what to install, if `program` is not in PATH
/// (nor in the sbin directories, which PATH may lack).
pub fn need(program: &str, debian_package: &str) -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("`{program}` is missing: apt-get install {debian_package} (or run tools/setup)"))
}

/// Fails the test if it does not run as root.
pub fn need_root() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let root = status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    assert!(root, "this test works on loop devices and needs root");
}

/// Runs a command to its end and returns its output, whatever its status.
pub fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("starting {command:?}: {error}"))
}

/// Runs a command that has to succeed and returns its standard output.
pub fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The demo image's OCI layout (tags `demo`, `demo-next` and `demo-manager`), built if needed.
pub fn demo_image() -> PathBuf {
    need("mmdebstrap", "mmdebstrap");
    PathBuf::from(run(&mut Command::new(source_root().join("tests/image/build"))).trim_end())
}

/// The OCI layout of the second image (tag `fedora-style`), built if needed. Beside it, in `root`,
/// are the image's programs.
pub fn fedora_style_image() -> PathBuf {
    need("mmdebstrap", "mmdebstrap");
    PathBuf::from(run(&mut Command::new(source_root().join("tests/image-fedora-style/build"))).trim_end())
}

/// A command whose process dies with the test that started it, even if that
/// test is killed and drops nothing.
pub fn dies_with_the_test(program: &Path) -> Command {
    let mut command = Command::new(need("setpriv", "util-linux"));
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// A loopback port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binding a loopback port");
    listener.local_addr().expect("reading the port back").port()
}
