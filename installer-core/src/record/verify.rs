//! A record held against what is there.

use std::io;

use serde::Serialize;
use serde_json::Value;

use super::installed::Installed;
use super::types::{FileKind, Record};
use super::{observe, units};

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A user.
    User,
    /// A group.
    Group,
    /// The keys that let a user in.
    SshKeys,
    /// A unit.
    Unit,
    /// A file.
    File,
    /// The kernel arguments.
    KernelArguments,
    /// The image.
    Image,
}

/// Something that is not as it was left.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What kind of thing.
    pub about: About,
    /// Which one: a name, a path.
    pub name: String,
    /// Which of its properties, as the record calls it; none if the thing itself is not there.
    pub field: Option<String>,
    /// As it was left.
    pub recorded: Value,
    /// As it is; null where it is not there.
    pub found: Value,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// What is not as it was left.
    pub differences: Vec<Difference>,
    /// What could not be looked at, and why.
    pub unseen: Vec<String>,
}

/// Holds `record` against `system`.
pub fn verify(record: &Record, system: &Installed) -> Findings {
    let mut found = Findings::default();
    for user in &record.users {
        found.hold(About::User, &user.name, user, observe::user(system, &user.name));
    }
    for group in &record.groups {
        found.hold(About::Group, &group.name, group, observe::group(system, &group.name));
    }
    for keys in &record.ssh_keys {
        found.hold(About::SshKeys, &keys.user, keys, observe::keys(system, &keys.user));
    }
    for unit in &record.units {
        found.hold(About::Unit, &unit.unit, unit, units::unit(system, &unit.unit).map(Some));
    }
    for file in &record.files {
        let secret = file.kind == FileKind::File && file.digest.is_none();
        found.hold(About::File, &file.path, file, observe::file(system, &file.path, secret));
    }
    // What storage has on record will be held against the devices here.
    kernel_arguments(record, system, &mut found);
    image(record, system, &mut found);
    found
}

impl Findings {
    /// Compares a thing, property by property.
    fn hold<T: Serialize>(&mut self, about: About, name: &str, recorded: &T, found: io::Result<Option<T>>) {
        let (recorded, found) = match (serde_json::to_value(recorded), found) {
            (Ok(recorded), Ok(Some(found))) => (recorded, serde_json::to_value(found).unwrap_or_default()),
            (Ok(recorded), Ok(None)) => (recorded, Value::Null),
            (_, Err(error)) => return self.unseen.push(format!("{name}: {error}")),
            (Err(error), _) => return self.unseen.push(format!("{name}: {error}")),
        };
        let mut differ = |field: Option<&str>, recorded: &Value, found: &Value| {
            let (name, field) = (name.to_owned(), field.map(str::to_owned));
            self.differences.push(Difference { about, name, field, recorded: recorded.clone(), found: found.clone() });
        };
        let (Some(left), Some(is)) = (recorded.as_object(), found.as_object()) else {
            return differ(None, &recorded, &Value::Null);
        };
        // A file that became a link has other properties.
        let fields = left.keys().chain(is.keys().filter(|key| !left.contains_key(*key)));
        for field in fields {
            let (left, is) = (left.get(field).unwrap_or(&Value::Null), is.get(field).unwrap_or(&Value::Null));
            if left != is {
                differ(Some(field), left, is);
            }
        }
    }
}

/// What the boot loader and libostree add to the arguments of an entry.
const ADDED: [&str; 3] = ["ostree=", "BOOT_IMAGE=", "initrd="];

fn kernel_arguments(record: &Record, system: &Installed, found: &mut Findings) {
    let Some(kargs) = system.kargs() else {
        return found.unseen.push("kernel arguments: there is no boot entry to read".into());
    };
    let recorded: Vec<&str> = record.kargs.iter().flat_map(|karg| karg.split_whitespace()).collect();
    let mut rest: Vec<&str> = kargs.iter().map(String::as_str).collect();
    rest.retain(|karg| !ADDED.iter().any(|prefix| karg.starts_with(prefix)));
    let mut differ = |name: &str, recorded: Value, is: Value| {
        let (about, name) = (About::KernelArguments, name.to_owned());
        found.differences.push(Difference { about, name, field: None, recorded, found: is });
    };
    for karg in recorded {
        match rest.iter().position(|other| *other == karg) {
            Some(at) => _ = rest.remove(at),
            None => differ(karg, karg.into(), Value::Null),
        }
    }
    for karg in rest {
        differ(karg, Value::Null, karg.into());
    }
}

fn image(record: &Record, system: &Installed, found: &mut Findings) {
    let Some(commit) = system.commit() else {
        return found.unseen.push("image: the deployment cannot be told".into());
    };
    if commit == record.image.commit {
        return;
    }
    let digest = system.image_of(&commit);
    let same = digest.as_ref() == Some(&record.image.digest);
    let (field, recorded, is) = match digest {
        Some(digest) if !same => ("digest", record.image.digest.to_string(), digest.to_string()),
        _ => ("commit", record.image.commit.clone(), commit),
    };
    found.differences.push(Difference {
        about: About::Image,
        name: record.image.source.clone(),
        field: Some(field.to_owned()),
        recorded: recorded.into(),
        found: is.into(),
    });
}
