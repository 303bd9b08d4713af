//! The small files that make a system one's own: locale, keymap, clock, host name. Pure.

use serde::{Deserialize, Serialize};

use crate::request::SystemSettings;

/// A file to be written, or a link to be made, in the installed system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum FilePlan {
    /// A file, 0644, root's.
    Write {
        /// Its path.
        path: String,
        /// Its content.
        content: String,
    },
    /// One `KEY=value` line of a file that the image brings.
    Set {
        /// Its path.
        path: String,
        /// The key.
        key: String,
        /// Its new value, as it stands in the file.
        value: String,
        /// Whether an image without that file is worth a warning.
        expected: bool,
    },
    /// A symbolic link.
    Link {
        /// Its path.
        path: String,
        /// Where it leads.
        target: String,
        /// What must exist for that; a warning is given where it does not.
        needs: Option<String>,
    },
}

impl FilePlan {
    /// The path in the installed system.
    pub fn path(&self) -> &str {
        match self {
            FilePlan::Write { path, .. } | FilePlan::Set { path, .. } | FilePlan::Link { path, .. } => path,
        }
    }
}

/// The files that `settings` ask for.
pub fn files(settings: &SystemSettings) -> Vec<FilePlan> {
    let mut list = Vec::new();
    let mut write = |path: &str, content: String| list.push(FilePlan::Write { path: path.to_owned(), content });
    if let Some(lang) = &settings.lang {
        write("/etc/locale.conf", format!("LANG={lang}\n"));
    }
    if let Some(keymap) = &settings.keymap {
        write("/etc/vconsole.conf", format!("KEYMAP={keymap}\n"));
    }
    if let Some(hostname) = &settings.hostname {
        write("/etc/hostname", format!("{hostname}\n"));
    }
    // The default of every reader is UTC, so only the other way needs a file.
    if settings.clock_utc == Some(false) && settings.timezone.is_some() {
        write("/etc/adjtime", "0.0 0 0.0\n0\nLOCAL\n".to_owned());
    }
    if let Some(zone) = &settings.timezone {
        let needs = format!("/usr/share/zoneinfo/{zone}");
        list.push(FilePlan::Link { path: "/etc/localtime".into(), target: format!("..{needs}"), needs: Some(needs) });
    }
    list.extend(keyboard_layouts(settings));
    if let Some(mode) = &settings.selinux {
        list.push(FilePlan::Set {
            path: "/etc/selinux/config".into(),
            key: "SELINUX".into(),
            value: mode.clone(),
            expected: true,
        });
    }
    if settings.root_ssh_password {
        list.push(FilePlan::Write {
            path: "/etc/ssh/sshd_config.d/01-permitrootlogin.conf".into(),
            content: "# As 'rootpw --allow-ssh' asks.\nPermitRootLogin yes\n".into(),
        });
    }
    list
}

/// X's layouts, for X and for the distributions that make the console's keymap of them.
fn keyboard_layouts(settings: &SystemSettings) -> Vec<FilePlan> {
    if settings.x_layouts.is_empty() {
        return Vec::new();
    }
    // `cz (qwerty)` is a layout and its variant.
    let split = |text: &String| match text.split_once('(') {
        Some((layout, variant)) => (layout.trim().to_owned(), variant.trim_end_matches(')').trim().to_owned()),
        None => (text.trim().to_owned(), String::new()),
    };
    let (layouts, variants): (Vec<String>, Vec<String>) = settings.x_layouts.iter().map(split).unzip();
    let rows = [
        ("XkbLayout", "XKBLAYOUT", layouts.join(",")),
        ("XkbVariant", "XKBVARIANT", variants.join(",").trim_matches(',').to_owned()),
        ("XkbOptions", "XKBOPTIONS", settings.x_options.join(",")),
    ];
    let mut options = String::new();
    let mut list = Vec::new();
    for (option, key, value) in rows.into_iter().filter(|(_, _, value)| !value.is_empty()) {
        options.push_str(&format!("    Option \"{option}\" \"{value}\"\n"));
        list.push(FilePlan::Set {
            path: "/etc/default/keyboard".into(),
            key: key.into(),
            value: format!("\"{value}\""),
            expected: false,
        });
    }
    let section = format!(
        "Section \"InputClass\"\n    Identifier \"system-keyboard\"\n    MatchIsKeyboard \"on\"\n{options}EndSection\n"
    );
    list.push(FilePlan::Write { path: "/etc/X11/xorg.conf.d/00-keyboard.conf".into(), content: section });
    list
}

