//! `ostreecontainer`: the container image that becomes the system.

use super::Command;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::span::Span;

/// `ostreecontainer`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OstreeContainer {
    /// The command line.
    pub span: Span,
    /// `--url`: the image.
    pub url: String,
    /// Where that is written.
    pub url_span: Span,
    /// `--stateroot`: the name of the system's state directory.
    pub stateroot: Option<String>,
    /// `--transport`: `registry`, `oci`, `oci-archive`, …
    pub transport: Option<String>,
    /// Where that is written.
    pub transport_span: Option<Span>,
    /// `--remote`: the name of the OSTree remote.
    pub remote: Option<String>,
    /// `--no-signature-verification`.
    pub no_signature_verification: bool,
}

const SPEC: Spec = Spec::new("ostreecontainer").since(9, 38).options(&[
    text("--stateroot"),
    text("--url").required(),
    text("--transport"),
    text("--remote"),
    flag("--no-signature-verification"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let (Some(given), Some(url)) = (args.last("--url"), args.text("--url")) else {
        return;
    };
    if url.is_empty() {
        cx.report(Diagnostic::new(&codes::INVALID_VALUE, given.span, "`--url` needs the name of an image"));
        return;
    }
    kickstart.ostreecontainer = Some(OstreeContainer {
        span: args.span,
        url,
        url_span: given.value_span,
        stateroot: args.nonempty("--stateroot"),
        transport: args.nonempty("--transport"),
        transport_span: args.last("--transport").map(|g| g.value_span),
        remote: args.nonempty("--remote"),
        no_signature_verification: args.flag("--no-signature-verification"),
    });
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn an_image() {
        let text = "ostreecontainer --url quay.io/a/b:latest --transport=registry \
                    --stateroot=s --remote r --no-signature-verification";
        let o = good(text).ostreecontainer.unwrap();
        assert_eq!(o.url, "quay.io/a/b:latest");
        assert_eq!(&text[o.url_span.range()], "quay.io/a/b:latest");
        assert_eq!(o.transport.as_deref(), Some("registry"));
        assert_eq!((o.stateroot.as_deref(), o.remote.as_deref()), (Some("s"), Some("r")));
        assert!(o.no_signature_verification);
    }

    #[test]
    fn a_second_line_keeps_what_it_does_not_say() {
        let k = good("ostreecontainer --url=a --transport=oci\nostreecontainer --url=b");
        let o = k.ostreecontainer.unwrap();
        assert_eq!((o.url.as_str(), o.transport.as_deref()), ("b", Some("oci")));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("ostreecontainer --os=x", &["E201"]),
            ("ostreecontainer --url=", &["E216"]),
            ("ostreecontainer --url", &["E205"]),
        ]);
        check_versions(&[(Syntax::F37, "ostreecontainer --url=x", &["E102"])]);
    }
}
