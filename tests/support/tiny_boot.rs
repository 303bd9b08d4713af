//! What a kernel needs to boot and say something: the demo image's kernel, and an initrd with
//! nothing but busybox in it.

// A panic is how a test fails.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{demo_image, need};

/// Writes a small initrd that runs `init`, a script for busybox; compressed, and of a length that
/// is no multiple of four.
pub fn initrd(init: &str, to: &Path) {
    let root = tempfile::tempdir().unwrap();
    for name in ["bin", "dev", "proc"] {
        fs::create_dir_all(root.path().join(name)).unwrap();
    }
    fs::copy(need("busybox", "busybox-static"), root.path().join("bin/busybox")).unwrap();
    fs::write(root.path().join("init"), init).unwrap();
    fs::set_permissions(root.path().join("init"), fs::Permissions::from_mode(0o755)).unwrap();
    let list = ["bin", "bin/busybox", "dev", "proc", "init"].join("\n");
    let mut cpio = Command::new(need("cpio", "cpio"))
        .args(["--create", "--format=newc", "--quiet"])
        .current_dir(root.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    cpio.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let archive = cpio.wait_with_output().unwrap().stdout;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&archive).unwrap();
    let mut packed = packed.finish().unwrap();
    // NULs between archives are skipped by the kernel.
    packed.resize(packed.len().next_multiple_of(4) + 1, 0);
    fs::write(to, packed).unwrap();
}

/// Writes the demo image's kernel.
pub fn kernel(to: &Path) {
    let layout = demo_image();
    let blob = |descriptor: &Value| layout.join("blobs").join(descriptor["digest"].as_str().unwrap().replace(':', "/"));
    let json = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap();
    let index = json(&layout.join("index.json"));
    let mut manifest = json(&blob(&index["manifests"][0]));
    if let Some(inner) = manifest["manifests"].get(0) {
        manifest = json(&blob(inner));
    }
    let layers = manifest["layers"].as_array().unwrap();
    let gzip = layers.iter().filter(|layer| layer["mediaType"].as_str().unwrap().ends_with("gzip"));
    for layer in gzip {
        let mut archive = tar::Archive::new(GzDecoder::new(File::open(blob(layer)).unwrap()));
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.path().unwrap().ends_with("vmlinuz") {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                return fs::write(to, content).unwrap();
            }
        }
    }
    panic!("no layer of {} has a kernel", layout.display());
}
