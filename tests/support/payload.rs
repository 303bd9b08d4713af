//! Something to boot that is quick: the demo image's kernel and an initrd with one script.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{demo_image, need};

/// Writes the demo image's kernel.
pub fn kernel(to: &Path) {
    let layout = demo_image();
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().expect("a digest");
        layout.join("blobs").join(digest.replace(':', "/"))
    };
    let json = |path: &Path| -> Value {
        serde_json::from_slice(&fs::read(path).expect("reading the layout")).expect("JSON in the layout")
    };
    let index = json(&layout.join("index.json"));
    let mut manifest = json(&blob(&index["manifests"][0]));
    if let Some(inner) = manifest["manifests"].get(0) {
        manifest = json(&blob(inner));
    }
    let layers = manifest["layers"].as_array().expect("layers");
    for layer in layers.iter().filter(|layer| layer["mediaType"].as_str().is_some_and(|kind| kind.ends_with("gzip"))) {
        let file = File::open(blob(layer)).expect("opening a layer");
        for entry in tar::Archive::new(GzDecoder::new(file)).entries().expect("reading a layer") {
            let mut entry = entry.expect("reading a layer");
            if entry.path().is_ok_and(|path| path.ends_with("vmlinuz")) {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).expect("reading the kernel");
                return fs::write(to, content).expect("writing the kernel");
            }
        }
    }
    panic!("no layer of {} has a kernel", layout.display());
}

/// Writes an initrd, compressed, of a length that is no multiple of four: busybox and `init`,
/// a script for it.
pub fn initrd(to: &Path, init: &str) {
    let dir = tempfile::tempdir().expect("making a directory");
    let root = dir.path();
    for name in ["bin", "dev", "proc"] {
        fs::create_dir(root.join(name)).expect("making the initrd");
    }
    fs::copy(need("busybox", "busybox-static"), root.join("bin/busybox")).expect("copying busybox");
    fs::write(root.join("init"), format!("#!/bin/busybox sh\n{init}")).expect("writing init");
    fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755)).expect("making init a program");
    let mut cpio = Command::new(need("cpio", "cpio"))
        .args(["--create", "--format=newc", "--quiet"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starting cpio");
    let list = ["bin", "bin/busybox", "dev", "proc", "init"].join("\n");
    cpio.stdin.take().expect("a pipe").write_all(list.as_bytes()).expect("writing to cpio");
    let archive = cpio.wait_with_output().expect("reading from cpio").stdout;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&archive).expect("packing");
    let mut packed = packed.finish().expect("packing");
    // NULs between archives are skipped by the kernel.
    packed.resize(packed.len().next_multiple_of(4) + 1, 0);
    fs::write(to, packed).expect("writing the initrd");
}
