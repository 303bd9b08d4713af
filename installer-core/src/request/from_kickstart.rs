//! A kickstart's words turned into a request. What this installer cannot do is refused by
//! name, all of it in one go, each with its place in the file. Pure.

use kickstart_parser::codes::Code;
use kickstart_parser::kickstart::{
    AutopartType, BootloaderLocation, ClearMode, EndKind, Kickstart, Partition, ScriptKind, SelinuxMode, User as KsUser,
};
use kickstart_parser::{Diagnostic, Severity, Sources, Span};

use super::{
    Clear, DiskChoice, EndAction, Layout, PartitionRequest, Password, Purpose, Request, RootAccess, Scheme, Script,
    SystemSettings, User,
};
use crate::units::{Bytes, Secret};

/// Something that the language allows and this installer does not do.
pub const NOT_SUPPORTED: Code = Code {
    id: "R001",
    severity: Severity::Error,
    title: "not supported by this installer",
    explanation: "The kickstart is right, but this installer does not do what it asks for. Nothing was touched.",
};
/// Something that has no effect here.
pub const NO_EFFECT: Code = Code {
    id: "R002",
    severity: Severity::Warning,
    title: "no effect",
    explanation: "The kickstart is right, but this has no effect when a container image is installed.",
};
/// A value that means nothing to the installer.
pub const BAD_VALUE: Code = Code {
    id: "R003",
    severity: Severity::Error,
    title: "value that cannot be used",
    explanation: "The language takes the value, but nothing can be done with it.",
};

/// The request that `kickstart` makes, and what stands in its way.
pub fn from_kickstart(kickstart: &Kickstart, sources: &Sources) -> (Request, Vec<Diagnostic>) {
    let mut reader = Reader { sources, found: Vec::new() };
    let image = reader.image(kickstart);
    let container = kickstart.ostreecontainer.as_ref();
    let request = Request {
        image,
        update_from: None,
        stateroot: container.and_then(|c| c.stateroot.clone()),
        unsigned_is_fine: container.is_some_and(|c| c.no_signature_verification),
        disks: reader.disks(kickstart),
        layout: reader.layout(kickstart),
        kargs: kernel_arguments(kickstart),
        bootloader: reader.bootloader(kickstart),
        system: reader.system(kickstart),
        scripts: reader.scripts(kickstart),
        end: reader.end(kickstart),
    };
    reader.no_effect(kickstart);
    (request, reader.found)
}

