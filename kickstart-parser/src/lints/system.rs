//! Lints over the commands about the system: boot loader, packages, accounts, and what an
//! installation without questions needs.
//!
//! The facts are Anaconda's: what it takes, in which order it chooses, and what it asks for.

use std::collections::HashMap;

use super::unattended::{unasked, unattended};
use super::written::{IMAGE, STORAGE, Written};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::{Given, Kickstart};
use crate::span::Span;

/// What is odd about lines that are there.
pub(super) fn lint(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    boot_password(kickstart, found);
    mode(kickstart, found);
    numbers(kickstart, found);
    root(kickstart, found);
    // Beside an image, where packages come from is without effect altogether.
    if !installs_image(kickstart) {
        addresses(kickstart, found);
        sources(kickstart, found);
    }
}

/// Whether the system comes out of an image: what is installed there otherwise is not part of it.
pub(super) fn installs_image(kickstart: &Kickstart) -> bool {
    kickstart.given.iter().any(|given| matches!(given.name, "ostreecontainer" | "bootc"))
}

fn boot_password(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let Some(bootloader) = kickstart.bootloader.as_ref().filter(|b| b.is_crypted && !b.extlinux) else { return };
    if bootloader.password.as_ref().is_some_and(|p| !p.expose().starts_with("grub.pbkdf2.")) {
        let message = "the password is said to be a hash, but it is none that GRUB can read";
        found.push(
            Diagnostic::new(&codes::GRUB_PASSWORD, bootloader.span, message)
                .help("make one with `grub2-mkpasswd-pbkdf2`; it begins with grub.pbkdf2."),
        );
    }
}

fn mode(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    if let Some(selinux) = kickstart.selinux.as_ref().filter(|s| s.mode.is_none()) {
        let message = "`selinux` without an option has no effect";
        found.push(
            Diagnostic::new(&codes::NO_MODE, selinux.span, message)
                .help("add `--enforcing`, `--permissive` or `--disabled`"),
        );
    }
}

fn addresses(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    for repo in &kickstart.repos {
        if repo.base_url.is_none() && repo.mirror_list.is_none() && repo.metalink.is_none() {
            let message = format!("nothing says where the repository `{}` is", repo.name);
            found.push(
                Diagnostic::new(&codes::NO_ADDRESS, repo.span, message)
                    .help("add `--baseurl=`, unless the installer knows a repository of this name"),
            );
        }
    }
}

/// Commands that say where packages come from; of several, the first one of this list counts.
const SOURCES: &[&str] = &["cdrom", "harddrive", "nfs", "url", "hmc"];

fn sources(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    // One of each: that a line is given twice is another matter.
    let mut first: [Option<Given>; SOURCES.len()] = [None; SOURCES.len()];
    for given in &kickstart.given {
        if let Some(place) = SOURCES.iter().position(|name| *name == given.name) {
            first[place].get_or_insert(*given);
        }
    }
    let mut there = first.into_iter().flatten();
    let Some(counts) = there.next() else { return };
    for other in there {
        let message = format!("`{}` has no effect beside `{}`", other.name, counts.name);
        found.push(
            Diagnostic::new(&codes::MANY_SOURCES, other.span, message).label(counts.span, "packages come from here"),
        );
    }
}

/// Whether anything says what to install.
pub(super) fn has_source(kickstart: &Kickstart) -> bool {
    kickstart.given.iter().any(|given| {
        IMAGE.contains(&given.name) || SOURCES.contains(&given.name) || matches!(given.name, "repo" | "%packages")
    })
}

fn numbers(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let users = kickstart.users.iter().filter_map(|u| Some((u.uid?, u.name.as_str(), u.span)));
    let groups = kickstart.groups.iter().filter_map(|g| Some((g.gid?, g.name.as_str(), g.span)));
    same_number("user", users, found);
    same_number("group", groups, found);
}

fn same_number<'a>(what: &str, numbers: impl Iterator<Item = (i64, &'a str, Span)>, found: &mut Vec<Diagnostic>) {
    let mut taken: HashMap<i64, (&str, Span)> = HashMap::new();
    for (number, name, span) in numbers {
        match taken.get(&number) {
            // The same name twice is another matter.
            Some((other, _)) if *other == name => {}
            Some((other, first)) => {
                let message = format!("the {what} `{name}` has the same number {number} as `{other}`");
                found.push(
                    Diagnostic::new(&codes::SAME_NUMBER, span, message).label(*first, "the number is given here"),
                );
            }
            None => {
                taken.insert(number, (name, span));
            }
        }
    }
}

