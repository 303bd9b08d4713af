//! What the look keeps of an image's files to say what its system has, and how it says that. Fed with
//! paths and small contents alone; how they are read is no concern of this file.

use std::collections::{BTreeMap, BTreeSet};

use super::system_facts::{PROGRAMS, SystemFacts, UnitFacts, UnitInstall};

/// What is kept of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// That it is there.
    Name,
    /// Its text.
    Text,
}

/// A file of the image.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind<'a> {
    /// One of which no more is known, or asked.
    File,
    /// One with this content.
    Text(&'a [u8]),
    /// A symbolic link that leads to this path from the root.
    Link(&'a str),
}

/// Directories and files that are of interest.
pub(super) const ROOTS: &[&str] = &[
    "etc/chrony",
    "etc/chrony.conf",
    "etc/default/keyboard",
    "etc/firewalld/services",
    GROUP,
    PASSWD,
    SHELLS,
    "etc/systemd/system",
    "usr/lib/firewalld/services",
    VENDOR_GROUP,
    VENDOR_PASSWD,
    "usr/lib/kbd/keymaps",
    "usr/lib/locale",
    "usr/lib/systemd/system",
    "usr/lib/tmpfiles.d/debian.conf",
    "usr/share/kbd/keymaps",
    "usr/share/keymaps",
    "usr/share/zoneinfo",
];

const PASSWD: &str = "etc/passwd";
const GROUP: &str = "etc/group";
const VENDOR_PASSWD: &str = "usr/lib/passwd";
const VENDOR_GROUP: &str = "usr/lib/group";
const SHELLS: &str = "etc/shells";
const TEXTS: &[&str] = &[PASSWD, GROUP, VENDOR_PASSWD, VENDOR_GROUP, SHELLS];

/// Where units lie, the one that counts first.
const UNIT_DIRS: &[&str] = &["etc/systemd/system/", "usr/lib/systemd/system/"];
const UNIT_KINDS: &[&str] = &["service", "socket", "timer", "target", "path", "mount", "automount", "slice", "swap"];
const KEYMAP_DIRS: &[&str] = &["usr/lib/kbd/keymaps/", "usr/share/kbd/keymaps/", "usr/share/keymaps/"];

/// What is kept of the file at `path`.
pub(super) fn keep(path: &str) -> Option<Keep> {
    if TEXTS.contains(&path) || unit_of(path).is_some() {
        return Some(Keep::Text);
    }
    let named = is_program(path)
        || firewall_service(path).is_some()
        || locale_of(path).is_some()
        || path == ARCHIVE
        || keymap_of(path).is_some()
        || zone_of(path).is_some();
    named.then_some(Keep::Name)
}

fn is_program(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    PROGRAMS.iter().any(|program| {
        let program = &program[1..];
        path == program
            || matches!(path.strip_suffix(name), Some("usr/bin/" | "usr/sbin/"))
                && program.starts_with("usr/")
                && program.ends_with(&format!("/{name}"))
    })
}

/// The unit whose file this is.
fn unit_of(path: &str) -> Option<&str> {
    let name = UNIT_DIRS.iter().find_map(|dir| path.strip_prefix(dir))?;
    let kind = name.rsplit_once('.')?.1;
    (!name.contains('/') && UNIT_KINDS.contains(&kind)).then_some(name)
}

fn firewall_service(path: &str) -> Option<&str> {
    let dirs = ["usr/lib/firewalld/services/", "etc/firewalld/services/"];
    let name = dirs.iter().find_map(|dir| path.strip_prefix(dir))?;
    name.strip_suffix(".xml").filter(|name| !name.contains('/'))
}

/// Locales in one file, whose names are not read.
const ARCHIVE: &str = "usr/lib/locale/locale-archive";

/// The locale of usr/lib/locale/NAME/LC_CTYPE.
fn locale_of(path: &str) -> Option<&str> {
    path.strip_prefix("usr/lib/locale/")?.strip_suffix("/LC_CTYPE").filter(|name| !name.contains('/'))
}

/// The keymap of a file such as usr/lib/kbd/keymaps/xkb/de.map.gz.
fn keymap_of(path: &str) -> Option<&str> {
    let below = KEYMAP_DIRS.iter().find_map(|dir| path.strip_prefix(dir))?;
    let file = below.rsplit('/').next()?;
    let file = file.strip_suffix(".gz").unwrap_or(file);
    file.strip_suffix(".kmap").or_else(|| file.strip_suffix(".map"))
}

fn zone_of(path: &str) -> Option<&str> {
    let zone = path.strip_prefix("usr/share/zoneinfo/")?;
    let first = zone.chars().next()?;
    let beside = zone.starts_with("posix/") || zone.starts_with("right/") || zone.contains('.');
    // Tables such as `leapseconds` and `tzdata.zi` are written small.
    (first.is_ascii_uppercase() && !beside).then_some(zone)
}

/// What the system has, out of the merged files of the image.
pub(super) fn facts<'a>(files: impl Iterator<Item = (&'a str, Kind<'a>)>) -> SystemFacts {
    let mut facts = SystemFacts::default();
    let mut units: BTreeMap<&str, (bool, Kind<'a>)> = BTreeMap::new();
    let (mut locales, mut archive) = (BTreeSet::new(), false);
    let (mut keymaps, mut zones, mut services) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (path, kind) in files {
        if let Some(unit) = unit_of(path) {
            // The admin's file stands before the vendor's; a link to the vendor's own adds nothing.
            let own = path.starts_with("etc/");
            if matches!(kind, Kind::Link(target) if target.rsplit('/').next() == Some(unit)) {
                continue;
            }
            if own || units.get(unit).is_none_or(|(own, _)| !own) {
                units.insert(unit, (own, kind));
            }
        } else if TEXTS.contains(&path) {
            let text = match kind {
                Kind::Text(raw) => String::from_utf8_lossy(raw).into_owned(),
                _ => String::new(),
            };
            match path {
                PASSWD => facts.passwd = accounts(&text),
                GROUP => facts.group = accounts(&text),
                VENDOR_PASSWD => facts.vendor_passwd = accounts(&text),
                VENDOR_GROUP => facts.vendor_group = accounts(&text),
                _ => facts.shells = lines(&text).filter(|line| line.starts_with('/')).collect(),
            }
        } else if is_program(path) {
            facts.programs.push(format!("/{path}"));
        } else if let Some(service) = firewall_service(path) {
            services.insert(service.to_owned());
        } else if let Some(locale) = locale_of(path) {
            locales.insert(locale.to_owned());
        } else if let Some(keymap) = keymap_of(path) {
            keymaps.insert(keymap.to_owned());
        } else if let Some(zone) = zone_of(path) {
            zones.insert(zone.to_owned());
        }
        archive |= path == ARCHIVE;
    }
    facts.units = units.into_iter().map(|(name, (_, kind))| (name.to_owned(), unit(kind))).collect();
    facts.locales = (!archive).then(|| locales.into_iter().collect());
    facts.keymaps = keymaps.into_iter().collect();
    facts.zones = zones.into_iter().collect();
    facts.firewall_services = services.into_iter().collect();
    facts.programs.sort();
    facts
}

fn unit(kind: Kind<'_>) -> UnitFacts {
    match kind {
        Kind::Text(raw) => {
            UnitFacts { install: UnitInstall::parse(&String::from_utf8_lossy(raw)), ..UnitFacts::default() }
        }
        Kind::Link("dev/null") => UnitFacts { masked: true, ..UnitFacts::default() },
        Kind::Link(target) => {
            let name = target.rsplit('/').next().unwrap_or(target).to_owned();
            UnitFacts { alias_of: Some(name), ..UnitFacts::default() }
        }
        Kind::File => UnitFacts::default(),
    }
}

fn lines(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

/// The lines of an account file. Old ones have the password in them, which is no fact.
fn accounts(text: &str) -> Vec<String> {
    let without = |line: String| {
        let mut fields: Vec<&str> = line.split(':').collect();
        if let Some(password) = fields.get_mut(1) {
            *password = "x";
        }
        fields.join(":")
    };
    lines(text).map(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_described() {
        let files: &[(&str, Kind<'_>)] = &[
            ("etc/group", Kind::Text(b"root:x:0:\n# x\n")),
            ("etc/passwd", Kind::Text(b"root:$6$secret:0:0::/root:/bin/sh\n")),
            ("etc/shells", Kind::Text(b"# shells\n/bin/sh\n")),
            ("etc/systemd/system/a.service", Kind::Link("usr/lib/systemd/system/own.service")),
            ("etc/systemd/system/m.service", Kind::Link("dev/null")),
            ("etc/systemd/system/s.socket", Kind::Link("usr/lib/systemd/system/s.socket")),
            ("usr/bin/firewall-offline-cmd", Kind::File),
            ("usr/lib/firewalld/services/ssh.xml", Kind::File),
            ("usr/lib/kbd/keymaps/xkb/de.map.gz", Kind::File),
            ("usr/lib/locale/C.utf8/LC_CTYPE", Kind::File),
            ("usr/lib/systemd/system/a.service", Kind::Text(b"[Install]\nWantedBy=no.target\n")),
            ("usr/lib/systemd/system/s.socket", Kind::Text(b"[Install]\nWantedBy=sockets.target\n")),
            ("usr/share/zoneinfo/Europe/Prague", Kind::File),
            ("usr/share/zoneinfo/leapseconds", Kind::File),
        ];
        assert!(files.iter().all(|(path, _)| keep(path).is_some() || path.ends_with("leapseconds")));
        let facts = facts(files.iter().copied());
        assert_eq!(facts.units["a.service"].alias_of.as_deref(), Some("own.service"));
        assert!(facts.units["m.service"].masked);
        assert_eq!(facts.units["s.socket"].install.wanted_by, ["sockets.target"]);
        assert_eq!(facts.passwd, ["root:x:0:0::/root:/bin/sh"]);
        assert_eq!((facts.group.len(), facts.shells[0].as_str()), (1, "/bin/sh"));
        assert_eq!((facts.keymaps[0].as_str(), facts.zones.len()), ("de", 1));
        assert_eq!((facts.locales.unwrap()[0].as_str(), facts.firewall_services[0].as_str()), ("C.utf8", "ssh"));
        assert_eq!(facts.programs, ["/usr/bin/firewall-offline-cmd"]);
    }

    #[test]
    fn nothing_else_is_kept() {
        for path in ["usr/lib/systemd/system/a.service.d/x.conf", "usr/share/zoneinfo/posix/UTC", "usr/bin/ls", "etc/x"]
        {
            assert_eq!(keep(path), None, "{path}");
        }
    }
}
