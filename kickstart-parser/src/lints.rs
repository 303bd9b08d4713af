//! What no command can see by itself: lints over several commands.
//!
//! A lint that something is *missing* keeps quiet while an included file is
//! not there yet, for that file may hold it.

mod scripts;
mod storage;
mod system;
mod unattended;
mod written;

use std::collections::{HashMap, HashSet};

use crate::args::guess::closest;
use crate::codes;
use crate::commands;
use crate::diagnostic::Diagnostic;
use crate::document::Document;
use crate::kickstart::{Kickstart, User};
use crate::limits::MAX_FINDINGS;
use crate::span::{Sources, Span};
use unattended::unasked;
use written::{IMAGE, STORAGE, Written};

/// Everything that is odd about the kickstart as a whole. `lost` is what could
/// not be understood; `end` is the place to point at for
/// something that is nowhere.
pub(crate) fn lint(kickstart: &Kickstart, document: &Document, lost: &Lost, end: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    mount_points(kickstart, &mut found);
    users(kickstart, &mut found);
    system::lint(kickstart, &mut found);
    scripts::lint(kickstart, &mut found);
    if document.deferred.is_empty() && !lost.everything {
        let written = Written::of(document);
        if !lost.any(&["user"]) {
            keys(kickstart, &written, &mut found);
        }
        if !lost.any(STORAGE) && storage::is_whole(kickstart) {
            storage::lint(kickstart, &mut found);
            system::no_partitions(kickstart, end, &mut found);
        }
        if !lost.any(IMAGE) {
            no_image(kickstart, &written, end, &mut found);
        }
        if !lost.any(&["rootpw", "user", "sshkey"]) {
            no_login(kickstart, &written, end, &mut found);
            system::no_admin(kickstart, &written, end, &mut found);
        }
    }
    found
}

/// Which commands have lines that could not be understood: nothing can be said
/// to be missing that may stand on one of them.
pub(crate) struct Lost {
    /// It cannot be told which: a whole file, or where a section ends.
    everything: bool,
    names: HashSet<&'static str>,
}

impl Lost {
    pub(crate) fn of(diagnostics: &[Diagnostic], sources: &Sources) -> Lost {
        // Of so many not all are told.
        let everything = diagnostics.len() > MAX_FINDINGS;
        let mut lost = Lost { everything, names: HashSet::new() };
        for diagnostic in diagnostics {
            match diagnostic.code.as_bytes() {
                // A line that has no words, or whose first word is unknown.
                b"E001" | b"E002" | b"E101" | b"E102" | b"E103" => lost.line(sources, diagnostic.span),
                b"E011" => {}
                [b'E', b'0', ..] => lost.everything = true,
                _ => {}
            }
        }
        lost
    }

    /// The command of a broken line, even if its name is misspelt.
    fn line(&mut self, sources: &Sources, span: Span) {
        let line = sources.line(span).trim_start_matches('\u{feff}').trim_start();
        let name = line.split([' ', '\t']).next().unwrap_or("");
        // The rest of some other line.
        self.everything |= name.starts_with(['-', '%', '"', '\'']);
        self.names.extend(commands::names().find(|n| *n == name).or_else(|| closest(name, commands::names())));
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|n| self.names.contains(n))
    }
}

fn mount_points(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let mut all: Vec<(&str, Span)> = Vec::new();
    all.extend(kickstart.partitions.iter().map(|p| (p.mount.as_str(), p.mount_span)));
    all.extend(kickstart.raids.iter().map(|r| (r.mount.as_str(), r.mount_span)));
    all.extend(kickstart.logical_volumes.iter().map(|v| (v.mount.as_str(), v.mount_span)));
    all.extend(kickstart.btrfs.iter().map(|b| (b.mount.as_str(), b.mount_span)));
    all.sort_by_key(|(_, span)| (span.source, span.start));
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for (mount, span) in all.into_iter().filter(|(mount, _)| mount.starts_with('/')) {
        if let Some(first) = seen.insert(mount, span) {
            let message = format!("`{mount}` is used twice as a mount point");
            found.push(Diagnostic::new(&codes::SAME_MOUNT_POINT, span, message).label(first, "first used here"));
        }
    }
}

