//! What the kernel's command line says to the installer: Anaconda's words where it has one for
//! it (its boot options are what sites have in their PXE configurations), ours where not. Pure.

use std::time::Duration;

/// Where a kickstart is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `http://…`, `https://…`, `ftp://…`.
    Url(String),
    /// On an NFS server: `nfs:[OPTIONS:]SERVER:/PATH`.
    Nfs {
        /// Mount options, if any.
        options: Option<String>,
        /// The server; IPv6 in brackets.
        server: String,
        /// The file there.
        path: String,
    },
    /// On a disk or a partition: `hd:DEV[:PATH]`.
    Device {
        /// A node's name, `LABEL=…` or `UUID=…`.
        device: String,
        /// The path on it.
        path: String,
    },
    /// On an optical disc: `cdrom[:DEV][:PATH]`.
    Cdrom {
        /// The drive, where one is named.
        device: Option<String>,
        /// The path on it.
        path: String,
    },
    /// In the initramfs: `file:PATH`.
    File(String),
}

/// What is installed instead of the kickstart's image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootImage {
    /// A reference as `bootc-ks install --image` takes it.
    Reference(String),
    /// An OCI layout on a medium: `oci:hd:DEV:/PATH[:TAG]`.
    Medium {
        /// As in [`Source::Device`].
        device: String,
        /// The path of the layout on it, with its tag.
        path: String,
    },
}

/// Records of the installation that are not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsaved {
    /// The kickstart.
    pub kickstart: bool,
    /// The log.
    pub log: bool,
}

/// The default of a kickstart's path on a medium.
const DEFAULT_PATH: &str = "/ks.cfg";

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Kickstarts in order; the last is used, or the first that is there with `all`.
    pub kickstarts: Vec<Source>,
    /// `inst.ks.all`: try each.
    pub all: bool,
    /// `inst.ks.timeout=`: how long a server that is not there yet is waited for.
    pub kickstart_timeout: Option<Duration>,
    /// `inst.ks.sendmac`: tell the server the addresses of the network cards.
    pub send_mac: bool,
    /// `inst.ks.sendsn`: tell it the machine's serial number.
    pub send_serial: bool,
    /// `inst.noverifyssl`: the server of the kickstart's URL is not verified.
    pub no_verify_tls: bool,
    /// `inst.proxy=`.
    pub proxy: Option<String>,
    /// `inst.syslog=`: a log server, `HOST[:PORT]`.
    pub syslog: Option<String>,
    /// `inst.noshell`: no shell after a failure.
    pub no_shell: bool,
    /// `inst.sshd`: root may log in over ssh while the installer runs.
    pub sshd: bool,
    /// `inst.nomemcheck`: begin with little memory, too.
    pub no_memory_check: bool,
    /// `inst.nosave=`: what the installed system does not get.
    pub no_save: Unsaved,
    /// `inst.leavebootorder`: the firmware goes on starting from the network first.
    pub leave_boot_order: bool,
    /// `inst.wait_for_disks=`: how long a medium may take to appear.
    pub wait_for_disks: Option<Duration>,
    /// `rd.net.timeout.dhcp=` or `rd.net.timeout.carrier=`, the larger: how long the network may take.
    pub wait_for_network: Option<Duration>,
    /// `bootc-ks.image=`.
    pub image: Option<BootImage>,
    /// `bootc-ks.target=`: where updates come from, if from somewhere else.
    pub target: Option<String>,
    /// `bootc-ks.insecure=`: registries without verified TLS.
    pub insecure: Vec<String>,
    /// `bootc-ks.fetch-after-wipe`: an image that memory cannot keep is fetched when the disk is wiped,
    /// even if there was something on it.
    pub fetch_after_wipe: bool,
    /// `bootc-ks.report=`: where progress and outcome are sent.
    pub report: Option<String>,
    /// What is not understood or not done, a sentence each.
    pub warnings: Vec<String>,
}

