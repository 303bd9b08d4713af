//! Images in which everything is allowed and little is usual: for two importers to agree about.

use super::mini_image::{Compression, Layer, MiniImage};

/// Owners, names, kinds that change from layer to layer, whiteouts where they are awkward.
pub fn odd_image() -> MiniImage {
    MiniImage::bootable().layer(lower()).layer(upper()).layer(last())
}

/// A layer that begins with these directories.
fn dirs(names: &[&str]) -> Layer {
    names.iter().fold(Layer::new(Compression::Gzip), |layer, name| layer.dir(name, 0o755))
}

fn lower() -> Layer {
    // With all parents, as container builders write them.
    let mut layer = dirs(&["etc", "usr", "usr/share", "usr/share/odd", "usr/share/odd/deep", "usr/share/kinds"]);
    for dir in ["var", "var/cache", "opt", "opt/tool", "srv", "run", "run/secrets", "tmp", "dev"] {
        layer = layer.dir(dir, 0o755);
    }
    let layer = layer
        .file("etc/hostname", 0o644, b"")
        .file("etc/resolv.conf", 0o644, b"nameserver 192.0.2.1\n")
        .file("etc/shadow", 0o000, b"root:!::\n")
        // A path that is not written in the shortest way.
        .file("./usr/share//odd/./deep/file", 0o644, b"deep\n")
        .owned("usr/share/odd/owned", 0o2750, (2_900_000, 2_900_001), b"by others\n")
        .file("usr/share/odd/grüße – žluťoučký kůň 日本", 0o644, b"not ASCII\n")
        .file("usr/share/odd/ space\ttab\\x", 0o644, b"odd letters\n")
        .symlink("usr/share/odd/ünïcode", "grüße – žluťoučký kůň 日本")
        .long(&format!("usr/share/odd/{}", "n".repeat(240)), b"a name of 240 bytes\n")
        .symlink("usr/share/odd/long", &"../x/".repeat(60))
        .file("etc/two-names", 0o644, b"one file, two names\n")
        .hard_link("usr/share/odd/two-names", "etc/two-names")
        .dir("var/tmp", 0o1777)
        .file("var/cache/state", 0o640, b"of /var\n")
        .file("opt/tool/run", 0o755, b"tool\n")
        .file("srv/index", 0o644, b"www\n");
    // What a lower layer has, to be replaced by another kind or hidden.
    layer
        .dir("usr/share/kinds", 0o700)
        .dir("usr/share/kinds/dir-to-file", 0o755)
        .dir("usr/share/kinds/dir-to-link", 0o755)
        .dir("usr/share/kinds/opaque", 0o700)
        .dir("usr/share/kinds/opaque/sub", 0o700)
        .dir("usr/share/kinds/hidden", 0o700)
        .file("usr/share/kinds/file-to-dir", 0o644, b"file\n")
        .file("usr/share/kinds/dir-to-file/inside", 0o644, b"inside\n")
        .file("usr/share/kinds/dir-to-link/inside", 0o644, b"inside\n")
        .symlink("usr/share/kinds/link-to-dir", "dir-to-file")
        .symlink("usr/share/kinds/link-to-file", "file-to-dir")
        .dir("usr/share/kinds/kept-mode", 0o711)
        .file("usr/share/kinds/opaque/old", 0o644, b"old\n")
        .file("usr/share/kinds/opaque/sub/old", 0o644, b"old\n")
        .file("usr/share/kinds/again", 0o644, b"first\n")
        .file("usr/share/kinds/hidden/a", 0o644, b"a\n")
        .file("run/secrets/key", 0o600, b"dropped\n")
        .file("tmp/build", 0o600, b"dropped\n")
        .file("dev/console", 0o600, b"dropped\n")
}

