//! `snapshot`: a snapshot of a logical volume.

use super::command::Command;
use crate::args::spec::{Spec, one, text};
use crate::args::{Args, Cx, Value};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `snapshot`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// The command line.
    pub span: Span,
    /// The volume group of what it is taken of.
    pub origin_group: String,
    /// The logical volume that it is taken of.
    pub origin_volume: String,
    /// `--name`.
    pub name: String,
    /// `--when`.
    pub when: SnapshotWhen,
}

/// When a snapshot is taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SnapshotWhen {
    /// `pre-install`: before the disks are changed.
    PreInstall,
    /// `post-install`: when everything is installed.
    PostInstall,
}

const MOMENTS: &[(&str, SnapshotWhen)] =
    &[("pre-install", SnapshotWhen::PreInstall), ("post-install", SnapshotWhen::PostInstall)];

const SPEC: Spec = Spec::new("snapshot")
    .doc("Takes a snapshot of a thin logical volume.")
    .repeatable()
    .options(&[
        text("--name").required().doc("the name of the snapshot"),
        text("--when").required().doc("pre-install or post-install"),
    ])
    .positionals(&[one("a logical volume, as GROUP/VOLUME")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let when = when(args, cx);
    let origin = origin(args, cx);
    let (Some(when), Some((group, volume)), Some(name)) = (when, origin, args.text("--name")) else {
        return;
    };
    if let Some(before) = cx.define("snapshot", &[&name], args.span) {
        let message = format!("there is a snapshot `{name}` already");
        cx.report(Diagnostic::new(&codes::NAME_TAKEN, args.span, message).label(before, "it is defined here"));
        return;
    }
    kickstart.snapshots.push(Snapshot { span: args.span, origin_group: group, origin_volume: volume, name, when });
}

/// In small letters or large ones. The last one counts, but every one is looked at.
fn when(args: &Args, cx: &mut Cx<'_>) -> Option<SnapshotWhen> {
    let mut last = None;
    for given in args.given.iter().filter(|given| given.name == "--when") {
        let Value::Text(text) = &given.value else { continue };
        last = MOMENTS.iter().find(|(name, _)| text.to_lowercase() == *name).map(|(_, when)| *when);
        if last.is_none() {
            let message = format!("`{text}` is no value for `--when`");
            let diagnostic = Diagnostic::new(&codes::INVALID_CHOICE, given.value_span, message);
            cx.report(diagnostic.help("it takes pre-install or post-install"));
        }
    }
    last
}

fn origin(args: &Args, cx: &mut Cx<'_>) -> Option<(String, String)> {
    let origin = args.argument(0)?;
    match origin.value.split_once('/') {
        Some((group, volume)) if !group.is_empty() && !volume.is_empty() && !volume.contains('/') => {
            Some((group.to_owned(), volume.to_owned()))
        }
        _ => {
            let message = format!("`{}` does not name a logical volume", origin.value);
            cx.report(
                Diagnostic::new(&codes::INVALID_VALUE, origin.span, message)
                    .help("write the volume group, a slash, and the logical volume"),
            );
            None
        }
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for snapshot in &kickstart.snapshots {
        let when = MOMENTS.iter().find(|(_, when)| *when == snapshot.when).map(|(name, _)| name);
        pen.text("snapshot ")
            .text(&snapshot.origin_group)
            .text('/')
            .text(&snapshot.origin_volume)
            .option("--name", Some(&snapshot.name))
            .option("--when", when)
            .end();
    }
}

#[cfg(test)]
mod tests {
    use super::SnapshotWhen;
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn of_a_volume() {
        let kickstart = good("snapshot fedora/root --name=s --when=Post-Install");
        let snapshot = &kickstart.snapshots[0];
        assert_eq!((snapshot.origin_group.as_str(), snapshot.origin_volume.as_str()), ("fedora", "root"));
        assert_eq!(snapshot.when, SnapshotWhen::PostInstall);
        let written = kickstart.to_pykickstart(Syntax::F44);
        assert!(written.ends_with("\nsnapshot fedora/root --name=s --when=post-install\n"), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("snapshot a/b --name=s", &["E207"]),
            ("snapshot --name=s --when=pre-install", &["E208"]),
            ("snapshot a/b --name=s --when=later", &["E212"]),
            ("snapshot a/b --name=s --when=later --when=pre-install", &["E212"]),
            ("snapshot a --name=s --when=pre-install", &["E216"]),
            ("snapshot a/b/c --name=s --when=pre-install", &["E216"]),
            ("snapshot /b --name=s --when=pre-install", &["E216"]),
            ("snapshot a/b --name=s --when=pre-install\nsnapshot a/c --name=s --when=post-install", &["E217"]),
        ]);
    }
}