/// `text` with the line of `key` changed, or added.
pub fn set_key(text: &str, key: &str, value: &str) -> String {
    let line = format!("{key}={value}\n");
    let mut seen = false;
    let mut out: String = text
        .lines()
        .map(|old| match old.trim_start().strip_prefix(key) {
            Some(rest) if rest.starts_with('=') => {
                seen = true;
                line.clone()
            }
            _ => format!("{old}\n"),
        })
        .collect();
    if !seen {
        out.push_str(&line);
    }
    out
}

/// One line of /etc/fstab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FstabEntry {
    /// What is mounted.
    pub source: String,
    /// Where.
    pub target: String,
    /// File system type.
    pub kind: String,
    /// Options.
    pub options: String,
    /// The pass of fsck.
    pub pass: u8,
}

/// The whole file. The root is not in it: the kernel's command line names it.
pub fn fstab(entries: &[FstabEntry]) -> String {
    let mut text =
        String::from("# Written by bootc-ks at installation. The root comes from the kernel's command line.\n");
    for entry in entries {
        let [source, target, kind, options] =
            [&entry.source, &entry.target, &entry.kind, &entry.options].map(|field| fstab_field(field));
        text.push_str(&format!("{source} {target} {kind} {options} 0 {}\n", entry.pass));
    }
    text
}

/// A field as fstab(5) wants it: blanks end it, `#` at the beginning makes a comment of the line, and
/// the backslash begins what stands for them. One that is empty would be taken from the next.
fn fstab_field(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let must = c.is_ascii_whitespace() || c == '\u{b}' || c == '\\' || c == '#' && at == 0;
        if must { out.push_str(&format!("\\{:03o}", u32::from(c))) } else { out.push(c) }
    }
    if out.is_empty() { "none".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_for_is_written() {
        assert!(files(&SystemSettings::default()).is_empty());
        let settings = SystemSettings {
            lang: Some("en_US.UTF-8".into()),
            timezone: Some("Etc/UTC".into()),
            clock_utc: Some(true),
            ..SystemSettings::default()
        };
        let list = files(&settings);
        assert_eq!(list.iter().map(FilePlan::path).collect::<Vec<_>>(), ["/etc/locale.conf", "/etc/localtime"]);
    }

    #[test]
    fn a_field_of_fstab_is_one_word() {
        for (field, word) in [
            ("/var/a b", r"/var/a\040b"),
            ("/a\tb\nc\rd", r"/a\011b\012c\015d"),
            (r"/a\b", r"/a\134b"),
            ("#x", r"\043x"),
            ("/x#y", "/x#y"),
            ("/\u{e4}\u{a0}", "/\u{e4}\u{a0}"),
            ("", "none"),
        ] {
            assert_eq!(fstab_field(field), word);
        }
        let entry = FstabEntry {
            source: "UUID=1".into(),
            target: "/var/a b".into(),
            kind: "ext4".into(),
            options: "defaults".into(),
            pass: 2,
        };
        assert!(fstab(&[entry]).ends_with("\nUUID=1 /var/a\\040b ext4 defaults 0 2\n"));
    }

    #[test]
    fn the_selinux_mode_changes_and_the_type_stays() {
        let text = set_key("# x\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", "SELINUX", "permissive");
        assert_eq!(text, "# x\nSELINUX=permissive\nSELINUXTYPE=targeted\n");
        assert_eq!(set_key("", "A", "b"), "A=b\n");
    }

    #[test]
    fn layouts_are_split_from_their_variants() {
        let settings = SystemSettings {
            x_layouts: vec!["cz (qwerty)".into(), "us".into()],
            x_options: vec!["grp:alt_shift_toggle".into()],
            ..SystemSettings::default()
        };
        let list = files(&settings);
        let set = |key: &str| {
            list.iter().find_map(|file| match file {
                FilePlan::Set { key: k, value, .. } if k == key => Some(value.as_str()),
                _ => None,
            })
        };
        assert_eq!(set("XKBLAYOUT"), Some("\"cz,us\""));
        assert_eq!(set("XKBVARIANT"), Some("\"qwerty\""));
        assert_eq!(set("XKBOPTIONS"), Some("\"grp:alt_shift_toggle\""));
    }
}
