//! `services`: what starts with the system, and what does not.

use super::command::Command;
use crate::args::spec::{Spec, list};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `services`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Services {
    /// The command line.
    pub span: Span,
    /// `--disabled`.
    pub disabled: Vec<String>,
    /// `--enabled`.
    pub enabled: Vec<String>,
}

const SPEC: Spec = Spec::new("services").doc("Says which services start with the installed system.").options(&[
    list("--disabled").doc("services that do not start, separated by commas"),
    list("--enabled").doc("services that start, separated by commas"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let services = Services { span: args.span, disabled: args.list("--disabled"), enabled: args.list("--enabled") };
    if services.disabled.is_empty() && services.enabled.is_empty() {
        if !args.broken {
            let message = "`services` needs `--enabled` or `--disabled`";
            cx.report(Diagnostic::new(&codes::REQUIRED_OPTION, args.span, message));
        }
        return;
    }
    kickstart.services = Some(services);
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(services) = &kickstart.services {
        let quoted = |list: &[String]| Some(list.join(",")).filter(|list| !list.is_empty());
        pen.line("# System services").text("services");
        pen.quoted("--disabled", quoted(&services.disabled)).quoted("--enabled", quoted(&services.enabled)).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

    #[test]
    fn on_and_off() {
        let kickstart = good("services --enabled=\" a , b\" --disabled=c");
        assert_eq!(kickstart.services.as_ref().unwrap().enabled, ["a", "b"]);
        let written = kickstart.to_pykickstart(Syntax::F44);
        assert!(written.contains("# System services\nservices --disabled=\"c\" --enabled=\"a,b\"\n"), "{written}");
    }

    #[test]
    fn a_later_line_adds_to_it() {
        let (kickstart, codes) = read_as(Syntax::F44, "services --enabled=a\nservices\nservices --disabled=b");
        let services = kickstart.services.unwrap();
        assert_eq!((services.enabled, services.disabled), (vec!["a".to_owned()], vec!["b".to_owned()]));
        assert!(codes.is_empty());
    }

    #[test]
    fn mistakes() {
        check(&[
            ("services", &["E207"]),
            ("services --enabled=,", &["E207"]),
            ("services --enabled=a\nservices --enabled=", &["E207"]),
            ("services --enabled=a b", &["E209"]),
            ("services --enabled", &["E205"]),
        ]);
    }
}
