//! Membership of a domain: realmd of the image, at the first boot.
//!
//! A machine joins under its own name, with its own clock and network: those of the machine that installs it
//! are not meant.

use super::change::{Change, Facts, Findings, Topic};
use super::once::{self, Once};

/// What joins.
const PROGRAM: &str = "/usr/sbin/realm";
const WANTED: &str = "/etc/bootc-ks/join-domain";

/// The changes for joining with these arguments of `realm join`.
pub fn changes(arguments: &[String], facts: Facts<'_>, found: &mut Findings) -> Vec<Change> {
    match facts.map(|facts| facts.has(PROGRAM)) {
        None => found.unknown("realm"),
        Some(true) => {}
        Some(false) => found.lack(
            Topic::Domain,
            "the image has no realm to join a domain with",
            "add realmd to the image, or join in another way and leave it out",
        ),
    }
    let words: Vec<String> = arguments.iter().map(|text| once::word(text)).collect();
    let wanted = "Joined at the first boot; this file goes then.\n";
    let mut list = vec![Change::write(WANTED, wanted)];
    list.extend(once::changes(&Once {
        name: "join-domain",
        description: "Join a domain, as asked for at installation",
        until_gone: WANTED,
        command: [PROGRAM, "join", "--verbose", "--unattended", words.join(" ").as_str()].join(" "),
        then: None,
    }));
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::SystemFacts;

    #[test]
    fn the_running_system_joins() {
        let facts = SystemFacts { programs: vec!["/usr/bin/realm".into()], ..SystemFacts::default() };
        let words = ["--computer-ou=OU=a b", "ad.example.com"].map(str::to_owned);
        let mut found = Findings::default();
        let list = changes(&words, Some(&facts), &mut found);
        let unit = list[1].details().join("\n");
        let line = r#"realm join --verbose --unattended "--computer-ou=OU=a b" "ad.example.com""#;
        assert!(unit.contains(line) && unit.contains("ConditionPathExists=/etc/bootc-ks/join-domain"), "{unit}");
        assert_eq!(list[2], Change::Enable { unit: "bootc-ks-join-domain.service".into() });
        assert!(found.list().is_empty());
        changes(&words, Some(&SystemFacts::default()), &mut found);
        assert!(found.list()[0].fatal);
    }
}
