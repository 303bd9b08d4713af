//! Command by command, option by option: what this installer makes of it. The tests next
//! door hold every row against the parser's tables and against what the installer says.

use super::entry::Effect::{Ignored, Refused, Used, Warned};
use super::entry::{Entry, Row, no_effect, refused, used};

const NOT_SHOWN: &str = "No effect: the command asks on a terminal, and never elsewhere.";
const NO_ENCRYPTION: &str = "nothing is encrypted yet";
const DISPLAY: &[Row] = &[("--non-interactive", Ignored, "see `install --yes`")];
const END: &[Row] =
    &[("--eject", Warned, "no medium is ejected"), ("--kexec", Refused, "the machine restarts through its firmware")];
const PART: &[Row] = &[
    ("--active", Ignored, "a GPT has no active partition"),
    ("--asprimary", Ignored, "every partition of a GPT is one"),
    (
        "--fstype",
        Used,
        "`xfs`, `ext4`, `ext3`, `ext2`, `btrfs`, `efi`, `biosboot`, `swap`; else what the image asks for, or xfs",
    ),
    ("--grow", Used, "shares what is left with the others that grow"),
    ("--maxsize", Used, "MiB"),
    (
        "--noformat",
        Used,
        "with `--onpart`: what is on the partition stays as it is, bit for bit; not for `/`, `/boot` and `/var`",
    ),
    ("--onbiosdisk", Refused, ""),
    ("--ondisk", Used, "the disk; a partition without goes onto the first disk with room for it"),
    (
        "--onpart",
        Used,
        "a partition that is there: a name, a link below /dev/disk, `UUID=`, `LABEL=`. Its table stays, \
        and so does all else on that disk",
    ),
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
const PART_DOES: &str = "Makes one partition. Mount points: `/`, `/boot`, `/boot/efi`, `swap`, `biosboot`, `/tmp`, and \
    `/var` and what is below it. `/home`, `/srv`, `/opt`, `/mnt` and `/root` are links into `/var` in an image, so \
    that `part /home` makes `/var/home`. `pv.…` is made for a `volgroup`. `/usr` gets no file system of its own: it \
    belongs to the image, and its size is added to that of `/`. Other directories that belong to the image (`/etc`, …) and such as exist only while the system runs are refused, and so are `raid.…` and `btrfs.…`. Where a \
    BIOS starts the machine and there is no `biosboot`, one is added; `prepboot` is left out.";

const LOGVOL: &[Row] = &[
    ("--fstype", Used, "`xfs`, `ext4`, `ext3`, `ext2`, `btrfs`, `swap`; else what the image asks for, or xfs"),
    ("--grow", Used, "shares what is left in the group with the others that grow"),
    ("--maxsize", Used, "MiB"),
    ("--name", Used, ""),
    ("--noformat", Refused, "every volume is made anew"),
    ("--percent", Used, "of what the sizes of all volumes leave free in the group, added to `--size`"),
    ("--recommended", Used, "for swap"),
    ("--size", Used, "MiB, rounded up to whole extents"),
    ("--useexisting", Refused, "every volume is made anew"),
    ("--vgname", Used, ""),
    ("--fsoptions", Used, "in /etc/fstab; not for `/`, which is not in it"),
    ("--fsprofile", Refused, "use `--mkfsoptions`"),
    ("--encrypted", Refused, NO_ENCRYPTION),
    ("--passphrase", Ignored, NO_ENCRYPTION),
    ("--escrowcert", Ignored, NO_ENCRYPTION),
    ("--backuppassphrase", Ignored, NO_ENCRYPTION),
    ("--label", Used, ""),
    ("--resize", Refused, "every volume is made anew"),
    ("--hibernation", Refused, ""),
    ("--cipher", Ignored, NO_ENCRYPTION),
    ("--thinpool", Refused, ""),
    ("--thin", Refused, ""),
    ("--poolname", Ignored, "see `--thin`"),
    ("--chunksize", Ignored, "see `--thinpool`"),
    ("--metadatasize", Ignored, "see `--thinpool`"),
    ("--profile", Refused, ""),
    ("--cachesize", Refused, ""),
    ("--cachemode", Ignored, "see `--cachesize`"),
    ("--cachepvs", Ignored, "see `--cachesize`"),
    ("--mkfsoptions", Used, "further arguments to mkfs"),
    ("--luks-version", Ignored, NO_ENCRYPTION),
    ("--pbkdf", Ignored, NO_ENCRYPTION),
    ("--pbkdf-memory", Ignored, NO_ENCRYPTION),
    ("--pbkdf-time", Ignored, NO_ENCRYPTION),
    ("--pbkdf-iterations", Ignored, NO_ENCRYPTION),
    ("--bytes-per-inode", Ignored, "gone"),
];
const LOGVOL_DOES: &str = "Makes one logical volume. Mount points are those of `part`; /boot has to be a partition, \
    where the boot loader finds it.";

const AUTH_DOES: &str = "What holds without being asked for (`--enableshadow`, `--passalgo=sha512`, …) changes \
    nothing; what has a counterpart in authselect is done by it; a weaker way to hash passwords has no effect, and a \
    warning says so; the rest is refused.";

/// Every command, by name.
pub(super) const ENTRIES: &[Entry] = &[
    used("auth", AUTH_DOES, &[]),
    used("authconfig", "The same as `auth`.", &[]),
    used(
        "authselect",
        "Runs authselect of the image in the new system, with `--force` behind `select`; refused before the disk is \
         touched where the image has none. Switches of authconfig alone are read as those of `auth`.",
        &[],
    ),
    used(
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
    no_effect("autostep", "leave it out"),
    used(
        "bootc",
        "The image, as `ostreecontainer` names it too. It is installed by this installer, and not by `bootc install`; \
         what comes out is the same, and `bootc upgrade` works on it.",
        &[
            ("--stateroot", Used, "else `default`"),
            ("--source-imgref", Used, "`registry:REGISTRY/NAME:TAG`, `docker://…`, `oci:PATH`, `oci-archive:PATH`"),
            (
                "--target-imgref",
                Used,
                "where the installed system looks for updates, else the image of the first such line",
            ),
            ("--bootloader", Used, "`grub`, which changes nothing; others are refused"),
            ("--composefs", Refused, ""),
        ],
    ),
    used(
        "bootloader",
        "Kernel arguments, and whether there is a boot loader. It is the image's own: bootupd where the image has it, \
         else its GRUB.",
        &[
            ("--append", Used, "kernel arguments, after those of the image"),
            ("--location", Used, "`none`: no boot loader; `mbr` and `boot` change nothing; `partition` is refused"),
            ("--password", Used, "as `grub2-mkpasswd-pbkdf2` hashes it; a plain one is refused"),
            ("--driveorder", Warned, "the boot loader goes onto the disk of the system"),
            ("--timeout", Used, "seconds that GRUB's menu waits; else one"),
            ("--default", Ignored, "there is one system"),
            ("--iscrypted", Used, "with `--password`"),
            ("--md5pass", Refused, ""),
            ("--boot-drive", Warned, "the boot loader goes onto the disk of the system"),
            ("--leavebootorder", Used, "else UEFI firmware gets an entry for the system, first in its order"),
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
    refused("btrfs", "use `part --fstype=xfs` or ext4"),
    no_effect("cdrom", "the image brings its own packages; leave it out"),
    used(
        "clearpart",
        "Says what may be lost. A disk that is not empty is used only where this command allows it; then the whole \
         disk is cleared, never a part of it.",
        &[
            ("--all", Used, "everything on the disk that is chosen"),
            ("--initlabel", Ignored, "a new GPT is always written"),
            ("--linux", Used, "only if every partition of the disk is one of Linux"),
            ("--none", Used, "nothing; the default"),
            ("--disklabel", Used, "`gpt`; anything else is refused"),
            ("--drives", Used, "these disks; where no others are named, the system goes onto them"),
            ("--list", Refused, "single partitions are not cleared"),
            ("--cdl", Ignored, "for a kind of disk that is not supported"),
        ],
    ),
    used("cmdline", NOT_SHOWN, &[]),
    refused("device", "name the kernel module in the image"),
    no_effect("deviceprobe", "leave it out"),
    refused("dmraid", "use a plain disk"),
    refused("driverdisk", "put the driver into the image"),
    used("eula", "No effect: agreeing is left to the administrator.", &[("--agreed", Ignored, "")]),
    refused("fcoe", "use a local disk"),
    used(
        "firewall",
        "firewalld, enabled and configured by `firewall-offline-cmd` of the image. An image that has no firewalld is \
         refused before the disk is touched, unless the firewall is to be off, which it is already. ssh stays open \
         unless it is closed by name.",
        &[
            ("--disabled", Used, "firewalld does not start"),
            ("--enabled", Used, "the default"),
            ("--port", Used, "`PORT:PROTOCOL` or `FIRST-LAST:PROTOCOL`"),
            ("--trust", Used, "interfaces that are not filtered"),
            ("--service", Used, "services that firewalld of the image knows"),
            ("--ftp", Used, "the service `ftp`"),
            ("--http", Used, "the service `http`"),
            ("--smtp", Used, "the service `smtp`"),
            ("--ssh", Used, "the service `ssh`"),
            ("--remove-service", Used, ""),
            ("--use-system-defaults", Used, "the firewall stays as the image has it"),
            ("--high", Ignored, "gone"),
            ("--medium", Ignored, "gone"),
            ("--telnet", Ignored, "gone"),
        ],
    ),
    used(
        "firstboot",
        "Whether initial-setup asks at the first boot, where the image has it.",
        &[
            ("--disabled", Used, "it does not"),
            ("--enabled", Used, "it does; a warning where the image has none"),
            ("--reconfig", Used, "it asks for everything (/etc/reconfigSys)"),
        ],
    ),
    used("graphical", NOT_SHOWN, DISPLAY),
    used(
        "group",
        "Makes a group. One that the image has stays as it is; another id for it is refused.",
        &[("--name", Used, ""), ("--gid", Used, "else the next one that is free, from 1000")],
    ),
    used("halt", "The machine stops when it is done.", END),
    no_effect("harddrive", "the image brings its own packages; leave it out"),
    no_effect("hmc", "the image brings its own packages; leave it out"),
    used(
        "ignoredisk",
        "Narrows the choice of disks: kernel names, paths, links below /dev/disk, patterns such as `nvme*`, several \
         with `|` between them.",
        &[
            ("--drives", Used, "never these"),
            ("--only-use", Used, "only these; one must remain"),
            ("--interactive", Ignored, "gone"),
        ],
    ),
    no_effect("install", "the image brings its own packages; leave it out"),
    refused("iscsi", "use a local disk"),
    refused("iscsiname", "use a local disk"),
    used(
        "keyboard",
        "The keymap of the console, in /etc/vconsole.conf (and its layout in /etc/default/keyboard, where the image has \
         that), and the layouts of X.",
        &[
            ("--vckeymap", Used, "comes before the argument"),
            ("--xlayouts", Used, "for X, and /etc/default/keyboard where the image has it"),
            ("--switch", Used, "with `--xlayouts`"),
        ],
    ),
    used("lang", "`LANG`, in /etc/locale.conf.", &[("--addsupport", Warned, "locales come with the image")]),
    refused("liveimg", "use `ostreecontainer --url=` with a container image"),
    used(
        "logging",
        "A log server gets the events of the installation, a line each (RFC 5424, by UDP). It is not waited for. The \
         installed system sends nothing by this.",
        &[("--host", Used, "a name or an address"), ("--port", Used, "514 otherwise"), ("--level", Ignored, "")],
    ),
    used("logvol", LOGVOL_DOES, LOGVOL),
    no_effect("mediacheck", "there is no medium to check"),
    no_effect("method", "the image brings its own packages; leave it out"),
    no_effect("module", "the image brings its own packages; leave it out"),
    used(
        "mount",
        "Uses a partition that is there, as `part --onpart` does: what is on it stays as it is, unless `--reformat` \
         says otherwise. A line with `none` does nothing.",
        &[
            ("--reformat", Used, "without a type: the one that it has"),
            ("--mkfsoptions", Used, "further arguments to mkfs"),
            ("--mountoptions", Used, "in /etc/fstab"),
        ],
    ),
    refused("multipath", "use a plain disk"),
    used(
        "network",
        "The host name, in /etc/hostname, and connections: files of NetworkManager, or of systemd-networkd where the \
         image has that alone. A line that asks for DHCP on whatever device there is needs no file: every image does \
         that by itself.",
        &[
            ("--bootproto", Used, "`dhcp`, `bootp`, `static`; others are refused"),
            ("--dhcpclass", Used, ""),
            ("--device", Used, "a name, a MAC address, `link`; `bootif` is read as `link`"),
            ("--essid", Used, "by NetworkManager"),
            ("--ethtool", Warned, "set it in the image"),
            ("--gateway", Used, ""),
            ("--hostname", Used, "the last one counts"),
            ("--ip", Used, "without `--bootproto` this means `static`"),
            ("--mtu", Used, ""),
            ("--nameserver", Used, ""),
            ("--netmask", Used, ""),
            ("--nodns", Used, "no name server that is announced is asked"),
            ("--onboot", Used, "else the connection comes up with the system"),
            ("--wepkey", Used, ""),
            ("--notksdevice", Ignored, "what the installer itself is connected by changes nothing"),
            ("--noipv4", Used, ""),
            ("--noipv6", Used, ""),
            ("--ipv6", Used, "`auto`, `dhcp`, or `ADDRESS/PREFIX`"),
            ("--activate", Ignored, "in the installer, whose network comes from its boot options"),
            ("--nodefroute", Used, ""),
            ("--wpakey", Used, ""),
            ("--bondslaves", Used, ""),
            ("--bondopts", Used, ""),
            ("--vlanid", Used, "on the device that is named"),
            ("--ipv6gateway", Used, ""),
            ("--teamslaves", Refused, "make a bond"),
            ("--teamconfig", Refused, "make a bond"),
            ("--interfacename", Used, "of the VLAN"),
            ("--bridgeslaves", Used, ""),
            ("--bridgeopts", Used, ""),
            ("--no-activate", Ignored, "see `--activate`"),
            ("--bindto", Used, "`mac`, with `--device=` and a MAC address; a device's name stays its name"),
            ("--ipv4-dns-search", Used, ""),
            ("--ipv6-dns-search", Used, ""),
            ("--ipv4-ignore-auto-dns", Used, ""),
            ("--ipv6-ignore-auto-dns", Used, ""),
        ],
    ),
    no_effect("nfs", "the image brings its own packages; leave it out"),
    refused("nvdimm", "prepare the device with ndctl first"),
    used(
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
    refused("ostreesetup", "use `ostreecontainer --url=` with a container image"),
    used("part", PART_DOES, PART),
    used("partition", "The same as `part`.", PART),
    used("poweroff", "The machine turns off when it is done.", END),
    refused("raid", "use a plain disk"),
    no_effect("rdp", "there is nothing to look at"),
    used(
        "realm",
        "The machine joins the domain at its first boot, under its own name: by a unit that runs `realm join` of the \
         image, and tries again while that fails. Refused before the disk is touched where the image has no realmd.",
        &[
            ("--client-software", Used, ""),
            ("--server-software", Used, ""),
            ("--membership-software", Used, ""),
            ("--one-time-password", Refused, "the list of processes would show it"),
            ("--no-password", Used, ""),
            ("--computer-ou", Used, ""),
        ],
    ),
    used("reboot", "The machine restarts when it is done.", END),
    no_effect("repo", "the image brings its own packages; leave it out"),
    used(
        "reqpart",
        "Adds a BIOS boot partition and an EFI system partition to those that `part` lines make.",
        &[("--add-boot", Used, "and a /boot")],
    ),
    refused("rescue", "boot a rescue system"),
    used(
        "rhsm",
        "The machine registers at its first boot: by a unit that calls subscription-manager of the image, and tries \
         again while that fails. Organization and keys are in a file that root alone reads and that goes then, never \
         in arguments. Refused before the disk is touched where the image has no subscription-manager.",
        &[
            ("--organization", Used, ""),
            ("--activation-key", Used, ""),
            ("--connect-to-insights", Used, "by insights-client; a warning where the image has none"),
            ("--proxy", Used, "`http://USER:PASSWORD@HOST:PORT`; it stays in the settings of subscription-manager"),
            ("--server-hostname", Used, "stays in the settings, too"),
            ("--rhsm-baseurl", Used, "stays in the settings, too"),
            ("--flatpak-registry-url", Warned, "set it up in the image"),
        ],
    ),
    used(
        "rootpw",
        "Root's password. Without this line no password opens the account.",
        &[
            ("--iscrypted", Used, "the password is a crypt(3) hash"),
            ("--lock", Used, "no password opens the account"),
            ("--plaintext", Used, "the default"),
            ("--allow-ssh", Used, "root may log in over ssh by password"),
        ],
    ),
    used(
        "selinux",
        "The mode in /etc/selinux/config, where the image has that file; else a warning.",
        &[
            ("--disabled", Used, "by `selinux=0` among the kernel arguments as well"),
            ("--enforcing", Used, ""),
            ("--permissive", Used, ""),
        ],
    ),
    used(
        "services",
        "Which units start with the system: links in /etc as `systemctl enable` makes them, and a preset, so that the \
         first boot undoes nothing. First `--disabled`, then `--enabled`.",
        &[
            ("--disabled", Used, "a unit that the image lacks is a warning"),
            ("--enabled", Used, "a unit that the image lacks is refused before the disk is touched"),
        ],
    ),
    used("shutdown", "The same as `poweroff`.", END),
    used("skipx", "The system starts into text (`multi-user.target`).", &[]),
    refused("snapshot", "leave it out"),
    used(
        "sshkey",
        "Adds a key to a user's authorized_keys. The user is root or one that a `user` line makes.",
        &[("--username", Used, "")],
    ),
    used(
        "sshpw",
        "Who may log in to the installer itself, where it runs from boot media with `inst.sshd` among its kernel \
         arguments. The installer has root alone.",
        &[
            ("--username", Used, "`root`; others are not there, and a warning says so"),
            ("--iscrypted", Used, "a hash of crypt(3)"),
            ("--plaintext", Used, ""),
            ("--lock", Used, "the line allows no login"),
            ("--sshkey", Used, "a public key"),
        ],
    ),
    refused("stratisfs", "use `part --fstype=xfs`"),
    refused("stratispool", "use `part --fstype=xfs`"),
    used(
        "syspurpose",
        "Written to /etc/rhsm/syspurpose/syspurpose.json.",
        &[("--role", Used, ""), ("--sla", Used, ""), ("--usage", Used, ""), ("--addon", Used, "")],
    ),
    used("text", NOT_SHOWN, DISPLAY),
    used(
        "timesource",
        "Where the time comes from: chrony, or systemd-timesyncd where the image has that alone. A warning where it \
         has neither.",
        &[
            ("--ntp-server", Used, ""),
            ("--ntp-pool", Used, ""),
            ("--ntp-disable", Used, "neither of the two starts"),
            ("--nts", Used, "by chrony"),
        ],
    ),
    used(
        "timezone",
        "The link /etc/localtime, where the image has the zone; else a warning.",
        &[
            ("--utc", Used, "the hardware clock is in UTC"),
            ("--isUtc", Used, "the old name of `--utc`"),
            ("--nontp", Used, "as `timesource --ntp-disable`"),
            ("--ntpservers", Used, "as `timesource --ntp-server`"),
        ],
    ),
    no_effect("unsupported_hardware", "leave it out"),
    no_effect("updates", "it is about Anaconda itself"),
    refused("upgrade", "update an installed system with `bootc upgrade`"),
    no_effect("url", "the image brings its own packages; leave it out"),
    used(
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
    no_effect("vnc", "there is nothing to look at"),
    used(
        "volgroup",
        "Makes a volume group of `part pv.…` partitions, which may lie on several disks.",
        &[
            ("--noformat", Refused, "every volume group is made anew"),
            ("--useexisting", Refused, "every volume group is made anew"),
            ("--reserved-space", Used, "MiB"),
            ("--reserved-percent", Used, ""),
            ("--pesize", Used, "KiB, a power of two; else 4096"),
        ],
    ),
    used(
        "xconfig",
        "What is seen when the system has started.",
        &[
            ("--defaultdesktop", Used, "in /etc/sysconfig/desktop"),
            ("--startxonboot", Used, "a graphical login (`graphical.target`)"),
            ("--server", Ignored, "gone"),
            ("--card", Ignored, "gone"),
            ("--hsync", Ignored, "gone"),
            ("--monitor", Ignored, "gone"),
            ("--noprobe", Ignored, "gone"),
            ("--vsync", Ignored, "gone"),
            ("--driver", Ignored, "gone"),
            ("--depth", Ignored, "gone"),
            ("--resolution", Ignored, "gone"),
            ("--videoram", Ignored, "gone"),
        ],
    ),
    used("zerombr", "Like `clearpart`, lets an installation without a terminal begin without `--yes`.", &[]),
    refused("zfcp", "use a local disk"),
    refused("zipl", "the boot loader is the image's own"),
];

/// Every section, in the order of the parser.
pub(super) const SECTIONS: &[Entry] = &[
    used("%pre", "run before anything else; see [install.md](install.md#scripts)", &[]),
    used(
        "%pre-install",
        "run when the file systems of the target are mounted; see [install.md](install.md#scripts)",
        &[],
    ),
    used("%post", "run; see [install.md](install.md#scripts)", &[]),
    used("%onerror", "run when the installation fails; see [install.md](install.md#scripts)", &[]),
    used("%traceback", "run when the installer itself fails; see [install.md](install.md#scripts)", &[]),
    no_effect("%packages", "install packages when the image is built"),
    used(
        "%certificate",
        "becomes the file `--filename` in `--dir`, which is below /etc, /var or the like; one among the anchors of the \
         system's trust is taken into its store. Registries are asked with it as well",
        &[],
    ),
    used(
        "%addon",
        "The section `org_bootc_ks` is read: how the image is reached; see [install.md](install.md#the-section-in-the-kickstart). \
         Of others a warning says that they have no effect.",
        &[],
    ),
    no_effect("%anaconda", "leave it out"),
];
