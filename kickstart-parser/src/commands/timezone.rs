//! `timezone`: the time zone, and whether the hardware clock keeps UTC.

use super::command::Command;
use crate::args::spec::{NO, Spec, any, flag, list};
use crate::args::{Args, Cx, suggest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::Syntax;

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
    .doc("The time zone of the installed system, and how its clock is set.")
    .options(&[
        flag("--utc").doc("the hardware clock keeps UTC"),
        flag("--isUtc").deprecated(9, 33).removed(10, NO).doc("the same as `--utc`"),
        flag("--nontp").deprecated(9, 33).removed(10, NO).doc("do not set the clock over the network"),
        list("--ntpservers").deprecated(9, 33).removed(10, NO).doc("servers to set the clock by, separated by commas"),
    ])
    .positionals(&[any("a time zone")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let [_, extra, ..] = args.arguments(0) {
        let last = args.arguments(0).last().map_or(extra.span, |a| a.span);
        let count = args.arguments(0).len() - 1;
        suggest::surplus(&SPEC, count, &extra.value, extra.span.to(last), cx);
    }
    let zone = args.argument(0).filter(|zone| args.is_own(zone.span));
    if zone.is_none() && !args.given.iter().any(|given| args.is_own(given.span)) {
        if args.broken {
            return;
        }
        cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`timezone` needs a time zone"));
        return;
    }
    if args.flag("--nontp") && !args.list("--ntpservers").is_empty() {
        let message = "`--ntpservers` cannot be used together with `--nontp`";
        cx.report(Diagnostic::new(&codes::OPTIONS_EXCLUDE, args.span, message));
    }
    kickstart.timezone = Some(Timezone {
        span: args.span,
        zone: zone.filter(|zone| !zone.value.is_empty()).map(|zone| zone.value.to_string()),
        utc: args.flag("--utc") || args.flag("--isUtc"),
        no_ntp: args.flag("--nontp"),
        ntp_servers: args.list("--ntpservers"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(timezone) = &kickstart.timezone else { return };
    let said = timezone.utc || timezone.no_ntp || !timezone.ntp_servers.is_empty();
    if timezone.zone.is_none() && (!said || pen.syntax == Syntax::Rhel7) {
        return;
    }
    let utc = if matches!(pen.syntax, Syntax::Rhel7 | Syntax::Rhel8) { "--isUtc" } else { "--utc" };
    pen.line("# System timezone").text("timezone");
    if let Some(zone) = &timezone.zone {
        pen.word(zone);
    }
    pen.flag(utc, timezone.utc).flag("--nontp", timezone.no_ntp).list("--ntpservers", &timezone.ntp_servers).end();
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
    fn canonical() {
        for (syntax, text, line) in [
            (Syntax::F44, "timezone A --utc", "# System timezone\ntimezone A --utc\n"),
            (Syntax::Rhel8, "timezone A --utc --ntpservers=a,b", "timezone A --isUtc --ntpservers=a,b\n"),
            (Syntax::Rhel8, "timezone A --utc\ntimezone --nontp", "timezone --nontp\n"),
        ] {
            let written = read_as(syntax, text).0.to_pykickstart(syntax);
            assert!(written.contains(line), "{text}: {written}");
        }
        for (syntax, text) in [(Syntax::Rhel7, "timezone --utc"), (Syntax::F44, "timezone ''")] {
            assert!(!read_as(syntax, text).0.to_pykickstart(syntax).contains("timezone"));
        }
    }

    #[test]
    fn mistakes() {
        check(&[("timezone", &["E208"]), ("timezone Eastern Central", &["E209"]), ("timezone --blah", &["E201"])]);
        check_versions(&[
            (Syntax::Rhel10, "timezone --isUtc Etc/UTC", &["E203"]),
            (Syntax::Rhel9, "timezone --isUtc Etc/UTC", &["W201"]),
            (Syntax::Rhel8, "timezone --isUtc Etc/UTC", &[]),
            (Syntax::Rhel8, "timezone A\ntimezone", &["E208"]),
            (Syntax::Rhel8, "timezone A --ntpservers=a\ntimezone B --nontp", &["E214"]),
            (Syntax::Rhel8, "timezone A --nontp\ntimezone B --ntpservers=a", &[]),
            (Syntax::Rhel8, "timezone A --nontp --ntpservers=", &[]),
        ]);
    }
}
