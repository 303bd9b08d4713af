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
pub(crate) const KNOWN: &[Known] = &[];

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
        check_versions(&[(Syntax::Rhel10, "auth --x", &["E103"]), (Syntax::F44, "rhsm --x", &["E102"])]);
    }
}
