//! What this installer makes of each command and option that the parser understands: the
//! part of the reference that no table of the language knows. The tests below hold it
//! against the parser's tables and against what the installer says.

use Effect::{Ignored, Refused, Used, Warned};

/// What becomes of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It does what the text says.
    Used,
    /// It has no effect, and a warning says so.
    Warned,
    /// It has no effect.
    Ignored,
    /// An error.
    Refused,
}

impl Effect {
    /// The word in the reference.
    pub fn word(self) -> &'static str {
        match self {
            Used => "used",
            Warned => "no effect, warned about",
            Ignored => "no effect",
            Refused => "refused",
        }
    }
}

/// An option, what becomes of it, and a few words.
pub type Row = (&'static str, Effect, &'static str);

/// A command, what it does here, and its options.
pub struct Entry {
    pub name: &'static str,
    pub does: &'static str,
    pub options: &'static [Row],
}

const fn entry(name: &'static str, does: &'static str, options: &'static [Row]) -> Entry {
    Entry { name, does, options }
}

/// What becomes of `option` of `command`.
pub fn row(command: &str, option: &str) -> Option<&'static Row> {
    ENTRIES.iter().find(|e| e.name == command)?.options.iter().find(|row| row.0 == option)
}

const NOT_SHOWN: &str = "No effect: the command asks on a terminal, and never elsewhere.";
const NO_ENCRYPTION: &str = "nothing is encrypted yet";
const DISPLAY: &[Row] = &[("--non-interactive", Ignored, "see `install --yes`")];
const END: &[Row] =
    &[("--eject", Warned, "no medium is ejected"), ("--kexec", Refused, "the machine restarts through its firmware")];
const PART: &[Row] = &[
    ("--active", Ignored, "a GPT has no active partition"),
    ("--asprimary", Ignored, "every partition of a GPT is one"),
    ("--fstype", Used, "`xfs`, `ext4`, `btrfs`, `efi`, `biosboot`, `swap`; else what the image asks for, or xfs"),
    ("--grow", Used, "shares what is left with the others that grow"),
    ("--maxsize", Used, "MiB"),
    ("--noformat", Refused, "every partition is made anew"),
    ("--onbiosdisk", Refused, ""),
    ("--ondisk", Used, "the disk; all partitions must be on one"),
    ("--onpart", Refused, "every partition is made anew"),
    ("--recommended", Used, "for swap"),
    ("--size", Used, "MiB"),
    ("--fsoptions", Used, "in /etc/fstab; not for `/`, which is not in it"),
    ("--label", Used, ""),
    ("--fsprofile", Refused, "use `--mkfsoptions`"),
    ("--encrypted", Refused, NO_ENCRYPTION),
    ("--passphrase", Ignored, NO_ENCRYPTION),
    ("--escrowcert", Ignored, NO_ENCRYPTION),
    ("--backuppassphrase", Ignored, NO_ENCRYPTION),
    ("--resize", Refused, "every partition is made anew"),
    ("--hibernation", Refused, ""),
    ("--cipher", Ignored, NO_ENCRYPTION),
    ("--mkfsoptions", Used, "further arguments to mkfs"),
    ("--luks-version", Ignored, NO_ENCRYPTION),
    ("--pbkdf", Ignored, NO_ENCRYPTION),
    ("--pbkdf-memory", Ignored, NO_ENCRYPTION),
    ("--pbkdf-time", Ignored, NO_ENCRYPTION),
    ("--pbkdf-iterations", Ignored, NO_ENCRYPTION),
    ("--hw-passphrase", Ignored, NO_ENCRYPTION),
    ("--bytes-per-inode", Ignored, "gone"),
    ("--start", Ignored, "gone"),
    ("--end", Ignored, "gone"),
];
const PART_DOES: &str = "Makes one partition. Mount points: `/`, `/boot`, `/boot/efi`, `swap`, `biosboot`, and \
    `/var` and what is below it. `/home`, `/srv`, `/opt`, `/mnt` and `/root` are links into `/var` in an image, so \
    that `part /home` makes `/var/home`. Directories that belong to the image (`/usr`, `/etc`, …) and such as exist \
    only while the system runs are refused, and so are `pv.…`, `raid.…` and `btrfs.…`.";

