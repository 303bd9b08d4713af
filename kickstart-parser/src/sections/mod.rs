//! The sections: which there are, and what their headers and bodies say.
//!
//! A section is a table like that of a command, for its header, and a function that takes the
//! whole of it. Versions differ in the options; the sections themselves are in every version.

mod certificate;
mod packages;
mod script;
mod stretches;
mod verbatim;

pub use certificate::Certificate;
pub use packages::{GroupMembers, PackageEntry, PackageName, Packages, Selection};
pub use script::{Script, ScriptKind};
pub use verbatim::{Addon, Anaconda};

use crate::args::Cx;
use crate::args::spec::Spec;
use crate::document::Section;
use crate::kickstart::{Given, Kickstart};
use crate::pen::Pen;

/// A section: the form of its header, and what takes it into a kickstart.
struct Known {
    spec: &'static Spec,
    apply: fn(&Section, &mut Cx<'_>, &mut Kickstart),
}

const SECTIONS: &[Known] = &[
    Known { spec: &script::PRE, apply: |s, cx, k| script::apply(ScriptKind::Pre, s, cx, k) },
    Known { spec: &script::PRE_INSTALL, apply: |s, cx, k| script::apply(ScriptKind::PreInstall, s, cx, k) },
    Known { spec: &script::POST, apply: |s, cx, k| script::apply(ScriptKind::Post, s, cx, k) },
    Known { spec: &script::ON_ERROR, apply: |s, cx, k| script::apply(ScriptKind::OnError, s, cx, k) },
    Known { spec: &script::TRACEBACK, apply: |s, cx, k| script::apply(ScriptKind::Traceback, s, cx, k) },
    Known { spec: &packages::SPEC, apply: packages::apply },
    Known { spec: &certificate::SPEC, apply: certificate::apply },
    Known { spec: &verbatim::ADDON, apply: verbatim::addon },
    Known { spec: &verbatim::ANACONDA, apply: verbatim::anaconda },
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|known| known.spec.name)
}

/// Every section with the form of its header.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static Spec)> {
    SECTIONS.iter().map(|known| (known.spec.name, known.spec))
}

pub(crate) fn is_known(name: &str) -> bool {
    names().any(|n| n == name)
}

/// Take a section into the kickstart.
pub(crate) fn interpret(section: &Section, cx: &mut Cx<'_>, kickstart: &mut Kickstart) {
    let name = section.words.first().map_or("", |w| w.value.as_str());
    // The reader has reported one that is not known.
    if let Some(known) = SECTIONS.iter().find(|known| known.spec.name == name) {
        kickstart.given.push(Given { name: known.spec.name, span: section.span });
        (known.apply)(section, cx, kickstart);
    }
}

/// All sections, behind the commands.
pub(crate) fn write(kickstart: &Kickstart, pen: &mut Pen) {
    script::write(kickstart, pen);
    verbatim::write(kickstart, pen);
    packages::write(kickstart, pen);
    certificate::write(kickstart, pen);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_and_option_is_described() {
        for (name, spec) in all() {
            assert!(spec.doc.ends_with('.'), "{name}");
            assert!(spec.options.iter().all(|o| !o.doc.is_empty() && !o.doc.ends_with('.')), "{name}");
        }
    }
}
