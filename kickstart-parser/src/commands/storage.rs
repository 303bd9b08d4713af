//! What the commands that make devices and file systems have in common.

use crate::args::spec::NO;
use crate::args::suggest::surplus;
use crate::args::{Args, Argument, Cx, Given, Value};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::syntax::At;

/// The option as given last, unless it says nothing: the language takes an empty text and a 0
/// for an option that is not there.
pub(crate) fn said<'a>(args: &'a Args, name: &str) -> Option<&'a Given> {
    args.last(name).filter(|given| match &given.value {
        Value::Text(text) => !text.is_empty(),
        Value::List(list) => !list.is_empty(),
        Value::Count(n) => *n > 0,
        Value::Int(n) => *n != 0,
        Value::None | Value::Bool(_) => true,
    })
}

/// Report two options that cannot be used together, if both say something.
pub(crate) fn exclude(args: &Args, cx: &mut Cx<'_>, one: &'static str, other: &'static str) {
    if said(args, one).is_some() && said(args, other).is_some() {
        args.exclude(cx, one, other);
    }
}

/// Report an option that says something without the one that it needs.
pub(crate) fn needs(args: &Args, cx: &mut Cx<'_>, one: &'static str, other: &'static str) {
    if let Some(given) = said(args, one)
        && said(args, other).is_none()
    {
        let message = format!("`{one}` needs `{other}`");
        cx.report(Diagnostic::new(&codes::OPTION_NEEDS_OTHER, given.span, message));
    }
}

/// Whether all is there that the table asks for; else what is missing may be part of that.
pub(crate) fn is_complete(args: &Args) -> bool {
    let mut required = args.spec.options.iter().filter(|option| option.required);
    !args.broken && args.argument(0).is_some() && required.all(|option| args.last(option.name).is_some())
}

/// `--mkfsoptions` is for a file system that is made, and without a profile.
pub(crate) fn check_mkfs_options(args: &Args, cx: &mut Cx<'_>) {
    exclude(args, cx, "--fsprofile", "--mkfsoptions");
    exclude(args, cx, "--noformat", "--mkfsoptions");
}

/// Report `--fstype=btrfs` where there is none: in RHEL since RHEL8.
pub(crate) fn check_btrfs(args: &Args, cx: &mut Cx<'_>) {
    let given = args.last("--fstype").filter(|given| given.value.text() == Some("btrfs"));
    if let Some(given) = given.filter(|_| cx.syntax.reached(At::new(8, NO))) {
        no_btrfs(given.value_span, cx);
    }
}

/// Report something that needs btrfs where there is none.
pub(crate) fn no_btrfs(span: Span, cx: &mut Cx<'_>) {
    let message = format!("there is no btrfs in {}", cx.syntax);
    cx.report(Diagnostic::new(&codes::INVALID_VALUE, span, message).help("use xfs"));
}

/// The arguments behind the first one, which may stand before the options or behind them.
pub(crate) fn members(args: &Args) -> Vec<String> {
    let before = args.arguments(1).iter();
    before.chain(&args.leftovers).map(|member| member.value.to_string()).collect()
}

/// Report members that the language would drop or refuse: some before the options and some
/// behind them, and words that look like options.
pub(crate) fn check_members(args: &Args, cx: &mut Cx<'_>) {
    if let (Some(before), Some(first)) = (args.arguments(1).last(), args.leftovers.first()) {
        let last = args.leftovers.last().unwrap_or(first);
        let message = format!("`{}` has its devices in two places", args.spec.name);
        cx.report(
            Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, first.span.to(last.span), message)
                .label(before.span, "there are some already")
                .help("write them next to each other: other tools take only those in one of the places"),
        );
    }
    check_dashes(args, args.leftovers.iter(), cx);
}

/// Report arguments that begin with a dash.
pub(crate) fn check_dashes<'a>(args: &Args, those: impl Iterator<Item = &'a Argument>, cx: &mut Cx<'_>) {
    for argument in those.filter(|a| a.value.starts_with('-')) {
        surplus(args.spec, 1, &argument.value, argument.span, cx);
    }
}

/// Report members of a device that exists: it has its own.
pub(crate) fn check_existing(args: &Args, cx: &mut Cx<'_>) {
    let existing = args.last_of(&["--useexisting", "--noformat"]);
    let first = args.arguments(1).first().or(args.leftovers.first());
    if let (Some(existing), Some(first)) = (existing, first) {
        let message = format!("a {} that exists has its devices already", args.spec.name);
        cx.report(
            Diagnostic::new(&codes::UNEXPECTED_ARGUMENT, first.span, message)
                .label(existing.span, "this is for one that exists"),
        );
    }
}

/// Report an option or argument that a device to be made cannot do without.
pub(crate) fn missing(args: &Args, cx: &mut Cx<'_>, what: &str) {
    let message = format!("`{}` needs {what}", args.spec.name);
    cx.report(Diagnostic::new(&codes::REQUIRED_ARGUMENT, args.span, message));
}
