//! The installer environment of the demo image, made once for our two programs and an image,
//! and kept below target/.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::disk::file_sha256;
use super::{demo_image, need_root, ostree_program, run, source_root};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Where that of the demo image is.
pub fn environment() -> PathBuf {
    environment_of("demo")
}

/// Where that of the image with this tag is; made by `bootc-ks netboot build` if it is not there.
pub fn environment_of(tag: &str) -> PathBuf {
    need_root();
    let _lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (command, layout) = (PathBuf::from(env!("CARGO_BIN_EXE_bootc-ks")), demo_image());
    let image = fs::canonicalize(&layout).expect("finding the demo image");
    let image = image.parent().and_then(|dir| dir.file_name()).expect("the image's key").to_string_lossy().into_owned();
    let all = source_root().join("target/environments");
    let (ours, ostree) = (file_sha256(&command), file_sha256(&ostree_program()));
    let key = format!("{image}-{}-{}", &ours[..16], &ostree[..16]);
    let dir = all.join(format!("{key}-{tag}"));
    if !dir.join("environment.json").is_file() {
        // Those of earlier commands are of no use; what is being made is hidden.
        for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with('.') && !name.starts_with(&key) {
                fs::remove_dir_all(entry.path()).ok();
            }
        }
        fs::create_dir_all(&all).expect("making a directory for environments");
        let reference = format!("oci:{}:{tag}", layout.display());
        run(Command::new(command).args(["netboot", "build", "--image", &reference, "--output"]).arg(&dir));
    }
    dir
}
