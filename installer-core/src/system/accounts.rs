//! passwd, shadow, group and gshadow as text in, text out. Pure.
//!
//! An image may keep its own accounts in /usr/lib (nss-altfiles); those are looked up, and a
//! group from there is copied to /etc when it gains a member, since only /etc can be changed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::request::valid_id;

/// The account files of a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// /etc/passwd.
    pub passwd: String,
    /// /etc/shadow.
    pub shadow: String,
    /// /etc/group.
    pub group: String,
    /// /etc/gshadow; `None` where the system has none.
    pub gshadow: Option<String>,
    /// /etc/subuid and /etc/subgid; `None` where the system has none.
    pub subids: Option<(String, String)>,
    /// /usr/lib/passwd, read only.
    pub vendor_passwd: String,
    /// /usr/lib/group, read only.
    pub vendor_group: String,
}

/// A user to make, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserPlan {
    /// Login name.
    pub name: String,
    /// User id, where one is asked for.
    pub uid: Option<u32>,
    /// Primary group id, where one is asked for.
    pub gid: Option<u32>,
    /// Further groups, each with the id it gets where it is missing.
    pub groups: Vec<(String, Option<u32>)>,
    /// Home directory in the installed system.
    pub home: String,
    /// Login shell.
    pub shell: Option<String>,
    /// The comment field.
    pub gecos: String,
    /// Whether a password is set (it travels apart from the plan).
    pub password: bool,
    /// Whether that password is locked.
    pub locked: bool,
}

/// A group to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPlan {
    /// Its name.
    pub name: String,
    /// Its id, where one is asked for.
    pub gid: Option<u32>,
}

/// Who owns the new home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Whether the account was there before.
    pub existed: bool,
}

/// Why an account cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The id belongs to another account.
    #[error("{what} {id} asked for '{name}' belongs to '{owner}'")]
    Taken {
        /// `user id` or `group id`.
        what: &'static str,
        /// The id.
        id: u32,
        /// Who asks.
        name: String,
        /// Who has it.
        owner: String,
    },
    /// The group is there under another id.
    #[error("group '{name}' has the id {id} in the image, and {asked} is asked for")]
    OtherId {
        /// The group.
        name: String,
        /// Its id.
        id: String,
        /// The id that is asked for.
        asked: u32,
    },
    /// What the image says of an account cannot be read.
    #[error("the image's line of '{name}' has no user and group id: '{line}'")]
    Malformed {
        /// The account.
        name: String,
        /// Its line.
        line: String,
    },
    /// No id is free.
    #[error("no free {0} between 1000 and 59999")]
    Exhausted(&'static str),
}

fn field(line: &str, index: usize) -> Option<&str> {
    line.split(':').nth(index)
}

fn find<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find(|line| field(line, 0) == Some(name))
}

fn append(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}

/// Replaces field `index` of `name`'s line.
fn set_field(text: &mut String, name: &str, index: usize, value: &str) {
    *text = text
        .lines()
        .map(|line| {
            let mut fields: Vec<&str> = line.split(':').collect();
            if fields.first() == Some(&name) && fields.len() > index {
                fields[index] = value;
            }
            fields.join(":") + "\n"
        })
        .collect();
}

impl Accounts {
    /// Makes `user`, or brings an existing one up to what is asked for. `hash` is a crypt(3)
    /// hash; `day` is today, in days since 1970.
    pub fn add_user(&mut self, user: &UserPlan, hash: Option<&str>, day: u64) -> Result<Identity, AccountError> {
        let line = find(&self.passwd, &user.name).or_else(|| find(&self.vendor_passwd, &user.name));
        let identity = match line {
            Some(line) => existing(&user.name, line)?,
            None => self.new_user(user)?,
        };
        for (group, gid) in &user.groups {
            self.add_member(group, *gid, &user.name)?;
        }
        // An account of the image that is to be locked must not keep the password that it has.
        if !identity.existed || hash.is_some() || user.locked {
            self.set_password(&user.name, hash, user.locked, day);
        }
        Ok(identity)
    }

    /// Makes `group`. One that is there already stays as it is, wherever the image keeps it.
    pub fn add_group(&mut self, group: &GroupPlan) -> Result<(), AccountError> {
        let there = find(&self.group, &group.name).or_else(|| find(&self.vendor_group, &group.name));
        if let Some(line) = there {
            let id = field(line, 2).unwrap_or_default();
            return match group.gid {
                Some(asked) if id != asked.to_string() => {
                    Err(AccountError::OtherId { name: group.name.clone(), id: id.to_owned(), asked })
                }
                _ => Ok(()),
            };
        }
        let gid = pick("group id", group.gid, &group.name, &self.group_ids())?;
        self.new_group(&group.name, gid);
        Ok(())
    }

