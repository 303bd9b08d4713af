//! `dmraid`: a RAID of the firmware, in the oldest version.

use super::command::Command;
use crate::args::spec::{ALL, NO, Spec, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `dmraid`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DmRaid {
    /// The command line.
    pub span: Span,
    /// `--name`, without the directory before it.
    pub name: String,
    /// `--dev`, as often as it is given.
    pub devices: Vec<String>,
}

const SPEC: Spec = Spec::new("dmraid")
    .doc("Names a RAID that the firmware makes.")
    .deprecated(8, NO)
    .removed(9, ALL)
    .repeatable()
    .options(&[
        text("--name").required().doc("the name of the RAID"),
        text("--dev").required().doc("a disk of it; may be given several times"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let devices = args.texts("--dev");
    let Some(path) = args.text("--name").filter(|_| !devices.is_empty()) else {
        return;
    };
    let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
    let key: Vec<&str> = std::iter::once(&name).chain(&devices).map(String::as_str).collect();
    cx.define_once("dmraid", &key, args.span, &format!("the RAID `{name}` of these disks"));
    kickstart.dmraid.push(DmRaid { span: args.span, name, devices });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for raid in &kickstart.dmraid {
        pen.text("dmraid").option("--name", Some(&raid.name));
        for device in &raid.devices {
            pen.quoted("--dev", Some(device));
        }
        pen.end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn of_several_disks() {
        let (kickstart, codes) = read_as(Syntax::Rhel7, "dmraid --name=/dev/mapper/r --dev=a --dev=b,c");
        assert!(codes.is_empty(), "{codes:?}");
        assert_eq!((kickstart.dmraid[0].name.as_str(), kickstart.dmraid[0].devices.len()), ("r", 2));
        let written = kickstart.to_pykickstart(Syntax::Rhel7);
        assert!(written.ends_with("\ndmraid --name=r --dev=\"a\" --dev=\"b,c\"\n"), "{written}");
    }

    #[test]
    fn mistakes() {
        check_versions(&[
            (Syntax::Rhel7, "dmraid --name=a", &["E207"]),
            (Syntax::Rhel7, "dmraid --dev=a", &["E207"]),
            (Syntax::Rhel8, "dmraid --name=a", &["W101"]),
            (Syntax::Rhel9, "dmraid --name=a --dev=b", &["E103"]),
        ]);
    }
}
