//! `logging`: where the installer sends its log.

use super::command::Command;
use crate::args::spec::{ALL, Spec, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::Syntax;

/// `logging`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logging {
    /// The command line.
    pub span: Span,
    /// `--host`: a syslog server.
    pub host: Option<String>,
    /// `--port`: where it listens.
    pub port: Option<String>,
    /// `--level`: which messages appear; ignored where it is deprecated.
    pub level: Option<String>,
}

const LEVELS: &[&str] = &["debug", "info", "warning", "error", "critical"];

const SPEC: Spec = Spec::new("logging").doc("Sends the log of the installation to another machine.").options(&[
    text("--host").doc("the syslog server that gets the log"),
    text("--port").doc("the port that it listens on; needs `--host`"),
    text("--level").resets().deprecated(9, ALL).removed(10, 40).doc("the least important messages that are shown"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let logging = Logging {
        span: args.span,
        host: args.nonempty("--host"),
        port: args.nonempty("--port"),
        level: args.text("--level"),
    };
    if has_levels(cx.syntax) {
        check_levels(args, cx);
    }
    if logging.port.is_some() && logging.host.is_none() {
        cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, args.span, "`--port` needs `--host`"));
    }
    kickstart.logging = Some(logging);
}

/// Every one that is given counts, not only the last.
fn check_levels(args: &Args, cx: &mut Cx<'_>) {
    for given in args.every("--level") {
        let Some(level) = given.value.text().filter(|level| !LEVELS.contains(level)) else {
            continue;
        };
        let message = format!("`{level}` is no value for `--level`");
        let help = format!("it takes {}", LEVELS.join(", "));
        cx.report(Diagnostic::new(&codes::INVALID_CHOICE, given.value_span, message).help(help));
    }
}

/// Later versions take any word for a level, and do nothing with it.
fn has_levels(syntax: Syntax) -> bool {
    matches!(syntax, Syntax::Rhel7 | Syntax::Rhel8)
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let levels = has_levels(pen.syntax);
    let Some(logging) = &kickstart.logging else {
        // The line end of a line that is not there.
        if levels {
            pen.line("");
        }
        return;
    };
    if logging.host.is_none() && !levels {
        return;
    }
    pen.line("# Installation logging level").text("logging");
    if levels {
        pen.option("--level", Some(logging.level.as_deref().unwrap_or("info")));
    }
    pen.option("--host", logging.host.as_ref()).option("--port", logging.port.as_ref()).end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, read_as};

    #[test]
    fn host_and_port() {
        let (kickstart, codes) = read_as(Syntax::F44, "logging --host=a\nlogging --port=5");
        assert!(codes.is_empty());
        let written = kickstart.to_pykickstart(Syntax::F44);
        assert!(written.contains("# Installation logging level\nlogging --host=a --port=5\n"), "{written}");
        let (kickstart, _) = read_as(Syntax::Rhel8, "logging --level=debug\nlogging --host=a");
        assert!(kickstart.to_pykickstart(Syntax::Rhel8).contains("logging --level=info --host=a\n"));
        let (kickstart, _) = read_as(Syntax::Rhel8, "lang cs");
        assert!(kickstart.to_pykickstart(Syntax::Rhel8).starts_with("#version=RHEL8\n# System language\nlang cs\n\n"));
        let (kickstart, _) = read_as(Syntax::F44, "logging");
        assert!(!kickstart.to_pykickstart(Syntax::F44).contains("logging"));
    }

    #[test]
    fn mistakes() {
        check(&[("logging --port=5", &["E215"]), ("logging x", &["E209"]), ("logging --level=info", &["E203"])]);
        check_versions(&[
            (Syntax::Rhel8, "logging --level=x", &["E212"]),
            (Syntax::Rhel8, "logging --level=", &["E212"]),
            (Syntax::Rhel9, "logging --level=x", &["W201"]),
            (Syntax::F35, "logging --level=x", &["W201"]),
        ]);
    }
}
