//! The unpacked image as a place to work in: what is added to it, and dracut run inside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use installer_core::error::Context as _;
use installer_core::event::{Event, Sink};
use installer_core::host::root::Root;
use installer_core::host::{Host, Mount, MountKind};
use installer_core::program::{PROGRAMS, Program};
use installer_core::{Error, Result, Stage};

use super::guard;
use super::job::Build;

/// Where dracut looks for modules.
const MODULES: &str = "usr/lib/dracut/modules.d";
/// Our module, with the number that decides when it is run: after all that it changes.
const MODULE: &str = "99bootc-ks";
/// The module's files. Ours alone: nothing of dracut's.
const FILES: &[(&str, &str)] = &[
    ("module-setup.sh", include_str!("../../module/module-setup.sh")),
    ("initrd.target", include_str!("../../module/initrd.target")),
    ("bootc-ks-installer.service", include_str!("../../module/bootc-ks-installer.service")),
    ("bootc-ks-shell@.service", include_str!("../../module/bootc-ks-shell@.service")),
    ("bootc-ks-sshd.service", include_str!("../../module/bootc-ks-sshd.service")),
    ("99-bootc-ks.network", include_str!("../../module/99-bootc-ks.network")),
    ("bootc-ks-nm-config.service", include_str!("../../module/bootc-ks-nm-config.service")),
    ("bootc-ks-nm.service", include_str!("../../module/bootc-ks-nm.service")),
    ("NetworkManager.conf", include_str!("../../module/NetworkManager.conf")),
];
/// Where our programs are in the environment: the command, and what makes the deployment.
const COMMAND: &str = "/usr/bin/bootc-ks";
const OSTREE: &str = "/usr/libexec/bootc-ks/bootc-ks-ostree";
/// dracut modules that an image's configuration may ask for, and that look for a root file
/// system, start what is on the disks, or make no sense without one.
const OMIT: &str = "ostree crypt lvm mdraid multipath dmraid rootfs-block fs-lib plymouth dracut-systemd bootc";

/// The tree of an unpacked image.
pub struct Tree<'a> {
    root: &'a Path,
    /// Its files: no link of the image's leads out of it.
    files: Box<dyn Root>,
    kernel: &'a str,
}

impl<'a> Tree<'a> {
    /// Looks whether the image has what the environment is made with.
    pub fn open(root: &'a Path, kernel: &'a str, host: &dyn Host) -> Result<Self> {
        let files = host.open(root).doing(Stage::Media, "opening the image's files")?;
        let needed: [(&str, &[&str], &str); 3] = [
            ("dracut", &["usr/bin/dracut", "usr/sbin/dracut"], "dracut"),
            ("systemd", &["usr/lib/systemd/systemd"], "systemd"),
            (
                "systemd-networkd or NetworkManager with its nm-initrd-generator",
                &["usr/lib/systemd/systemd-networkd", "usr/libexec/nm-initrd-generator"],
                "systemd-networkd or NetworkManager",
            ),
        ];
        for (name, places, package) in needed {
            if !places.iter().any(|place| files.exists(place)) {
                return Err(Error::world(
                    Stage::Media,
                    format!("the image has no {name}, which the installer environment is made with"),
                )
                .hint(format!("add the package {package} to the image")));
            }
        }
        Ok(Tree { root, files, kernel })
    }

    /// Its files.
    pub fn files(&self) -> &dyn Root {
        self.files.as_ref()
    }

    /// The path of the kernel in it.
    pub fn kernel(&self) -> String {
        format!("usr/lib/modules/{}/vmlinuz", self.kernel)
    }

    /// Puts our dracut module and the command into the tree.
    pub fn add(&self, job: &Build<'_>, events: &dyn Sink) -> Result<()> {
        let doing = "adding the installer to the image's files";
        let write =
            |name: &str, content: &[u8], mode| self.files.write(name, content, mode, None).doing(Stage::Media, doing);
        let module = |name: &str| format!("{MODULES}/{MODULE}/{name}");
        for (name, text) in FILES {
            write(&module(name), text.as_bytes(), 0o644)?;
        }
        let programs: String = PROGRAMS.iter().map(|row| format!("{}\n", row.name)).collect();
        write(&module("programs"), programs.as_bytes(), 0o644)?;
        let facts = serde_json::to_string(job.facts).map_err(|error| Error::failed(Stage::Media, error.to_string()))?;
        write(&module("image-facts.json"), facts.as_bytes(), 0o644)?;
        for (from, to) in [(job.command, COMMAND), (job.ostree, OSTREE)] {
            // The image may have one of its own: a link into the repository, not to be written into.
            self.files.remove(to).doing(Stage::Media, doing)?;
            let program = fs::read(from).doing(Stage::Media, format_args!("copying {}", from.display()))?;
            write(to, &program, 0o755)?;
        }
        self.add_certificates(job.certificates.as_deref(), events)
    }

