//! `text`, `cmdline` and `graphical`: how the installer shows itself.

use super::command::Command;
use crate::args::spec::{Opt, Spec, flag};
use crate::args::{Args, Cx};
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;

/// `text`, `cmdline` or `graphical`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Display {
    /// The command line.
    pub span: Span,
    /// Which of them.
    pub mode: DisplayMode,
    /// `--non-interactive`: ask nothing.
    pub non_interactive: bool,
}

/// How the installer shows itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DisplayMode {
    /// `text`.
    Text,
    /// `cmdline`: no questions at all.
    Cmdline,
    /// `graphical`.
    Graphical,
}

const OPTIONS: &[Opt] = &[flag("--non-interactive").since(8, 0).doc("ask nothing; stop where something is missing")];

const TEXT_SPEC: Spec = Spec::new("text").doc("Shows the installer in text mode.").options(OPTIONS);
// It asks nothing anyway, and has no option that says so.
const CMDLINE_SPEC: Spec = Spec::new("cmdline").doc("Shows only the progress of the installation, and asks nothing.");
const GRAPHICAL_SPEC: Spec = Spec::new("graphical").doc("Shows the installer in graphical mode.").options(OPTIONS);

pub(crate) const TEXT: Command =
    Command { spec: &TEXT_SPEC, apply: |args, cx, kickstart| apply(DisplayMode::Text, args, cx, kickstart) };
pub(crate) const CMDLINE: Command =
    Command { spec: &CMDLINE_SPEC, apply: |args, cx, kickstart| apply(DisplayMode::Cmdline, args, cx, kickstart) };
pub(crate) const GRAPHICAL: Command =
    Command { spec: &GRAPHICAL_SPEC, apply: |args, cx, kickstart| apply(DisplayMode::Graphical, args, cx, kickstart) };

fn apply(mode: DisplayMode, args: &Args, _: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let non_interactive = mode != DisplayMode::Cmdline && args.flag("--non-interactive");
    kickstart.display = Some(Display { span: args.span, mode, non_interactive });
}

pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    let Some(display) = &kickstart.display else { return };
    let name = match display.mode {
        DisplayMode::Text => "# Use text mode install\ntext",
        DisplayMode::Cmdline => "cmdline",
        DisplayMode::Graphical => "# Use graphical install\ngraphical",
    };
    pen.text(name).flag("--non-interactive", display.non_interactive).end();
}

#[cfg(test)]
mod tests {
    use super::DisplayMode;
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn the_last_one_counts() {
        assert_eq!(good("text").display.unwrap().mode, DisplayMode::Text);
        let d = good("cmdline\ntext --non-interactive").display.unwrap();
        assert_eq!((d.mode, d.non_interactive), (DisplayMode::Text, true));
    }

    #[test]
    fn mistakes() {
        check(&[
            ("text cmdline", &["E209"]),
            ("graphical --shiny", &["E201"]),
            ("cmdline --non-interactive", &["E201"]),
        ]);
        check_versions(&[(Syntax::Rhel7, "text --non-interactive", &["E202"])]);
    }
}
