//! `lang`: the language of the installed system.

use super::command::Command;
use crate::args::spec::{Spec, list, one};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `lang`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lang {
    /// The command line.
    pub span: Span,
    /// The locale, such as `en_US.UTF-8`.
    pub lang: String,
    /// `--addsupport`: further locales.
    pub add_support: Vec<String>,
}

const SPEC: Spec = Spec::new("lang")
    .doc("The language of the installed system, and of the installer.")
    .options(&[list("--addsupport").doc("further locales to install, separated by commas")])
    .positionals(&[one("a language")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let Some(lang) = args.argument(0) {
        kickstart.lang =
            Some(Lang { span: args.span, lang: lang.value.to_string(), add_support: args.list("--addsupport") });
    }
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    if let Some(lang) = kickstart.lang.as_ref().filter(|lang| !lang.lang.is_empty()) {
        // Before another word it loses the blanks at its end.
        let name = if lang.add_support.is_empty() { lang.lang.as_str() } else { lang.lang.trim_end() };
        pen.line("# System language").text("lang").word(name).list("--addsupport", &lang.add_support).end();
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};

    #[test]
    fn locale_and_more_locales() {
        let lang = good("lang en_US.UTF-8 --addsupport=cs_CZ,de_DE").lang.unwrap();
        assert_eq!(lang.lang, "en_US.UTF-8");
        assert_eq!(lang.add_support, ["cs_CZ", "de_DE"]);
    }

    #[test]
    fn as_written_back() {
        for (text, line) in [("lang 'a ' --addsupport=b", "lang a --addsupport=b\n"), ("lang 'a '", "lang a \n")] {
            assert!(good(text).to_pykickstart(crate::Syntax::F44).contains(line), "{text}");
        }
    }

    #[test]
    fn mistakes() {
        check(&[("lang", &["E208"]), ("lang a b", &["E209"]), ("lang --addsupport", &["E205"])]);
    }
}