    fn add_certificates(&self, given: Option<&Path>, events: &dyn Sink) -> Result<()> {
        let has = ["etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/certs/ca-certificates.crt"]
            .iter()
            .any(|place| self.files.file(place).and_then(|file| file.metadata()).is_ok_and(|meta| meta.len() > 0));
        if has {
            return Ok(());
        }
        let message = match given {
            Some(bundle) => {
                let doing = || format!("copying {}", bundle.display());
                let text = fs::read(bundle).doing(Stage::Media, doing())?;
                let to = format!("{MODULES}/{MODULE}/ca-certificates.crt");
                self.files.write(&to, &text, 0o644, None).doing(Stage::Media, doing())?;
                format!(
                    "the image has no certificate authorities; the installer gets this machine's ({})",
                    bundle.display()
                )
            }
            None => "the image has no certificate authorities, and neither has this machine: the installer can use \
                https with authorities of yours alone"
                .to_owned(),
        };
        events.emit(&Event::Warning { message });
        Ok(())
    }

    /// dracut wants some directories that are links into /var in such an image, and /var is
    /// filled when a system starts.
    fn fill_var(&self) -> Result<()> {
        for name in ["root", "home", "opt", "srv", "mnt"] {
            if self.files.read_link(name).is_some() {
                self.files.create_dirs(name).doing(Stage::Media, format_args!("making /{name}"))?;
            }
        }
        Ok(())
    }

    /// Runs dracut inside the tree; its work becomes `to`. Needs a mount namespace of its own.
    pub fn make_initrd(&self, host: &dyn Host, events: &dyn Sink, to: &Path) -> Result<()> {
        self.fill_var()?;
        self.mount(host)?;
        self.check_command(host)?;
        // What is mounted in it now is seen from a root that is opened now.
        let mounted = host.open(self.root).doing(Stage::Media, "opening the image's files")?;
        mounted.create_dirs("tmp/conf").doing(Stage::Media, "making a directory for dracut's configuration")?;
        events.emit(&Event::Output { line: format!("making the initramfs for kernel {}", self.kernel) });
        let dracut = Program::new("dracut")
            .args(["--force", "--no-hostonly", "--no-hostonly-cmdline", "--no-early-microcode", "--reproducible"])
            // What the image is configured for is its own boot, and not this one.
            .args(["--conf", "/dev/null", "--confdir", "/tmp/conf", "--tmpdir", "/tmp"])
            .args(["--modules", "bootc-ks", "--omit", OMIT, "--kver", self.kernel, "/tmp/initrd.img"])
            .inside(self.root)
            // What it makes holds some; they cannot be opened here.
            .with(|cage| cage.nodes = true);
        let mut bad = Vec::new();
        let mut line = |line: &str| {
            if line.starts_with("dracut[E]") || line.starts_with("dracut[F]") {
                bad.push(line.to_owned());
            }
        };
        host.run(&dracut, &mut line).doing(Stage::Media, "making the initramfs")?;
        if let Some(first) = bad.first() {
            return Err(Error::failed(Stage::Media, format!("making the initramfs: {first}"))
                .hint("something that the installer needs is not in the image, or its dracut is too old"));
        }
        guard::wrap(self.root, mounted.as_ref(), host, "tmp/initrd.img", to)?;
        // Readable, since it holds nothing that the image does not hold.
        fs::set_permissions(to, fs::Permissions::from_mode(0o644)).doing(Stage::Media, "copying the initramfs")
    }

    fn mount(&self, host: &dyn Host) -> Result<()> {
        let mounts = [("tmpfs", "run", MountKind::Virtual("tmpfs")), ("tmpfs", "tmp", MountKind::Virtual("tmpfs"))];
        // The programs' cage has those of its own, for which only the directories are wanted.
        for at in ["dev", "proc", "sys"] {
            self.files.create_dirs(at).doing(Stage::Media, format_args!("making {at}"))?;
        }
        for (source, at, kind) in mounts {
            if !self.files.is_dir(at) {
                self.files.create_dirs(at).doing(Stage::Media, format_args!("making {at}"))?;
            }
            let target = self.root.join(at);
            host.mount(&Mount { source: source.into(), target, kind })
                .doing(Stage::Media, format_args!("mounting {at} for dracut"))?;
        }
        Ok(())
    }

    /// A program that was built for newer libraries than the image has would fail on the
    /// machine, and not here.
    fn check_command(&self, host: &dyn Host) -> Result<()> {
        let checks = [
            (COMMAND, "the image needs a C library as new as that of the machine it was built on"),
            (OSTREE, "the image needs libostree, and a C library as new as that of the machine it was built on"),
        ];
        for (name, hint) in checks {
            host.run(&Program::new(name).arg("--version").inside(self.root), &mut |_| ()).map_err(|error| {
                Error::world(Stage::Media, format!("this {} does not run inside the image", base_name(name)))
                    .because(error)
                    .hint(hint)
            })?;
        }
        Ok(())
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
