//! `liveimg`: a file system image that becomes the system.

use super::command::Command;
use super::image::name_something;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `liveimg`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Liveimg {
    /// The command line.
    pub span: Span,
    /// `--url`: where the image is.
    pub url: String,
    /// `--proxy`.
    pub proxy: Option<String>,
    /// `--noverifyssl`: do not check the certificate of the server.
    pub no_verify_ssl: bool,
    /// `--checksum`: the SHA-256 sum of the image.
    pub checksum: Option<String>,
}

const SPEC: Spec =
    Spec::new("liveimg").doc("Installs a file system image or an archive instead of packages.").options(&[
        text("--url").required().doc("where the image is"),
        text("--proxy").doc("a proxy to go through, with user and password if it wants them"),
        flag("--noverifyssl").doc("accept any certificate of the server"),
        text("--checksum").doc("the SHA-256 sum that the image must have"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(url) = args.text("--url") else {
        return;
    };
    name_something(args, cx, "--url");
    kickstart.liveimg = Some(Liveimg {
        span: args.span,
        url,
        proxy: args.nonempty("--proxy"),
        no_verify_ssl: args.flag("--noverifyssl"),
        checksum: args.nonempty("--checksum"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(image) = &kickstart.liveimg else { return };
    pen.text("# Use live disk image installation\nliveimg")
        .quoted("--url", Some(&image.url))
        .quoted("--proxy", image.proxy.as_ref())
        .flag("--noverifyssl", image.no_verify_ssl)
        .quoted("--checksum", image.checksum.as_ref())
        .end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

    #[test]
    fn an_image() {
        let k = good("liveimg --url=http://a --checksum=c --noverifyssl\nliveimg --url=http://b");
        let text = k.to_pykickstart(Syntax::F44);
        assert!(text.contains("\nliveimg --url=\"http://b\" --checksum=\"c\"\n"), "{text}");
    }

    #[test]
    fn mistakes() {
        check(&[("liveimg", &["E207"]), ("liveimg --url=a b", &["E209"])]);
        assert_eq!(read_as(Syntax::F44, "liveimg --url=").0.liveimg.unwrap().url, "");
    }
}
