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
            FilePlan::Write { path, .. } | FilePlan::Link { path, .. } => path,
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
    if let Some(mode) = &settings.selinux {
        // Handled where the image's own file can be read; see `apply`.
        list.push(FilePlan::Write { path: "/etc/selinux/config".into(), content: format!("SELINUX={mode}\n") });
    }
    list
}

/// `config` (an image's /etc/selinux/config) with its mode changed.
pub fn selinux_config(config: &str, line: &str) -> String {
    let mut seen = false;
    let mut text: String = config
        .lines()
        .map(|old| {
            let hit = old.trim_start().starts_with("SELINUX=");
            seen |= hit;
            format!("{}\n", if hit { line.trim_end() } else { old })
        })
        .collect();
    if !seen {
        text.push_str(line);
    }
    text
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
        text.push_str(&format!(
            "{} {} {} {} 0 {}\n",
            entry.source, entry.target, entry.kind, entry.options, entry.pass
        ));
    }
    text
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
    fn the_selinux_mode_changes_and_the_type_stays() {
        let text = selinux_config("# x\nSELINUX=enforcing\nSELINUXTYPE=targeted\n", "SELINUX=permissive\n");
        assert_eq!(text, "# x\nSELINUX=permissive\nSELINUXTYPE=targeted\n");
    }
}
