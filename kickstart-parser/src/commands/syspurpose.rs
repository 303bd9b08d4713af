//! `syspurpose`: what the machine is for, as Red Hat counts it.

use super::command::Command;
use crate::args::spec::{NO, Spec, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `syspurpose`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Syspurpose {
    /// The command line.
    pub span: Span,
    /// `--role`.
    pub role: Option<String>,
    /// `--sla`: the level of support.
    pub sla: Option<String>,
    /// `--usage`.
    pub usage: Option<String>,
    /// `--addon`, once for each.
    pub addons: Vec<String>,
}

const SPEC: Spec =
    Spec::new("syspurpose").doc("Tells Red Hat's subscriptions what the machine is for.").since(8, NO).options(&[
        text("--role").doc("what it is, such as `Red Hat Enterprise Linux Server`"),
        text("--sla").doc("the level of support, such as `Premium`"),
        text("--usage").doc("what it is used for, such as `Production`"),
        text("--addon").resets().doc("a further product or feature; may be given several times"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let before = kickstart.syspurpose.take();
    let addons = match args.last("--addon") {
        Some(_) => args.texts("--addon"),
        None => before.map(|before| before.addons).unwrap_or_default(),
    };
    kickstart.syspurpose = Some(Syspurpose {
        span: args.span,
        role: args.nonempty("--role"),
        sla: args.nonempty("--sla"),
        usage: args.nonempty("--usage"),
        addons,
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(purpose) = &kickstart.syspurpose else { return };
    let said = [&purpose.role, &purpose.sla, &purpose.usage].iter().any(|text| text.is_some());
    if !said && purpose.addons.is_empty() {
        return;
    }
    pen.line("# Intended system purpose").text("syspurpose").quoted("--role", purpose.role.as_ref());
    pen.quoted("--sla", purpose.sla.as_ref()).quoted("--usage", purpose.usage.as_ref());
    for addon in &purpose.addons {
        pen.quoted("--addon", Some(addon));
    }
    pen.end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn lines_add_up() {
        let text = "syspurpose --role='a b' --addon=c --addon=\nsyspurpose --sla=d";
        let (kickstart, codes) = read_as(Syntax::Rhel9, text);
        assert!(codes.is_empty());
        let written = kickstart.to_pykickstart(Syntax::Rhel9);
        let line = "# Intended system purpose\nsyspurpose --role=\"a b\" --sla=\"d\" --addon=\"c\" --addon=\"\"\n";
        assert!(written.contains(line), "{written}");
    }

    #[test]
    fn nothing_and_mistakes() {
        let (kickstart, _) = read_as(Syntax::Rhel9, "syspurpose --role=");
        assert!(!kickstart.to_pykickstart(Syntax::Rhel9).contains("syspurpose"));
        check_versions(&[
            (Syntax::Rhel9, "syspurpose x", &["E209"]),
            (Syntax::Rhel9, "syspurpose --role", &["E205"]),
            (Syntax::Rhel7, "syspurpose", &["E102"]),
            (Syntax::F44, "syspurpose", &["E102"]),
        ]);
    }
}