impl Options {
    /// Reads `/proc/cmdline`.
    pub fn parse(cmdline: &str) -> Self {
        let mut options = Options::default();
        for word in words(cmdline) {
            let (key, value) = match word.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (word.as_str(), None),
            };
            options.word(key, value);
        }
        options
    }

    fn word(&mut self, key: &str, value: Option<&str>) {
        match (key, value) {
            ("inst.ks", Some(value)) => self.kickstart(value),
            ("inst.ks", None) => {
                self.warn("inst.ks without a value asks the DHCP server, which is not supported; say inst.ks=http://…")
            }
            ("inst.ks.all", _) => self.all = true,
            ("inst.ks.timeout", Some(value)) => self.kickstart_timeout = self.seconds(key, value),
            ("inst.ks.sendmac" | "kssendmac", _) => self.send_mac = true,
            ("inst.ks.sendsn" | "kssendsn", _) => self.send_serial = true,
            ("inst.noverifyssl" | "rd.noverifyssl", _) => self.no_verify_tls = true,
            ("inst.proxy", Some(value)) => self.proxy = Some(value.to_owned()),
            ("inst.syslog", Some(value)) => self.syslog = Some(value.to_owned()),
            ("inst.leavebootorder", _) => self.leave_boot_order = true,
            ("inst.noshell", _) => self.no_shell = true,
            ("inst.sshd", _) => self.sshd = true,
            ("inst.nomemcheck", _) => self.no_memory_check = true,
            ("inst.memcheck", _) => self.no_memory_check = false,
            ("inst.nosave", Some(value)) => self.no_save(value),
            ("inst.wait_for_disks", Some(value)) => self.wait_for_disks = self.seconds(key, value),
            ("rd.net.timeout.dhcp" | "rd.net.timeout.carrier", Some(value)) => {
                self.wait_for_network = self.wait_for_network.max(self.seconds(key, value));
            }
            ("bootc-ks.image", Some(value)) => self.image(value),
            ("bootc-ks.target", Some(value)) => self.target = Some(value.to_owned()),
            ("bootc-ks.insecure", Some(value)) => self.insecure.push(value.to_owned()),
            ("bootc-ks.fetch-after-wipe", None) => self.fetch_after_wipe = true,
            ("bootc-ks.report", Some(value)) => self.report = Some(value.trim_end_matches('/').to_owned()),
            // What this installer is anyway, or has no part for.
            (
                "inst.text"
                | "inst.cmdline"
                | "inst.noninteractive"
                | "inst.stage2"
                | "inst.stage2.all"
                | "inst.repo"
                | "inst.nokill"
                | "inst.notmux"
                | "inst.lang"
                | "inst.keymap",
                _,
            ) => {}
            _ if key.starts_with("inst.") => self.warn(format!("{key}: not known here, and passed over")),
            _ if key.starts_with("bootc-ks.") => {
                self.warn(format!("{key}: there is no such option, or it wants a value"))
            }
            _ => {}
        }
    }

    fn warn(&mut self, sentence: impl Into<String>) {
        self.warnings.push(sentence.into());
    }

    fn seconds(&mut self, key: &str, value: &str) -> Option<Duration> {
        let seconds = value.parse().ok().map(Duration::from_secs);
        if seconds.is_none() {
            self.warn(format!("{key}={value}: that is no number of seconds"));
        }
        seconds
    }

    fn kickstart(&mut self, value: &str) {
        let (scheme, rest) = value.split_once(':').unwrap_or((value, ""));
        let source = match scheme {
            "http" | "https" | "ftp" => Source::Url(value.to_owned()),
            "file" => Source::File(format!("/{}", rest.trim_start_matches('/'))),
            "nfs" | "nfs4" => match nfs(rest) {
                Some(source) => source,
                None => {
                    return self.warn(format!("inst.ks={value} names no file; say inst.ks=nfs:SERVER:/PATH/site.ks"));
                }
            },
            "hd" => {
                let (device, path) = device_and_path(rest);
                if device.is_empty() {
                    return self.warn(format!("inst.ks={value} names no device; say inst.ks=hd:LABEL=NAME:/ks.cfg"));
                }
                Source::Device { device, path }
            }
            "cdrom" => {
                let (device, path) = device_and_path(rest);
                Source::Cdrom { device: Some(device).filter(|device| !device.is_empty()), path }
            }
            "" => return self.warn("inst.ks= has no value"),
            _ if value.starts_with('/') => Source::File(value.to_owned()),
            _ => {
                let ways = "use http, https, ftp, nfs, hd, cdrom or file";
                return self.warn(format!("inst.ks={value}: '{scheme}' is not supported; {ways}"));
            }
        };
        self.kickstarts.push(source);
    }

    fn no_save(&mut self, value: &str) {
        for what in value.split(',') {
            match what {
                "input_ks" | "output_ks" | "all_ks" => self.no_save.kickstart = true,
                "logs" => self.no_save.log = true,
                "all" => self.no_save = Unsaved { kickstart: true, log: true },
                _ => self.warn(format!("inst.nosave={what}: use input_ks, output_ks, all_ks, logs or all")),
            }
        }
    }

    fn image(&mut self, value: &str) {
        self.image = Some(match value.strip_prefix("oci:hd:") {
            Some(rest) => {
                let (device, path) = device_and_path(rest);
                BootImage::Medium { device, path }
            }
            None => BootImage::Reference(value.to_owned()),
        });
    }
}