    fn new_user(&mut self, user: &UserPlan) -> Result<Identity, AccountError> {
        let uids = self.ids(2);
        let uid = pick("user id", user.uid, &user.name, &uids)?;
        let gids = self.group_ids();
        let gid = match user.gid {
            // A primary group that exists is joined, not made.
            Some(gid) if gids.iter().any(|(id, _)| *id == gid) => gid,
            wanted => {
                let wanted = wanted.or((!gids.iter().any(|(id, _)| *id == uid)).then_some(uid));
                let gid = pick("group id", wanted, &user.name, &gids)?;
                self.new_group(&user.name, gid);
                gid
            }
        };
        let shell = user.shell.as_deref().unwrap_or("/bin/bash");
        append(&mut self.passwd, &format!("{}:x:{uid}:{gid}:{}:{}:{shell}", user.name, user.gecos, user.home));
        self.add_subids(&user.name);
        Ok(Identity { uid, gid, home: user.home.clone(), existed: false })
    }

    /// 65536 subordinate ids, as `useradd` gives them, for containers without root.
    fn add_subids(&mut self, name: &str) {
        let Some((subuid, subgid)) = &mut self.subids else { return };
        for text in [subuid, subgid] {
            let end = text.lines().filter_map(|line| {
                let start: u32 = field(line, 1)?.parse().ok()?;
                Some(u64::from(start) + u64::from(field(line, 2)?.parse::<u32>().ok()?))
            });
            let start = end.max().unwrap_or(0).max(100_000);
            // Where the image has given all of them away, there are none left to give.
            if start + 65_536 <= u64::from(u32::MAX) {
                append(text, &format!("{name}:{start}:65536"));
            }
        }
    }

    /// Sets `name`'s password; without a hash no password opens the account.
    pub fn set_password(&mut self, name: &str, hash: Option<&str>, locked: bool, day: u64) {
        let value = match (hash, locked) {
            (Some(hash), false) => hash.to_owned(),
            (Some(hash), true) => format!("!{hash}"),
            // Not '!', which sshd of some systems takes for a locked account even with a key.
            (None, _) => "*".to_owned(),
        };
        if find(&self.shadow, name).is_some() {
            set_field(&mut self.shadow, name, 1, &value);
        } else {
            append(&mut self.shadow, &format!("{name}:{value}:{day}:0:99999:7:::"));
        }
    }

    fn ids(&self, index: usize) -> Vec<(u32, String)> {
        lines_ids([&self.passwd, &self.vendor_passwd], index)
    }

    fn group_ids(&self) -> Vec<(u32, String)> {
        lines_ids([&self.group, &self.vendor_group], 2)
    }

    fn new_group(&mut self, name: &str, gid: u32) {
        append(&mut self.group, &format!("{name}:x:{gid}:"));
        if let Some(gshadow) = &mut self.gshadow {
            append(gshadow, &format!("{name}:!::"));
        }
    }

    /// Makes `user` a member of `group`, which is made where it is missing.
    pub fn add_member(&mut self, group: &str, gid: Option<u32>, user: &str) -> Result<(), AccountError> {
        if find(&self.group, group).is_none() {
            match find(&self.vendor_group, group).map(str::to_owned) {
                Some(line) => append(&mut self.group, &line),
                None => {
                    let gid = pick("group id", gid, group, &self.group_ids())?;
                    self.new_group(group, gid);
                }
            }
        }
        join(&mut self.group, group, user);
        if let Some(gshadow) = &mut self.gshadow {
            if find(gshadow, group).is_none() {
                append(gshadow, &format!("{group}:!::"));
            }
            join(gshadow, group, user);
        }
        Ok(())
    }
}

/// Who the account called `name` is by its line of passwd.
fn existing(name: &str, line: &str) -> Result<Identity, AccountError> {
    let number = |index| field(line, index)?.parse().ok().and_then(valid_id);
    let home = field(line, 5).filter(|home| home.starts_with('/'));
    match (number(2), number(3), home) {
        (Some(uid), Some(gid), Some(home)) => Ok(Identity { uid, gid, home: home.to_owned(), existed: true }),
        _ => Err(AccountError::Malformed { name: name.to_owned(), line: line.to_owned() }),
    }
}

/// Adds `user` to the member list, the fourth field in group and gshadow alike.
fn join(text: &mut String, group: &str, user: &str) {
    let members = find(text, group).and_then(|line| field(line, 3)).unwrap_or_default();
    let mut list: Vec<&str> = members.split(',').filter(|m| !m.is_empty()).collect();
    if !list.contains(&user) {
        list.push(user);
        let list = list.join(",");
        set_field(text, group, 3, &list);
    }
}

fn lines_ids(files: [&String; 2], index: usize) -> Vec<(u32, String)> {
    files
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| Some((field(line, index)?.parse().ok()?, field(line, 0)?.to_owned())))
        .collect()
}