/// Every command that is understood.
pub const ENTRIES: &[Entry] = &[
    entry(
        "autopart",
        "Lays the disk out; see the table in [install.md](install.md#what-autopart-makes). The scheme is LVM unless \
         `--type` says otherwise.",
        &[
            ("--encrypted", Refused, NO_ENCRYPTION),
            ("--passphrase", Ignored, NO_ENCRYPTION),
            ("--escrowcert", Ignored, NO_ENCRYPTION),
            ("--backuppassphrase", Ignored, NO_ENCRYPTION),
            ("--nolvm", Used, "the same as `--type=plain`"),
            ("--type", Used, "`plain` or `lvm`; `thinp`, `btrfs` and `stratis` are refused"),
            ("--cipher", Ignored, NO_ENCRYPTION),
            ("--fstype", Used, "of the root: `xfs`, `ext4`; else what the image asks for, or xfs"),
            ("--nohome", Ignored, "there is never a /home of its own"),
            ("--noboot", Used, "no /boot of its own; with LVM there is one all the same"),
            ("--noswap", Used, ""),
            ("--luks-version", Ignored, NO_ENCRYPTION),
            ("--pbkdf", Ignored, NO_ENCRYPTION),
            ("--pbkdf-memory", Ignored, NO_ENCRYPTION),
            ("--pbkdf-time", Ignored, NO_ENCRYPTION),
            ("--pbkdf-iterations", Ignored, NO_ENCRYPTION),
            ("--hibernation", Refused, ""),
            ("--hw-passphrase", Ignored, NO_ENCRYPTION),
        ],
    ),
    entry(
        "bootloader",
        "Kernel arguments, and whether there is a boot loader. It is the image's own: bootupd where the image has it, \
         else its GRUB.",
        &[
            ("--append", Used, "kernel arguments, after those of the image"),
            ("--location", Used, "`none`: no boot loader; `mbr` and `boot` change nothing; `partition` is refused"),
            ("--password", Refused, ""),
            ("--driveorder", Warned, "the boot loader goes onto the disk of the system"),
            ("--timeout", Used, "seconds that GRUB's menu waits; else one"),
            ("--default", Ignored, "there is one system"),
            ("--iscrypted", Ignored, "see `--password`"),
            ("--md5pass", Refused, ""),
            ("--boot-drive", Warned, "the boot loader goes onto the disk of the system"),
            ("--leavebootorder", Ignored, "the order in the firmware is never changed"),
            ("--extlinux", Refused, ""),
            ("--disabled", Used, "no boot loader"),
            ("--nombr", Refused, ""),
            ("--sdboot", Refused, ""),
            ("--upgrade", Ignored, "gone"),
            ("--linear", Ignored, "gone"),
            ("--nolinear", Ignored, "gone"),
            ("--useLilo", Ignored, "gone"),
            ("--lba32", Ignored, "gone"),
        ],
    ),
    entry(
        "clearpart",
        "Says what may be lost. A disk that is not empty is used only where this command allows it; then the whole \
         disk is cleared, never a part of it.",
        &[
            ("--all", Used, "everything on the disk that is chosen"),
            ("--initlabel", Ignored, "a new GPT is always written"),
            ("--linux", Used, "only if every partition of the disk is one of Linux"),
            ("--none", Used, "nothing; the default"),
            ("--disklabel", Used, "`gpt`; anything else is refused"),
            ("--drives", Used, "these disks; the system goes onto one of them"),
            ("--list", Refused, "single partitions are not cleared"),
            ("--cdl", Ignored, "for a kind of disk that is not supported"),
        ],
    ),
    entry("cmdline", NOT_SHOWN, DISPLAY),
    entry("eula", "No effect: agreeing is the admin's business.", &[("--agreed", Ignored, "")]),
    entry(
        "firstboot",
        "No effect: whether something asks at the first boot is up to the image.",
        &[("--disabled", Ignored, ""), ("--enabled", Ignored, ""), ("--reconfig", Ignored, "")],
    ),
    entry("graphical", NOT_SHOWN, DISPLAY),
    entry("halt", "The machine stops when it is done.", END),
    entry(
        "ignoredisk",
        "Narrows the choice of disks: kernel names, paths, links below /dev/disk, patterns such as `nvme*`, several \
         with `|` between them.",
        &[
            ("--drives", Used, "never these"),
            ("--only-use", Used, "only these; one must remain"),
            ("--interactive", Ignored, "gone"),
        ],
    ),
    entry(
        "keyboard",
        "The keymap of the console, in /etc/vconsole.conf, and the layouts of X.",
        &[
            ("--vckeymap", Used, "comes before the argument"),
            ("--xlayouts", Used, "for X, and /etc/default/keyboard where the image has it"),
            ("--switch", Used, "with `--xlayouts`"),
        ],
    ),
    entry("lang", "`LANG`, in /etc/locale.conf.", &[("--addsupport", Warned, "locales come with the image")]),
    entry(
        "network",
        "The host name, in /etc/hostname. Connections are not configured: the image does that, or `ip=` in \
         `bootloader --append`.",
        &[
            ("--bootproto", Ignored, ""),
            ("--dhcpclass", Ignored, ""),
            ("--device", Ignored, ""),
            ("--essid", Warned, ""),
            ("--ethtool", Ignored, ""),
            ("--gateway", Ignored, ""),
            ("--hostname", Used, "the last one counts"),
            ("--ip", Warned, ""),
            ("--mtu", Ignored, ""),
            ("--nameserver", Warned, ""),
            ("--netmask", Ignored, ""),
            ("--nodns", Ignored, ""),
            ("--onboot", Ignored, ""),
            ("--wepkey", Ignored, ""),
            ("--notksdevice", Ignored, ""),
            ("--noipv4", Ignored, ""),
            ("--noipv6", Ignored, ""),
            ("--ipv6", Ignored, ""),
            ("--activate", Ignored, ""),
            ("--nodefroute", Ignored, ""),
            ("--wpakey", Ignored, ""),
            ("--bondslaves", Warned, ""),
            ("--bondopts", Ignored, ""),
            ("--vlanid", Warned, ""),
            ("--ipv6gateway", Ignored, ""),
            ("--teamslaves", Warned, ""),
            ("--teamconfig", Ignored, ""),
            ("--interfacename", Ignored, ""),
            ("--bridgeslaves", Warned, ""),
            ("--bridgeopts", Ignored, ""),
            ("--no-activate", Ignored, ""),
            ("--bindto", Ignored, ""),
            ("--ipv4-dns-search", Ignored, ""),
            ("--ipv6-dns-search", Ignored, ""),
            ("--ipv4-ignore-auto-dns", Ignored, ""),
            ("--ipv6-ignore-auto-dns", Ignored, ""),
        ],
    ),
    entry(
        "ostreecontainer",
        "The image.",
        &[
            ("--stateroot", Used, "else what the image asks for, or `default`"),
            ("--url", Used, "`REGISTRY/NAME:TAG`, or the path for another transport"),
            ("--transport", Used, "`registry` (the default), `docker`, `oci`, `oci-archive`; others are refused"),
            ("--remote", Used, "refused, unless `--no-signature-verification` stands beside it; then without effect"),
            ("--no-signature-verification", Used, "no signature is verified in any case; this takes the warning away"),
        ],
    ),
    entry("part", PART_DOES, PART),
    entry("partition", "The same as `part`.", PART),
    entry("poweroff", "The machine turns off when it is done.", END),
    entry("reboot", "The machine restarts when it is done.", END),
    entry(
        "reqpart",
        "Adds a BIOS boot partition and an EFI system partition to those that `part` lines make.",
        &[("--add-boot", Used, "and a /boot")],
    ),
    entry(
        "rootpw",
        "Root's password. Without this line no password opens the account.",
        &[
            ("--iscrypted", Used, "the password is a crypt(3) hash"),
            ("--lock", Used, "no password opens the account"),
            ("--plaintext", Used, "the default"),
            ("--allow-ssh", Used, "root may log in over ssh by password"),
        ],
    ),
    entry(
        "selinux",
        "The mode in /etc/selinux/config, where the image has that file; else a warning.",
        &[("--disabled", Used, ""), ("--enforcing", Used, ""), ("--permissive", Used, "")],
    ),
    entry("shutdown", "The same as `poweroff`.", END),
    entry(
        "sshkey",
        "Adds a key to a user's authorized_keys. The user is root or one that a `user` line makes.",
        &[("--username", Used, "")],
    ),
    entry("text", NOT_SHOWN, DISPLAY),
    entry(
        "timezone",
        "The link /etc/localtime, where the image has the zone; else a warning.",
        &[
            ("--utc", Used, "the hardware clock is in UTC"),
            ("--isUtc", Used, "the old name of `--utc`"),
            ("--nontp", Warned, "the image decides"),
            ("--ntpservers", Warned, "set them in the image"),
        ],
    ),
    entry(
        "user",
        "Makes an account, with its home below /var/home. Without `--password` no password opens it.",
        &[
            ("--groups", Used, "`NAME` or `NAME(GID)`; a group that is missing is made"),
            ("--homedir", Used, "`/home/…` becomes `/var/home/…`"),
            ("--iscrypted", Used, "the password is a crypt(3) hash"),
            ("--name", Used, ""),
            ("--password", Used, ""),
            ("--shell", Used, ""),
            ("--uid", Used, ""),
            ("--lock", Used, "the password is locked"),
            ("--plaintext", Used, "the default"),
            ("--gecos", Used, "the full name"),
            ("--gid", Used, "of the user's own group"),
        ],
    ),
    entry("zerombr", "Like `clearpart`, lets an installation without a terminal begin without `--yes`.", &[]),
];

