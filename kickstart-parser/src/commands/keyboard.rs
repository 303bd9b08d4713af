//! `keyboard`: the layouts of console and desktop.

use super::command::Command;
use crate::args::spec::{Spec, any, list, text};
use crate::args::{Args, Cx, suggest};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
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
    .doc("The layouts of the keyboard, on the console and on the desktop.")
    .options(&[
        text("--vckeymap").resets().doc("the layout of the console"),
        list("--xlayouts").doc("layouts of the desktop, such as `us` or `cz (qwerty)`, separated by commas"),
        list("--switch").doc("the keys that switch between them, separated by commas"),
    ])
    .positionals(&[any("a layout")]);

pub(crate) const COMMAND: Command = Command { spec: &SPEC, apply };

fn apply(args: &Args, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    if let [_, extra, ..] = args.arguments(0) {
        let last = args.arguments(0).last().map_or(extra.span, |a| a.span);
        let count = args.arguments(0).len() - 1;
        suggest::surplus(&SPEC, count, &extra.value, extra.span.to(last), cx);
    }
    let keyboard = Keyboard {
        span: args.span,
        keyboard: args.argument(0).map(|a| a.value.to_string()),
        vckeymap: args.nonempty("--vckeymap"),
        xlayouts: args.list("--xlayouts"),
        switch: args.list("--switch"),
    };
    let layout = args.argument(0).is_some_and(|layout| args.is_own(layout.span))
        || keyboard.vckeymap.is_some()
        || !keyboard.xlayouts.is_empty();
    if !layout && !args.broken {
        cx.report(
            Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, "`keyboard` needs a layout")
                .help("`keyboard us`, or `--vckeymap` and `--xlayouts`"),
        );
        return;
    }
    kickstart.keyboard = Some(keyboard);
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(keyboard) = &kickstart.keyboard else { return };
    let bare = keyboard.keyboard.as_deref().filter(|layout| !layout.is_empty());
    if keyboard.vckeymap.is_none() && keyboard.xlayouts.is_empty() {
        if let Some(layout) = bare {
            pen.line("# Keyboard layouts").text("keyboard '").text(layout).text('\'').end();
        }
        return;
    }
    pen.line("# Keyboard layouts");
    if let Some(layout) = bare {
        pen.text("# old format: keyboard ").text(layout).end();
        pen.line("# new format:");
    }
    let quoted = |list: &[String]| {
        let words: Vec<String> = list.iter().map(|word| format!("'{word}'")).collect();
        Some(words.join(",")).filter(|words| !words.is_empty())
    };
    pen.text("keyboard").option("--vckeymap", keyboard.vckeymap.as_ref());
    pen.option("--xlayouts", quoted(&keyboard.xlayouts)).option("--switch", quoted(&keyboard.switch)).end();
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, good, read_as};

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
    fn canonical() {
        for (text, line) in [
            ("keyboard us --switch=a", "# Keyboard layouts\nkeyboard 'us'\n"),
            (
                "keyboard us --vckeymap=v --xlayouts=x,'y z' --switch=s",
                "# old format: keyboard us\n# new format:\nkeyboard --vckeymap=v --xlayouts='x','y z' --switch='s'\n",
            ),
            ("keyboard --vckeymap=us --xlayouts=a\nkeyboard cz", "# new format:\nkeyboard --xlayouts='a'\n"),
        ] {
            let written = read_as(Syntax::F44, text).0.to_pykickstart(Syntax::F44);
            assert!(written.contains(line), "{text}: {written}");
        }
        assert!(!good("keyboard ''").to_pykickstart(Syntax::F44).contains("keyboard"));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("keyboard", &["E208"]),
            ("keyboard us\nkeyboard --switch=a", &["E208"]),
            ("keyboard --xlayouts=us\nkeyboard --switch=a", &[]),
            ("keyboard us cz", &["E209"]),
            ("keyboard --vckeymap=us --xlayouts=cz,'cz (qwerty)' cz sk", &["E209"]),
            ("keyboard --foo us", &["E201"]),
        ]);
    }
}
