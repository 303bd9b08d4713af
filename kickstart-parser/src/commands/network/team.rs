//! The devices of a team: `--teamslaves` has a small language of its own.

/// A device that a team is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TeamPort {
    /// The device.
    pub name: String,
    /// JSON for teamd, if there is any.
    pub config: String,
}

impl TeamPort {
    /// As the option has it.
    pub(super) fn written(&self) -> String {
        if self.config.is_empty() { self.name.clone() } else { format!("{}'{}'", self.name, self.config) }
    }
}

/// Devices separated by commas, each with its configuration behind it in single quotes, if it
/// has any. The comma after a configuration may be missing, and so may the last quote; commas
/// at either end of a run of names do not count.
pub(super) fn ports(text: &str) -> Vec<TeamPort> {
    let mut ports = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (names, quoted) = rest.split_once('\'').unwrap_or((rest, ""));
        let (config, after) = quoted.split_once('\'').unwrap_or((quoted, ""));
        let port = |name: &str| TeamPort { name: name.to_owned(), config: String::new() };
        ports.extend(names.trim_matches(',').split(',').map(port));
        if let Some(last) = ports.last_mut() {
            config.clone_into(&mut last.config);
        }
        rest = after;
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::ports;

    #[test]
    fn devices_and_their_configurations() {
        let written = |text: &str| ports(text).iter().map(|port| port.written()).collect::<Vec<String>>();
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("p1", &["p1"]),
            ("p1,p2", &["p1", "p2"]),
            ("p1'{\"prio\": -10, \"x\": 1}',p2'{}'", &["p1'{\"prio\": -10, \"x\": 1}'", "p2'{}'"]),
            ("a'x'b,c", &["a'x'", "b", "c"]),
            ("b,a'x", &["b", "a'x'"]),
            ("a''", &["a"]),
            ("a,,b", &["a", "", "b"]),
            (",,a,", &["a"]),
            (",", &[""]),
            ("a'x',,b", &["a'x'", "b"]),
            ("a'x',", &["a'x'", ""]),
            ("'''", &["", ""]),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text), *expected, "{text}");
        }
    }
}
