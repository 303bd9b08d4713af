//! `auth` and `authconfig` to `authselect`: only what has a certain counterpart.

use super::line::Line;
use super::outcome::Outcome;

/// What holds without being asked for.
const HOLDS: &[&str] = &[
    "--enableshadow",
    "--useshadow",
    "--passalgo=sha512",
    "--enablesha512",
    "--disablenis",
    "--disableldap",
    "--disableldapauth",
    "--disablekrb5",
    "--disablewinbind",
    "--disablewinbindauth",
    "--update",
    "--updateall",
    "--kickstart",
    "--nostart",
];

/// Switches and what `authselect` calls them.
const FEATURES: &[(&str, &str)] = &[
    ("--enablefaillock", "with-faillock"),
    ("--enablefingerprint", "with-fingerprint"),
    ("--enablemkhomedir", "with-mkhomedir"),
    ("--enablepamaccess", "with-pamaccess"),
    ("--enablesmartcard", "with-smartcard"),
];

const PROFILES: &[(&str, &str)] = &[
    ("--enablesssd", "sssd"),
    ("--enablesssdauth", "sssd"),
    ("--enablewinbind", "winbind"),
    ("--enablewinbindauth", "winbind"),
];

fn named(table: &[(&'static str, &'static str)], option: &str) -> Option<&'static str> {
    table.iter().find(|(name, _)| *name == option).map(|(_, new)| *new)
}

/// `authconfig` is gone; its line becomes one of `authselect`, or goes too.
pub(super) fn convert(line: &mut Line<'_>) {
    let (mut profile, mut features) = (None, Vec::new());
    let options: Vec<String> = line.words.iter().skip(1).map(|w| w.value.to_string()).collect();
    for option in joined(&options) {
        if let Some(feature) = named(FEATURES, &option) {
            if !features.contains(&feature) {
                features.push(feature);
            }
        } else if let Some(wanted) = named(PROFILES, &option).filter(|p| profile.is_none_or(|known| known == *p)) {
            profile = Some(wanted);
        } else if !HOLDS.contains(&option.as_str()) {
            // Never the value: it may be a password.
            let name = option.split('=').next().unwrap_or("");
            let name = if name.starts_with("--") { name } else { "an argument" };
            let why = format!("`{}` is gone, and `{name}` has no certain counterpart in `authselect`", line.name());
            return line.say(Outcome::Left, why);
        }
    }
    if profile.is_none() && features.is_empty() {
        let why =
            format!("`{}` is gone: all that it asks for holds, passwords are hashed as the system does", line.name());
        line.say(Outcome::Converted, why);
        return line.drop();
    }
    let words: Vec<&str> = ["authselect", "select", profile.unwrap_or("sssd")].into_iter().chain(features).collect();
    line.say(Outcome::Converted, format!("`{}` is now `authselect`", line.name()));
    line.rewrite(&words);
}

/// `--passalgo sha512` as `--passalgo=sha512`.
fn joined(words: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for word in words {
        match out.last_mut() {
            Some(last) if last == "--passalgo" => *last = format!("{last}={word}"),
            _ => out.push(word.clone()),
        }
    }
    out
}
