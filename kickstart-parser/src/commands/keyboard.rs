//! `keyboard`: the layouts of console and desktop.

use super::Command;
use crate::args::spec::{Spec, any, list, text};
use crate::args::{Args, Cx, scan};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::span::Span;

/// `keyboard`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keyboard {
    /// The command line.
    pub span: Span,
    /// A bare argument: a layout of either kind, to be guessed from its name.
    pub keyboard: Option<String>,
    /// `--vckeymap`: the layout of the console.
    pub vckeymap: Option<String>,
    /// `--xlayouts`: the layouts of the desktop.
    pub xlayouts: Vec<String>,
    /// `--switch`: the keys that switch between them.
    pub switch: Vec<String>,
}

const SPEC: Spec = Spec::new("keyboard")
    .options(&[text("--vckeymap").resets(), list("--xlayouts"), list("--switch")])
    .positionals(&[any("a layout")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let [_, extra, ..] = args.arguments(0) {
        let last = args.arguments(0).last().map_or(extra.span, |a| a.span);
        let count = args.arguments(0).len() - 1;
        scan::surplus(&SPEC, count, &extra.value, extra.span.to(last), cx);
    }
    let keyboard = Keyboard {
        span: args.span,
        keyboard: args.argument(0).map(|a| a.value.clone()),
        vckeymap: args.nonempty("--vckeymap"),
        xlayouts: args.list("--xlayouts"),
        switch: args.list("--switch"),
    };
    let layout = keyboard.keyboard.is_some() || keyboard.vckeymap.is_some() || !keyboard.xlayouts.is_empty();
    if !layout && !args.broken {
        cx.report(
            Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`keyboard` needs a layout")
                .help("`keyboard us`, or `--vckeymap` and `--xlayouts`"),
        );
        return;
    }
    kickstart.keyboard = Some(keyboard);
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, good};

    #[test]
    fn both_forms() {
        assert_eq!(good("keyboard us").keyboard.unwrap().keyboard.unwrap(), "us");
        let k = good("keyboard --vckeymap=cz --xlayouts=\"cz (qwerty)\",us --switch=a,b");
        let k = k.keyboard.unwrap();
        assert_eq!(k.vckeymap.unwrap(), "cz");
        assert_eq!(k.xlayouts, ["cz (qwerty)", "us"]);
        assert_eq!(k.switch, ["a", "b"]);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("keyboard", &["E208"]),
            ("keyboard us cz", &["E209"]),
            ("keyboard --vckeymap=us --xlayouts=cz,'cz (qwerty)' cz sk", &["E209"]),
            ("keyboard --foo us", &["E201"]),
        ]);
    }
}