#[cfg(test)]
mod tests {
    use installer_core::request::from_kickstart;
    use kickstart_parser::catalog::{self, CommandInfo, OptionInfo, Support, Value};
    use kickstart_parser::{ParseOptions, parse};

    use super::*;

    fn understood() -> Vec<CommandInfo> {
        catalog::commands().into_iter().filter(|c| c.support == Support::Understood).collect()
    }

    #[test]
    fn nothing_is_missing_and_nothing_is_left_over() {
        let names: Vec<&str> = understood().iter().map(|c| c.name).collect();
        assert_eq!(ENTRIES.iter().map(|e| e.name).collect::<Vec<_>>(), names);
        for (entry, command) in ENTRIES.iter().zip(understood()) {
            let here: Vec<&str> = entry.options.iter().map(|row| row.0).collect();
            let there: Vec<&str> = command.options.iter().map(|o| o.name).collect();
            assert_eq!(here, there, "{}", entry.name);
        }
    }

    /// A line with this option in it.
    fn sample(command: &CommandInfo, option: &OptionInfo) -> String {
        let value = match (command.name, option.name, option.value) {
            (_, "--transport", _) => "=oci".to_owned(),
            (_, "--type", _) => "=plain".to_owned(),
            (_, "--fstype", _) => "=ext4".to_owned(),
            (_, "--disklabel", _) => "=gpt".to_owned(),
            (_, "--homedir" | "--shell", _) => "=/x".to_owned(),
            (_, "--drives", _) => "=vda".to_owned(),
            // The option and its counterpart stand together; see its row.
            ("ostreecontainer", "--remote", _) => "=x --no-signature-verification".to_owned(),
            (_, _, Value::None) => String::new(),
            (_, _, Value::Boolean) => "=yes".to_owned(),
            (_, _, Value::Number) => "=100".to_owned(),
            (_, _, Value::Choice(of)) => format!("={}", of[0]),
            _ => "=x".to_owned(),
        };
        let rest = match command.name {
            "part" | "partition" => "/ --grow",
            "user" if option.name != "--name" => "--name=a",
            "sshkey" => "key",
            "ostreecontainer" if option.name != "--url" => "--url=q.io/x",
            "lang" => "C",
            "timezone" => "UTC",
            "keyboard" => "us",
            "rootpw" => "x",
            _ => "",
        };
        format!("{} {}{value} {rest}\n", command.name, option.name)
    }

    #[test]
    fn the_installer_does_as_is_written_here() {
        for command in understood() {
            for option in &command.options {
                let line = sample(&command, option);
                let parsed = parse(&line, "x.ks", &ParseOptions::default());
                let (_, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
                let says = |code: &str| found.iter().any(|d| d.code == code);
                let (_, effect, _) = row(command.name, option.name).unwrap();
                assert_eq!(says("R001"), *effect == Refused, "{line}{found:?}");
                assert_eq!(says("R002"), *effect == Warned, "{line}{found:?}");
            }
        }
    }
}
