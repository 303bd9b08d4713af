//! What only the running system can do: units that do it once, at the first boot with a network.

use super::change::Change;

/// One job of the first boot.
pub struct Once<'a> {
    /// Its name: the unit is `bootc-ks-NAME.service`.
    pub name: &'a str,
    /// What it does, in a few words.
    pub description: &'a str,
    /// The file that says what is to be done; when it is done, it is gone.
    pub until_gone: &'a str,
    /// What is run, as `ExecStart=` has it.
    pub command: String,
    /// What is run after it, if that is there; its failure is none of the job's.
    pub then: Option<String>,
}

/// The unit, and that it starts with the system. It is tried again while it fails.
pub fn changes(once: &Once<'_>) -> Vec<Change> {
    let unit = format!("bootc-ks-{}.service", once.name);
    let Once { description, until_gone, command, .. } = once;
    let then = once.then.as_ref().map(|program| format!("ExecStartPost=-{program}\n")).unwrap_or_default();
    let text = format!(
        "# Written by bootc-ks at installation.\n[Unit]\nDescription={description}\nWants=network-online.target\n\
         After=network-online.target time-sync.target dbus.service\nConditionPathExists={until_gone}\n\
         StartLimitIntervalSec=0\n\n[Service]\nType=oneshot\nExecStart={command}\n\
         ExecStartPost=/usr/bin/rm -f {until_gone}\n{then}Restart=on-failure\nRestartSec=60\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    );
    vec![Change::write(format!("/etc/systemd/system/{unit}"), text), Change::Enable { unit }]
}

/// A word of a command line as systemd reads it.
pub fn word(text: &str) -> String {
    let mut word = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            '%' | '$' => word.extend([c, c]),
            _ => word.push(c),
        }
    }
    word + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_program_as_they_are() {
        for (text, expected) in
            [("OU=a b,DC=x", r#""OU=a b,DC=x""#), ("50% $HOME", r#""50%% $$HOME""#), (r#"a"b\c"#, r#""a\"b\\c""#)]
        {
            assert_eq!(word(text), expected);
        }
    }
}
