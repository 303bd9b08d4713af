//! The commands that are kickstart, but not supported here: refused by name,
//! or warned about if a container install has no use for them.

use crate::args::spec::{ALL, NO};
use crate::syntax::Life;

/// A command that is known by name.
pub(crate) struct Known {
    pub name: &'static str,
    pub life: Life,
}

const fn known(name: &'static str, life: Life) -> Known {
    Known { name, life }
}

/// By name, sorted.
pub(crate) const KNOWN: &[Known] = &[
    known("auth", Life::ALL.removed(10, ALL)),
    known("authconfig", Life::ALL.removed(10, ALL)),
    known("authselect", Life::since(8, ALL)),
    known("firewall", Life::ALL),
    known("group", Life::ALL),
    known("logging", Life::ALL),
    known("rdp", Life::since(10, 43)),
    known("realm", Life::ALL),
    known("rescue", Life::ALL),
    known("rhsm", Life::since(8, NO)),
    known("services", Life::ALL),
    known("skipx", Life::ALL),
    known("sshpw", Life::ALL),
    known("syspurpose", Life::since(8, NO)),
    known("timesource", Life::since(9, ALL)),
    known("vnc", Life::ALL.deprecated(10, 43).removed(NO, 45)),
    known("xconfig", Life::ALL),
];

pub(crate) fn find(name: &str) -> Option<&'static Known> {
    let at = KNOWN.binary_search_by_key(&name, |k| k.name).ok()?;
    KNOWN.get(at)
}

#[cfg(test)]
mod tests {
    use crate::Syntax;
    use crate::commands::testing::check_versions;

    #[test]
    fn versions_of_commands() {
        check_versions(&[
            (Syntax::Rhel10, "auth --x", &["E103"]),
            (Syntax::F44, "rhsm --x", &["E102"]),
            (Syntax::Rhel9, "rhsm --x", &[]),
        ]);
    }
}