fn root(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    for user in kickstart.users.iter().filter(|u| u.name == "root") {
        let message = "`root` is there already and cannot be made";
        found.push(
            Diagnostic::new(&codes::ROOT_USER, user.span, message)
                .help("use `rootpw` for the password, and `sshkey --username=root` for a key"),
        );
    }
}

/// Nothing says how to use the disks, though something is to be installed.
pub(super) fn no_partitions(kickstart: &Kickstart, end: Span, found: &mut Vec<Diagnostic>) {
    let given = |names: &[&str]| kickstart.given.iter().any(|given| names.contains(&given.name));
    if !has_source(kickstart) || given(STORAGE) || given(&["reqpart", "rescue", "upgrade"]) {
        return;
    }
    let (code, message) = match unattended(kickstart) {
        Some(_) => (&codes::WOULD_ASK, "nothing says how to use the disks: the installer has to ask"),
        None => (&codes::NO_PARTITIONS, "nothing says how to use the disks"),
    };
    let finding = Diagnostic::new(code, end, message).help("add `autopart`, or `part` lines");
    found.push(unasked(finding, kickstart));
}

/// Anaconda asks for an administrator if the file has none. That no login is possible at all is
/// another finding, and enough of one.
pub(super) fn no_admin(kickstart: &Kickstart, written: &Written, end: Span, found: &mut Vec<Diagnostic>) {
    let told = found.iter().any(|d| d.code == codes::NO_LOGIN.id);
    if unattended(kickstart).is_none() || told || written.any(&["rootpw", "sshkey"]) {
        return;
    }
    let in_wheel = |group: &String| group.split('(').next() == Some("wheel");
    let admin = kickstart.users.iter().any(|user| !user.lock && user.groups.iter().any(in_wheel));
    if !admin && written.count("user") == kickstart.users.len() && has_source(kickstart) {
        let message = "no account may administer the system, and the installer would ask for one";
        let finding = Diagnostic::new(&codes::NO_ADMIN, end, message)
            .help("add `rootpw`, or `--groups=wheel` to a user, unless the image has an administrator");
        found.push(unasked(finding, kickstart));
    }
}

#[cfg(test)]
mod tests {
    use crate::{ParseOptions, parse};

    const REST: &str = "autopart\nrootpw --plaintext x\nostreecontainer --url=quay.io/a/b\n";

    fn codes(text: &str) -> Vec<(&'static str, usize)> {
        let parsed = parse(text, "a.ks", &ParseOptions::default());
        parsed.diagnostics.iter().map(|d| (d.code, parsed.sources.locate(d.span).line)).collect()
    }

    /// As above, without what the excerpts lack.
    fn of_packages(text: &str) -> Vec<(&'static str, usize)> {
        codes(text).into_iter().filter(|(code, _)| !["L005", "L006", "L031"].contains(code)).collect()
    }

    #[test]
    fn single_lines_say_something() {
        for (text, expected) in [
            ("bootloader --iscrypted --password=$6$x\n", vec![("L025", 1)]),
            ("bootloader --iscrypted --password=grub.pbkdf2.sha512.1.A.B\n", vec![]),
            ("bootloader --password=x\n", vec![]),
            ("bootloader --iscrypted\n", vec![]),
            ("bootloader --extlinux --iscrypted --password=$6$x\n", vec![]),
            ("selinux\n", vec![("L026", 1)]),
            ("selinux --enforcing\n", vec![]),
            ("user --name=root\n", vec![("L030", 1)]),
            ("user --name=rooot\n", vec![]),
        ] {
            assert_eq!(codes(&format!("{text}{REST}")), expected, "{text}");
        }
    }

    #[test]
    fn numbers_belong_to_one() {
        for (text, expected) in [
            ("user --name=a --uid=5\nuser --name=b --uid=5\nuser --name=c --uid=5\n", vec![("L029", 2), ("L029", 3)]),
            ("user --name=a --uid=5\nuser --name=b --uid=6\nuser --name=c\nuser --name=d\n", vec![]),
            // Of one user twice, only that is said.
            ("user --name=a --uid=5\nuser --name=a --uid=5\n", vec![("L008", 2)]),
            ("group --name=a --gid=5\ngroup --name=b --gid=5\nuser --name=c --uid=5\n", vec![("L029", 2)]),
            // Users may share a group.
            ("user --name=a --gid=5\nuser --name=b --gid=5\n", vec![]),
        ] {
            assert_eq!(codes(&format!("{text}{REST}")), expected, "{text}");
        }
    }

