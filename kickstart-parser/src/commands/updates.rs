//! `updates`: an image of changes to the installer itself.

use super::command::Command;
use crate::args::spec::{Spec, optional};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::{Life, State};

/// `updates`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Updates {
    /// The command line.
    pub span: Span,
    /// Where the image is; `None` is the installation medium.
    pub url: Option<String>,
}

const SPEC: Spec = Spec::new("updates")
    .doc("Loads an image of changes into the installer before it goes on.")
    .positionals(&[optional("an address")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

/// Since when the address must be given.
const NEEDS_ADDRESS: Life = Life::since(9, 34);

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    // What an earlier line said does not count.
    let own = args.argument(0).filter(|a| a.span.source == args.span.source && a.span.start >= args.span.start);
    if own.is_none() && !args.broken && NEEDS_ADDRESS.state(cx.syntax) == State::Active {
        let message = "`updates` needs the address of an image";
        cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, message));
    }
    kickstart.updates = Some(Updates { span: args.span, url: own.map(|a| a.value.to_string()) });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    match kickstart.updates.as_ref().map(|u| u.url.as_deref()) {
        None | Some(Some("")) => {}
        Some(None) => {
            pen.line("updates");
        }
        Some(Some(url)) => pen.text("updates").word(url).end(),
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, good, read_as};

    #[test]
    fn the_last_line_counts() {
        let k = good("updates a\nupdates http://b");
        assert_eq!(k.updates.as_ref().unwrap().url.as_deref(), Some("http://b"));
        assert!(k.to_pykickstart(Syntax::F44).contains("updates http://b\n"));
        let k = read_as(Syntax::Rhel7, "updates a\nupdates").0;
        assert_eq!(k.updates.unwrap().url, None);
    }

    #[test]
    fn mistakes() {
        check_versions(&[
            (Syntax::F44, "updates", &["E208"]),
            (Syntax::F44, "updates a\nupdates", &["E208"]),
            (Syntax::Rhel8, "updates", &[]),
            (Syntax::Rhel8, "updates a b", &["E209"]),
            (Syntax::F44, "updates --x", &["E201"]),
        ]);
    }
}
