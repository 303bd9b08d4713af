//! `ostreesetup`: a commit of an OSTree repository that becomes the system.

use super::command::Command;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `ostreesetup`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OstreeSetup {
    /// The command line.
    pub span: Span,
    /// `--osname`: the name of the system's state directory.
    pub os_name: String,
    /// `--remote`: the name of the OSTree remote; that of the system if none is given.
    pub remote: String,
    /// `--url`: the repository.
    pub url: String,
    /// `--ref`: the branch.
    pub reference: String,
    /// `--nogpg`: do not check signatures.
    pub no_gpg: bool,
}

const SPEC: Spec =
    Spec::new("ostreesetup").doc("Installs a branch of an OSTree repository instead of packages.").options(&[
        text("--osname").required().doc("the name of the system's state directory"),
        text("--remote").doc("what the repository is called on the installed system"),
        text("--url").required().doc("where the repository is: file, http or https"),
        text("--ref").required().doc("the branch to install"),
        flag("--nogpg").doc("do not check signatures"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let (Some(os_name), Some(given), Some(url), Some(reference)) =
        (args.text("--osname"), args.last("--url"), args.text("--url"), args.text("--ref"))
    else {
        return;
    };
    if !["file:", "http:", "https:"].iter().any(|scheme| url.starts_with(scheme)) {
        let message = "`--url` is no address of an OSTree repository";
        cx.report(
            Diagnostic::new(&codes::INVALID_VALUE, given.value_span, message)
                .help("it begins with `file:`, `http:` or `https:`"),
        );
        return;
    }
    // A remote that was named, or made up from an earlier line, stays.
    let earlier = kickstart.ostreesetup.take().map(|o| o.remote);
    let remote = args.nonempty("--remote").or(earlier.filter(|_| args.last("--remote").is_none()));
    kickstart.ostreesetup = Some(OstreeSetup {
        span: args.span,
        remote: remote.filter(|r| !r.is_empty()).unwrap_or_else(|| os_name.clone()),
        os_name,
        url,
        reference,
        no_gpg: args.flag("--nogpg"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(setup) = kickstart.ostreesetup.as_ref().filter(|s| !s.os_name.is_empty()) else { return };
    let word = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    pen.text("# OSTree setup\nostreesetup")
        .quoted("--osname", word(&setup.os_name))
        .quoted("--remote", word(&setup.remote))
        .quoted("--url", word(&setup.url))
        .quoted("--ref", word(&setup.reference))
        .flag("--nogpg", setup.no_gpg)
        .end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn a_branch() {
        let k = good("ostreesetup --osname=o --url=http://u --ref=f --nogpg");
        assert_eq!(k.ostreesetup.as_ref().unwrap().remote, "o");
        let line = "ostreesetup --osname=\"o\" --remote=\"o\" --url=\"http://u\" --ref=\"f\" --nogpg\n";
        assert!(k.to_pykickstart(Syntax::F44).contains(line));
    }

    #[test]
    fn a_remote_stays() {
        let two = "ostreesetup --osname=o --url=http://u --ref=f\nostreesetup --osname=p --url=http://u --ref=f";
        let setup = good(two).ostreesetup.unwrap();
        assert_eq!((setup.os_name.as_str(), setup.remote.as_str()), ("p", "o"));
        let anew = good(&format!("{two} --remote="));
        assert_eq!(anew.ostreesetup.unwrap().remote, "p");
    }

    #[test]
    fn mistakes() {
        check(&[
            ("ostreesetup --osname=o --url=http://u", &["E207"]),
            ("ostreesetup --osname=o --url=ftp://u --ref=f", &["E216"]),
        ]);
    }
}