/// `[OPTIONS:]SERVER:/PATH`.
fn nfs(text: &str) -> Option<Source> {
    let (left, path) = text.split_once(":/")?;
    // An address in brackets has colons of its own.
    let (options, server) = match left.rfind('[') {
        Some(at) => (left[..at].strip_suffix(':'), &left[at..]),
        None => left.rsplit_once(':').map_or((None, left), |(options, server)| (Some(options), server)),
    };
    let named = !server.is_empty() && !path.is_empty() && !path.ends_with('/');
    let options = options.filter(|options| !options.is_empty()).map(str::to_owned);
    named.then(|| Source::Nfs { options, server: server.to_owned(), path: format!("/{path}") })
}

/// `DEV[:PATH]`; a path alone begins with a slash that is no device's.
fn device_and_path(text: &str) -> (String, String) {
    let (device, path) = match text.split_once(':') {
        Some((device, path)) => (device, path),
        None if text.starts_with('/') && !text.starts_with("/dev/") => ("", text),
        None => (text, ""),
    };
    let path = if path.is_empty() { DEFAULT_PATH.to_owned() } else { format!("/{}", path.trim_start_matches('/')) };
    (unescape(device), path)
}

/// udev's `\x20` for characters that a word cannot have.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x") {
        let code = rest.get(at + 2..at + 4).and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(u8::is_ascii);
        out.push_str(&rest[..at]);
        match code {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            None => {
                out.push_str("\\x");
                rest = &rest[at + 2..];
            }
        }
    }
    out + rest
}