struct Reader<'a> {
    sources: &'a Sources,
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic::new(&NOT_SUPPORTED, span, message).help(help));
    }

    fn refuse_if(&mut self, condition: bool, span: Span, message: &str, help: &str) {
        if condition {
            self.refuse(span, message, help);
        }
    }

    fn bad(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic::new(&BAD_VALUE, span, message).help(help));
    }

    fn place(&self, span: Span) -> String {
        let at = self.sources.locate(span);
        format!("{}:{}", at.path, at.line)
    }

    fn image(&mut self, kickstart: &Kickstart) -> Option<String> {
        let container = kickstart.ostreecontainer.as_ref()?;
        if let Some(remote) = &container.remote
            && !container.no_signature_verification
        {
            self.refuse(
                container.span,
                format!("ostreecontainer: signatures by the OSTree remote '{remote}' cannot be verified"),
                "leave --remote out; the image's digest is pinned and every byte is checked against it",
            );
        }
        let transport = container.transport.as_deref().unwrap_or("registry");
        match transport {
            "registry" | "docker" => Some(container.url.trim_start_matches("docker://").to_owned()),
            "oci" | "oci-archive" => Some(format!("{transport}:{}", container.url)),
            other => {
                self.refuse(
                    container.transport_span.unwrap_or(container.span),
                    format!("ostreecontainer: transport '{other}' is not supported"),
                    "use --transport=registry, oci or oci-archive",
                );
                None
            }
        }
    }

    fn disks(&mut self, kickstart: &Kickstart) -> DiskChoice {
        let ignore = kickstart.ignoredisk.as_ref();
        let mut choice = DiskChoice {
            only: ignore.map(|i| i.only_use.clone()).unwrap_or_default(),
            ignore: ignore.map(|i| i.drives.clone()).unwrap_or_default(),
            initialise_unknown: kickstart.zerombr.is_some(),
            ..DiskChoice::default()
        };
        if let Some(clearpart) = &kickstart.clearpart {
            let span = clearpart.span;
            self.refuse_if(
                !clearpart.devices.is_empty(),
                span,
                "clearpart --list: single partitions cannot be cleared",
                "clear whole disks with --all and --drives=",
            );
            let label = clearpart.disk_label.as_deref();
            self.refuse_if(
                label.is_some_and(|label| label != "gpt"),
                span,
                "clearpart --disklabel: only gpt is made",
                "leave --disklabel out",
            );
            choice.clear = match (clearpart.mode, clearpart.drives.is_empty()) {
                (Some(ClearMode::All), true) => Clear::All,
                (Some(ClearMode::All) | None, false) => Clear::Disks(clearpart.drives.clone()),
                (Some(ClearMode::Linux), _) => Clear::LinuxOnly,
                _ => Clear::Nothing,
            };
        }
        choice
    }

    fn layout(&mut self, kickstart: &Kickstart) -> Layout {
        if let Some(autopart) = &kickstart.autopart {
            let span = autopart.span;
            let scheme = match autopart.kind {
                None | Some(AutopartType::Lvm) => Scheme::Lvm,
                Some(AutopartType::Plain) => Scheme::Plain,
                Some(other) => {
                    self.refuse(
                        span,
                        format!("autopart --type={} is not supported", format!("{other:?}").to_lowercase()),
                        "use --type=plain or --type=lvm",
                    );
                    Scheme::Plain
                }
            };
            self.refuse_if(
                autopart.encryption.encrypted,
                span,
                "autopart --encrypted is not supported yet",
                "leave --encrypted out, or use Anaconda",
            );
            self.refuse_if(
                autopart.hibernation,
                span,
                "autopart --hibernation is not supported",
                "leave --hibernation out",
            );
            return Layout::Auto {
                scheme,
                filesystem: autopart.fstype.clone(),
                swap: !autopart.no_swap,
                boot: !autopart.no_boot,
            };
        }
        let partitions = kickstart.partitions.iter().filter_map(|p| self.partition(p)).collect();
        let reqpart = kickstart.reqpart.as_ref();
        Layout::Custom { partitions, platform: reqpart.is_some(), add_boot: reqpart.is_some_and(|r| r.add_boot) }
    }

    fn partition(&mut self, partition: &Partition) -> Option<PartitionRequest> {
        let before = self.found.len();
        let (span, name) = (partition.span, &partition.mount);
        for (given, option) in [
            (partition.on_part.is_some(), "--onpart"),
            (partition.no_format, "--noformat"),
            (partition.resize, "--resize"),
            (partition.on_bios_disk.is_some(), "--onbiosdisk"),
            (partition.encryption.encrypted, "--encrypted"),
            (partition.hibernation, "--hibernation"),
            (partition.fs_profile.is_some(), "--fsprofile"),
        ] {
            self.refuse_if(
                given,
                span,
                &format!("part {name}: {option} is not supported yet"),
                "let the installer make new, plain partitions, or use Anaconda",
            );
        }
        let purpose = self.purpose(partition)?;
        if self.found.len() > before {
            return None;
        }
        let filesystem = partition.fstype.clone().filter(|fs| !matches!(fs.as_str(), "efi" | "biosboot" | "swap"));
        Some(PartitionRequest {
            purpose,
            size: partition.size_mib.map(Bytes::mib),
            grow: partition.grow,
            max_size: partition.max_size_mib.map(Bytes::mib),
            filesystem,
            disk: partition.on_disk.clone(),
            label: partition.label.clone(),
            options: partition.fs_options.clone(),
            mkfs_options: partition
                .mkfs_options
                .iter()
                .flat_map(|options| options.split_whitespace().map(str::to_owned))
                .collect(),
            origin: self.place(span),
        })
    }

    fn purpose(&mut self, partition: &Partition) -> Option<Purpose> {
        let name = partition.mount.as_str();
        match (name, partition.fstype.as_deref()) {
            ("biosboot", _) | (_, Some("biosboot")) => return Some(Purpose::BiosBoot),
            ("/boot/efi", _) | (_, Some("efi")) => return Some(Purpose::Esp),
            ("swap", _) | (_, Some("swap")) => return Some(Purpose::Swap),
            _ => {}
        }
        if !name.starts_with('/') {
            self.refuse(
                partition.mount_span,
                format!("part {name}: partitions for volumes of one's own are not supported yet"),
                "use autopart --type=lvm, plain partitions, or Anaconda",
            );
            return None;
        }
        let path = match inside_var(name) {
            Ok(path) => path,
            Err(why) => {
                self.bad(
                    partition.mount_span,
                    format!("part {name}: {why}"),
                    "put data under /var, or leave the line out",
                );
                return None;
            }
        };
        match path.parse() {
            Ok(point) => Some(Purpose::Mount(point)),
            Err(error) => {
                self.bad(partition.mount_span, format!("part {name}: {error}"), "write an absolute path");
                None
            }
        }
    }

    fn bootloader(&mut self, kickstart: &Kickstart) -> bool {
        let Some(bootloader) = &kickstart.bootloader else { return true };
        let span = bootloader.span;
        let help = "leave the option out, or use Anaconda";
        for (given, option) in [
            (bootloader.password.is_some(), "--password"),
            (bootloader.extlinux, "--extlinux"),
            (bootloader.sdboot, "--sdboot"),
            (bootloader.no_mbr, "--nombr"),
            (bootloader.location == Some(BootloaderLocation::Partition), "--location=partition"),
        ] {
            self.refuse_if(given, span, &format!("bootloader {option} is not supported"), help);
        }
        !bootloader.disabled && bootloader.location != Some(BootloaderLocation::None)
    }

    fn system(&mut self, kickstart: &Kickstart) -> SystemSettings {
        let keyboard = kickstart.keyboard.as_ref();
        let timezone = kickstart.timezone.as_ref();
        SystemSettings {
            lang: kickstart.lang.as_ref().map(|lang| lang.lang.clone()),
            keymap: keyboard.and_then(|k| k.vckeymap.clone().or_else(|| k.keyboard.clone())),
            timezone: timezone.and_then(|t| self.zone(t.zone.clone()?, t.span)),
            clock_utc: timezone.map(|t| t.utc),
            hostname: self.hostname(kickstart),
            root: self.root(kickstart),
            users: kickstart.users.iter().map(|user| self.user(user)).collect(),
            ssh_keys: kickstart.ssh_keys.iter().map(|key| (key.username.clone(), key.key.trim().to_owned())).collect(),
            selinux: kickstart.selinux.as_ref().and_then(|s| s.mode).map(|mode| {
                match mode {
                    SelinuxMode::Enforcing => "enforcing",
                    SelinuxMode::Permissive => "permissive",
                    SelinuxMode::Disabled => "disabled",
                }
                .to_owned()
            }),
        }
    }

    fn zone(&mut self, zone: String, span: Span) -> Option<String> {
        let good =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "+-_".contains(c));
        if zone.split('/').all(good) {
            return Some(zone);
        }
        self.bad(
            span,
            format!("'{zone}' is not the name of a time zone"),
            "write it as Area/City, such as Europe/Prague",
        );
        None
    }

    fn hostname(&mut self, kickstart: &Kickstart) -> Option<String> {
        let (hostname, span) = kickstart.network.iter().rev().find_map(|n| Some((n.hostname.clone()?, n.span)))?;
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if hostname.len() <= 64 && hostname.split('.').all(label) {
            return Some(hostname);
        }
        self.bad(
            span,
            format!("'{hostname}' cannot be a host name"),
            "use letters, digits and '-', parts of at most 63 separated by dots, 64 in all",
        );
        None
    }

    fn root(&mut self, kickstart: &Kickstart) -> RootAccess {
        let Some(rootpw) = &kickstart.rootpw else { return RootAccess::Locked };
        match &rootpw.password {
            Some(password) if !rootpw.lock => RootAccess::Password(secret(password, rootpw.is_crypted)),
            _ => RootAccess::Locked,
        }
    }

    fn user(&mut self, user: &KsUser) -> User {
        let id = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        for (value, option) in [(user.uid, "--uid"), (user.gid, "--gid")] {
            if value.is_some() && id(value).is_none() {
                self.bad(
                    user.span,
                    format!("user {}: {option} is out of range", user.name),
                    "use a number from 0 to 4294967294",
                );
            }
        }
        for (value, option) in [(&user.home, "--homedir"), (&user.shell, "--shell")] {
            if value.as_ref().is_some_and(|v| !v.starts_with('/') || v.contains([':', '\n'])) {
                self.bad(
                    user.span,
                    format!("user {}: {option} is not an absolute path", user.name),
                    "write an absolute path",
                );
            }
        }
        let groups = user.groups.iter().filter_map(|text| self.group(text, user)).collect();
        User {
            name: user.name.clone(),
            uid: id(user.uid),
            gid: id(user.gid),
            groups,
            home: user.home.clone(),
            shell: user.shell.clone(),
            gecos: user.gecos.clone().unwrap_or_default(),
            password: user.password.as_ref().map(|password| secret(password, user.is_crypted)),
            locked: user.lock,
        }
    }

    /// `name` or `name(gid)`, as Anaconda reads it.
    fn group(&mut self, text: &str, user: &KsUser) -> Option<(String, Option<u32>)> {
        let parsed = match text.split_once('(') {
            None => Some((text.to_owned(), None)),
            Some((name, rest)) => {
                rest.strip_suffix(')').and_then(|gid| gid.parse().ok()).map(|gid| (name.to_owned(), Some(gid)))
            }
        };
        match parsed {
            Some((name, gid)) if crate::system::accounts::valid_name(&name) => Some((name, gid)),
            _ => {
                self.bad(
                    user.span,
                    format!("user {}: '{text}' cannot be a group", user.name),
                    "write NAME or NAME(GID)",
                );
                None
            }
        }
    }

    fn scripts(&mut self, kickstart: &Kickstart) -> Vec<Script> {
        let mut list = Vec::new();
        for script in &kickstart.scripts {
            match script.kind {
                ScriptKind::Post => list.push(Script {
                    inside: !script.no_chroot,
                    interpreter: script.interpreter.clone().unwrap_or_else(|| "/bin/sh".into()),
                    body: script.body.clone(),
                    log: script.log.clone(),
                    fatal: script.error_on_fail,
                    origin: self.place(script.span),
                }),
                // The caller runs these before it makes a request.
                ScriptKind::Pre => {}
                ScriptKind::PreInstall | ScriptKind::OnError | ScriptKind::Traceback => self.refuse(
                    script.span,
                    format!("{} is not supported yet", script.kind.name()),
                    "use %pre or %post, or Anaconda",
                ),
            }
        }
        list
    }

    fn end(&mut self, kickstart: &Kickstart) -> EndAction {
        let Some(end) = &kickstart.end else { return EndAction::Nothing };
        self.refuse_if(end.kexec, end.span, "reboot --kexec is not supported", "leave --kexec out");
        match end.kind {
            EndKind::Reboot => EndAction::Reboot,
            EndKind::Poweroff | EndKind::Shutdown => EndAction::Poweroff,
            EndKind::Halt => EndAction::Halt,
        }
    }

    fn no_effect(&mut self, kickstart: &Kickstart) {
        for network in &kickstart.network {
            // `network --bootproto=dhcp` asks for what every image does anyway.
            if network.ip.is_some() || network.vlan_id.is_some() || !network.bond_slaves.is_empty() {
                self.found.push(
                    Diagnostic::new(
                        &NO_EFFECT,
                        network.span,
                        "network: only the host name is written into the installed system",
                    )
                    .help("configure the network in the image, or by ip= with 'bootloader --append='"),
                );
            }
        }
        for addon in &kickstart.addons {
            self.found.push(Diagnostic::new(
                &NO_EFFECT,
                addon.span,
                format!("%addon {} has no effect here", addon.name),
            ));
        }
    }
}