fn users(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for user in &kickstart.users {
        if let Some(first) = seen.insert(&user.name, user.span) {
            found.push(
                Diagnostic::new(&codes::SAME_USER, user.span, format!("user `{}` is created twice", user.name))
                    .label(first, "first created here"),
            );
        }
    }
}

fn no_image(kickstart: &Kickstart, written: &Written, end: Span, found: &mut Vec<Diagnostic>) {
    let tried = written.any(IMAGE);
    if kickstart.ostreecontainer.is_none() && !tried {
        let finding = Diagnostic::new(&codes::NO_IMAGE, end, "no command says which image to install")
            .help("add `ostreecontainer --url IMAGE`");
        let sources = system::has_source(kickstart);
        found.push(if sources { finding } else { unasked(finding, kickstart) });
    }
}

fn keys(kickstart: &Kickstart, written: &Written, found: &mut Vec<Diagnostic>) {
    if written.count("user") != kickstart.users.len() {
        return;
    }
    let names: std::collections::HashSet<&str> = kickstart.users.iter().map(|u| u.name.as_str()).collect();
    for key in &kickstart.ssh_keys {
        if key.username != "root" && !names.contains(key.username.as_str()) {
            found.push(
                Diagnostic::new(
                    &codes::UNKNOWN_USER,
                    key.username_span,
                    format!("no command creates the user `{}`", key.username),
                )
                .help(format!(
                    "add `user --name={}`; if the image has the user, write `# bootc-ks: allow(L003)` above",
                    key.username
                )),
            );
        }
    }
}

fn no_login(kickstart: &Kickstart, written: &Written, end: Span, found: &mut Vec<Diagnostic>) {
    let unclear = written.count("user") != kickstart.users.len()
        || written.count("rootpw") > 0 && kickstart.rootpw.is_none()
        || written.any(&["sshkey"]);
    if unclear {
        return;
    }
    let opens = |password: Option<&crate::Secret>, is_crypted: bool, lock: bool| {
        !lock && password.is_some_and(|password| !(is_crypted && crate::values::locks(password.expose())))
    };
    let root = kickstart.rootpw.as_ref().is_some_and(|r| opens(r.password.as_ref(), r.is_crypted, r.lock));
    let shell = |user: &User| {
        let shell = user.shell.as_deref().and_then(|shell| shell.rsplit('/').next());
        !matches!(shell, Some("nologin" | "false"))
    };
    let user = kickstart.users.iter().any(|u| shell(u) && opens(u.password.as_ref(), u.is_crypted, u.lock));
    // A script can do anything; one that mentions accounts most likely does.
    let script = kickstart.scripts.iter().any(|s| {
        ["passwd", "useradd", "authorized_keys", "/etc/shadow", "usermod"].iter().any(|word| s.body.contains(word))
    });
    if !(root || user || script) {
        let at = kickstart.rootpw.as_ref().map_or(end, |r| r.span);
        let finding =
            Diagnostic::new(&codes::NO_LOGIN, at, "no account gets a password or a key: no login is possible")
                .help("add `sshkey`, `rootpw`, or `user` with a password, unless the image has accounts");
        let asks = kickstart.rootpw.is_none();
        found.push(if asks { unasked(finding, kickstart) } else { finding });
    }
}

#[cfg(test)]
mod tests {
    use crate::{ParseOptions, codes, parse};

    /// What keeps the lints about missing things quiet.
    const REST: &str = "rootpw --plaintext x\nostreecontainer --url=quay.io/a/b\n";

    fn codes(text: &str) -> Vec<(&'static str, usize, usize)> {
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        let line = |d: &crate::Diagnostic| parsed.sources.locate(d.span).line;
        // That nothing is said about partitions is tested in its place.
        let found = parsed.diagnostics.iter().filter(|d| d.code != codes::NO_PARTITIONS.id);
        found.map(|d| (d.code, line(d), d.labels.len())).collect()
    }

