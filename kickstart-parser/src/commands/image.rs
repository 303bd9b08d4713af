//! What the commands that name an image share.

use crate::args::{Args, Cx};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// Report an option that must name something and is empty: the language takes it, an installer cannot
/// do anything with it.
pub(super) fn name_something(args: &Args, cx: &mut Cx<'_>, name: &'static str) {
    if let Some(given) = args.last(name).filter(|_| args.nonempty(name).is_none()) {
        cx.report(Diagnostic::new(&codes::EMPTY_VALUE, given.span, format!("`{name}` is empty")));
    }
}
