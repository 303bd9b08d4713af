//! Whether the accounts that are asked for can be made in the image: they are made, in what is known of
//! its files.

use super::accounts::{Accounts, GroupPlan, UserPlan};
use super::change::{Facts, Findings, Topic};
use crate::image::SystemFacts;

/// What the image has is looked at only if it is known.
pub fn check(groups: &[GroupPlan], users: &[UserPlan], facts: Facts<'_>, found: &mut Findings) {
    let Some(facts) = facts else { return };
    let mut accounts = known(facts);
    let hint = "choose another id or name, or leave the id out";
    for group in groups {
        if let Err(error) = accounts.add_group(group) {
            found.lack(Topic::Accounts, error.to_string(), hint);
        }
    }
    for user in users {
        if let Some(line) = line_of(&user.name, &facts.passwd).or_else(|| line_of(&user.name, &facts.vendor_passwd)) {
            existing(user, line, found);
        }
        if let Err(error) = accounts.add_user(user, None, 0) {
            found.lack(Topic::Accounts, error.to_string(), hint);
        }
        shell(user, facts, found);
        join(user, groups, users, facts, found);
    }
}

fn known(facts: &SystemFacts) -> Accounts {
    let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect();
    Accounts {
        passwd: text(&facts.passwd),
        group: text(&facts.group),
        vendor_passwd: text(&facts.vendor_passwd),
        vendor_group: text(&facts.vendor_group),
        ..Accounts::default()
    }
}

fn line_of<'a>(name: &str, lines: &'a [String]) -> Option<&'a str> {
    lines.iter().map(String::as_str).find(|line| line.split(':').next() == Some(name))
}

/// An account that is there keeps its identity; what asks for another one is not done by halves.
fn existing(user: &UserPlan, line: &str, found: &mut Findings) {
    let field = |index: usize| line.split(':').nth(index).unwrap_or_default();
    let id = field(2);
    if user.uid.is_some_and(|asked| asked.to_string() != id) {
        let message = format!("the image has a user '{}' with the id {id}, and another is asked for", user.name);
        return found.lack(Topic::Accounts, message, "choose another name, or leave the id out");
    }
    let note = format!("the image has a user '{}' (id {id}), who stays as the image has it", user.name);
    found.note(Topic::Accounts, note, "password, groups and keys are set; the rest is the image's");
}

/// Shells that no login is meant to get, and which /etc/shells does not have.
const NO_LOGIN: &[&str] = &["nologin", "false", "sync", "halt", "shutdown"];

fn shell(user: &UserPlan, facts: &SystemFacts, found: &mut Findings) {
    let Some(shell) = &user.shell else { return };
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let known = facts.shells.iter().any(|other| name(other) == name(shell));
    if facts.shells.is_empty() || known || NO_LOGIN.contains(&name(shell).as_str()) {
        return;
    }
    let message = format!("{shell}, the shell of '{}', is not one of the image's (/etc/shells)", user.name);
    let near = kickstart_parser::closest(shell, facts.shells.iter().map(String::as_str));
    let hint = match near {
        Some(near) => format!("perhaps {near} is meant; else add the shell to the image"),
        None => "add the shell to the image".into(),
    };
    found.note(Topic::Accounts, message, hint);
}

/// A group that is neither there nor made by name is made on the way, which a wrong letter does as well.
fn join(user: &UserPlan, groups: &[GroupPlan], users: &[UserPlan], facts: &SystemFacts, found: &mut Findings) {
    let there = || facts.group.iter().chain(&facts.vendor_group).filter_map(|line| line.split(':').next());
    for (name, gid) in &user.groups {
        let made = groups.iter().any(|group| group.name == *name) || users.iter().any(|user| user.name == *name);
        if made || gid.is_some() || there().any(|other| other == name) {
            continue;
        }
        let hint = match kickstart_parser::closest(name, there()) {
            Some(near) => format!("perhaps {near} is meant"),
            None => "if that is meant, ask for the group by name".into(),
        };
        let message = format!("the image has no group '{name}', which '{}' is to be in: it is made", user.name);
        found.note(Topic::Accounts, message, hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> SystemFacts {
        let lines = |text: &[&str]| text.iter().map(|line| (*line).to_owned()).collect();
        SystemFacts {
            passwd: lines(&["root:x:0:0:root:/root:/bin/bash", "app:x:1000:1000::/var/home/app:/bin/bash"]),
            group: lines(&["root:x:0:", "app:x:1000:"]),
            vendor_passwd: lines(&["chrony:x:992:990::/var/lib/chrony:/sbin/nologin"]),
            vendor_group: lines(&["wheel:x:10:"]),
            shells: lines(&["/bin/sh", "/bin/bash"]),
            ..SystemFacts::default()
        }
    }

    fn user(name: &str, uid: Option<u32>, shell: Option<&str>) -> UserPlan {
        UserPlan {
            name: name.into(),
            uid,
            gid: None,
            groups: vec![("wheel".into(), None)],
            home: format!("/var/home/{name}"),
            shell: shell.map(str::to_owned),
            gecos: String::new(),
            password: false,
            locked: false,
        }
    }

    fn run(groups: &[GroupPlan], users: &[UserPlan]) -> Vec<(bool, String)> {
        let mut found = Findings::default();
        check(groups, users, Some(&facts()), &mut found);
        found.list().iter().map(|one| (one.fatal, one.message.clone())).collect()
    }

    #[test]
    fn what_fits_says_nothing() {
        let group = GroupPlan { name: "site".into(), gid: Some(2000) };
        assert_eq!(run(&[group], &[user("admin", Some(1001), Some("/usr/bin/bash"))]), []);
    }

    #[test]
    fn a_taken_id_is_found_before_the_disk_is_touched() {
        let found = run(&[], &[user("admin", Some(1000), None)]);
        assert!(found[0].0 && found[0].1.contains("belongs to 'app'"), "{found:?}");
        let found = run(&[GroupPlan { name: "site".into(), gid: Some(10) }], &[]);
        assert!(found[0].0 && found[0].1.contains("belongs to 'wheel'"), "{found:?}");
        let found = run(&[], &[user("chrony", Some(1500), None)]);
        assert!(found[0].0 && found[0].1.contains("the id 992"), "{found:?}");
    }

    #[test]
    fn what_is_odd_is_told() {
        let found = run(&[], &[user("app", None, None), user("b", None, Some("/bin/zsh"))]);
        assert!(!found[0].0 && found[0].1.contains("stays as the image has it"), "{found:?}");
        assert!(!found[1].0 && found[1].1.contains("/bin/zsh"), "{found:?}");
        let mut one = user("c", None, None);
        one.groups = ["whell", "site", "c", "own"].map(|name| (name.to_owned(), None)).to_vec();
        one.groups.push(("numbered".into(), Some(3000)));
        let site = GroupPlan { name: "site".into(), gid: None };
        let mut found = Findings::default();
        check(&[site], &[one], Some(&facts()), &mut found);
        let told: Vec<String> = found.list().iter().map(|one| format!("{} {}", one.message, one.hint)).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("no group 'whell'") && told[0].contains("perhaps wheel is meant"), "{told:?}");
        assert!(told[1].contains("no group 'own'"), "{told:?}");
    }
}
