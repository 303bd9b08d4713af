//! What this installer makes of each command, option and section of the language: the part
//! of the reference that the parser's tables do not know, and what [`from_kickstart`] refuses
//! or warns about by name.
//!
//! [`from_kickstart`]: super::from_kickstart

mod entry;
mod table;

use kickstart_parser::kickstart::Given;

pub use entry::{Effect, Entry, Fate, Row};

use Fate::{NoEffect, Refused};

/// Every command, by name.
pub fn commands() -> &'static [Entry] {
    table::ENTRIES
}

/// Every section, by the order of the parser.
pub fn sections() -> &'static [Entry] {
    table::SECTIONS
}

/// What becomes of a command or section.
pub fn entry(name: &str) -> Option<&'static Entry> {
    table::ENTRIES.iter().chain(table::SECTIONS).find(|entry| entry.name == name)
}

/// What becomes of `option` of `command`.
pub fn row(command: &str, option: &str) -> Option<&'static Row> {
    entry(command)?.options.iter().find(|row| row.0 == option)
}

impl super::from_kickstart::Reader<'_> {
    /// Refuses what is not done here, and warns of what means nothing, by the name alone.
    pub(super) fn by_name(&mut self, given: &[Given]) {
        for Given { name, span } in given {
            match entry(name) {
                Some(Entry { fate: Refused, does, .. }) => {
                    self.refuse(*span, format!("`{name}` is not supported by this installer"), does)
                }
                Some(Entry { fate: NoEffect, does, .. }) => self.warn_if(
                    true,
                    *span,
                    &format!("`{name}` has no effect where a container image is installed"),
                    does,
                ),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kickstart_parser::catalog::{self, CommandInfo, OptionInfo, Value};
    use kickstart_parser::{ParseOptions, Syntax, parse};

    use super::Fate::Used;
    use super::*;
    use crate::request::from_kickstart;

    fn understood() -> Vec<CommandInfo> {
        catalog::commands().into_iter().filter(|c| entry(c.name).unwrap().fate == Used).collect()
    }

    #[test]
    fn nothing_is_missing_and_nothing_is_left_over() {
        let names: Vec<&str> = catalog::commands().iter().map(|c| c.name).collect();
        assert_eq!(commands().iter().map(|e| e.name).collect::<Vec<_>>(), names);
        let names: Vec<&str> = catalog::sections().iter().map(|s| s.name).collect();
        assert_eq!(sections().iter().map(|e| e.name).collect::<Vec<_>>(), names);
        for (entry, command) in commands().iter().filter(|e| e.fate == Used).zip(understood()) {
            let here: Vec<&str> = entry.options.iter().map(|row| row.0).collect();
            let there: Vec<&str> = command.options.iter().map(|o| o.name).collect();
            assert_eq!(here, there, "{}", entry.name);
        }
    }

    /// A line with this option in it.
    fn sample(command: &CommandInfo, option: &OptionInfo) -> String {
        let value = match (command.name, option.name, option.value) {
            (_, "--transport", _) => "=oci".to_owned(),
            (_, "--type", _) => "=plain".to_owned(),
            (_, "--fstype", _) => "=ext4".to_owned(),
            (_, "--disklabel", _) => "=gpt".to_owned(),
            (_, "--homedir" | "--shell", _) => "=/x".to_owned(),
            // The first of its choices is the default; of others some are refused.
            ("network", "--bootproto", _) => "=dhcp".to_owned(),
            (_, "--drives", _) => "=vda".to_owned(),
            ("sshpw", "--username", _) => "=root".to_owned(),
            ("bootc", "--bootloader", _) => "=grub".to_owned(),
            ("rhsm", "--proxy", _) => "=http://proxy:80".to_owned(),
            // The option and its counterpart stand together; see its row.
            ("ostreecontainer", "--remote", _) => "=x --no-signature-verification".to_owned(),
            (_, _, Value::None) => String::new(),
            (_, _, Value::Boolean) => "=yes".to_owned(),
            (_, _, Value::Number) => "=100".to_owned(),
            (_, _, Value::Choice(of)) => format!("={}", of[0]),
            _ => "=x".to_owned(),
        };
        let rest = match command.name {
            "part" | "partition" => "/ --grow",
            "volgroup" => "vg",
            "logvol" => match option.name {
                "--name" => "/ --vgname=vg --size=900",
                "--vgname" => "/ --name=root --size=900",
                "--size" | "--useexisting" => "/ --vgname=vg --name=root",
                "--thinpool" => "none --vgname=vg --name=pool --size=900",
                "--thin" => "/ --vgname=vg --name=root --poolname=pool --size=900",
                _ => "/ --vgname=vg --name=root --size=900",
            },
            "user" if option.name != "--name" => "--name=a",
            "sshkey" => "key",
            "ostreecontainer" if option.name != "--url" => "--url=q.io/x",
            "bootc" if option.name != "--source-imgref" => "--source-imgref=q.io/x",
            "rhsm" => "--organization=1 --activation-key=k",
            "realm" => "example.com",
            "lang" => "C",
            "timezone" => "UTC",
            "keyboard" => "us",
            "rootpw" => "x",
            "sshpw" if option.name != "--username" => "--username=root x",
            "sshpw" => "x",
            _ => "",
        };
        let name = if command.name == "realm" { "realm join" } else { command.name };
        format!("{name} {}{value} {rest}\n", option.name)
    }

    #[test]
    fn the_installer_does_as_is_written_here() {
        for command in understood() {
            for option in &command.options {
                let line = sample(&command, option);
                // Some options of these are newer than the version that is read by default, or not in Fedora.
                let syntax = match command.name {
                    "bootc" => Some(Syntax::F46),
                    "rhsm" => Some(Syntax::Rhel10),
                    _ => None,
                };
                let parsed = parse(&line, "x.ks", &ParseOptions { syntax, ..ParseOptions::default() });
                let (_, found) = from_kickstart(&parsed.kickstart, &parsed.sources);
                let says = |code: &str| found.iter().any(|d| d.code == code);
                let (_, effect, _) = row(command.name, option.name).unwrap();
                assert_eq!(says("R001"), *effect == Effect::Refused, "{line}{found:?}");
                assert_eq!(says("R002"), *effect == Effect::Warned, "{line}{found:?}");
            }
        }
    }
}
