//! `rhsm`: registers the machine with Red Hat.

use super::command::Command;
use crate::args::spec::{NO, Spec, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::secret::Secret;
use crate::span::Span;

/// `rhsm`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rhsm {
    /// The command line.
    pub span: Span,
    /// `--organization`: its number.
    pub organization: String,
    /// `--activation-key`, once for each.
    pub activation_keys: Vec<Secret>,
    /// `--connect-to-insights`.
    pub connect_to_insights: bool,
    /// `--proxy`: a URL, maybe with a password.
    pub proxy: Option<Secret>,
    /// `--server-hostname`: the server to register with.
    pub server_hostname: Option<String>,
    /// `--rhsm-baseurl`: where the packages come from.
    pub base_url: Option<String>,
    /// `--flatpak-registry-url`.
    pub flatpak_registry_url: Option<String>,
}

const SPEC: Spec =
    Spec::new("rhsm").doc("Registers the machine with Red Hat Subscription Management.").since(8, NO).options(&[
        text("--organization").required().doc("the number of the organization"),
        text("--activation-key").required().resets().secret().doc("a key that registers; may be given several times"),
        flag("--connect-to-insights").doc("register with Red Hat Insights too"),
        text("--proxy").secret().doc("a proxy to go through, with user and password if it wants them"),
        text("--server-hostname").doc("the server to register with, if it is not Red Hat's"),
        text("--rhsm-baseurl").doc("where packages come from, if not from Red Hat"),
        text("--flatpak-registry-url").since(10, NO).doc("the registry that Flatpaks come from"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let keys = args.texts("--activation-key");
    if let (Some(given), true) = (args.last("--activation-key"), keys.iter().any(String::is_empty)) {
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.span, "an activation key is empty"));
    }
    let Some(organization) = args.text("--organization") else {
        return;
    };
    kickstart.rhsm = Some(Rhsm {
        span: args.span,
        organization,
        activation_keys: keys.into_iter().map(Secret::new).collect(),
        connect_to_insights: args.flag("--connect-to-insights"),
        proxy: args.secret("--proxy").filter(|proxy| !proxy.is_empty()),
        server_hostname: args.nonempty("--server-hostname"),
        base_url: args.nonempty("--rhsm-baseurl"),
        flatpak_registry_url: args.nonempty("--flatpak-registry-url"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(rhsm) = &kickstart.rhsm else { return };
    pen.line("# Red Hat Subscription Manager").text("rhsm");
    pen.quoted("--organization", Some(&rhsm.organization).filter(|number| !number.is_empty()));
    for key in &rhsm.activation_keys {
        pen.quoted("--activation-key", Some(key.expose()));
    }
    pen.flag("--connect-to-insights", rhsm.connect_to_insights);
    pen.quoted("--proxy", rhsm.proxy.as_ref().map(Secret::expose));
    pen.quoted("--server-hostname", rhsm.server_hostname.as_ref());
    pen.quoted("--rhsm-baseurl", rhsm.base_url.as_ref());
    pen.quoted("--flatpak-registry-url", rhsm.flatpak_registry_url.as_ref()).end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn registration() {
        let text = "rhsm --organization=1 --activation-key=a --activation-key='b c' --proxy=http://u:p@h --flatpak-registry-url=f";
        let (kickstart, codes) = read_as(Syntax::Rhel10, text);
        assert!(codes.is_empty());
        assert_eq!(kickstart.rhsm.as_ref().unwrap().activation_keys.len(), 2);
        assert!(!format!("{kickstart:?}").contains("u:p"));
        let written = kickstart.to_pykickstart(Syntax::Rhel10);
        let line = "# Red Hat Subscription Manager\nrhsm --organization=\"1\" --activation-key=\"a\" \
                    --activation-key=\"b c\" --proxy=\"http://u:p@h\" --flatpak-registry-url=\"f\"\n";
        assert!(written.contains(line), "{written}");
    }

    #[test]
    fn a_later_line_keeps_the_proxy() {
        let text = "rhsm --organization=1 --activation-key=a --proxy=p\nrhsm --organization=2 --activation-key=b";
        let rhsm = read_as(Syntax::Rhel9, text).0.rhsm.unwrap();
        assert_eq!((rhsm.organization.as_str(), rhsm.activation_keys.len(), rhsm.proxy.is_some()), ("2", 1, true));
    }

    #[test]
    fn mistakes() {
        check_versions(&[
            (Syntax::Rhel9, "rhsm", &["E207", "E207"]),
            (Syntax::Rhel9, "rhsm --organization=1", &["E207"]),
            (Syntax::Rhel9, "rhsm --organization=1 --activation-key=a --activation-key=", &["E216"]),
            (Syntax::Rhel9, "rhsm --organization=1 --activation-key=a --flatpak-registry-url=f", &["E202"]),
            (Syntax::Rhel9, "rhsm --organization=1 --activation-key=a x", &["E209"]),
            (Syntax::F44, "rhsm", &["E102"]),
        ]);
    }
}
