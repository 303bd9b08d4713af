//! `auth` and `authconfig` to `authselect`: only what has a certain counterpart.

use super::line::Line;
use super::outcome::Outcome;
use crate::authconfig::{self, Meaning};

/// `authconfig` is gone; its line becomes one of `authselect`, or goes too.
pub(super) fn convert(line: &mut Line<'_>) {
    let options: Vec<String> = line.words.iter().skip(1).map(|w| w.value.to_string()).collect();
    let unclear = match authconfig::meaning(&options) {
        Ok(Meaning { profile, features, weak_hash: None }) => return write(line, profile, features),
        Ok(Meaning { weak_hash, .. }) => weak_hash.and_then(|weak| weak.split('=').next()).unwrap_or("").to_owned(),
        Err(name) => name,
    };
    let why = format!("`{}` is gone, and `{unclear}` has no certain counterpart in `authselect`", line.name());
    line.say(Outcome::Left, why);
}

fn write(line: &mut Line<'_>, profile: Option<&'static str>, features: Vec<&'static str>) {
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
