//! `%certificate`: a certificate that is put into the installed system.

use crate::args::Cx;
use crate::args::scan::scan;
use crate::args::spec::{Spec, text};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Section;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// A `%certificate` section.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// The header of the section.
    pub span: Span,
    /// `--filename`: the name of the file that it becomes.
    pub filename: String,
    /// `--dir`: the directory of that file.
    pub dir: Option<String>,
    /// `--type`: what it is for, which says where it belongs.
    pub kind: Option<String>,
    /// The certificate, verbatim.
    pub body: String,
    /// Where it comes from: one span per stretch of lines.
    pub body_spans: Vec<Span>,
}

pub(super) const SPEC: Spec =
    Spec::new("%certificate").doc("A certificate that becomes a file of the installed system.").options(&[
        text("--filename").required().doc("the name of the file that it becomes"),
        text("--dir").doc("the directory of that file"),
        text("--type").doc("what the certificate is for, which says where it belongs"),
    ]);

pub(super) fn apply(section: &Section, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let args = scan(&SPEC, section.span, section.words.get(1..).unwrap_or_default(), cx);
    let (dir, kind) = (args.nonempty("--dir"), args.nonempty("--type"));
    let Some(filename) = args.text("--filename") else {
        return;
    };
    if dir.is_none() && kind.is_none() && !args.broken {
        cx.report(
            Diagnostic::new(&codes::REQUIRED_OPTION, section.span, "nothing says where the certificate belongs")
                .help("add `--dir=DIRECTORY` or `--type=TYPE`"),
        );
    }
    // One that does not end has been reported.
    if section.body.trim().is_empty() && section.end.is_some() {
        cx.report(Diagnostic::new(&codes::EMPTY_CERTIFICATE, section.span, "there is no certificate in the section"));
    }
    kickstart.certificates.push(Certificate {
        span: section.span,
        filename,
        dir,
        kind,
        body: section.body.clone(),
        body_spans: section.body_spans.clone(),
    });
}

pub(super) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for certificate in &kickstart.certificates {
        pen.text("\n%certificate")
            .quoted("--filename", Some(&certificate.filename))
            .quoted("--type", certificate.kind.as_ref())
            .quoted("--dir", certificate.dir.as_ref())
            .end();
        pen.text(&certificate.body);
        if !certificate.body.ends_with('\n') {
            pen.end();
        }
        pen.line("%end");
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good};

    #[test]
    fn a_certificate() {
        let k = good("%certificate --filename=a.pem --dir=/d --type=ca\n C \n\n# x\n%end");
        assert_eq!(k.certificates[0].body, " C \n\n# x\n");
        let written = "\n%certificate --filename=\"a.pem\" --type=\"ca\" --dir=\"/d\"\n C \n\n# x\n%end\n";
        assert!(k.to_pykickstart(Syntax::Rhel7).ends_with(written));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("%certificate --filename=a\nC\n%end", &["E207"]),
            ("%certificate --filename=a --dir=\nC\n%end", &["E207"]),
            ("%certificate --filename= --dir=d\nC\n%end", &[]),
            ("%certificate --dir=d\nC\n%end", &["E207"]),
            ("%certificate --filename=a --dir=d\n \n%end", &["E012"]),
            ("%certificate --filename=a --dir=d", &["E004"]),
            ("%certificate --filename=a --dir=d x\nC\n%end", &["E209"]),
        ]);
    }
}
