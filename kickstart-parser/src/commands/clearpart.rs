//! `clearpart`: which existing partitions go away.

use super::command::Command;
use crate::args::spec::{Spec, flag, list, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `clearpart`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clearpart {
    /// The command line.
    pub span: Span,
    /// `--all`, `--linux` or `--none`, the last of them, unless there is a list; none given is `None`.
    pub mode: Option<ClearMode>,
    /// `--initlabel`: write a new partition table.
    pub init_label: bool,
    /// `--disklabel`: of this kind.
    pub disk_label: Option<String>,
    /// `--drives`: only on these disks.
    pub drives: Vec<String>,
    /// `--list`: exactly these partitions.
    pub devices: Vec<String>,
    /// `--cdl`: reformat DASDs that are not in the compatible layout.
    pub cdl: bool,
}

/// Which partitions `clearpart` takes away.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClearMode {
    /// `--all`.
    All,
    /// `--linux`: those of Linux.
    Linux,
    /// `--none`.
    None,
    /// `--list`: those that it names. They stay the ones even if a later line empties the list.
    Listed,
}

const MODES: &[&str] = &["--all", "--linux", "--none"];

const SPEC: Spec = Spec::new("clearpart").doc("Which partitions that are there go away.").options(&[
    flag("--all").sticky().doc("all of them"),
    flag("--initlabel").doc("write a new partition table"),
    flag("--linux").sticky().doc("those of Linux"),
    flag("--none").sticky().doc("none of them"),
    text("--disklabel").resets().doc("the kind of the new partition table"),
    list("--drives").doc("only on these disks, separated by commas"),
    list("--list").doc("exactly these partitions, separated by commas"),
    flag("--cdl").doc("reformat DASDs that are not in the compatible layout"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    args.contradict(cx, MODES);
    let devices = args.list("--list");
    let given = args.last_of(MODES);
    let was_listed = kickstart.clearpart.as_ref().is_some_and(|earlier| earlier.mode == Some(ClearMode::Listed));
    let listed = !devices.is_empty() || (was_listed && !given.is_some_and(|given| args.is_own(given.span)));
    let mode = given.map(|given| match given.name {
        "--all" => ClearMode::All,
        "--linux" => ClearMode::Linux,
        _ => ClearMode::None,
    });
    kickstart.clearpart = Some(Clearpart {
        span: args.span,
        mode: if listed { Some(ClearMode::Listed) } else { mode },
        init_label: args.flag("--initlabel"),
        disk_label: args.nonempty("--disklabel"),
        drives: args.list("--drives"),
        devices,
        cdl: args.flag("--cdl"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(clearpart) = &kickstart.clearpart else { return };
    // Without any of these it clears nothing, and is left out.
    if clearpart.mode.is_none() {
        return;
    }
    // Before another option it loses blanks at its end.
    let label = clearpart.disk_label.as_deref().map(|label| if clearpart.cdl { label.trim_end() } else { label });
    let is = |mode| clearpart.mode == Some(mode);
    pen.line("# Partition clearing information")
        .text("clearpart")
        .flag("--none", is(ClearMode::None))
        .flag("--linux", is(ClearMode::Linux))
        .flag("--all", is(ClearMode::All))
        .flag("--initlabel", clearpart.init_label)
        .list("--drives", &clearpart.drives)
        .list("--list", &clearpart.devices)
        .option("--disklabel", label)
        .flag("--cdl", clearpart.cdl)
        .end();
}

#[cfg(test)]
mod tests {
    use super::ClearMode;
    use crate::commands::testing::{check, good};

    #[test]
    fn modes_and_disks() {
        let c = good("clearpart --all --initlabel --drives=sda,sdb --disklabel gpt");
        let c = c.clearpart.unwrap();
        assert_eq!(c.mode, Some(ClearMode::All));
        assert!(c.init_label && !c.cdl);
        assert_eq!(c.drives, ["sda", "sdb"]);
        assert_eq!(c.disk_label.unwrap(), "gpt");
        assert_eq!(good("clearpart").clearpart.unwrap().mode, None);
    }

    #[test]
    fn a_second_line_adds_to_the_first() {
        let c = good("clearpart --all --drives=sda\nclearpart --initlabel");
        let c = c.clearpart.unwrap();
        assert_eq!(c.mode, Some(ClearMode::All));
        assert!(c.init_label);
        assert_eq!(c.drives, ["sda"]);
        let c = good("clearpart --all --none").clearpart.unwrap();
        assert_eq!(c.mode, Some(ClearMode::None));
        // What was to be a few partitions must not become all of them.
        for (text, mode) in [
            ("clearpart --all --list=x", ClearMode::Listed),
            ("clearpart --all --list=x\nclearpart --list=", ClearMode::Listed),
            ("clearpart --list=x\nclearpart --all", ClearMode::Listed),
            ("clearpart --list=x\nclearpart --list= --all", ClearMode::All),
            ("clearpart --all --list=,", ClearMode::All),
        ] {
            assert_eq!(good(text).clearpart.unwrap().mode, Some(mode), "{text}");
        }
    }

    #[test]
    fn mistakes() {
        check(&[
            ("clearpart --all --disklabel", &["E205"]),
            ("clearpart --cheese", &["E201"]),
            ("clearpart --d=x", &["E204"]),
        ]);
    }
}
