//! A mini image that goes through a whole installation: what bootable ones have, a shell for
//! scripts, accounts, and one of everything that an importer can get wrong.

use std::path::Path;
use std::process::Command;

use super::mini_image::{Compression, Layer, MiniImage};
use super::{need, run};

/// Kernel arguments that the image brings, in order.
pub const KARGS: [&str; 3] = ["mini.install=1", "mini.first=1", "mini.second=2"];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const SHADOW: &str = "root:$6$from$theimage:20000:0:99999:7:::\nnobody:*:20000:0:99999:7:::\n";
const GROUP: &str = "root:x:0:\nwheel:x:10:\nnogroup:x:65534:\n";
const GSHADOW: &str = "root:*::\nwheel:*::\nnogroup:*::\n";

/// Three layers (gzip, zstd, gzip) that make one small system.
pub fn mini_system() -> MiniImage {
    MiniImage::bootable().layer(base()).layer(changes())
}

/// Accounts, a shell with its libraries, and what the next layer will hide.
fn base() -> Layer {
    let mut layer = Layer::new(Compression::Zstd);
    for (link, target) in [("bin", "usr/bin"), ("lib", "usr/lib"), ("lib64", "usr/lib64"), ("root", "var/roothome")] {
        layer = layer.symlink(link, target);
    }
    let shell = std::fs::canonicalize("/bin/sh").expect("finding this machine's shell");
    layer = add_host_file(layer, "usr/bin/sh", &shell);
    for library in libraries_of(&shell) {
        let name = library.strip_prefix("/").unwrap_or(&library).to_string_lossy().into_owned();
        let name = if name.starts_with("usr/") { name } else { format!("usr/{name}") };
        layer = add_host_file(layer, &name, &library);
    }
    units(layer)
        .file("etc/passwd", 0o644, PASSWD.as_bytes())
        .file("etc/shadow", 0o640, SHADOW.as_bytes())
        .file("etc/group", 0o644, GROUP.as_bytes())
        .file("etc/gshadow", 0o640, GSHADOW.as_bytes())
        .file("etc/hostname", 0o644, b"")
        .file("etc/skel/.profile", 0o644, b"# from skel\n")
        .file("etc/removed.conf", 0o644, b"hidden by the next layer\n")
        .file("usr/share/zoneinfo/Etc/UTC", 0o644, b"TZif2")
        .dir("usr/share/mini", 0o750)
        .file("usr/share/mini/kept", 0o644, b"kept\n")
        .file("usr/share/mini/replaced", 0o644, b"old\n")
        .dir("usr/share/mini/opaque", 0o711)
        .file("usr/share/mini/opaque/old", 0o644, b"hidden\n")
        .dir("usr/share/mini/gone", 0o755)
        .file("usr/share/mini/gone/file", 0o644, b"hidden\n")
        .dir("var/lib", 0o755)
        .file("var/lib/state", 0o600, b"what the image has in /var\n")
}

/// Units, and what they would start: a firewall whose program writes down what it is asked for, a clock,
/// connections.
fn units(layer: Layer) -> Layer {
    let unit = |install: &str| format!("[Unit]\n\n[Install]\n{install}\n").into_bytes();
    let wanted = unit("WantedBy=multi-user.target");
    let mut layer = layer.file("usr/lib/systemd/system/multi-user.target", 0o644, b"[Unit]\n");
    for name in ["NetworkManager", "chronyd", "firewalld", "kdump"] {
        layer = layer.file(&format!("usr/lib/systemd/system/{name}.service"), 0o644, &wanted);
    }
    let ssh = unit("WantedBy=multi-user.target\nAlias=sshd.service");
    let firewall = b"#!/bin/sh\necho \"$@\" > /etc/firewall-was-told\n";
    layer
        .file("usr/lib/systemd/system/ssh.service", 0o644, &ssh)
        .file("usr/lib/systemd/system/getty@.service", 0o644, &unit("WantedBy=getty.target"))
        .symlink("etc/systemd/system/multi-user.target.wants/kdump.service", "/usr/lib/systemd/system/kdump.service")
        .file("usr/bin/firewall-offline-cmd", 0o755, firewall)
        .file("etc/chrony.conf", 0o644, b"pool pool.example iburst\ndriftfile /var/lib/chrony/drift\n")
}

/// What a layer on top can do to one below.
fn changes() -> Layer {
    Layer::new(Compression::Gzip)
        .whiteout("etc/removed.conf")
        .whiteout("usr/share/mini/gone")
        .opaque("usr/share/mini/opaque")
        .file("usr/share/mini/opaque/new", 0o644, b"seen\n")
        .file("usr/share/mini/replaced", 0o600, b"new\n")
        .file("usr/bin/set-id", 0o4755, b"#!/bin/sh\n")
        .file("usr/bin/set-group", 0o2711, b"#!/bin/sh\n")
        .capable_file("usr/bin/capable", b"#!/bin/sh\n#\n")
        .file("usr/share/mini/a", 0o644, b"one file, two names\n")
        .hard_link("usr/share/mini/b", "usr/share/mini/a")
        .symlink("usr/share/mini/dangling", "nowhere")
        .xattr_for_next("user.note", b"kept too")
        .file("usr/share/mini/noted", 0o644, b"")
        .file("usr/share/mini/large", 0o644, &large())
        .file("usr/lib/bootc/install/10-mini.toml", 0o644, b"[install]\nkargs = [\"mini.install=1\"]\n")
        .file("usr/lib/bootc/kargs.d/10-a.toml", 0o644, b"kargs = [\"mini.first=1\"]\n")
        .file("usr/lib/bootc/kargs.d/20-b.toml", 0o644, b"kargs = [\"mini.second=2\"]\n")
}

/// More than what an importer holds in memory at once, and not all the same.
fn large() -> Vec<u8> {
    (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn add_host_file(layer: Layer, name: &str, path: &Path) -> Layer {
    let content = std::fs::read(path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
    layer.file(name, 0o755, &content)
}

/// The libraries that a program of this machine is linked with, the loader among them.
fn libraries_of(program: &Path) -> Vec<std::path::PathBuf> {
    let list = run(Command::new(need("ldd", "libc-bin")).arg(program));
    list.split_whitespace().filter(|word| word.starts_with('/')).map(Into::into).collect()
}
