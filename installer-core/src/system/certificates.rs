//! Certificates, and the stores that are made of them.

use super::change::{Change, Facts};
use crate::request::Certificate;

/// What makes a store of its sources.
pub const PROGRAM: &str = "/usr/bin/update-ca-trust";
/// Where a store's own sources are, and what makes the store of them.
const STORES: &[(&str, &str)] =
    &[("/etc/pki/ca-trust/source/", PROGRAM), ("/etc/ca-certificates/trust-source/", PROGRAM)];

/// The changes for `certificates`.
pub fn changes(certificates: &[Certificate], facts: Facts<'_>) -> Vec<Change> {
    let mut list: Vec<Change> =
        certificates.iter().map(|one| Change::write(one.path.as_str(), one.content.as_str())).collect();
    for (dir, program) in STORES {
        let there = facts.is_some_and(|facts| facts.has(program));
        let run = Change::Run { program: (*program).to_owned(), args: Vec::new() };
        if there && certificates.iter().any(|one| one.path.starts_with(dir)) && !list.contains(&run) {
            list.push(run);
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::SystemFacts;

    #[test]
    fn an_anchor_is_taken_into_the_store_once() {
        let one = |name: &str| Certificate {
            path: format!("/etc/pki/ca-trust/source/anchors/{name}"),
            content: "x\n".into(),
        };
        let facts = SystemFacts { programs: vec!["/usr/bin/update-ca-trust".into()], ..SystemFacts::default() };
        assert_eq!(changes(&[one("a.pem"), one("b.pem")], Some(&facts)).len(), 3);
        assert_eq!(changes(&[one("a.pem")], None).len(), 1);
    }
}
