//! machines.toml: which machine gets which kickstart. Read again when it has changed.

use std::collections::BTreeMap;
use std::path::Path;

use installer_core::{Error, Result, Stage};
use serde::Deserialize;

use super::identity::{self, Identity};
use crate::kargs;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machines {
    /// For all machines.
    #[serde(default)]
    common: Common,
    /// For machines that are not named.
    default: Option<Profile>,
    /// The machines.
    #[serde(default, rename = "machine")]
    machines: Vec<Machine>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    #[serde(default)]
    kargs: Vec<String>,
    #[serde(default)]
    vars: BTreeMap<String, toml::Value>,
}

/// What a machine gets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// A file of the directory of kickstarts.
    pub kickstart: String,
    /// Arguments for the installer's kernel.
    #[serde(default)]
    pub kargs: Vec<String>,
    /// Variables of the template.
    #[serde(default)]
    pub vars: BTreeMap<String, toml::Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Machine {
    name: String,
    #[serde(default)]
    mac: OneOrMany,
    uuid: Option<String>,
    serial: Option<String>,
    kickstart: Option<String>,
    #[serde(default)]
    kargs: Vec<String>,
    #[serde(default)]
    vars: BTreeMap<String, toml::Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

/// A machine that the file knows, by name or as any machine.
#[derive(Clone, Debug)]
pub struct Selected {
    /// Its name; none for those of `[default]`.
    pub name: Option<String>,
    /// Its network cards; empty where the file does not tell.
    pub macs: Vec<String>,
    /// What the file tells of it besides.
    pub expected: Identity,
    /// What it gets.
    pub profile: Profile,
}

impl Machines {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::input(Stage::Request, format!("reading the machines in {}", path.display())).because(error)
        })?;
        Self::parse(&text).map_err(|error| error.context(format!("reading the machines in {}", path.display())))
    }

    /// Reads its text.
    pub fn parse(text: &str) -> Result<Self> {
        let mut file: Machines =
            toml::from_str(text).map_err(|error| Error::input(Stage::Request, error.to_string().trim().to_owned()))?;
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for machine in &mut file.machines {
            machine.resolve_defaults(file.default.as_ref())?;
            for id in machine.ids() {
                if let Some(other) = seen.insert(id.clone(), machine.name.clone()) {
                    let message = format!("'{id}' stands for both '{other}' and '{}'", machine.name);
                    return Err(Error::input(Stage::Request, message).hint("give each machine ids of its own"));
                }
            }
        }
        let every = file.machines.iter().flat_map(|machine| &machine.kargs);
        let default = file.default.iter().flat_map(|profile| &profile.kargs);
        every.chain(default).chain(&file.common.kargs).try_for_each(|karg| kargs::check(karg))?;
        Ok(file)
    }

    /// The entry of a machine that says this of itself: by address, else by UUID, else by
    /// serial number, else the one for all others.
    pub fn select(&self, who: &Identity) -> Option<Selected> {
        let find = |given: &Option<String>, has: fn(&Machine, &str) -> bool| {
            let given = given.as_deref()?;
            self.machines.iter().find(|machine| has(machine, given))
        };
        let found = find(&who.mac, |machine, mac| machine.mac.list().iter().any(|own| own == mac))
            .or_else(|| find(&who.uuid, |machine, uuid| machine.uuid.as_deref() == Some(uuid)))
            .or_else(|| find(&who.serial, |machine, serial| machine.serial.as_deref() == Some(serial)));
        match found {
            Some(machine) => Some(self.selected(machine)),
            None => self.default.as_ref().map(|profile| Selected {
                name: None,
                macs: Vec::new(),
                expected: Identity::default(),
                profile: self.with_common(profile.clone()),
            }),
        }
    }

    /// The entry of this name.
    pub fn named(&self, name: &str) -> Option<Selected> {
        self.machines.iter().find(|machine| machine.name == name).map(|machine| self.selected(machine))
    }

    /// Every machine that has an entry of its own.
    pub fn all(&self) -> impl Iterator<Item = Selected> {
        self.machines.iter().map(|machine| self.selected(machine))
    }

    fn selected(&self, machine: &Machine) -> Selected {
        let macs = machine.mac.list();
        let kickstart = machine.kickstart.clone().unwrap_or_default();
        let profile = Profile { kickstart, kargs: machine.kargs.clone(), vars: machine.vars.clone() };
        Selected {
            name: Some(machine.name.clone()),
            expected: Identity {
                mac: macs.first().cloned(),
                uuid: machine.uuid.clone(),
                serial: machine.serial.clone(),
            },
            macs,
            profile: self.with_common(profile),
        }
    }

    fn with_common(&self, mut profile: Profile) -> Profile {
        profile.kargs = self.common.kargs.iter().chain(&profile.kargs).cloned().collect();
        for (name, value) in &self.common.vars {
            profile.vars.entry(name.clone()).or_insert_with(|| value.clone());
        }
        profile
    }
}

