//! Kickstarts that say that no question may be asked.

use crate::diagnostic::Diagnostic;
use crate::kickstart::{DisplayMode, Kickstart};
use crate::span::Span;

/// The line that says that no question may be asked.
pub(super) fn unattended(kickstart: &Kickstart) -> Option<Span> {
    let display = kickstart.display.as_ref()?;
    (display.mode == DisplayMode::Cmdline || display.non_interactive).then_some(display.span)
}

/// With that line, if there is one.
pub(super) fn unasked(diagnostic: Diagnostic, kickstart: &Kickstart) -> Diagnostic {
    match unattended(kickstart) {
        Some(line) => diagnostic.label(line, "no question is asked, by this line"),
        None => diagnostic,
    }
}
