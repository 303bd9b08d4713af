//! `timesource`: one server that tells the time.

use super::command::Command;
use crate::args::spec::{ALL, Spec, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `timesource`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timesource {
    /// The command line.
    pub span: Span,
    /// `--ntp-server`.
    pub ntp_server: Option<String>,
    /// `--ntp-pool`: a name that stands for several servers.
    pub ntp_pool: Option<String>,
    /// `--ntp-disable`: no synchronisation at all.
    pub ntp_disable: bool,
    /// `--nts`: authenticated.
    pub nts: bool,
}

const SPEC: Spec = Spec::new("timesource")
    .doc("Names one source of the time, or turns the synchronisation of the clock off.")
    .since(9, ALL)
    .repeatable()
    .options(&[
        text("--ntp-server").doc("an NTP server"),
        text("--ntp-pool").doc("a name that stands for several NTP servers"),
        flag("--ntp-disable").doc("no synchronisation of the clock"),
        flag("--nts").doc("authenticate the server (NTS)"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let source = Timesource {
        span: args.span,
        ntp_server: args.nonempty("--ntp-server"),
        ntp_pool: args.nonempty("--ntp-pool"),
        ntp_disable: args.flag("--ntp-disable"),
        nts: args.flag("--nts"),
    };
    let ways = [source.ntp_server.is_some(), source.ntp_pool.is_some(), source.ntp_disable];
    match ways.iter().filter(|way| **way).count() {
        1 => kickstart.timesources.push(source),
        0 if args.broken => {}
        0 => {
            let message = "`timesource` needs `--ntp-server`, `--ntp-pool` or `--ntp-disable`";
            cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, message));
        }
        _ => cx.report(
            Diagnostic::new(&codes::OPTIONS_EXCLUDE, args.span, "a `timesource` is one server, one pool or none")
                .help("write one line for each"),
        ),
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for source in &kickstart.timesources {
        pen.text("timesource").option("--ntp-server", source.ntp_server.as_ref());
        pen.option("--ntp-pool", source.ntp_pool.as_ref()).flag("--nts", source.nts);
        pen.flag("--ntp-disable", source.ntp_disable).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn one_for_each_line() {
        let kickstart = good("timesource --ntp-server=a --nts\ntimesource --ntp-pool=b\ntimesource --ntp-disable");
        assert_eq!(kickstart.timesources.len(), 3);
        let written = kickstart.to_pykickstart(Syntax::F44);
        let lines = "timesource --ntp-server=a --nts\ntimesource --ntp-pool=b\ntimesource --ntp-disable\n";
        assert!(written.contains(lines), "{written}");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("timesource", &["E207"]),
            ("timesource --nts", &["E207"]),
            ("timesource --ntp-server=", &["E207"]),
            ("timesource --ntp-server= --ntp-pool=b", &[]),
            ("timesource --ntp-server=a --ntp-pool=b", &["E214"]),
            ("timesource --ntp-pool=b --ntp-disable", &["E214"]),
            ("timesource --ntp=a", &["E204"]),
        ]);
        check_versions(&[(Syntax::Rhel8, "timesource --ntp-disable", &["E102"])]);
    }
}
