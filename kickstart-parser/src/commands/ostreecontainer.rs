//! `ostreecontainer`: the container image that becomes the system.

use super::command::Command;
use super::image::name_something;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
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
    /// The name of the remote where none is given: the stateroot of the first line that has one.
    pub default_remote: Option<String>,
    /// `--no-signature-verification`.
    pub no_signature_verification: bool,
}

const SPEC: Spec = Spec::new("ostreecontainer")
    .since(9, 38)
    .doc("Installs a container image that holds an OSTree system.")
    .options(&[
        text("--stateroot").doc("the name of the system's state directory"),
        text("--url").required().doc("the image to install"),
        text("--transport").doc("how to get the image, such as registry, oci or oci-archive"),
        text("--remote").doc("what the source of the image is called on the installed system"),
        flag("--no-signature-verification").doc("do not check signatures of the image"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let (Some(given), Some(url)) = (args.last("--url"), args.text("--url")) else {
        return;
    };
    name_something(args, cx, "--url");
    let stateroot = args.nonempty("--stateroot");
    // `--remote=` takes back what an earlier line made up.
    let earlier = kickstart.ostreecontainer.take().and_then(|o| o.default_remote);
    let default_remote = earlier.filter(|_| args.every("--remote").next().is_none()).or_else(|| stateroot.clone());
    kickstart.ostreecontainer = Some(OstreeContainer {
        span: args.span,
        url,
        url_span: given.value_span,
        stateroot,
        transport: args.nonempty("--transport"),
        transport_span: args.last("--transport").map(|g| g.value_span),
        remote: args.nonempty("--remote"),
        default_remote,
        no_signature_verification: args.flag("--no-signature-verification"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(container) = &kickstart.ostreecontainer else { return };
    pen.text("# OSTree container setup\nostreecontainer")
        .quoted("--stateroot", container.stateroot.as_ref())
        .quoted("--remote", container.remote.as_ref().or(container.default_remote.as_ref()))
        .flag("--no-signature-verification", container.no_signature_verification)
        .quoted("--transport", container.transport.as_ref());
    let nothing_said = container.stateroot.is_none()
        && container.remote.is_none()
        && container.default_remote.is_none()
        && container.transport.is_none()
        && !container.no_signature_verification;
    if container.url.is_empty() && nothing_said {
        // The place of the options is there, even if there are none.
        pen.text(' ');
    }
    pen.quoted("--url", Some(&container.url).filter(|url| !url.is_empty())).end();
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
    fn as_written_back() {
        for (text, line) in [
            ("ostreecontainer --url=a --transport=t", "--transport=\"t\" --url=\"a\""),
            ("ostreecontainer --url=a --stateroot=s", "--stateroot=\"s\" --remote=\"s\" --url=\"a\""),
            (
                "ostreecontainer --url=a --stateroot=s\nostreecontainer --url=b --stateroot=t",
                "--stateroot=\"t\" --remote=\"s\" --url=\"b\"",
            ),
            (
                "ostreecontainer --url=a --remote=r\nostreecontainer --url=b --stateroot=t",
                "--stateroot=\"t\" --remote=\"r\" --url=\"b\"",
            ),
            (
                "ostreecontainer --url=a --remote= --stateroot=s\nostreecontainer --url=b --stateroot=t",
                "--stateroot=\"t\" --remote=\"s\" --url=\"b\"",
            ),
            ("ostreecontainer --url=", ""),
            ("ostreecontainer --url= --remote=r", "--remote=\"r\""),
        ] {
            let written = crate::commands::testing::read_as(Syntax::F44, text).0.to_pykickstart(Syntax::F44);
            assert!(written.contains(&format!("\nostreecontainer {line}\n")), "{written}");
        }
    }

    #[test]
    fn an_image_without_a_name() {
        let found = crate::parse("ostreecontainer --url=", "a.ks", &crate::ParseOptions::default()).diagnostics;
        assert!(found.iter().any(|d| d.code == "L013" && d.is_error()), "{found:?}");
    }

    #[test]
    fn mistakes() {
        check(&[("ostreecontainer --os=x", &["E201"]), ("ostreecontainer --url", &["E205"])]);
        check_versions(&[(Syntax::F37, "ostreecontainer --url=x", &["E102"])]);
    }
}
