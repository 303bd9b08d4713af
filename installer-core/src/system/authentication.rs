//! How users are authenticated: authselect of the image, run in the new system.

use super::change::{Change, Facts, Findings, Topic};
use crate::request::Authentication;

/// What configures it.
pub const PROGRAM: &str = "/usr/bin/authselect";

/// The changes for `authentication`.
pub fn changes(authentication: &Authentication, facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    match facts.map(|facts| facts.has(PROGRAM)) {
        None => found.unknown("authselect"),
        Some(true) => {}
        Some(false) => found.lack(
            Topic::Authentication,
            "the image has no authselect",
            "configure authentication in the image, and leave it out",
        ),
    }
    let run = |args: Vec<String>| Change::Run { program: PROGRAM.into(), args };
    match authentication {
        Authentication::Arguments(words) => vec![run(forced(words))],
        Authentication::Features(features) => {
            features.iter().map(|name| run(vec!["enable-feature".into(), name.clone()])).collect()
        }
    }
}

/// An image's own files are not authselect's, which leaves such alone unless it is told.
fn forced(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    let force = words.iter().any(|word| word == "--force" || word == "-f");
    if words.first().is_some_and(|word| word == "select") && !force {
        words.push("--force".into());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::SystemFacts;

    #[test]
    fn authselect_is_run_or_missing() {
        let words = ["select", "sssd", "with-mkhomedir"].map(str::to_owned).to_vec();
        let facts = SystemFacts { programs: vec![PROGRAM.into()], ..SystemFacts::default() };
        let mut found = Findings::default();
        let list = changes(&Authentication::Arguments(words.clone()), Some(&facts), &mut found);
        let args = ["select", "sssd", "with-mkhomedir", "--force"].map(str::to_owned).to_vec();
        assert_eq!(list, [Change::Run { program: PROGRAM.into(), args }]);
        assert!(found.list().is_empty());
        changes(&Authentication::Features(words), Some(&SystemFacts::default()), &mut found);
        assert!(found.list()[0].fatal);
    }
}
