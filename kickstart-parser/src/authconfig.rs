//! What the arguments of authconfig, a program of the past, mean in the words of its successor.

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

/// Ways to hash passwords that are weaker than what systems do today.
const WEAK: &[&str] =
    &["--enablemd5", "--passalgo=md5", "--passalgo=sha256", "--passalgo=descrypt", "--passalgo=bigcrypt"];

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

/// What a line of arguments comes to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meaning {
    /// The profile of `authselect`.
    pub profile: Option<&'static str>,
    /// Its features.
    pub features: Vec<&'static str>,
    /// A way to hash passwords that is asked for and weaker than what systems do.
    pub weak_hash: Option<&'static str>,
}

/// What `words` ask for. The error is the name of the first option that has no certain counterpart;
/// never its value, which may be a password.
pub fn meaning(words: &[String]) -> Result<Meaning, String> {
    let mut meaning = Meaning::default();
    for option in joined(words) {
        if let Some(feature) = named(FEATURES, &option) {
            if !meaning.features.contains(&feature) {
                meaning.features.push(feature);
            }
        } else if let Some(wanted) =
            named(PROFILES, &option).filter(|p| meaning.profile.is_none_or(|known| known == *p))
        {
            meaning.profile = Some(wanted);
        } else if let Some(weak) = WEAK.iter().find(|weak| **weak == option) {
            meaning.weak_hash = Some(weak);
        } else if !HOLDS.contains(&option.as_str()) {
            let name = option.split('=').next().unwrap_or("");
            return Err(if name.starts_with("--") { name.to_owned() } else { "an argument".to_owned() });
        }
    }
    Ok(meaning)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Meaning, String> {
        meaning(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_holds_anyway_means_nothing() {
        for line in ["", "--enableshadow --passalgo=sha512 --kickstart", "--useshadow --passalgo sha512"] {
            assert_eq!(read(line), Ok(Meaning::default()), "{line}");
        }
    }

    #[test]
    fn the_rest_is_a_profile_a_feature_or_unknown() {
        let seen = read("--enablefingerprint --enablesssd --enablemd5 --enablefingerprint").unwrap();
        assert_eq!((seen.profile, seen.features), (Some("sssd"), vec!["with-fingerprint"]));
        assert_eq!(seen.weak_hash, Some("--enablemd5"));
        assert_eq!(read("--ldapserver=secret"), Err("--ldapserver".into()));
        assert_eq!(read("--enablesssd --enablewinbind"), Err("--enablewinbind".into()));
        assert_eq!(read("x"), Err("an argument".into()));
    }
}
