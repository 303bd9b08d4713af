//! `url`: an installation tree on a server.

use super::command::Command;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `url`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// The command line.
    pub span: Span,
    /// `--url`: the tree itself.
    pub url: Option<String>,
    /// `--mirrorlist`: a list of servers that have it.
    pub mirror_list: Option<String>,
    /// `--metalink`: a list of servers with checksums.
    pub metalink: Option<String>,
    /// `--proxy`.
    pub proxy: Option<String>,
    /// `--noverifyssl`: do not check the certificate of the server.
    pub no_verify_ssl: bool,
    /// The certificates that are used.
    pub ssl: Ssl,
}

/// `--sslcacert`, `--sslclientcert` and `--sslclientkey`, of `url` and `repo`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ssl {
    /// `--sslcacert`: a file with the certificates that servers are checked against.
    pub ca_cert: Option<String>,
    /// `--sslclientcert`: a file with our own certificate.
    pub client_cert: Option<String>,
    /// `--sslclientkey`: a file with the key that belongs to it.
    pub client_key: Option<String>,
}

const SPEC: Spec = Spec::new("url").doc("Takes packages from an installation tree on a server.").options(&[
    text("--url").doc("where the tree is"),
    text("--mirrorlist").doc("a list of servers that have the tree"),
    text("--metalink").since(8, 0).doc("a list of servers that have the tree, with checksums"),
    text("--proxy").doc("a proxy to go through, with user and password if it wants them"),
    flag("--noverifyssl").doc("accept any certificate of the server"),
    text("--sslcacert").since(8, 0).doc("a file with the certificates that the server is checked against"),
    text("--sslclientcert").since(8, 0).doc("a file with the certificate to show to the server"),
    text("--sslclientkey").since(8, 0).doc("a file with the key of that certificate"),
]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    one_place(args, cx, &["--mirrorlist", "--url", "--metalink"], true);
    kickstart.url = Some(Url {
        span: args.span,
        url: args.nonempty("--url"),
        mirror_list: args.nonempty("--mirrorlist"),
        metalink: args.nonempty("--metalink"),
        proxy: args.nonempty("--proxy"),
        no_verify_ssl: args.flag("--noverifyssl"),
        ssl: Ssl::read(args),
    });
}

impl Ssl {
    pub(super) fn read(args: &Args) -> Ssl {
        Ssl {
            ca_cert: args.nonempty("--sslcacert"),
            client_cert: args.nonempty("--sslclientcert"),
            client_key: args.nonempty("--sslclientkey"),
        }
    }

    pub(super) fn write(&self, pen: &mut Pen) {
        pen.quoted("--sslcacert", self.ca_cert.as_ref())
            .quoted("--sslclientcert", self.client_cert.as_ref())
            .quoted("--sslclientkey", self.client_key.as_ref());
    }
}

/// Of the options that say where things are, a line may have one; what an earlier line said
/// does not count.
pub(super) fn one_place(args: &Args, cx: &mut Cx<'_>, names: &[&'static str], needed: bool) {
    let inside = |at: Span| at.source == args.span.source && at.start >= args.span.start && at.end <= args.span.end;
    let given: Vec<_> = names
        .iter()
        .filter(|name| args.nonempty(name).is_some())
        .filter_map(|name| args.last(name))
        .filter(|given| inside(given.span))
        .collect();
    match given.as_slice() {
        [] if needed && !args.broken => {
            let message = format!("`{}` says nowhere to take things from", args.spec.name);
            cx.report(
                Diagnostic::new(&codes::REQUIRED_OPTION, args.span, message)
                    .help(format!("add one of {}", names.join(", "))),
            );
        }
        [one, other, ..] => cx.report(
            Diagnostic::new(
                &codes::OPTIONS_EXCLUDE,
                other.span,
                format!("`{}` cannot be used together with `{}`", other.name, one.name),
            )
            .label(one.span, format!("`{}` is here", one.name)),
        ),
        _ => {}
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(url) = &kickstart.url else { return };
    pen.text("# Use network installation\nurl");
    if url.url.is_some() {
        pen.quoted("--url", url.url.as_ref());
    } else if url.mirror_list.is_some() {
        pen.quoted("--mirrorlist", url.mirror_list.as_ref());
    } else {
        pen.quoted("--metalink", url.metalink.as_ref());
    }
    pen.quoted("--proxy", url.proxy.as_ref()).flag("--noverifyssl", url.no_verify_ssl);
    url.ssl.write(pen);
    pen.end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn a_tree() {
        let k = good("url --url=http://a/b --proxy=http://p --noverifyssl --sslcacert=c");
        let u = k.url.as_ref().unwrap();
        assert_eq!(u.url.as_deref(), Some("http://a/b"));
        assert_eq!(u.ssl.ca_cert.as_deref(), Some("c"));
        let text = k.to_pykickstart(Syntax::F44);
        assert!(
            text.contains("url --url=\"http://a/b\" --proxy=\"http://p\" --noverifyssl --sslcacert=\"c\"\n"),
            "{text}"
        );
    }

    #[test]
    fn a_later_line_is_judged_by_itself() {
        let u = good("url --url=a\nurl --mirrorlist=b").url.unwrap();
        assert_eq!((u.url.as_deref(), u.mirror_list.as_deref()), (Some("a"), Some("b")));
        check(&[("url --url=a\nurl --proxy=b", &["E207"])]);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("url", &["E207"]),
            ("url --url=", &["E207"]),
            ("url --url=a --metalink=b", &["E214"]),
            ("url --url=a --mirrorlist=", &[]),
            ("url a", &["E209"]),
        ]);
        check_versions(&[(Syntax::Rhel7, "url --metalink=a", &["E202"])]);
    }
}