    #[test]
    fn packages_come_from_one_place() {
        for (text, expected) in [
            ("repo --name=a\n", vec![("L027", 1)]),
            ("repo --name=a --mirrorlist=http://x/y\n", vec![]),
            ("url --url=http://x/y\n", vec![]),
            ("url --url=http://x/y\ncdrom\nnfs --server=a --dir=/b\n", vec![("L028", 1), ("L028", 3)]),
            // All of it is without effect.
            ("url --url=http://x/y\ncdrom\nrepo --name=a\nostreecontainer --url=a\n", vec![]),
        ] {
            assert_eq!(of_packages(text), expected, "{text}");
        }
    }

    #[test]
    fn disks_are_spoken_of() {
        let login = "rootpw x\n";
        let image = "rootpw x\nostreecontainer --url=a\n";
        for (text, expected) in [
            (image.to_owned(), vec![("L031", 2)]),
            (format!("autopart\n{image}"), vec![]),
            (format!("part / --size=2000\n{image}"), vec![]),
            (format!("reqpart\n{image}"), vec![]),
            // Not the whole of a kickstart.
            (login.to_owned(), vec![("L005", 1)]),
            // It may be there, or come to be.
            (format!("autopart --x\n{image}"), vec![("E201", 1)]),
            (format!("autoprat\n{image}"), vec![("E101", 1)]),
            (format!("%include /tmp/p\n%pre\necho > /tmp/p\n%end\n{image}"), vec![("W004", 1)]),
        ] {
            assert_eq!(codes(&text), expected, "{text}");
        }
    }

    #[test]
    fn without_questions_everything_must_be_said() {
        let image = "ostreecontainer --url=a\n";
        for (text, expected) in [
            (format!("cmdline\nrootpw x\n{image}"), vec![("L032", 3)]),
            (format!("text --non-interactive\nrootpw x\n{image}"), vec![("L032", 3)]),
            (format!("text\nrootpw x\n{image}"), vec![("L031", 3)]),
            (format!("cmdline\nautopart --encrypted\nrootpw x\n{image}"), vec![("L032", 2)]),
            (format!("cmdline\nautopart --encrypted --passphrase=x\nrootpw x\n{image}"), vec![]),
            (format!("cmdline\nautopart\nuser --name=a --password=x\n{image}"), vec![("L033", 4)]),
            (format!("text\nautopart\nuser --name=a --password=x\n{image}"), vec![]),
            (format!("cmdline\nautopart\nuser --name=a --password=x --groups=a,wheel\n{image}"), vec![]),
            (format!("cmdline\nautopart\nuser --name=a --password=x --groups=wheel(10)\n{image}"), vec![]),
            (
                format!("cmdline\nautopart\nuser --name=a --password=x --x --groups=x\n{image}"),
                vec![("E201", 3), ("L033", 4)],
            ),
            (format!("cmdline\nautopart\nusre --name=a\n{image}"), vec![("E101", 3)]),
            (format!("cmdline\nautopart\nuser --name=a\nsshkey --username=a k\n{image}"), vec![]),
            (format!("cmdline\nautopart\n{image}"), vec![("L006", 3)]),
            ("cmdline\nautopart\nrootpw x\n".to_owned(), vec![("L005", 3)]),
        ] {
            assert_eq!(codes(&text), expected, "{text}");
        }
    }

    #[test]
    fn the_line_that_forbids_questions_is_shown() {
        for (text, expected) in [
            ("cmdline\nrootpw x\nostreecontainer --url=a\n", vec![("L032", 1)]),
            ("cmdline\nautopart\nostreecontainer --url=a\n", vec![("L006", 1)]),
            ("cmdline\nautopart\nrootpw x\n", vec![("L005", 1)]),
            ("cmdline\nautopart\nrootpw x\ncdrom\n", vec![("L005", 0)]),
            ("cmdline\nautopart\nrootpw --lock\nostreecontainer --url=a\n", vec![("L006", 0)]),
        ] {
            let parsed = parse(text, "a.ks", &ParseOptions::default());
            let got: Vec<_> = parsed.diagnostics.iter().map(|d| (d.code, d.labels.len())).collect();
            assert_eq!(got, expected, "{text}");
        }
    }
}
