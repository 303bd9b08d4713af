//! `module`: a module stream of a package repository.

use super::command::Command;
use crate::args::spec::{ALL, Spec, flag, text};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `module`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Module {
    /// The command line.
    pub span: Span,
    /// `--name`.
    pub name: String,
    /// `--stream`: which of its streams; the default one if none is given.
    pub stream: Option<String>,
    /// `--disable`: switch it off instead of on.
    pub disable: bool,
}

const SPEC: Spec = Spec::new("module")
    .repeatable()
    .since(8, ALL)
    .deprecated(10, 41)
    .removed(11, 45)
    .doc("Switches a module of the package repositories on or off.")
    .options(&[
        text("--name").required().doc("the name of the module"),
        text("--stream").doc("which stream of the module"),
        flag("--disable").doc("switch the module off"),
    ]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(name) = args.text("--name") else {
        return;
    };
    kickstart.modules.push(Module {
        span: args.span,
        name,
        stream: args.nonempty("--stream"),
        disable: args.flag("--disable"),
    });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for module in &kickstart.modules {
        pen.text("module")
            .option("--name", Some(&module.name))
            .option("--stream", module.stream.as_ref())
            .flag("--disable", module.disable)
            .end();
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check_versions, read_as};

    #[test]
    fn a_stream() {
        let (k, codes) = read_as(Syntax::Rhel9, "module --name=a --stream=1 --disable\nmodule --name=b --stream=");
        assert!(codes.is_empty());
        assert_eq!((k.modules[0].stream.as_deref(), k.modules[1].stream.as_deref()), (Some("1"), None));
        assert!(k.to_pykickstart(Syntax::Rhel9).contains("module --name=a --stream=1 --disable\nmodule --name=b\n"));
    }

    #[test]
    fn versions_and_mistakes() {
        check_versions(&[
            (Syntax::Rhel7, "module --name=a", &["E102"]),
            (Syntax::Rhel8, "module --name=a --enable", &["E201"]),
            (Syntax::Rhel9, "module --stream=a", &["E207"]),
            (Syntax::Rhel10, "module --name=a", &["W101"]),
            (Syntax::F45, "module --name=a", &["E103"]),
        ]);
    }
}
