//! External programs: one table of all of them, and one way to write a command down.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::units::Secret;

/// A program that an installation may need on the machine that installs.
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it is needed for.
    pub purpose: &'static str,
    /// Debian's package and Fedora's, where they differ.
    pub packages: (&'static str, &'static str),
}

/// The one that comes with this program.
pub const OSTREE_PROGRAM: &str = "bootc-ks-ostree";

/// Every external program that is ever run on the installing machine.
pub const PROGRAMS: &[Row] = &[
    Row { name: OSTREE_PROGRAM, purpose: "make deployments with libostree", packages: ("bootc-ks", "bootc-ks") },
    Row { name: "mkfs.xfs", purpose: "make XFS file systems", packages: ("xfsprogs", "xfsprogs") },
    Row { name: "mkfs.ext4", purpose: "make ext4 file systems", packages: ("e2fsprogs", "e2fsprogs") },
    Row { name: "mkfs.btrfs", purpose: "make btrfs file systems", packages: ("btrfs-progs", "btrfs-progs") },
    Row { name: "mkfs.vfat", purpose: "make the EFI system partition", packages: ("dosfstools", "dosfstools") },
    Row { name: "mkswap", purpose: "make swap areas", packages: ("util-linux", "util-linux") },
    Row { name: "mcopy", purpose: "fill the EFI system partition without mounting it", packages: ("mtools", "mtools") },
    Row { name: "mmd", purpose: "fill the EFI system partition without mounting it", packages: ("mtools", "mtools") },
    Row { name: "mdir", purpose: "look into the EFI system partition of an ISO", packages: ("mtools", "mtools") },
    Row { name: "xorriso", purpose: "make ISO images", packages: ("xorriso", "xorriso") },
    Row { name: "implantisomd5", purpose: "renew the checksum in an ISO", packages: ("isomd5sum", "isomd5sum") },
    Row { name: "lvm", purpose: "make logical volumes", packages: ("lvm2", "lvm2") },
    Row { name: "chroot", purpose: "run programs of the installed system", packages: ("coreutils", "coreutils") },
    Row { name: "udevadm", purpose: "wait for the nodes of new partitions", packages: ("udev", "systemd-udev") },
    Row { name: "dracut", purpose: "make the installer environment", packages: ("dracut", "dracut") },
    Row { name: "mount", purpose: "read a medium", packages: ("mount", "util-linux") },
    Row { name: "ssh-keygen", purpose: "make a host key (inst.sshd)", packages: ("openssh-client", "openssh") },
    Row { name: "curl", purpose: "fetch a kickstart by FTP", packages: ("curl", "curl") },
    Row { name: "systemctl", purpose: "restart or stop this machine", packages: ("systemd", "systemd") },
];

/// The row of `name`.
pub fn row(name: &str) -> Option<&'static Row> {
    PROGRAMS.iter().find(|row| row.name == name)
}

/// Where `name` is: for a program of ours, where those are; else in $PATH or in the directories where a rescue shell's $PATH may not look.
pub fn locate(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.exists());
    }
    if name == OSTREE_PROGRAM {
        return super::libexec::find(name);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

/// A command: what to run, with what. Its text is what the preview shows and the log keeps,
/// so a secret travels by `stdin` and is not part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The program's name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it reads.
    pub stdin: Option<Secret>,
    /// Environment added to a clean one.
    pub env: Vec<(String, String)>,
}

impl Program {
    /// The program `name` without arguments.
    pub fn new(name: impl Into<String>) -> Self {
        Program { name: name.into(), args: Vec::new(), stdin: None, env: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String> + Clone>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl Into<String>) -> Self {
        self.env.push((key.to_owned(), value.into()));
        self
    }

    /// The same, run inside the system whose root is `root`.
    #[must_use]
    pub fn inside(self, root: &Path) -> Self {
        let mut args = vec![root.display().to_string(), self.name];
        args.extend(self.args);
        Program { name: "chroot".into(), args, stdin: self.stdin, env: self.env }
    }
}

impl fmt::Display for Program {
    /// As one would type it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote(&self.name))?;
        for arg in &self.args {
            write!(f, " {}", quote(arg))?;
        }
        Ok(())
    }
}

/// `text` in single quotes where a shell would need them.
pub fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+<>".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.contains(['<', '>']) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
