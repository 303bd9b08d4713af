//! `%pre`, `%pre-install`, `%post`, `%onerror` and `%traceback`: scripts, and when they run.

use crate::args::Cx;
use crate::args::scan::scan;
use crate::args::spec::{ALL, Opt, Spec, flag, text};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Section;
use crate::kickstart::Kickstart;
use crate::pen::Pen;
use crate::span::Span;
use crate::syntax::State;

/// When a script runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ScriptKind {
    /// `%pre`: before anything else, even before the kickstart is acted upon.
    Pre,
    /// `%pre-install`: the disks are ready, nothing is installed.
    PreInstall,
    /// `%post`: everything is installed.
    Post,
    /// `%onerror`: something failed.
    OnError,
    /// `%traceback`: the installer itself failed.
    Traceback,
}

impl ScriptKind {
    /// The name of the section.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    fn spec(self) -> &'static Spec {
        match self {
            ScriptKind::Pre => &PRE,
            ScriptKind::PreInstall => &PRE_INSTALL,
            ScriptKind::Post => &POST,
            ScriptKind::OnError => &ON_ERROR,
            ScriptKind::Traceback => &TRACEBACK,
        }
    }
}

/// A script section.
#[derive(Clone, PartialEq, Eq)]
pub struct Script {
    /// The header of the section.
    pub span: Span,
    /// When it runs.
    pub kind: ScriptKind,
    /// `--interpreter`: the program that runs it, `/bin/sh` if none is given.
    pub interpreter: Option<String>,
    /// `--log`: the file that takes its output; empty if that is what was written.
    pub log: Option<String>,
    /// `--erroronfail`: the installation fails with it.
    pub error_on_fail: bool,
    /// `--nochroot`: runs in the installer instead of the installed system.
    pub no_chroot: bool,
    /// The script itself, verbatim.
    pub body: String,
    /// Where it comes from: one span per stretch of lines.
    pub body_spans: Vec<Span>,
}

impl Script {
    /// What is run: the body, where its lines end as on Windows without the carriage returns.
    pub fn text(&self) -> String {
        match self.body.contains('\n') {
            true => self.body.replace("\r\n", "\n"),
            false => self.body.replace('\r', "\n"),
        }
    }
}

// Scripts hold passwords more often than they should.
impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script")
            .field("kind", &self.kind)
            .field("interpreter", &self.interpreter)
            .field("log", &self.log)
            .field("error_on_fail", &self.error_on_fail)
            .field("no_chroot", &self.no_chroot)
            .finish_non_exhaustive()
    }
}

const ERROR_ON_FAIL: Opt = flag("--erroronfail").doc("stop the installation if the script fails");
const INTERPRETER: Opt = text("--interpreter").doc("the program that runs the script, /bin/sh unless given");
const LOG: Opt = text("--log").or(&["--logfile"]).doc("the file that takes what the script prints");
const NO_CHROOT: Opt = flag("--nochroot").doc("run in the installer instead of the installed system");

const OPTIONS: &[Opt] = &[ERROR_ON_FAIL, INTERPRETER, LOG];

pub(super) const PRE: Spec =
    Spec::new("%pre").options(OPTIONS).doc("A script that runs before the kickstart is acted upon.");
pub(super) const PRE_INSTALL: Spec = Spec::new("%pre-install")
    .options(OPTIONS)
    .doc("A script that runs when the disks are ready and nothing is installed yet.");
pub(super) const POST: Spec = Spec::new("%post")
    .options(&[ERROR_ON_FAIL, INTERPRETER, LOG, NO_CHROOT])
    .doc("A script that runs in the installed system when everything is there.");
pub(super) const ON_ERROR: Spec =
    Spec::new("%onerror").options(OPTIONS).doc("A script that runs when the installation has failed.");
pub(super) const TRACEBACK: Spec = Spec::new("%traceback")
    .options(OPTIONS)
    .deprecated(9, ALL)
    .doc("A script that runs when the installer itself has failed.");

/// What runs a script if nothing else is said.
const SHELL: &str = "/bin/sh";