/// The words of a command line as the kernel sees them: blanks end a word unless they stand
/// between double quotes; what follows `--` is not for us, but that is not written here.
fn words(cmdline: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in cmdline.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(device: &str, path: &str) -> Source {
        Source::Device { device: device.into(), path: path.into() }
    }

    #[test]
    fn a_kickstart_may_be_in_many_places() {
        let read = |word: &str| Options::parse(&format!("quiet inst.ks={word} ro")).kickstarts;
        assert_eq!(read("http://[fd00::1]:80/a?b=c"), [Source::Url("http://[fd00::1]:80/a?b=c".into())]);
        assert_eq!(read("file:/site.ks"), [Source::File("/site.ks".into())]);
        assert_eq!(read("/site.ks"), [Source::File("/site.ks".into())]);
        assert_eq!(read("hd:sdb1"), [device("sdb1", "/ks.cfg")]);
        assert_eq!(read("hd:LABEL=My\\x20Disk:site.ks"), [device("LABEL=My Disk", "/site.ks")]);
        assert_eq!(read("\"hd:LABEL=My Disk:/a b.ks\""), [device("LABEL=My Disk", "/a b.ks")]);
        let nfs = |options: Option<&str>, server: &str| Source::Nfs {
            options: options.map(str::to_owned),
            server: server.into(),
            path: "/srv/site.ks".into(),
        };
        assert_eq!(read("nfs:s:/srv/site.ks"), [nfs(None, "s")]);
        assert_eq!(read("nfs:nfsvers=4,port=1:s:/srv/site.ks"), [nfs(Some("nfsvers=4,port=1"), "s")]);
        assert_eq!(read("nfs:[fd00::1]:/srv/site.ks"), [nfs(None, "[fd00::1]")]);
        assert_eq!(read("nfs:soft:[fd00::1]:/srv/site.ks"), [nfs(Some("soft"), "[fd00::1]")]);
        assert_eq!(read("nfs4:s:/srv/site.ks"), [nfs(None, "s")]);
        assert_eq!(read("ftp://s/site.ks"), [Source::Url("ftp://s/site.ks".into())]);
        assert_eq!(read("cdrom"), [Source::Cdrom { device: None, path: "/ks.cfg".into() }]);
        assert_eq!(read("cdrom:/a.ks"), [Source::Cdrom { device: None, path: "/a.ks".into() }]);
        assert_eq!(read("cdrom:sr0:/a.ks"), [Source::Cdrom { device: Some("sr0".into()), path: "/a.ks".into() }]);
    }

    #[test]
    fn what_is_not_done_is_said() {
        let options = Options::parse(
            "inst.ks=nfs:server:/ inst.ks=gopher://x inst.frob bootc-ks.imag=x inst.wait_for_disks=soon inst.ks",
        );
        assert!(options.kickstarts.is_empty());
        let said = options.warnings.join("\n");
        for word in ["names no file", "'gopher' is not supported", "inst.frob", "bootc-ks.imag", "soon", "DHCP"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert_eq!(options.warnings.len(), 6, "{said}");
        assert!(Options::parse("root=x rd.lvm=0 inst.text console=ttyS0").warnings.is_empty());
    }

    #[test]
    fn what_is_kept_and_who_comes_in() {
        let options = Options::parse("inst.sshd inst.nosave=output_ks,frob inst.nomemcheck");
        assert!(options.sshd && options.no_memory_check);
        assert_eq!(options.no_save, Unsaved { kickstart: true, log: false });
        assert!(options.warnings.len() == 1 && options.warnings[0].contains("inst.nosave=frob"));
        assert_eq!(Options::parse("inst.nosave=all").no_save, Unsaved { kickstart: true, log: true });
    }

    #[test]
    fn our_own_words() {
        let options = Options::parse(
            "bootc-ks.image=oci:hd:LABEL=BOOTC_KS:/image:latest bootc-ks.target=quay.io/a/b bootc-ks.insecure=r:1 \
             bootc-ks.insecure=r:2 inst.ks.timeout=30 bootc-ks.report=http://s/v1/ rd.net.timeout.dhcp=7 rd.net.timeout.carrier=3",
        );
        let medium = BootImage::Medium { device: "LABEL=BOOTC_KS".into(), path: "/image:latest".into() };
        assert_eq!(options.image, Some(medium));
        assert_eq!(options.insecure, ["r:1", "r:2"]);
        assert_eq!(options.report.as_deref(), Some("http://s/v1"));
        assert_eq!(options.kickstart_timeout, Some(Duration::from_secs(30)));
        assert_eq!(options.wait_for_network, Some(Duration::from_secs(7)));
        assert!(options.warnings.is_empty(), "{:?}", options.warnings);
    }
}