fn secret(password: &kickstart_parser::Secret, crypted: bool) -> Password {
    let secret = Secret::new(password.expose());
    if crypted { Password::Hashed(secret) } else { Password::Plain(secret) }
}

fn kernel_arguments(kickstart: &Kickstart) -> Vec<String> {
    let append = kickstart.bootloader.as_ref().and_then(|b| b.append.as_deref()).unwrap_or_default();
    append.split_whitespace().map(str::to_owned).collect()
}

/// Where a mount point really is in a system whose root never changes: the customary
/// directories are links into /var.
fn inside_var(path: &str) -> Result<String, &'static str> {
    let moved = [
        ("/home", "/var/home"),
        ("/srv", "/var/srv"),
        ("/opt", "/var/opt"),
        ("/mnt", "/var/mnt"),
        ("/root", "/var/roothome"),
    ];
    for (from, to) in moved {
        if let Some(rest) = path.strip_prefix(from)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            return Ok(format!("{to}{rest}"));
        }
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match first {
        "" | "boot" | "var" => Ok(path.to_owned()),
        "usr" | "etc" | "bin" | "sbin" | "lib" | "lib64" | "sysroot" | "ostree" => {
            Err("this directory belongs to the image and cannot be a file system of its own")
        }
        "proc" | "sys" | "dev" | "run" | "tmp" => Err("this directory is made at each boot"),
        _ => Err("the image's root is read-only and has no such directory"),
    }
}

