//! `volgroup`: an LVM volume group.

use super::command::Command;
use super::storage;
use crate::args::spec::{Spec, any, count, flag, one};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `volgroup`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VolGroup {
    /// The command line.
    pub span: Span,
    /// The name of the volume group.
    pub name: String,
    /// The physical volumes that it is made of.
    pub members: Vec<String>,
    /// `--useexisting`, or `--noformat`: the volume group exists.
    pub existing: bool,
    /// `--noformat`.
    pub no_format: bool,
    /// `--pesize`, in KiB: how large an extent is.
    pub extent_size_kib: Option<u64>,
    /// `--reserved-space`, in MiB: what to leave free.
    pub reserved_space_mib: Option<u64>,
    /// `--reserved-percent`: how much of the group to leave free.
    pub reserved_percent: Option<u64>,
}

const SPEC: Spec = Spec::new("volgroup")
    .doc("Makes an LVM volume group of physical volumes, or uses one that exists.")
    .repeatable()
    .leftovers()
    .options(&[
        flag("--noformat").doc("keep a volume group that exists"),
        flag("--useexisting").doc("use a volume group that exists"),
        count("--reserved-space").doc("how much to leave free, in MiB"),
        count("--reserved-percent").doc("how much to leave free, in percent"),
        count("--pesize").doc("the size of a physical extent, in KiB"),
    ])
    .positionals(&[one("a name"), any("physical volumes")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    check(args, cx);
    let Some(name) = args.argument(0) else {
        return;
    };
    cx.define_once("volgroup", &[&name.value], args.span, &format!("the volume group `{}`", name.value));
    kickstart.volume_groups.push(VolGroup {
        span: args.span,
        name: name.value.to_string(),
        members: storage::members(args),
        existing: args.flag("--useexisting") || args.flag("--noformat"),
        no_format: args.flag("--noformat"),
        extent_size_kib: args.count("--pesize").filter(|n| *n > 0),
        reserved_space_mib: args.count("--reserved-space").filter(|n| *n > 0),
        reserved_percent: args.count("--reserved-percent"),
    });
}

fn check(args: &Args, cx: &mut Cx<'_>) {
    storage::check_members(args, cx);
    storage::check_existing(args, cx);
    if let (Some(given), Some(percent)) = (args.last("--reserved-percent"), args.count("--reserved-percent"))
        && !(1..100).contains(&percent)
    {
        let message = "`--reserved-percent` goes from 1 to 99";
        cx.report(Diagnostic::new(&codes::OUT_OF_RANGE, given.value_span, message));
    }
    let existing = args.flag("--useexisting") || args.flag("--noformat");
    if storage::is_complete(args) && !existing && storage::members(args).is_empty() {
        storage::missing(args, cx, "the physical volumes that it is made of");
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for group in &kickstart.volume_groups {
        pen.text("volgroup")
            .word(&group.name)
            .flag("--noformat", group.no_format)
            .option("--pesize", group.extent_size_kib)
            .flag("--useexisting", group.existing)
            .option("--reserved-space", group.reserved_space_mib)
            .option("--reserved-percent", group.reserved_percent);
        for member in &group.members {
            pen.word(member);
        }
        pen.end_trimmed();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good, written};

    #[test]
    fn a_volume_group() {
        let k = good("volgroup vg --pesize=4096 pv.01 --reserved-percent=10 pv.02\nvolgroup old --useexisting");
        let g = &k.volume_groups[0];
        assert_eq!((g.name.as_str(), g.extent_size_kib, g.reserved_percent), ("vg", Some(4096), Some(10)));
        assert_eq!(g.members, ["pv.01", "pv.02"]);
        assert!(k.volume_groups[1].existing && k.volume_groups[1].members.is_empty());
    }

    #[test]
    fn mistakes() {
        check(&[
            ("volgroup", &["E208"]),
            ("volgroup vg", &["E208"]),
            ("volgroup vg pv.1 --pesize=4 pv.2", &["E209"]),
            ("volgroup vg --bogus=4 pv.2", &["E201"]),
            ("volgroup vg --noformat pv.1", &["E209"]),
            ("volgroup vg --reserved-percent=0 pv.1", &["E213"]),
            ("volgroup vg --reserved-percent=100 pv.1", &["E213"]),
            ("volgroup vg --reserved-space=-1 pv.1", &["E213"]),
            ("volgroup vg --reserved=1 pv.1", &["E204"]),
        ]);
    }

    #[test]
    fn canonical() {
        let text = "volgroup vg pv.1 pv.2 --reserved-percent=5 --pesize=0 --reserved-space=0\nvolgroup b --noformat\n";
        let expected = "volgroup vg --reserved-percent=5 pv.1 pv.2\nvolgroup b --noformat --useexisting\n";
        assert_eq!(written(Syntax::F44, text), expected);
        assert_eq!(written(Syntax::F44, "volgroup vg a '' b ''\n"), "volgroup vg a  b\n");
        assert_eq!(written(Syntax::F44, "volgroup vg 'a ' 'b '\n"), "volgroup vg a  b\n");
    }
}
