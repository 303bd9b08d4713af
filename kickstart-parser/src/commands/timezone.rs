//! `timezone`: the time zone, and whether the hardware clock keeps UTC.

use super::Command;
use crate::args::spec::{NO, Spec, any, flag, list};
use crate::args::{Args, Cx, scan};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::span::Span;

/// `timezone`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timezone {
    /// The command line.
    pub span: Span,
    /// The zone, such as `Europe/Prague`.
    pub zone: Option<String>,
    /// `--utc`: the hardware clock keeps UTC.
    pub utc: bool,
    /// `--nontp`: no time synchronisation.
    pub no_ntp: bool,
    /// `--ntpservers`.
    pub ntp_servers: Vec<String>,
}

const SPEC: Spec = Spec::new("timezone")
    .options(&[
        flag("--utc"),
        flag("--isUtc").deprecated(NO, 40).removed(10, NO),
        flag("--nontp").deprecated(NO, 40).removed(10, NO),
        list("--ntpservers").deprecated(NO, 40).removed(10, NO),
    ])
    .positionals(&[any("a time zone")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let [_, extra, ..] = args.arguments(0) {
        let last = args.arguments(0).last().map_or(extra.span, |a| a.span);
        let count = args.arguments(0).len() - 1;
        scan::surplus(&SPEC, count, &extra.value, extra.span.to(last), cx);
    }
    if args.given.is_empty() && args.argument(0).is_none() && !args.broken {
        cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`timezone` needs a time zone"));
        return;
    }
    args.exclude(cx, "--nontp", "--ntpservers");
    kickstart.timezone = Some(Timezone {
        span: args.span,
        zone: args.argument(0).map(|a| a.value.clone()),
        utc: args.flag("--utc") || args.flag("--isUtc"),
        no_ntp: args.flag("--nontp"),
        ntp_servers: args.list("--ntpservers"),
    });
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good, read_as};

    #[test]
    fn zone_and_clock() {
        let t = good("timezone Europe/Prague --utc").timezone.unwrap();
        assert_eq!((t.zone.as_deref(), t.utc), (Some("Europe/Prague"), true));
        assert!(good("timezone --utc").timezone.unwrap().zone.is_none());
        let (k, codes) = read_as(Syntax::F44, "timezone Etc/UTC --isUtc");
        assert!(k.timezone.unwrap().utc);
        assert_eq!(codes, ["W201"]);
    }

    #[test]
    fn mistakes() {
        check(&[("timezone", &["E208"]), ("timezone Eastern Central", &["E209"]), ("timezone --blah", &["E201"])]);
        check_versions(&[
            (Syntax::Rhel10, "timezone --isUtc Etc/UTC", &["E203"]),
            (Syntax::Rhel9, "timezone --isUtc Etc/UTC", &[]),
        ]);
    }
}