pub(super) fn apply(kind: ScriptKind, section: &Section, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let spec = kind.spec();
    let args = scan(spec, section.span, section.words.get(1..).unwrap_or_default(), cx);
    if spec.life.state(cx.syntax) == State::Deprecated {
        cx.report(
            Diagnostic::new(&codes::COMMAND_DEPRECATED, section.span, format!("`{}` is deprecated", spec.name))
                .help("use `%onerror`"),
        );
    }
    if section.body.trim().is_empty() {
        let message = format!("`{}` has nothing to run", spec.name);
        cx.report(Diagnostic::new(&codes::EMPTY_SCRIPT, section.span, message));
        return;
    }
    let foreign = section.body.contains("\r\n") || !section.body.contains('\n') && section.body.contains('\r');
    if foreign {
        let message = format!("the lines of `{}` end as on Windows", spec.name);
        cx.report(
            Diagnostic::new(&codes::WINDOWS_LINE_ENDS, section.span, message)
                .help("they are taken without the carriage return; save the file with the line ends of Unix"),
        );
    }
    kickstart.scripts.push(Script {
        span: section.span,
        kind,
        interpreter: args.nonempty("--interpreter"),
        log: args.text("--log"),
        error_on_fail: args.flag("--erroronfail"),
        no_chroot: kind == ScriptKind::Post && args.flag("--nochroot"),
        body: section.body.clone(),
        body_spans: section.body_spans.clone(),
    });
}

pub(super) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    for script in &kickstart.scripts {
        pen.end();
        pen.text(script.kind.name());
        if let Some(interpreter) = script.interpreter.as_ref().filter(|i| *i != SHELL) {
            pen.option("--interpreter", Some(interpreter));
        }
        pen.flag("--nochroot", script.no_chroot)
            .option("--logfile", script.log.as_ref())
            .flag("--erroronfail", script.error_on_fail)
            .end();
        pen.text(&script.body);
        if !script.body.ends_with('\n') {
            pen.end();
        }
        pen.line("%end");
    }
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::{check, check_versions, good};

    #[test]
    fn as_written_back() {
        for (text, written) in [
            ("%post --int=/bin/x --log l --nochroot --erroronfail\na\n\n%end", None),
            ("%pre --interpreter=/bin/sh --log=\na\n  %end x", Some("\n%pre --logfile=\na\n%end\n")),
            ("%onerror --interpreter=\na # b\n\t c\n%end", Some("\n%onerror\na # b\n\t c\n%end\n")),
        ] {
            let written =
                written.unwrap_or("\n%post --interpreter=/bin/x --nochroot --logfile=l --erroronfail\na\n\n%end\n");
            let all = good(text).to_pykickstart(Syntax::F44);
            assert!(all.ends_with(written), "{all}");
        }
    }

    #[test]
    fn line_ends_of_windows_are_no_part_of_the_script() {
        for (text, script) in [
            ("%post\r\nset -e\r\ntrue\r\n%end\r\n", "set -e\ntrue\n"),
            ("%pre\nset -e\r\ntrue\n%end\n", "set -e\ntrue\n"),
            ("%post\rset -e\rtrue\r%end\r", "set -e\ntrue\n"),
        ] {
            let (kickstart, codes) = crate::commands::testing::read_as(Syntax::F44, text);
            assert_eq!((kickstart.scripts[0].text().as_str(), codes), (script, vec!["W012"]), "{text:?}");
        }
        let (kickstart, codes) = crate::commands::testing::read_as(Syntax::F44, "%post\nprintf 'a\rb'\n%end\n");
        assert!(codes.is_empty() && kickstart.scripts[0].text() == kickstart.scripts[0].body);
    }

    #[test]
    fn mistakes() {
        check(&[
            ("%post\n \n\x0b\u{a0}\n%end", &["W005"]),
            ("%post --l=a\nb\n%end", &["E204"]),
            ("%pre --nochroot\nb\n%end", &["E201"]),
            ("%post x\nb\n%end", &["E209"]),
            ("%post --nochroot=x\nb\n%end", &["E206"]),
        ]);
        check_versions(&[
            (Syntax::Rhel8, "%traceback\na\n%end", &[]),
            (Syntax::Rhel9, "%traceback\na\n%end", &["W101"]),
            (Syntax::F35, "%traceback\n%end", &["W101", "W005"]),
        ]);
    }
}
