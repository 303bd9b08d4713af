//! What no command can see by itself: lints over several commands.
//!
//! A lint that something is *missing* keeps quiet while an included file is
//! not there yet, for that file may hold it.

use std::collections::HashMap;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Document;
use crate::kickstart::{Kickstart, Partition};
use crate::span::Span;

/// Everything that is odd about the kickstart as a whole. `end` is the place
/// to point at for something that is nowhere.
pub(crate) fn lint(kickstart: &Kickstart, document: &Document, end: Span) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    conflicts(kickstart, &mut found);
    mount_points(kickstart, &mut found);
    sizes(kickstart, &mut found);
    users(kickstart, &mut found);
    if document.deferred.is_empty() {
        keys(kickstart, &mut found);
        no_root(kickstart, &mut found);
        if kickstart.ostreecontainer.is_none() {
            found.push(
                Diagnostic::new(
                    &codes::NO_IMAGE,
                    end,
                    "no command says which image to install",
                )
                .help("add `ostreecontainer --url IMAGE`"),
            );
        }
        no_login(kickstart, end, &mut found);
    }
    found
}

fn conflicts(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let Some(autopart) = &kickstart.autopart else {
        return;
    };
    let mut conflict = |name: &str, span: Span| {
        found.push(
            Diagnostic::new(
                &codes::CONFLICT,
                span,
                format!("`{name}` cannot be used together with `autopart`"),
            )
            .label(autopart.span, "`autopart` is here"),
        );
    };
    if let Some(reqpart) = &kickstart.reqpart {
        conflict("reqpart", reqpart.span);
    }
    if let Some(part) = kickstart.partitions.first() {
        conflict("part", part.span);
    }
}

/// Whether a partition is for a file system that is mounted somewhere.
fn is_mounted(part: &Partition) -> bool {
    part.mount.starts_with('/')
}

fn mount_points(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for part in kickstart.partitions.iter().filter(|p| is_mounted(p)) {
        if let Some(first) = seen.insert(&part.mount, part.mount_span) {
            found.push(
                Diagnostic::new(
                    &codes::SAME_MOUNT_POINT,
                    part.mount_span,
                    format!("`{}` is used twice as a mount point", part.mount),
                )
                .label(first, "first used here"),
            );
        }
    }
}

fn sizes(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    for part in &kickstart.partitions {
        let sized = part.size_mib.is_some()
            || part.grow
            || part.recommended
            || part.hibernation
            || part.on_part.is_some();
        if !sized {
            found.push(
                Diagnostic::new(
                    &codes::NO_SIZE,
                    part.span,
                    format!("nothing says how large `{}` is", part.mount),
                )
                .help("add `--size=MIB`, `--grow` or both"),
            );
        }
    }
}

fn no_root(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let Some(first) = kickstart.partitions.first() else {
        return;
    };
    if kickstart.autopart.is_none() && !kickstart.partitions.iter().any(|p| p.mount == "/") {
        found.push(
            Diagnostic::new(
                &codes::NO_ROOT,
                first.span,
                "there are partitions, but none for `/`",
            )
            .help("add `part / …`"),
        );
    }
}

fn users(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for user in &kickstart.users {
        if let Some(first) = seen.insert(&user.name, user.span) {
            found.push(
                Diagnostic::new(
                    &codes::SAME_USER,
                    user.span,
                    format!("user `{}` is created twice", user.name),
                )
                .label(first, "first created here"),
            );
        }
    }
}

fn keys(kickstart: &Kickstart, found: &mut Vec<Diagnostic>) {
    let names: std::collections::HashSet<&str> =
        kickstart.users.iter().map(|u| u.name.as_str()).collect();
    for key in &kickstart.ssh_keys {
        if key.username != "root" && !names.contains(key.username.as_str()) {
            found.push(
                Diagnostic::new(
                    &codes::UNKNOWN_USER,
                    key.username_span,
                    format!("no command creates the user `{}`", key.username),
                )
                .help(format!("add `user --name={}`", key.username)),
            );
        }
    }
}

fn no_login(kickstart: &Kickstart, end: Span, found: &mut Vec<Diagnostic>) {
    let root = kickstart
        .rootpw
        .as_ref()
        .is_some_and(|r| r.password.is_some() && !r.lock);
    let user = kickstart
        .users
        .iter()
        .any(|u| u.password.is_some() && !u.lock);
    // A script can do anything; one that mentions accounts most likely does.
    let script = kickstart.scripts.iter().any(|s| {
        [
            "passwd",
            "useradd",
            "authorized_keys",
            "/etc/shadow",
            "usermod",
        ]
        .iter()
        .any(|word| s.body.contains(word))
    });
    if !(root || user || script) && kickstart.ssh_keys.is_empty() {
        let at = kickstart.rootpw.as_ref().map_or(end, |r| r.span);
        found.push(
            Diagnostic::new(
                &codes::NO_LOGIN,
                at,
                "no account gets a password or a key: nobody can log in",
            )
            .help(
                "add `sshkey`, `rootpw`, or `user` with a password, unless the image has accounts",
            ),
        );
    }
}
