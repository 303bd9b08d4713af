//! What hangs on the machine: disks and discs that a kickstart or an image may be on, and the
//! certificates that were added to the environment.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use installer_core::host::{Host, Real};
use installer_core::program::Program;
use installer_core::{Error, Stage};

use super::consoles::Consoles;

/// How long a medium may take to appear that the command line names. Disks on USB take their time.
const PATIENCE: Duration = Duration::from_secs(30);
/// The bundle of the environment, which everything reads that speaks TLS.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Waits until udev has seen what is there.
pub fn wait_for_devices(consoles: &Consoles) {
    let settle = Program::new("udevadm").args(["settle", "--timeout=120"]);
    if let Err(error) = Real.run(&settle, &mut |_| ()) {
        consoles.say(&format!("warning: {error}; a disk may be missing"));
    }
}

/// Adds the site's certificate authorities to the bundle.
pub fn trust(consoles: &Consoles) {
    let Ok(entries) = fs::read_dir(Path::new("/").join(pxe::custom::CERTIFICATES)) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let added = fs::read(&path).and_then(|pem| {
            fs::create_dir_all("/etc/ssl/certs")?;
            let mut bundle = fs::OpenOptions::new().append(true).create(true).open(BUNDLE)?;
            bundle.write_all(b"\n")?;
            bundle.write_all(&pem)
        });
        match added {
            Ok(()) => consoles.say(&format!("trusting {}", path.display())),
            Err(error) => consoles.say(&format!("warning: {}: {error}", path.display())),
        }
    }
}

/// The node that `name` (`sda1`, `/dev/sda1`, `LABEL=…`, `UUID=…`) stands for, whether or not
/// it is there.
pub fn node(name: &str) -> PathBuf {
    for (prefix, directory) in
        [("LABEL=", "label"), ("CDLABEL=", "label"), ("UUID=", "uuid"), ("PARTUUID=", "partuuid")]
    {
        if let Some(value) = name.strip_prefix(prefix) {
            return Path::new("/dev/disk").join(format!("by-{directory}")).join(udev_name(value));
        }
    }
    if name.starts_with('/') { PathBuf::from(name) } else { Path::new("/dev").join(name) }
}

/// A label as udev writes it into a link's name.
fn udev_name(label: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c) || !c.is_ascii();
    label.chars().map(|c| if plain(c) { c.to_string() } else { format!("\\x{:02x}", u32::from(c)) }).collect()
}

/// Waits for it.
pub fn wait(name: &str, patience: Option<Duration>) -> Result<PathBuf, Error> {
    let (node, patience) = (node(name), patience.unwrap_or(PATIENCE));
    let deadline = Instant::now() + patience;
    while !node.exists() {
        if Instant::now() >= deadline {
            return Err(Error::world(
                Stage::Request,
                format!("there is no {name}: {} did not appear within {} s", node.display(), patience.as_secs()),
            )
            .hint("is the medium still in, and has the image's kernel a driver for it (USB)? a slow one gets more time by \
                 inst.wait_for_disks=SECONDS"));
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    Ok(node)
}

/// Mounts it at `at`, read-only.
pub fn mount(name: &str, at: &Path, patience: Option<Duration>) -> Result<(), Error> {
    let node = wait(name, patience)?;
    let doing = format!("mounting {name}");
    fs::create_dir_all(at).map_err(|error| Error::failed(Stage::Request, doing.clone()).because(error))?;
    let mount = Program::new("mount").args(["-o", "ro"]).arg(node.display().to_string()).arg(at.display().to_string());
    Real.run(&mount, &mut |_| ()).map_err(|error| Error::world(Stage::Request, doing).because(error))
}

/// Reads one file of it.
pub fn read(name: &str, path: &str, patience: Option<Duration>) -> Result<Vec<u8>, Error> {
    let at = Path::new(super::places::WORK).join("source");
    mount(name, &at, patience)?;
    read_and_unmount(&at, path.trim_start_matches('/'))
        .map_err(|error| Error::input(Stage::Request, format!("{path} on {name}: {error}")))
}

/// Reads a file of what is mounted at `at`, and ends the mount.
pub fn read_and_unmount(at: &Path, path: &str) -> std::io::Result<Vec<u8>> {
    let text = fs::read(at.join(path));
    Real.unmount(at)?;
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_have_many_names() {
        assert_eq!(node("sda1"), Path::new("/dev/sda1"));
        assert_eq!(node("/dev/vda"), Path::new("/dev/vda"));
        assert_eq!(node("LABEL=My Disk"), Path::new("/dev/disk/by-label/My\\x20Disk"));
        assert_eq!(node("UUID=12-34"), Path::new("/dev/disk/by-uuid/12-34"));
    }
}
