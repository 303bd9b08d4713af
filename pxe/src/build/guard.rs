//! An initramfs that is not whole says so. A kernel that runs out of memory while it unpacks, or
//! that got half of the file, writes a line that is not seen and goes on with what it has. So the
//! first program lies in front of everything else, with the little that it needs to speak, and
//! a mark behind everything else tells it that all is there.
//!
//! ```text
//! /init, bash, its libraries │ what dracut made │ /etc/bootc-ks/whole
//! ```
//!
//! What `netboot customize` adds comes behind the mark; if that is cut off there is no kickstart,
//! which is said as well. An archive that ends within dracut's own copy of bash or of the C library
//! cannot speak: they lie over those in front.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Component, Path};

use installer_core::error::Context as _;
use installer_core::host::Host;
use installer_core::host::root::Root;
use installer_core::program::Program;
use installer_core::{Error, Result, Stage};

use installer_core::image::newc::{Writer, padding};

/// The first program: a script.
const INIT: &str = include_str!("../../module/init");
/// What it is written for.
const SHELL: &str = "/bin/bash";
/// The mark.
const WHOLE: &str = "etc/bootc-ks/whole";

/// Writes `initrd`, which dracut made inside `root`, to `to`, with both around it.
pub fn wrap(root: &Path, files: &dyn Root, host: &dyn Host, initrd: &str, to: &Path) -> Result<()> {
    let doing = "writing the initramfs";
    let mut out = File::create(to).doing(Stage::Media, doing)?;
    out.write_all(&front(root, files, host)?).doing(Stage::Media, doing)?;
    let length =
        std::io::copy(&mut files.file(initrd).doing(Stage::Media, doing)?, &mut out).doing(Stage::Media, doing)?;
    out.write_all(padding(length)).doing(Stage::Media, doing)?;
    let mut behind = Writer::new();
    behind.file(WHOLE, 0o644, b"")?;
    out.write_all(&behind.finish()).doing(Stage::Media, doing)
}

fn front(root: &Path, files: &dyn Root, host: &dyn Host) -> Result<Vec<u8>> {
    let mut archive = Writer::new();
    archive.file("init", 0o755, INIT.as_bytes())?;
    let mut links = BTreeSet::new();
    for path in libraries(root, host)?.iter().map(String::as_str).chain([SHELL]) {
        let (path, link) = place(files, path)?;
        if let Some((name, target)) = link.filter(|(name, _)| links.insert(name.clone())) {
            archive.link(&name, &target)?;
        }
        archive.file(&path, 0o755, &content(files, &path)?)?;
    }
    Ok(archive.finish())
}

/// What the dynamic loader would load for the shell, and the loader itself.
fn libraries(root: &Path, host: &dyn Host) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let ldd = Program::new("ldd").arg(SHELL).inside(root);
    host.run(&ldd, &mut |line| {
        paths.extend(line.split_whitespace().find(|word| word.starts_with('/')).map(str::to_owned))
    })
    .doing(Stage::Media, "finding what bash needs")?;
    if paths.is_empty() {
        return Err(Error::failed(Stage::Media, "finding what bash needs: ldd names no library"));
    }
    Ok(paths)
}

/// Where the kernel is to put what is called `path`: /lib and the like are links to /usr/lib,
/// which have to be there first. The name of the link and where it leads come beside it.
fn place(files: &dyn Root, path: &str) -> Result<(String, Option<(String, String)>)> {
    let relative = path.trim_start_matches('/');
    let Some((top, rest)) = relative.split_once('/') else { return Ok((relative.to_owned(), None)) };
    match files.read_link(top) {
        None => Ok((relative.to_owned(), None)),
        Some(target) => {
            let plain = target.components().all(|part| matches!(part, Component::Normal(_)));
            let target = target.to_str().filter(|_| plain).ok_or_else(|| {
                Error::world(Stage::Media, format!("/{top} of the image leads to {}", target.display()))
                    .hint("it has to be a directory, or a relative link to one")
            })?;
            Ok((format!("{target}/{rest}"), Some((top.to_owned(), target.to_owned()))))
        }
    }
}

/// A file of the image, which may be a link within it.
fn content(files: &dyn Root, path: &str) -> Result<Vec<u8>> {
    files.read_bytes(path).doing(Stage::Media, format_args!("reading /{path} of the image"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use installer_core::host::root::TargetRoot;

    use super::*;

    #[test]
    fn what_lies_behind_a_link_comes_to_its_real_place() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("usr/lib")).unwrap();
        fs::create_dir(dir.path().join("opt")).unwrap();
        std::os::unix::fs::symlink("usr/lib", dir.path().join("lib")).unwrap();
        std::os::unix::fs::symlink("/etc", dir.path().join("lib64")).unwrap();
        let link = Some(("lib".to_owned(), "usr/lib".to_owned()));
        let files = TargetRoot::open(dir.path()).unwrap();
        assert_eq!(place(&files, "/lib/x86/libc.so").unwrap(), ("usr/lib/x86/libc.so".to_owned(), link));
        assert_eq!(place(&files, "/opt/a").unwrap(), ("opt/a".to_owned(), None));
        assert_eq!(place(&files, "/lib64/a").unwrap_err().exit_code(), 3);
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("opt/out")).unwrap();
        // From the image's own root there is no such file.
        assert!(content(&files, "opt/out").unwrap_err().to_string().contains("reading /opt/out of the image"));
    }
}
