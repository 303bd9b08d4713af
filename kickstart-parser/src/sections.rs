//! The sections: which there are and what their headers say.

use crate::args::scan::scan;
use crate::args::spec::{Spec, flag, text};
use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::document::Section;
use crate::kickstart::{Addon, Given, Kickstart, Packages, Script, ScriptKind};
use crate::syntax::{Life, State};

/// Every section, its kind of script, if it is one, and its name.
const SECTIONS: &[(&str, Option<ScriptKind>)] = &[
    ("%pre", Some(ScriptKind::Pre)),
    ("%pre-install", Some(ScriptKind::PreInstall)),
    ("%post", Some(ScriptKind::Post)),
    ("%onerror", Some(ScriptKind::OnError)),
    ("%traceback", Some(ScriptKind::Traceback)),
    ("%packages", None),
    ("%certificate", None),
    ("%addon", None),
    ("%anaconda", None),
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|(name, _)| *name)
}

/// Every section with the form of its header.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static Spec)> {
    SECTIONS.iter().map(|(name, kind)| match (*name, kind) {
        ("%post", _) => (*name, &POST),
        (_, Some(_)) => (*name, &SCRIPT),
        (_, None) => (*name, &VERBATIM),
    })
}

pub(crate) fn is_known(name: &str) -> bool {
    names().any(|n| n == name)
}

const SCRIPT: Spec = Spec::new("script section").options(&[
    flag("--erroronfail"),
    text("--interpreter"),
    text("--log").or(&["--logfile"]),
]);

const POST: Spec = Spec::new("%post").options(&[
    flag("--erroronfail"),
    text("--interpreter"),
    text("--log").or(&["--logfile"]),
    flag("--nochroot"),
]);

/// Sections whose headers are not looked at.
const VERBATIM: Spec = Spec::new("section");

const TRACEBACK: Life = Life::ALL.deprecated(9, 34);

/// Take a section into the kickstart.
pub(crate) fn interpret(section: &Section, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(name) = section.words.first() else {
        return;
    };
    let kind = SECTIONS.iter().find(|(n, _)| *n == name.value);
    if let Some((name, _)) = kind {
        kickstart.given.push(Given { name, span: section.span });
    }
    match kind {
        Some((_, Some(kind))) => script(section, *kind, cx, kickstart),
        Some(("%packages", None)) => {
            kickstart.packages.push(Packages { span: section.span, body: section.body.clone() });
        }
        Some(("%addon", None)) => addon(section, cx, kickstart),
        Some(_) => {}
        // The reader has reported it.
        None => {}
    }
}

fn script(section: &Section, kind: ScriptKind, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let spec: &'static Spec = if kind == ScriptKind::Post { &POST } else { &SCRIPT };
    let args: Args = scan(spec, section.span, &section.words[1..], cx);
    if kind == ScriptKind::Traceback && TRACEBACK.state(cx.syntax) == State::Deprecated {
        cx.report(
            Diagnostic::new(&codes::COMMAND_DEPRECATED, section.span, "`%traceback` is deprecated")
                .help("use `%onerror`"),
        );
    }
    if section.body.trim().is_empty() {
        let message = format!("`{}` has nothing to run", kind.name());
        cx.report(Diagnostic::new(&codes::EMPTY_SCRIPT, section.span, message));
        return;
    }
    kickstart.scripts.push(Script {
        span: section.span,
        kind,
        interpreter: args.nonempty("--interpreter"),
        log: args.nonempty("--log"),
        error_on_fail: args.flag("--erroronfail"),
        no_chroot: kind == ScriptKind::Post && args.flag("--nochroot"),
        body: section.body.clone(),
        body_spans: section.body_spans.clone(),
    });
}

fn addon(section: &Section, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let Some(name) = section.words.get(1) else {
        cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, section.span, "`%addon` needs the name of an add-on"));
        return;
    };
    kickstart.addons.push(Addon {
        span: section.span,
        name: name.value.clone(),
        arguments: section.words[2..].iter().map(|w| w.value.clone()).collect(),
        body: section.body.clone(),
        body_spans: section.body_spans.clone(),
    });
}
