//! `harddrive`: packages from a disk.

use super::command::Command;
use crate::args::spec::{ALL, Spec, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::At;

/// `harddrive`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HardDrive {
    /// The command line.
    pub span: Span,
    /// `--dir`: the directory of the packages.
    pub dir: String,
    /// Where that is.
    pub place: HardDrivePlace,
}

/// The partition that `harddrive` takes packages from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HardDrivePlace {
    /// `--partition`.
    Partition(String),
    /// `--biospart`: the partition as the BIOS calls it.
    BiosPartition(String),
}

const SPEC: Spec = Spec::new("harddrive").doc("Takes packages from a partition.").options(&[
    text("--dir").required().doc("the directory of the packages"),
    text("--partition").doc("the partition that it is on"),
    text("--biospart").removed(9, ALL).doc("the partition as the BIOS calls it"),
]);

/// From when on there is no other way than `--partition`, on every line.
const PARTITION_ONLY: At = At::new(9, ALL);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.exclude(cx, "--partition", "--biospart");
    let partition =
        args.last("--partition").filter(|given| !cx.syntax.reached(PARTITION_ONLY) || args.is_own(given.span));
    if partition.is_none() && !args.flag("--biospart") && !args.broken {
        let message = "`harddrive` needs the option `--partition`";
        cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, message));
    }
    let place = match (args.text("--partition"), args.text("--biospart")) {
        (Some(partition), _) => HardDrivePlace::Partition(partition),
        (None, Some(partition)) => HardDrivePlace::BiosPartition(partition),
        (None, None) => return,
    };
    if let Some(dir) = args.text("--dir") {
        kickstart.harddrive = Some(HardDrive { span: args.span, dir, place });
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(harddrive) = &kickstart.harddrive else { return };
    pen.line("# Use hard drive installation media").text("harddrive").quoted("--dir", Some(&harddrive.dir));
    match &harddrive.place {
        HardDrivePlace::Partition(partition) => pen.option("--partition", Some(partition)),
        HardDrivePlace::BiosPartition(partition) => pen.option("--biospart", Some(partition)),
    }
    .end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, read_as};

    #[test]
    fn a_directory_on_a_partition() {
        let written = good("harddrive --partition=sda1 --dir=/a").to_pykickstart(Syntax::F44);
        assert!(written.contains("harddrive --dir=\"/a\" --partition=sda1\n"), "{written}");
        let (kickstart, codes) = read_as(Syntax::Rhel7, "harddrive --biospart=80p1 --dir=/a");
        assert!(codes.is_empty(), "{codes:?}");
        let written = kickstart.to_pykickstart(Syntax::Rhel7);
        assert!(written.contains("harddrive --dir=\"/a\" --biospart=80p1\n"), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("harddrive --partition=a", &["E207"]),
            ("harddrive --dir=a", &["E207"]),
            ("harddrive --dir=a --biospart=b", &["E203"]),
            ("harddrive --partition=a --dir=b\nharddrive --dir=c", &["E207"]),
        ]);
        check_versions(&[
            (Syntax::Rhel8, "harddrive --partition=a --biospart=b --dir=c", &["E214"]),
            (Syntax::Rhel8, "harddrive --partition=a --dir=b\nharddrive --biospart=c --dir=d", &["E214"]),
            (Syntax::Rhel8, "harddrive --partition=a --dir=b\nharddrive --dir=c", &[]),
            (Syntax::Rhel8, "harddrive --dir=c", &["E207"]),
        ]);
    }
}