    #[test]
    fn each_lint() {
        for (text, expected) in [
            ("", vec![]),
            ("text\ntext\n", vec![("L001", 2, 1)]),
            ("sshkey --username=ann k\n", vec![("L003", 1, 0)]),
            ("sshkey --username=root k\n", vec![]),
            ("user --name=ann\nsshkey --username=ann k\n", vec![]),
            ("part /home --size=2000\n", vec![("L004", 1, 0)]),
            ("part / --size=2000\npart swap --size=2000\npart swap --size=2000\n", vec![]),
            ("part / --size=2000\npart // --size=2000\n", vec![("L007", 2, 1)]),
            ("raid / --device=a --level=1 b c\npart / --size=2000\n", vec![("L007", 2, 1)]),
            ("volgroup a x\nvolgroup a y\npart / --size=2000\n", vec![("L012", 2, 1)]),
            ("user --name=a\nuser --name=a\n", vec![("L008", 2, 1)]),
            ("clearpart --all --none\n", vec![("L009", 1, 1)]),
            ("part /\n", vec![("L010", 1, 0)]),
        ] {
            assert_eq!(codes(&format!("{text}{REST}")), expected, "{text}");
        }
    }

    #[test]
    fn missing_things_are_said_once_and_at_the_end() {
        assert_eq!(codes("lang cs\n\n"), [("L005", 1, 0), ("L006", 1, 0)]);
        let locked = "rootpw --lock\nostreecontainer --url=a\n";
        assert_eq!(codes(locked), [("L006", 1, 0)]);
        let script = "%post\npasswd -d root\n%end\nostreecontainer --url=a\n";
        assert_eq!(codes(script), []);
    }

    #[test]
    fn a_mistake_is_not_reported_as_something_missing() {
        for (text, expected) in [
            ("ostreecontainer --urll=x\nrootpw x\n", vec!["E201"]),
            ("user --nmae=ann\nsshkey --username=ann k\nostreecontainer --url=a\n", vec!["E201"]),
            ("part / --size=2000 --x\npart /a --size=x\nrootpw x\nostreecontainer --url=a\n", vec!["E201", "E210"]),
            ("ostreecontainer --url='x\nrootpw x\n", vec!["E001"]),
            // A broken line hides only what may be missing because of it.
            ("ostreecontainer --url='x\n", vec!["E001", "L006"]),
            ("lang 'x\nrootpw x\n", vec!["E001", "L005"]),
            ("user 'x\nsshkey --username=ann k\n", vec!["E001", "L005"]),
            ("usre --name=ann\nsshkey --username=ann k\nostreecontainer --url=a\n", vec!["E101"]),
            ("lagn en\nsshkey --username=ann k\nostreecontainer --url=a\n", vec!["E101", "L003"]),
            ("part /a --size=2000\npart 'x\nostreecontainer --url=a\nrootpw x\n", vec!["E001"]),
            ("autopart 'x\npart /a --size=2000\nostreecontainer --url=a\nrootpw x\n", vec!["E001"]),
            ("%post\nostreecontainer --url=a\n", vec!["E004"]),
            ("%include b.ks\n", vec!["E007"]),
            ("part pv.1 --grow\nvolgroup\nrootpw x\nostreecontainer --url=a\n", vec!["E208"]),
        ] {
            let got: Vec<_> = codes(text).into_iter().map(|c| c.0).collect();
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn the_example_of_image_mode_is_fine() {
        let text = "lang en_US.UTF-8\nkeyboard us\ntimezone Etc/UTC --isUtc\ntext\nzerombr\n\
                    clearpart --all --initlabel\nautopart\nreboot\n\
                    user --name=admin-user --groups=wheel\n\
                    sshkey --username=admin-user \"ssh-rsa AAAA\u{2026}\"\n\
                    ostreecontainer --url quay.io/myimage:latest\n";
        assert_eq!(codes(text), [("W201", 3, 0)]);
    }
}
