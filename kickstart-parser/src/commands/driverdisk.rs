//! `driverdisk`: drivers that the installer does not bring.

use super::command::Command;
use crate::args::spec::{Spec, any, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `driverdisk`: where the drivers are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriverDisk {
    /// The command line.
    pub span: Span,
    /// Where the drivers are.
    pub from: DriverSource,
}

/// Where drivers come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DriverSource {
    /// The argument: a partition; may be empty.
    Partition(String),
    /// `--source`: a URL.
    Url(String),
    /// `--biospart`: a partition as the BIOS calls it.
    BiosPartition(String),
}

const SPEC: Spec = Spec::new("driverdisk")
    .doc("Loads drivers from a partition or a URL.")
    .repeatable()
    .options(&[
        text("--source").doc("the URL of an image with drivers"),
        text("--biospart").doc("a partition as the BIOS calls it"),
        text("--type").long_gone().doc("the file system of the partition"),
    ])
    .positionals(&[any("a partition")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let [_, second, ..] = args.arguments(0) {
        let message = "`driverdisk` takes one partition";
        cx.report(Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, second.span, message).help("write one line for each"));
    }
    let (url, bios) = (args.nonempty("--source"), args.nonempty("--biospart"));
    if url.is_some() && bios.is_some() {
        args.exclude(cx, "--source", "--biospart");
    }
    let given = if url.is_some() { args.last("--source") } else { args.last("--biospart").filter(|_| bios.is_some()) };
    if let (Some(given), Some(partition)) = (given, args.argument(0)) {
        let message = format!("`{}` cannot be used together with a partition", given.name);
        cx.report(
            Diagnostic::new(&codes::OPTIONS_EXCLUDE, given.span, message)
                .label(partition.span, "the partition is here"),
        );
    }
    let from = match (url, bios, args.argument(0)) {
        (Some(url), ..) => DriverSource::Url(url),
        (None, Some(partition), _) => DriverSource::BiosPartition(partition),
        (None, None, Some(partition)) => DriverSource::Partition(partition.value.to_string()),
        (None, None, None) => {
            if !args.broken {
                let message = "`driverdisk` needs a partition, or `--source`";
                cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, message));
            }
            return;
        }
    };
    kickstart.driver_disks.push(DriverDisk { span: args.span, from });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for disk in &kickstart.driver_disks {
        pen.text("driverdisk");
        match &disk.from {
            DriverSource::Partition(partition) => pen.word(partition),
            DriverSource::Url(url) => pen.option("--source", Some(url)),
            DriverSource::BiosPartition(partition) => pen.option("--biospart", Some(partition)),
        }
        .end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn three_ways() {
        let kickstart =
            good("driverdisk /dev/sda1\ndriverdisk --source=http://a/b --biospart=\ndriverdisk --biospart=80");
        let written = kickstart.to_pykickstart(Syntax::F44);
        let lines = "\ndriverdisk /dev/sda1\ndriverdisk --source=http://a/b\ndriverdisk --biospart=80\n";
        assert!(written.contains(lines), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("driverdisk", &["E208"]),
            ("driverdisk --source=", &["E208"]),
            ("driverdisk a b", &["E209"]),
            ("driverdisk a --source=b", &["E214"]),
            ("driverdisk a --biospart=b", &["E214"]),
            ("driverdisk --source=a --biospart=b", &["E214"]),
            ("driverdisk a --type=b", &["E203"]),
        ]);
    }
}
