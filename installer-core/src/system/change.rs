//! The system as a list of changes: what is written, set, linked, enabled and run in it. Plain data,
//! which the plan shows and one executor carries out below the target's root.

use serde::{Deserialize, Serialize};

use crate::image::SystemFacts;

/// One change to the deployed system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Change {
    /// A file, root's.
    Write {
        /// Its path.
        path: String,
        /// Its content. Secrets stand in it as what is put in their place (`plan`'s secrets).
        content: String,
        /// Whether root alone reads it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        private: bool,
    },
    /// One `KEY=value` line of a file that the image brings.
    Set {
        /// Its path.
        path: String,
        /// The key.
        key: String,
        /// Its new value, as it stands in the file.
        value: String,
        /// Whether an image without that file is worth a warning.
        expected: bool,
    },
    /// Lines of a file that the image brings, in place of others.
    Lines {
        /// Its path.
        path: String,
        /// The first words of the lines that go.
        without: Vec<String>,
        /// The lines that come.
        with: Vec<String>,
    },
    /// A symbolic link.
    Link {
        /// Its path.
        path: String,
        /// Where it leads.
        target: String,
        /// What must exist for that; a warning is given where it does not.
        needs: Option<String>,
    },
    /// A unit starts with the system, as its own `[Install]` says.
    Enable {
        /// The unit.
        unit: String,
    },
    /// A unit does not.
    Disable {
        /// The unit.
        unit: String,
    },
    /// A program of the image, run inside the system.
    Run {
        /// It.
        program: String,
        /// Its arguments.
        args: Vec<String>,
    },
}

impl Change {
    /// A file that all may read.
    pub fn write(path: impl Into<String>, content: impl Into<String>) -> Self {
        Change::Write { path: path.into(), content: content.into(), private: false }
    }

    /// What it does, in a few words.
    pub fn title(&self) -> String {
        match self {
            Change::Write { path, .. } => format!("write {path}"),
            Change::Set { path, key, .. } => format!("set {key} in {path}"),
            Change::Lines { path, .. } => format!("change {path}"),
            Change::Link { path, target, .. } => format!("link {path} to {target}"),
            Change::Enable { unit } => format!("enable {unit}"),
            Change::Disable { unit } => format!("disable {unit}"),
            Change::Run { program, .. } => format!("run {program} in the new system"),
        }
    }

    /// What it writes, line by line.
    pub fn details(&self) -> Vec<String> {
        match self {
            Change::Write { content, .. } => content.lines().map(str::to_owned).collect(),
            Change::Set { key, value, .. } => vec![format!("{key}={value}")],
            Change::Lines { with, .. } => with.clone(),
            _ => Vec::new(),
        }
    }
}

/// What a change or its absence is about: the part of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The language.
    Language,
    /// The keyboard.
    Keyboard,
    /// The clock: its zone and where the time comes from.
    Clock,
    /// Users and groups.
    Accounts,
    /// Which units start.
    Services,
    /// The firewall.
    Firewall,
    /// Connections.
    Network,
    /// How users are authenticated.
    Authentication,
    /// What is seen first.
    Desktop,
    /// Registration with Red Hat.
    Subscription,
    /// Membership of a domain.
    Domain,
    /// Whether something asks at the first boot.
    FirstBoot,
}

/// Something about the image and the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// Whether the request cannot be done with the image.
    pub fatal: bool,
    /// What is so.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// What the parts of the system have to say while they decide.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    unknown: Vec<String>,
}

impl Findings {
    /// The image lacks what is asked for.
    pub fn lack(&mut self, topic: Topic, message: impl Into<String>, hint: impl Into<String>) {
        self.list.push(Finding { topic, fatal: true, message: message.into(), hint: hint.into() });
    }

    /// Something to know.
    pub fn note(&mut self, topic: Topic, message: impl Into<String>, hint: impl Into<String>) {
        self.list.push(Finding { topic, fatal: false, message: message.into(), hint: hint.into() });
    }

    /// Something that the facts of the image do not tell: whether it has `what`.
    pub fn unknown(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.unknown.contains(&what) {
            self.unknown.push(what);
        }
    }

    /// All that was found, in order.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// What is not known of the image, as one sentence.
    pub fn doubt(&self) -> Option<String> {
        if self.unknown.is_empty() {
            return None;
        }
        Some(format!(
            "these image facts do not say whether the image has {}; that is looked at before a disk is touched",
            self.unknown.join(", ")
        ))
    }
}

/// What the parts of the system decide from, besides the request: nothing follows from `None`.
pub type Facts<'a> = Option<&'a SystemFacts>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_one_form_as_json() {
        let list = [
            (Change::write("/a", "b\n"), r#"{"kind":"write","path":"/a","content":"b\n"}"#),
            (Change::Enable { unit: "a.service".into() }, r#"{"kind":"enable","unit":"a.service"}"#),
        ];
        for (change, json) in list {
            assert_eq!(serde_json::to_string(&change).unwrap(), json);
            assert_eq!(serde_json::from_str::<Change>(json).unwrap(), change);
        }
    }

    #[test]
    fn what_is_not_known_is_said_once() {
        let mut found = Findings::default();
        assert_eq!(found.doubt(), None);
        ["sshd.service", "firewalld", "sshd.service"].into_iter().for_each(|what| found.unknown(what));
        assert!(found.doubt().unwrap().contains("has sshd.service, firewalld; that"));
    }
}