impl Machine {
    /// Brings its ids into their one form, and its kickstart from the default.
    fn resolve_defaults(&mut self, default: Option<&Profile>) -> Result<()> {
        let name = self.name.clone();
        let bad = |what: &str, value: &str| {
            Err(Error::input(Stage::Request, format!("machine '{name}': '{}' is no {what}", value.escape_debug())))
        };
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            return bad("name: use letters, digits and . _ -", &self.name);
        }
        let mut macs = Vec::new();
        for given in self.mac.list() {
            match identity::mac(&given) {
                Some(mac) => macs.push(mac),
                None => return bad("network address, such as 52:54:00:12:34:56", &given),
            }
        }
        self.mac = OneOrMany::Many(macs);
        for (given, read, what) in [
            (&mut self.uuid, identity::uuid as fn(&str) -> Option<String>, "UUID"),
            (&mut self.serial, identity::serial, "serial number"),
        ] {
            if let Some(text) = given.clone() {
                *given = read(&text);
                if given.is_none() {
                    return bad(what, &text);
                }
            }
        }
        if self.ids().len() < 2 {
            let message = format!("machine '{name}' has neither mac nor uuid nor serial");
            return Err(Error::input(Stage::Request, message).hint("it could not be told from another one"));
        }
        if self.kickstart.is_none() {
            self.kickstart = default.map(|profile| profile.kickstart.clone());
        }
        match self.kickstart {
            Some(_) => Ok(()),
            None => Err(Error::input(Stage::Request, format!("machine '{name}' has no kickstart"))
                .hint("give it one, or give [default] one")),
        }
    }

    fn ids(&self) -> Vec<String> {
        let mut ids = vec![self.name.clone()];
        ids.extend(self.mac.list());
        ids.extend(self.uuid.clone());
        ids.extend(self.serial.clone());
        ids
    }
}

impl OneOrMany {
    fn list(&self) -> Vec<String> {
        match self {
            OneOrMany::None => Vec::new(),
            OneOrMany::One(one) => vec![one.clone()],
            OneOrMany::Many(many) => many.clone(),
        }
    }
}

impl Selected {
    /// Why a machine that says this of itself cannot be this one.
    pub fn contradiction(&self, who: &Identity) -> Option<String> {
        if let Some(mac) = who.mac.as_ref().filter(|mac| !self.macs.is_empty() && !self.macs.contains(mac)) {
            return Some(format!("its network address is {mac}"));
        }
        for (what, expected, given) in
            [("UUID", &self.expected.uuid, &who.uuid), ("serial number", &self.expected.serial, &who.serial)]
        {
            match (expected, given) {
                (Some(expected), Some(given)) if expected != given => return Some(format!("its {what} is {given}")),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [common]
        kargs = ["console=ttyS0"]
        vars = { domain = "example.com", role = "any" }
        [default]
        kickstart = "default.ks"
        [[machine]]
        name = "web-1"
        mac = ["52-54-00-00-00-01", "52:54:00:00:00:11"]
        uuid = "4C4C4544-0051-3010-8052-B4C04F4D3432"
        kickstart = "web.ks"
        kargs = ["quiet"]
        vars = { role = "web" }
        [[machine]]
        name = "by-serial"
        serial = "ABC 123"
    "#;

    fn who(mac: Option<&str>, uuid: Option<&str>, serial: Option<&str>) -> Identity {
        Identity::new(mac, uuid, serial)
    }

    #[test]
    fn address_before_uuid_before_serial_before_default() {
        let file = Machines::parse(FILE).unwrap();
        let name = |who: &Identity| file.select(who).unwrap().name;
        let uuid = Some("4c4c4544-0051-3010-8052-b4c04f4d3432");
        assert_eq!(name(&who(Some("52:54:00:00:00:11"), None, Some("ABC 123"))).as_deref(), Some("web-1"));
        assert_eq!(name(&who(None, uuid, Some("ABC 123"))).as_deref(), Some("web-1"));
        assert_eq!(name(&who(Some("52:54:00:00:00:99"), None, Some("ABC 123"))).as_deref(), Some("by-serial"));
        assert_eq!(name(&who(Some("52:54:00:00:00:99"), None, None)), None);
    }

    #[test]
    fn what_is_common_goes_first_and_gives_way() {
        let web = Machines::parse(FILE).unwrap().named("web-1").unwrap();
        assert_eq!(web.profile.kargs, ["console=ttyS0", "quiet"]);
        assert_eq!(web.profile.vars["role"].as_str(), Some("web"));
        assert_eq!(web.profile.vars["domain"].as_str(), Some("example.com"));
        let other = Machines::parse(FILE).unwrap().named("by-serial").unwrap();
        assert_eq!(other.profile.kickstart, "default.ks");
    }

    #[test]
    fn contradictions_are_seen() {
        let file = Machines::parse(FILE).unwrap();
        let forged = who(Some("52:54:00:00:00:01"), Some("11111111-0051-3010-8052-b4c04f4d3432"), None);
        assert!(file.select(&forged).unwrap().contradiction(&forged).unwrap().contains("UUID"));
        let honest = who(Some("52:54:00:00:00:11"), Some("4c4c4544-0051-3010-8052-b4c04f4d3432"), Some("x"));
        assert_eq!(file.select(&honest).unwrap().contradiction(&honest), None);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, words) in [
            ("[[machine]]\nname = 'a'\nkickstart = 'x'", "neither mac nor uuid nor serial"),
            ("[[machine]]\nname = 'a'\nmac = 'zz'\nkickstart = 'x'", "is no network address"),
            ("[[machine]]\nname = 'a b'\nserial = '1'\nkickstart = 'x'", "is no name"),
            ("[[machine]]\nname = 'a'\nserial = 'S1'", "has no kickstart"),
            ("[[machine]]\nname = 'a'\nkikstart = 'S1'", "unknown field `kikstart`"),
            ("[default]\nkickstart = 'x'\nkargs = ['a b']", "cannot be written into boot scripts"),
            (
                "[[machine]]\nname='a'\nserial='S1'\nkickstart='x'\n[[machine]]\nname='b'\nserial='S1'\nkickstart='x'",
                "stands for both 'a' and 'b'",
            ),
        ] {
            let error = Machines::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{words:?} is not in {error}");
        }
    }
}