#[cfg(test)]
mod tests {
    use kickstart_parser::{ParseOptions, parse};

    use super::*;
    use crate::units::MountPoint;

    fn read(text: &str) -> (Request, Vec<String>) {
        let parsed = parse(text, "site.ks", &ParseOptions::default());
        let (request, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
        (request, found.into_iter().map(|d| format!("{} {}", d.code, d.message)).collect())
    }

    #[test]
    fn the_example_of_image_mode_is_understood() {
        let text = include_str!("../../../tests/kickstarts/image-mode.ks");
        let (request, found) = read(text);
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(request.image.as_deref(), Some("quay.io/myimage:latest"));
        assert_eq!(request.disks.clear, Clear::All);
        assert!(request.disks.initialise_unknown);
        assert_eq!(request.layout, Layout::Auto { scheme: Scheme::Lvm, filesystem: None, swap: true, boot: true });
        assert_eq!(request.end, EndAction::Reboot);
        assert_eq!(request.system.users[0].groups, [("wheel".to_owned(), None)]);
        assert_eq!(request.system.ssh_keys.len(), 1);
        assert_eq!(request.system.root, RootAccess::Locked);
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name_all_at_once() {
        let (_, found) = read(
            "ostreecontainer --url q.io/x --transport=containers-storage\n\
             part / --size=1000 --encrypted --passphrase=secretword\npart /data --size=10\npart pv.1 --size=10\n\
             bootloader --location=partition\n%onerror\ntrue\n%end\n",
        );
        let all = found.join("\n");
        for word in ["containers-storage", "--encrypted", "part /data", "part pv.1", "--location=partition", "%onerror"]
        {
            assert!(all.contains(word), "{word} in {all}");
        }
        assert!(!all.contains("secretword"));
    }

    #[test]
    fn customary_directories_are_found_in_var() {
        let (request, found) =
            read("part / --size=1000 --grow\npart /home --size=100\npart /var/log --size=10\nreqpart --add-boot\n");
        assert_eq!(found, Vec::<String>::new());
        let Layout::Custom { partitions, platform: true, add_boot: true } = request.layout else { panic!() };
        let points: Vec<_> = partitions.iter().map(|p| p.purpose.clone()).collect();
        let mount = |p: &str| Purpose::Mount(p.parse::<MountPoint>().unwrap());
        assert_eq!(points, [mount("/"), mount("/var/home"), mount("/var/log")]);
        assert_eq!(partitions[1].origin, "site.ks:2");
    }
}