fn upper() -> Layer {
    dirs(&["etc", "usr", "usr/share", "usr/bin", "usr/share/kinds", "usr/share/odd"])
        .dir("usr/share/kinds/file-to-dir", 0o710)
        .file("usr/share/kinds/file-to-dir/inside", 0o644, b"inside\n")
        .file("usr/share/kinds/dir-to-file", 0o600, b"file\n")
        .symlink("usr/share/kinds/dir-to-link", "kept-mode")
        .dir("usr/share/kinds/link-to-dir", 0o750)
        .file("usr/share/kinds/link-to-dir/inside", 0o644, b"inside\n")
        .file("usr/share/kinds/link-to-file", 0o644, b"file\n")
        .dir("usr/share/kinds/kept-mode", 0o755)
        // Content before and behind the mark, and a mode that counts now.
        .dir("usr/share/kinds/opaque", 0o750)
        .file("usr/share/kinds/opaque/before", 0o644, b"new\n")
        .opaque("usr/share/kinds/opaque")
        .dir("usr/share/kinds/opaque/sub", 0o755)
        .file("usr/share/kinds/opaque/sub/new", 0o644, b"new\n")
        // Hidden and there again, in one layer.
        .whiteout("usr/share/kinds/again")
        .file("usr/share/kinds/again", 0o600, b"second\n")
        .whiteout("usr/share/kinds/hidden")
        .whiteout("usr/share/kinds/never-there")
        .whiteout("etc/resolv.conf")
        .file("etc/resolv.conf", 0o644, b"")
        .xattr_for_next("user.on-dir", b"\x00\x01binary")
        .dir("usr/share/odd/attributed", 0o755)
        .capable_file("usr/bin/capable", b"#!/bin/sh\n")
}

fn last() -> Layer {
    let mut layer = Layer::new(Compression::Zstd);
    for dir in ["usr", "usr/share", "usr/bin", "usr/share/kinds", "usr/share/odd"] {
        layer = layer.dir(dir, 0o755);
    }
    layer
        .dir("usr/share/kinds/hidden", 0o751)
        .dir("usr/share/kinds/new", 0o752)
        .dir("usr/share/kinds/fresh", 0o753)
        .file("usr/share/kinds/hidden/b", 0o644, b"b\n")
        .file("usr/share/kinds/new/.wh.gone", 0o644, b"")
        .opaque("usr/share/kinds/fresh")
        .file("usr/share/kinds/fresh/x", 0o644, b"x\n")
        .file("usr/bin/set-id", 0o4755, b"#!/bin/sh\n")
        .file("usr/bin/all-bits", 0o7777, b"#!/bin/sh\n")
        .file("usr/share/odd/empty", 0o644, b"")
        .hard_link("usr/share/odd/empty-too", "usr/share/odd/empty")
}

const RULES: &str = "/.* system_u:object_r:default_t:s0\n/usr(/.*)? system_u:object_r:usr_t:s0\n\
    /usr/bin(/.*)? system_u:object_r:bin_t:s0\n/etc(/.*)? system_u:object_r:etc_t:s0\n\
    /var(/.*)? system_u:object_r:var_t:s0\n/etc/shadow system_u:object_r:shadow_t:s0\n\
    /var/home <<none>>\n";

/// A layer that says something of a directory and has something below it without a parent.
pub fn parentless() -> Layer {
    dirs(&["usr", "usr/share"]).dir("usr/share/private", 0o700).owned(
        "usr/share/private/missing/file",
        0o600,
        (7, 8),
        b"of others\n",
    )
}

/// What empties the two files that are left out of a plain image when they are empty.
pub fn without_empty_files() -> Layer {
    dirs(&["etc"]).whiteout("etc/hostname").whiteout("etc/resolv.conf")
}

/// The files of an SELinux policy below /etc, as far as labels are concerned.
pub const POLICY: [(&str, &str); 3] = [
    ("selinux/config", "SELINUX=enforcing\nSELINUXTYPE=mini\n"),
    ("selinux/mini/policy/policy.33", "not read by the labelling"),
    ("selinux/mini/contexts/files/file_contexts", RULES),
];

/// A layer with that policy.
pub fn policy() -> Layer {
    let parents = ["etc", "etc/selinux", "etc/selinux/mini", "etc/selinux/mini/policy", "etc/selinux/mini/contexts"];
    let layer = dirs(&parents).dir("etc/selinux/mini/contexts/files", 0o755);
    POLICY.iter().fold(layer, |layer, (path, text)| layer.file(&format!("etc/{path}"), 0o644, text.as_bytes()))
}