fn pick(what: &'static str, wanted: Option<u32>, name: &str, taken: &[(u32, String)]) -> Result<u32, AccountError> {
    if let Some(id) = wanted {
        return match taken.iter().find(|(other, owner)| *other == id && owner != name) {
            Some((_, owner)) => Err(AccountError::Taken { what, id, name: name.to_owned(), owner: owner.clone() }),
            None => Ok(id),
        };
    }
    let used: BTreeSet<u32> = taken.iter().map(|(id, _)| *id).collect();
    (1000..60_000).find(|id| !used.contains(id)).ok_or(AccountError::Exhausted(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            passwd: "root:x:0:0:root:/root:/bin/bash\nother:x:1000:1000::/home/other:/bin/sh\n".into(),
            shadow: "root:*:19000:0:99999:7:::\n".into(),
            group: "root:x:0:\nsudo:x:27:\nother:x:1000:".into(),
            gshadow: Some("root:*::\nsudo:*::\n".into()),
            subids: Some(("other:100000:65536\n".into(), String::new())),
            vendor_passwd: String::new(),
            vendor_group: "wheel:x:10:\n".into(),
        }
    }

    fn user(groups: &[(&str, Option<u32>)]) -> UserPlan {
        UserPlan {
            name: "admin-user".into(),
            uid: None,
            gid: None,
            groups: groups.iter().map(|(name, gid)| ((*name).to_owned(), *gid)).collect(),
            home: "/var/home/admin-user".into(),
            shell: None,
            gecos: "The admin".into(),
            password: false,
            locked: false,
        }
    }

    #[test]
    fn a_user_gets_ids_groups_and_a_shadow_line() {
        let mut files = accounts();
        let identity =
            files.add_user(&user(&[("wheel", None), ("sudo", None), ("new", Some(777))]), None, 20_000).unwrap();
        assert_eq!((identity.uid, identity.gid, identity.existed), (1001, 1001, false));
        assert!(files.passwd.ends_with("admin-user:x:1001:1001:The admin:/var/home/admin-user:/bin/bash\n"));
        assert!(files.shadow.ends_with("admin-user:*:20000:0:99999:7:::\n"));
        for line in
            ["sudo:x:27:admin-user\n", "wheel:x:10:admin-user\n", "new:x:777:admin-user\n", "admin-user:x:1001:\n"]
        {
            assert!(files.group.contains(line), "{line} in {}", files.group);
        }
        let gshadow = files.gshadow.unwrap();
        assert!(gshadow.contains("wheel:!::admin-user\n") && gshadow.contains("sudo:*::admin-user\n"), "{gshadow}");
        let (subuid, subgid) = files.subids.unwrap();
        assert!(subuid.ends_with("admin-user:165536:65536\n") && subgid == "admin-user:100000:65536\n");
    }

    #[test]
    fn passwords_are_set_locked_or_absent() {
        let mut files = accounts();
        files.add_user(&user(&[]), Some("$6$salt$hash"), 1).unwrap();
        assert!(files.shadow.contains("admin-user:$6$salt$hash:1:"));
        files.set_password("root", Some("$6$x"), true, 1);
        assert!(files.shadow.contains("root:!$6$x:19000:"));
        files.set_password("root", None, false, 1);
        assert!(files.shadow.contains("root:*:19000:"));
    }

    #[test]
    fn a_group_is_made_once() {
        let mut files = accounts();
        let group = |name: &str, gid| GroupPlan { name: name.into(), gid };
        files.add_group(&group("site", Some(2000))).unwrap();
        files.add_group(&group("next", None)).unwrap();
        files.add_group(&group("wheel", None)).unwrap();
        files.add_group(&group("sudo", Some(27))).unwrap();
        assert!(files.group.contains("site:x:2000:\n") && files.group.contains("next:x:1001:\n"), "{}", files.group);
        assert!(files.gshadow.as_ref().unwrap().contains("site:!::\n"));
        // One of /usr/lib/group is found there.
        assert!(!files.group.contains("wheel"));
        let taken = files.add_group(&group("other2", Some(27))).unwrap_err().to_string();
        assert_eq!(taken, "group id 27 asked for 'other2' belongs to 'sudo'");
        let other = files.add_group(&group("wheel", Some(11))).unwrap_err().to_string();
        assert_eq!(other, "group 'wheel' has the id 10 in the image, and 11 is asked for");
    }

    #[test]
    fn the_id_of_another_account_is_refused_by_name() {
        let mut files = accounts();
        let error = files.add_user(&UserPlan { uid: Some(1000), ..user(&[]) }, None, 1).unwrap_err();
        assert_eq!(error.to_string(), "user id 1000 asked for 'admin-user' belongs to 'other'");
    }

    #[test]
    fn an_existing_user_keeps_its_identity() {
        let mut files = accounts();
        let plan = UserPlan { name: "other".into(), ..user(&[("sudo", None)]) };
        let identity = files.add_user(&plan, None, 1).unwrap();
        assert_eq!((identity.uid, identity.home.as_str(), identity.existed), (1000, "/home/other", true));
        assert!(files.group.contains("sudo:x:27:other"));
        assert_eq!(files.passwd.matches("other:x:").count(), 1);
        files.shadow.push_str("other:$6$salt$hash:19000:0:99999:7:::\n");
        files.add_user(&plan, None, 1).unwrap();
        assert!(files.shadow.contains("other:$6$salt$hash:"));
        files.add_user(&UserPlan { locked: true, ..plan }, None, 1).unwrap();
        assert!(files.shadow.contains("other:*:19000:"), "{}", files.shadow);
    }
}
