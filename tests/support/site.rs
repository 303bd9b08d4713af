//! A directory with all that one installation of a mini image needs, and the disks to look
//! into afterwards.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::cli::{Outcome, bootc_ks, finish};
use super::disk::LoopDevice;
use super::mini_image::MiniImage;
use super::{need, output, run};

/// A password that no output may have.
pub const SECRET: &str = "correct-horse-battery";
/// The ssh key that is let in.
pub const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE1pbmlNaW5pTWluaU1pbmlNaW5pTWluaU1pbmlNaW5p mini@example";

/// The working directory of a test: a kickstart, an image layout, a disk image to be.
#[derive(Debug)]
pub struct Site {
    /// The directory; everything relative is in it.
    pub dir: TempDir,
}

impl Site {
    /// A directory with `image` in `oci` (tag `mini`) and a plain `site.ks`.
    pub fn with(image: MiniImage) -> Self {
        let site = Self { dir: tempfile::tempdir().expect("making the site's directory") };
        image.write(&site.path("oci"), "mini");
        site.write("site.ks", &kickstart(""));
        site
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap_or_else(|error| panic!("writing {name}: {error}"));
    }

    /// Runs the command in it.
    pub fn run(&self, args: &[&str]) -> Outcome {
        finish(bootc_ks(self.dir.path()).args(args))
    }

    /// `install site.ks` with a log of its own and `more` arguments.
    pub fn install(&self, more: &[&str]) -> Outcome {
        self.run(&[&["install", "site.ks", "--log", "install.log"], more].concat())
    }

    /// [`Site::install`] of the layout's image onto a new `disk.img`.
    pub fn install_image(&self, more: &[&str]) -> Outcome {
        let onto = ["--image", "oci:oci:mini", "--disk-image", "disk.img", "--size", "700M"];
        self.install(&[&onto, more].concat())
    }

    /// The permissions of a file in it.
    pub fn mode(&self, name: &str) -> u32 {
        let meta = self.path(name).metadata().unwrap_or_else(|error| panic!("{name}: {error}"));
        std::os::unix::fs::MetadataExt::mode(&meta) & 0o7777
    }

    /// Every file name in it, to see what a failure leaves behind.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).expect("listing the site's directory");
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A kickstart that puts a mini image on one small partition, and `more` lines.
pub fn kickstart(more: &str) -> String {
    format!(
        "lang en_US.UTF-8\nkeyboard us\ntimezone Etc/UTC --utc\nnetwork --hostname=mini\n\
         part / --fstype=ext4 --size=520 --grow\nbootloader --location=none --append=\"site.last=1\"\n\
         user --name=admin-user --groups=wheel --plaintext --password={SECRET}\n\
         sshkey --username=admin-user \"{KEY}\"\n\
         ostreecontainer --url=registry.example/mini:1 --no-signature-verification\n{more}"
    )
}

/// A file system mounted from a partition of a disk image; unmounted when dropped.
#[derive(Debug)]
pub struct Mounted {
    dir: TempDir,
    // Let go after the file system.
    _device: Option<LoopDevice>,
}

impl Mounted {
    /// Partition `number` of the disk image at `image`, read-only.
    pub fn partition(image: &Path, number: u32) -> Self {
        Self::mount_partition(image, number, "ro")
    }

    /// The same, to be written to.
    pub fn writable(image: &Path, number: u32) -> Self {
        Self::mount_partition(image, number, "rw")
    }

    fn mount_partition(image: &Path, number: u32, options: &str) -> Self {
        let device = LoopDevice::attach(image);
        let node = device.partition(number);
        Self { dir: mount(&node, options), _device: Some(device) }
    }

    /// The file system on `node`, read-only.
    pub fn node(node: &Path) -> Self {
        Self { dir: mount(node, "ro"), _device: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn mount(node: &Path, options: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("making a mount point");
    run(Command::new(need("mount", "mount")).args(["-o", options]).arg(node).arg(dir.path()));
    dir
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A child that another thread is just starting has, for a moment, what is open here.
        let unmount = || output(Command::new(need("umount", "mount")).arg(self.dir.path()));
        let mut unmounted = unmount();
        for _ in 0..20 {
            if unmounted.status.success() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
            unmounted = unmount();
        }
        if !unmounted.status.success() && !std::thread::panicking() {
            panic!("unmounting {}: {}", self.dir.path().display(), String::from_utf8_lossy(&unmounted.stderr));
        }
    }
}

/// A disk in a file with data on it, attached as a loop device: the disk of a
/// machine where a mistake would hurt.
#[derive(Debug)]
pub struct OccupiedDisk {
    /// The disk.
    pub device: LoopDevice,
}

impl OccupiedDisk {
    /// A GPT with one ext4 (label `precious`) on a disk of `size` bytes in `file`.
    pub fn make(file: &Path, size: u64) -> Self {
        super::disk::sparse_file(file, size);
        let mut table = Command::new("sh");
        let script = "printf 'label: gpt\\n,,L,\\n' | \"$0\" --quiet --no-reread \"$1\"";
        run(table.args(["-c", script]).arg(need("sfdisk", "fdisk")).arg(file));
        let device = LoopDevice::attach(file);
        let mut mkfs = Command::new(need("mkfs.ext4", "e2fsprogs"));
        run(mkfs.args(["-q", "-L", "precious"]).arg(device.partition(1)));
        Self { device }
    }

    /// `/dev/loopN`.
    pub fn name(&self) -> String {
        self.device.path().display().to_string()
    }
}
